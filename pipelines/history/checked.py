"""What the checks of a day say of its lines, and what its patterns do, for the features that rest on them."""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Final

import polars as pl

from features.check import FINDING_COLUMNS, FINDINGS
from features.pattern import (
    RETURN_KEYS,
    RETURNED_COLUMNS,
    RING_COLUMNS,
    RING_DEFAULTS,
    returned_column,
    ring_column,
)
from pipelines.store.day_table import DayTable
from pipelines.store.digests import file_digest
from pipelines.store.files import read_tables, reading
from pipelines.store.layout import RETURNED, RINGS, Layout

_TELLING: Final = ("failed", "open")
_RETURN_FACTS: Final = [name for name in RETURNED_COLUMNS if name not in RETURN_KEYS.values()]
_RING_COLUMNS: Final = {name: ring_column(name) for name in RING_DEFAULTS}
_NOTHING: Final[dict[str, pl.DataType]] = {
    **{returned_column(key, fact): RETURNED_COLUMNS[fact] for key in RETURN_KEYS for fact in _RETURN_FACTS},
    **{column: RING_COLUMNS[name] for name, column in _RING_COLUMNS.items()},
}


def with_checked(layout: Layout, day: date, lines: pl.DataFrame) -> pl.DataFrame:
    """Return lines of declarations `with_findings` and with the patterns of their day.

    The columns are those of `features.pattern.returned_column` and `ring_column`, null where the patterns of
    the day are not known; a store that knows none has none of them.
    """
    lines = with_findings(layout, day, lines)
    folder = layout.partition(DayTable.PATTERNS, day)
    if not (folder / RINGS).exists():
        if not layout.days(DayTable.PATTERNS):
            return lines
        return lines.with_columns(pl.lit(None, dtype).alias(name) for name, dtype in _NOTHING.items())
    digest = findings_digest(layout, day)
    keys = lines.with_columns(hs6=pl.col("hs_code").str.slice(0, 6))
    for key, returned in _returned(folder / RETURNED, digest).items():
        keys = keys.join(returned, on=RETURN_KEYS[key], how="left", maintain_order="left")
    rings = _rings(folder / RINGS, digest)
    return (
        keys.drop("hs6")
        .join(rings, on="declaration_id", how="left", maintain_order="left")
        .with_columns(
            *(pl.col(returned_column(key, "lines")).fill_null(0) for key in RETURN_KEYS),
            *(pl.col(ring_column(name)).fill_null(value) for name, value in RING_DEFAULTS.items()),
        )
    )


@lru_cache(maxsize=1)
def _returned(file: Path, _digest: bytes) -> dict[str, pl.DataFrame]:
    """By key what goes back, with the key's column."""
    rows = read_tables([file], RETURNED_COLUMNS, None)
    return {
        key: rows.drop_nulls(column).select(
            column, *(pl.col(fact).alias(returned_column(key, fact)) for fact in _RETURN_FACTS)
        )
        for key, column in RETURN_KEYS.items()
    }


@lru_cache(maxsize=1)
def _rings(file: Path, _digest: bytes) -> pl.DataFrame:
    return read_tables([file], RING_COLUMNS, None).rename(_RING_COLUMNS)


def with_findings(layout: Layout, day: date, lines: pl.DataFrame) -> pl.DataFrame:
    """Return lines with the names of the checks of documents that their parcel failed, or that wait for one.

    The column is `FINDINGS` (list of String), null where the documents of the day were not checked; a store
    of which no day's ever were has none.
    """
    file = layout.file(DayTable.CHECKS, day)
    if file.exists():
        return _with_names(lines, _names(file, findings_digest(layout, day)))
    if any(layout.table(DayTable.CHECKS).glob(f"*/{DayTable.CHECKS.file}")):
        return lines.with_columns(pl.lit(None, pl.List(pl.String)).alias(FINDINGS))
    return lines


def with_all_findings(layout: Layout, day: date, lines: pl.DataFrame) -> pl.DataFrame:
    """Return lines with the names of all checks that their parcel failed, those of the law among them."""
    names = [_names(file, file_digest(file)) for file in _files(layout, day)]
    nothing = pl.DataFrame(schema={"declaration_id": pl.String, FINDINGS: pl.List(pl.String)})
    together = pl.concat([nothing, *names]).group_by("declaration_id").agg(pl.col(FINDINGS).explode())
    return _with_names(lines, together)


def _with_names(lines: pl.DataFrame, names: pl.DataFrame) -> pl.DataFrame:
    joined = lines.join(names, on="declaration_id", how="left", maintain_order="left")
    return joined.with_columns(pl.col(FINDINGS).fill_null([]))


def _files(layout: Layout, day: date) -> list[Path]:
    files = (layout.file(table, day) for table in (DayTable.CHECKS, DayTable.LAW))
    return [file for file in files if file.exists()]


# Asked for by every bucket of a day.
@lru_cache(maxsize=2)
def _names(file: Path, _digest: bytes) -> pl.DataFrame:
    findings = read_tables([file], FINDING_COLUMNS, ["declaration_id", "check", "outcome"])
    told = findings.filter(pl.col("outcome").is_in(_TELLING)).group_by("declaration_id")
    return told.agg(pl.col("check").unique().sort().alias(FINDINGS))


def findings_of(layout: Layout, day: date, parcels: pl.DataFrame) -> pl.DataFrame:
    """Return `declaration_id` and `findings`: what the checks of a day found of each of these parcels."""
    rows = read_tables(_files(layout, day), FINDING_COLUMNS, None)
    rows = rows.join(parcels, on="declaration_id", how="semi").sort("check", "line_no")
    told = ("check", "outcome", "line_no", "found", "expected", "basis", "valid_from")
    return rows.group_by("declaration_id", maintain_order=True).agg(pl.struct(told).alias("findings"))


def findings_digest(layout: Layout, day: date) -> bytes:
    """Return what the features of a day depend on here: the digests of what its documents say and of its
    patterns, empty without any.

    Raises:
        StoreError: they cannot be read.
    """
    patterns = layout.partition(DayTable.PATTERNS, day)
    digest = b""
    for file in (layout.file(DayTable.CHECKS, day), patterns / RETURNED, patterns / RINGS):
        with reading(file):
            digest += file_digest(file) if file.exists() else b""
    return digest
