"""Sums of a day's lines by cell, and which kept ones may be used again.

Sums of a day are kept in the store with a digest of all that they were made from: a day is read again only
where that has changed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

import polars as pl

from configs.reference.facts import Reference, ReferenceDay
from pipelines.statistics.line_values import CELL_KEY, READ_COLUMNS, line_values
from pipelines.store.day_table import DayTable
from pipelines.store.digests import file_digest, intact, read_notes
from pipelines.store.files import read_json, read_tables, read_whole, scan_tables, write_table
from pipelines.store.layout import Layout, table_file
from pipelines.store.store import Store

DIMENSIONS: Final = ("trade_mode", "partner", "hs2", "hs4", "customs_office")
"""The columns by which a direction is divided in tables."""
ALL, BY_DIRECTION = "all", "direction"
SUMS: Final = ("lines", "valued", "value_fen", "valued_usd", "value_cents", "weighed", "weight_mg")
"""What adds up over cells: `valued`, `valued_usd` and `weighed` are lines whose value or weight is known."""
_TEXT: Final = pl.String()
CELL_SCHEMA: Final[dict[str, pl.DataType]] = dict.fromkeys(CELL_KEY, _TEXT) | dict.fromkeys(
    ("declarations", *SUMS), pl.Int64()
)
COUNT_SCHEMA: Final[dict[str, pl.DataType]] = dict.fromkeys(("dimension", "direction", "entry"), _TEXT) | {
    "declarations": pl.Int64()
}
PAIR_SCHEMA: Final[dict[str, pl.DataType]] = dict.fromkeys(CELL_KEY, _TEXT) | {"enterprise": pl.UInt64()}
UNVALUED_SCHEMA: Final[dict[str, pl.DataType]] = dict.fromkeys(("reason", "currency"), _TEXT) | {
    "lines": pl.Int64()
}
_CELLS, _COUNTS, _PAIRS, _UNVALUED = "cells", "declarations", "enterprises", "unvalued"
_SCHEMAS: Final = {
    _CELLS: CELL_SCHEMA, _COUNTS: COUNT_SCHEMA, _PAIRS: PAIR_SCHEMA, _UNVALUED: UNVALUED_SCHEMA,
}  # fmt: skip
_BASIS: Final = "basis.json"
# Of the way in which sums are made: another number makes kept ones useless.
_VERSION: Final = 1


@dataclass(frozen=True)
class DaySums:
    """The sums of some lines: `cells` (`CELL_SCHEMA`), `declarations` by entry of a table (`COUNT_SCHEMA`),
    `enterprises`, one row a cell and enterprise, and lines `unvalued` by reason and currency.
    """

    cells: pl.DataFrame
    declarations: pl.DataFrame
    enterprises: pl.DataFrame
    unvalued: pl.DataFrame


def sums_of_day(store: Store, day: date, reference: ReferenceDay) -> DaySums:
    """Return the sums of a day's lines, of which one bucket is held at a time.

    Raises:
        StoreError: a file of the day cannot be read, or is damaged.
    """
    buckets = [
        sum_lines(read_tables([file], store.stored_schema(), list(READ_COLUMNS)), reference)
        for file in store.layout.buckets(day)
    ]
    return add_up(buckets)


def sum_lines(lines: pl.DataFrame, reference: ReferenceDay) -> DaySums:
    """Return the sums of lines of one day (`READ_COLUMNS`, whole parcels)."""
    values = line_values(lines, reference)
    known = {"valued": "value_fen", "valued_usd": "value_cents", "weighed": "weight_mg"}
    cells = values.group_by(CELL_KEY).agg(
        declarations=pl.col("declaration_id").n_unique().cast(pl.Int64),
        lines=pl.len().cast(pl.Int64),
        **{name: pl.col(of).count().cast(pl.Int64) for name, of in known.items()},
        **{of: pl.col(of).sum() for of in known.values()},
    )
    reasons = values.with_columns(lines["currency"]).drop_nulls("unvalued")
    return DaySums(
        cells.select(*CELL_SCHEMA),
        _declarations(values),
        values.select(*PAIR_SCHEMA).unique(),
        reasons.group_by(reason="unvalued", currency="currency").agg(lines=pl.len().cast(pl.Int64)),
    )


def _declarations(values: pl.DataFrame) -> pl.DataFrame:
    """How many declarations stand in each entry of each table; one with lines in two counts in both."""
    count = pl.col("declaration_id").n_unique().cast(pl.Int64).alias("declarations")
    whole = values.select(
        dimension=pl.lit(ALL), direction=pl.lit(None, _TEXT), entry=pl.lit(None, _TEXT), declarations=count
    )
    by_direction = values.group_by("direction").agg(count)
    frames = [whole, by_direction.with_columns(dimension=pl.lit(BY_DIRECTION), entry="direction")]
    frames += [
        values.group_by("direction", entry=name).agg(count).with_columns(dimension=pl.lit(name))
        for name in DIMENSIONS
    ]
    return pl.concat([frame.select(*COUNT_SCHEMA) for frame in frames])


def add_up(parts: Iterable[DaySums]) -> DaySums:
    """Return the sums of parts that have no declaration in common, sorted."""
    parts = list(parts)
    tables = {
        name: pl.concat([pl.DataFrame(schema=schema), *(getattr(part, name) for part in parts)])
        for name, schema in _SCHEMAS.items()
    }
    keys = {
        name: [key for key, dtype in schema.items() if dtype == _TEXT] for name, schema in _SCHEMAS.items()
    }
    for name in (_CELLS, _COUNTS, _UNVALUED):
        tables[name] = tables[name].group_by(keys[name]).agg(pl.all().sum()).select(*_SCHEMAS[name])
    tables[_PAIRS] = tables[_PAIRS].unique()
    return DaySums(**{name: table.sort(table.columns, nulls_last=True) for name, table in tables.items()})


def basis_of(store: Store, day: date, reference: Reference) -> dict[str, object]:
    """Return what the sums of a day rest on: its files by their digests, and the rates of the day."""
    rates = reference.on(day)["exchange_rates"].select("currency", "cny_per_unit")
    return {
        "version": _VERSION,
        "files": declared_digests(store.layout, day),
        "rates": digest_of(rates.sort("currency")),
    }


def declared_digests(layout: Layout, day: date) -> dict[str, str]:
    """Return the digests of the files with a day's declarations, by name."""
    noted = read_notes(layout.digests(layout.partition(DayTable.DECLARATIONS, day)))
    return {
        file.name: str(noted[file.name]["sha256"]) if file.name in noted else file_digest(file).hex()
        for file in layout.buckets(day)
    }


