"""Documents of simulated days in a store: each on the day on which it was sent, and the truth beside them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Final

import polars as pl

from features.contract.china_time import closing_moment
from features.contract.documents import DOCUMENT_TABLES, DocumentTable
from pipelines.documents.known import VERSION_COLUMNS, received_on, write_document_rows
from pipelines.simulation.days.day import SimulatedDay
from pipelines.simulation.documents.documents import (
    DOCUMENT_TRUTH_COLUMNS,
    OpenedByCustoms,
    make_documents,
)
from pipelines.simulation.documents.kinds import draw_kinds, with_scheme_kinds
from pipelines.simulation.documents.parcels import traded_parcels
from pipelines.simulation.documents.versions import stored_versions
from pipelines.store.day_table import DayTable
from pipelines.store.files import read_tables
from pipelines.store.journal import Transaction
from pipelines.store.layout import Layout

# Of parcels with nothing else wrong, and of those that declare too little: false papers go with false prices.
_SPECIAL_SHARE: Final = 0.05
_SPECIAL_SHARE_UNDERVALUED: Final = 0.2
_PURPOSE: Final = 22
_TRUTH: Final = "truth"


class DocumentFiling:
    """Makes the documents of day after day and writes them once no more can come of their day.

    Attributes:
        counts: rows written, by table; `faults` counts those of the truth.
    """

    def __init__(self, last: date, bucket_rows: int) -> None:
        self._last = last
        self._bucket_rows = bucket_rows
        self._waiting: dict[tuple[str, bool, date], list[pl.DataFrame]] = {}
        self.counts: Counter[str] = Counter()

    def add(self, day: SimulatedDay, results: pl.DataFrame) -> None:
        """Make the documents of a day's parcels; `results` are those of its inspections.

        Generators are the documents' own, so that nothing else of the day depends on them.
        """
        seed = day.today.world.seed
        rng = day.today.world.generator(day.today, _PURPOSE)
        parcels = traded_parcels(day.declarations, seed)
        undervalued = day.truth.filter("undervaluation")["declaration_id"].unique()
        chance = parcels.select(
            pl.when(pl.col("declaration_id").is_in(undervalued.implode()))
            .then(_SPECIAL_SHARE_UNDERVALUED)
            .otherwise(_SPECIAL_SHARE)
        ).to_series()
        parcels = parcels.with_columns(draw_kinds(parcels, chance, rng))
        if day.today.world.parameters.has_rings:
            parcels = with_scheme_kinds(parcels, day.truth)
        documents = make_documents(day.declarations, parcels, _opened(results), seed, rng)
        before = closing_moment(self._last)
        for name, table in DOCUMENT_TABLES.items():
            current, past = stored_versions(documents.tables[name], table, before)
            for is_past, rows in ((False, current), (True, past)):
                self._keep(name, rows.with_columns(received_on(rows, table)), is_past=is_past)
        truth = documents.truth.filter(pl.col("day") <= self._last)
        self._keep(_TRUTH, truth.with_columns(received_on="day"), is_past=False)

    def write(self, t: Transaction, layout: Layout, day: date) -> None:
        """Write what is complete once `day` was added, and forget it; what the store has of it stays.

        Documents of the next day may be sent on this one, so it is not complete itself unless it is the last.
        """
        until = day if day == self._last else day - timedelta(days=1)
        for name, is_past, sent_on in sorted(key for key in self._waiting if key[2] <= until):
            rows = pl.concat(self._waiting.pop((name, is_past, sent_on)))
            self.counts["faults" if name == _TRUTH else name] += rows.height
            if name == _TRUTH:
                _write_truth(t, layout, sent_on, rows)
            else:
                table = DOCUMENT_TABLES[name]
                rows = pl.concat([_present(layout, table, sent_on, is_past=is_past), rows])
                write_document_rows(t, layout, table, sent_on, rows, self._bucket_rows)

    def _keep(self, name: str, rows: pl.DataFrame, *, is_past: bool) -> None:
        for day, part in _by_day(rows):
            self._waiting.setdefault((name, is_past, day), []).append(part)


def _by_day(rows: pl.DataFrame) -> Iterator[tuple[date, pl.DataFrame]]:
    for part in rows.partition_by("received_on", maintain_order=True):
        yield part["received_on"][0], part.drop("received_on")


def _opened(results: pl.DataFrame) -> OpenedByCustoms:
    found = results.filter(pl.col("prohibited_item").fill_null(value=False))
    assessed = results.filter(pl.col("assessed_unit_price").is_not_null())
    return OpenedByCustoms(
        results["declaration_id"].unique(),
        found["declaration_id"].unique(),
        assessed.select("declaration_id", "line_no", "assessed_unit_price").unique(
            ["declaration_id", "line_no"], keep="last", maintain_order=True
        ),
    )


def _present(layout: Layout, table: DocumentTable, day: date, *, is_past: bool) -> pl.DataFrame:
    current = DayTable.named(table.name)
    columns: Mapping[str, pl.DataType] = table.columns | (VERSION_COLUMNS if is_past else {})
    files = layout.files(current.changed if is_past else current, day)
    return read_tables(files, columns, None)


def _write_truth(t: Transaction, layout: Layout, day: date, rows: pl.DataFrame) -> None:
    present = read_tables(layout.files(DayTable.DOCUMENT_TRUTH, day), DOCUMENT_TRUTH_COLUMNS, None)
    folder = t.stage(layout.partition(DayTable.DOCUMENT_TRUTH, day))
    whole = pl.concat([present, rows.select(*DOCUMENT_TRUTH_COLUMNS)])
    whole.sort("declaration_id", "line_no", "check").write_parquet(folder / DayTable.DOCUMENT_TRUTH.file)
