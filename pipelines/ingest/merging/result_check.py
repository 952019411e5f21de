"""Tells results that count from those that cannot: their declaration is later than they, or was refused.

A result waits for its declaration as long as that may still come: nothing of it was refused, and it would not
be too old by now. Results wait in the store, where nothing counts that has no declaration.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Final

import polars as pl

from features.arrays.hashing import hash_text
from features.arrays.types import UInt64Array
from features.contract.declarations import DECLARATION_COLUMNS, LINE_KEY
from features.contract.inspections import INSPECTION_COLUMNS
from features.contract.reject_reasons import RejectReason
from pipelines.ingest.line_spool import LineSpool
from pipelines.ingest.merging.ended_versions import staged_files
from pipelines.keys.hash_sets import contains, sorted_union
from pipelines.keys.key_index import DECLARATION, files_with
from pipelines.store.day_table import DayTable
from pipelines.store.files import read_tables
from pipelines.store.journal import Transaction
from pipelines.store.spool import Spool
from pipelines.store.store import Store

_KEY: Final[dict[str, pl.DataType]] = {name: DECLARATION_COLUMNS[name] for name in LINE_KEY}
_DATED: Final = ("inspected_on", "reported_on")
_GONE: Final = _KEY | {"reported_on": pl.Date(), "declared_on": pl.Date(), "reason": pl.String()}
_DAYS_AT_ONCE: Final = 14
_FILES_AT_ONCE: Final = 2
# A draft is followed by its message, and of a repeated key one row is in the store.
_NO_REFUSAL: Final = (RejectReason.DRAFT.value, RejectReason.DUPLICATE_KEY.value)


@dataclass(frozen=True)
class ResultCheck:
    """Holds results against the declarations as a run leaves them.

    Attributes:
        store: locked by the caller.
        t: the run's transaction.
        changed: the days whose declarations it changes.
        declarations: the lines that it brings.
        refused: keys of the declarations' lines that the run has rejected.
        oldest: the first day of which declarations are taken in, None for any.
    """

    store: Store
    t: Transaction
    changed: Collection[date]
    declarations: LineSpool
    refused: pl.DataFrame
    oldest: date | None

    def verdicts(self, results: pl.DataFrame) -> pl.DataFrame:
        """Return the results with `declared_on`, the day of their line (null where it is not in the store),
        and with `reason` and `why`, what speaks against them in a manifest and in words, else null.

        They have `LINE_KEY` and `inspected_on`.
        """
        known = results.join(self._days(results), on=LINE_KEY, how="left", maintain_order="left")
        missing = known.filter(pl.col("declared_on").is_null()).select(LINE_KEY).unique()
        refused = pl.concat([self.refused, self._refused_before(missing)]).unique()
        known = known.join(
            refused.with_columns(pl.lit(True).alias("_refused")),
            on=LINE_KEY,
            how="left",
            maintain_order="left",
        )
        declared, inspected = pl.col("declared_on"), pl.col("inspected_on")
        gone = declared.is_null()
        too_old = gone & (inspected < pl.lit(self.oldest, dtype=pl.Date))
        cases = (
            (inspected < declared, RejectReason.BEFORE_DECLARATION.of("inspected_on"),
             pl.format("inspected on {}, before its declaration of {}", inspected, declared)),
            (gone & pl.col("_refused"), RejectReason.DECLARATION_REFUSED.value,
             pl.lit("its declaration was refused")),
            (too_old, RejectReason.DECLARATION_CANNOT_COME.value,
             pl.format("inspected on {}: a declaration that old does not come any more", inspected)),
        )  # fmt: skip
        reasons = [pl.when(case).then(pl.lit(reason)) for case, reason, _ in cases]
        words = [pl.when(case).then(why) for case, _, why in cases]
        # In one piece: Polars 2.1 panics where words are put around a column whose first piece is empty.
        judged = known.rechunk().with_columns(reason=pl.coalesce(reasons), why=pl.coalesce(words))
        return judged.drop("_refused")

    def gone(self) -> pl.DataFrame:
        """Return the results in the store that cannot stay, by what the run says of their declarations:
        `INSPECTION_KEY`, `declared_on` and `reason`.
        """
        days = self.store.inspection_days()
        if not days:
            return pl.DataFrame(schema=_GONE)
        refused = hash_text(self.refused["declaration_id"]).to_numpy()
        ids = sorted_union([self.declarations.ids(), refused])
        if not len(ids):
            return pl.DataFrame(schema=_GONE)
        # Those that wait for their declaration go on waiting.
        judged = replace(self, oldest=None).verdicts(self._stored(days, ids))
        return judged.filter(pl.col("reason").is_not_null()).select(*_GONE)

    def _stored(self, days: Sequence[date], ids: UInt64Array) -> pl.DataFrame:
        """The results in the store about declarations with these hashes, which ascend."""
        columns = [*LINE_KEY, "inspected_on"]

        def look_up(day: date) -> pl.DataFrame:
            files = self.store.layout.files(DayTable.INSPECTIONS, day)
            rows = read_tables(files, INSPECTION_COLUMNS, columns)
            about = contains(ids, hash_text(rows["declaration_id"]).to_numpy())
            return rows.filter(pl.Series(about)).with_columns(pl.lit(day).alias("reported_on"))

        nothing = pl.DataFrame(schema=_KEY | dict.fromkeys(_DATED, pl.Date()))
        with ThreadPoolExecutor(_FILES_AT_ONCE) as pool:
            return pl.concat([nothing, *pool.map(look_up, days)])

    def _days(self, results: pl.DataFrame) -> pl.DataFrame:
        """The day of each line that results are about, also of one that no longer holds: `LINE_KEY` and
        `declared_on`, newest days first.
        """
        left = results.select(LINE_KEY).unique()
        found = [pl.DataFrame(schema=_KEY | {"declared_on": pl.Date()})]
        tables = (DayTable.DECLARATIONS, DayTable.CHANGED_DECLARATIONS)
        days = sorted({*(day for table in tables for day in self.store.days(table)), *self.changed})
        with ThreadPoolExecutor(_FILES_AT_ONCE) as pool:
            while days and left.height:
                newest, days = days[-_DAYS_AT_ONCE:], days[:-_DAYS_AT_ONCE]
                ids = hash_text(left["declaration_id"]).unique().sort().to_numpy()
                days_of = {file: day for day in newest for file in self._files(day)}
                files = files_with(self.store.layout, list(days_of), DECLARATION, ids)
                lines_of = pool.map(partial(_lines_of, ids), ((days_of[file], file) for file in files))
                lines = pl.concat([*found[:1], *lines_of])
                found.append(lines.join(left, on=LINE_KEY, how="semi"))
                left = left.join(found[-1], on=LINE_KEY, how="anti")
        return pl.concat(found).sort("declared_on").unique(LINE_KEY, keep="last")

    def _files(self, day: date) -> list[Path]:
        """The files of a day as the run leaves it, of what no longer holds too."""
        return [
            *staged_files(self.store.layout, self.t, DayTable.DECLARATIONS, day),
            *staged_files(self.store.layout, self.t, DayTable.CHANGED_DECLARATIONS, day),
        ]

    def _refused_before(self, missing: pl.DataFrame) -> pl.DataFrame:
        """Which of some lines that are not in the store an earlier run has rejected."""
        layout = self.store.layout
        found = [pl.DataFrame(schema=_KEY)]
        for day in [*layout.days(DayTable.QUARANTINE), None] if missing.height else []:
            for file in layout.files(DayTable.QUARANTINE, day):
                rows = pl.scan_parquet(file, hive_partitioning=False, glob=False)
                lines = rows.filter(pl.col("table") == "declarations", refuses()).select(LINE_KEY)
                found.append(lines.join(missing.lazy(), on=LINE_KEY, how="semi").collect())
        return pl.concat(found)


def refused_lines(rejected: Spool) -> pl.DataFrame:
    """Return the keys of the declarations' lines among rejected rows that no later message makes good."""
    rows = rejected.scan()
    if rows is None:
        return pl.DataFrame(schema=_KEY)
    keys = rows.filter(pl.col("table") == "declarations", refuses()).select(LINE_KEY)
    return keys.drop_nulls("declaration_id").unique().collect()


def refuses() -> pl.Expr:
    """Whether a rejected row has a reason by which its line is not in the store."""
    return pl.col("reasons").list.eval(~pl.element().is_in(_NO_REFUSAL)).list.any()


def _lines_of(ids: UInt64Array, day_and_file: tuple[date, Path]) -> pl.DataFrame:
    day, file = day_and_file
    rows = read_tables([file], DECLARATION_COLUMNS, list(LINE_KEY))
    about = contains(ids, hash_text(rows["declaration_id"]).to_numpy())
    return rows.filter(pl.Series(about)).with_columns(pl.lit(day).alias("declared_on"))