def digest_of(table: pl.DataFrame) -> str:
    """Return a digest of a table's rows, in their order."""
    return hashlib.sha256(table.write_csv().encode()).hexdigest()


def write_sums(folder: Path, sums: DaySums, basis: Mapping[str, object]) -> None:
    """Write sums, and what they rest on, into a staged folder."""
    for name in _SCHEMAS:
        write_table(getattr(sums, name), folder / table_file(name))
    (folder / _BASIS).write_text(json.dumps(basis, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def kept_basis(folder: Path) -> dict[str, object]:
    """Return what kept sums rest on; nothing where none are kept."""
    file = folder / _BASIS
    return read_json(file) if file.exists() else {}


def read_sums(folder: Path) -> DaySums:
    """Return kept sums without their enterprises, of which there are many: see `scan_enterprises`.

    Raises:
        StoreError: they cannot be read, or are damaged.
    """
    tables = {name: read_whole(folder / table_file(name)) for name in _SCHEMAS if name != _PAIRS}
    return DaySums(**tables, enterprises=pl.DataFrame(schema=PAIR_SCHEMA))


def scan_enterprises(folders: Iterable[Path]) -> pl.LazyFrame:
    """Scan the enterprises of kept sums, one row a cell and enterprise of each folder.

    Raises:
        StoreError: a file of them is damaged.
    """
    files = [intact(folder / table_file(_PAIRS)) for folder in folders]
    return scan_tables(files, PAIR_SCHEMA) if files else pl.LazyFrame(schema=PAIR_SCHEMA)
