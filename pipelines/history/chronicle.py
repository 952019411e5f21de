"""Reads the store day by day, as the history is folded: a day's lines, and the results reported on it."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import cached_property

import polars as pl

from configs.reference.facts import Reference, load_reference
from configs.schema.settings import Settings
from features.contract.declarations import DECLARATION_COLUMNS, LINE_KEY
from features.history.corrections import NO_CORRECTIONS, Corrections, corrections_of
from features.history.day_tables import DayTables, day_tables
from features.history.fold import fold
from features.history.results import increments, result_tables, with_results_of
from features.history.state import History
from features.prepare import prepare_lines
from pipelines.history.checked import with_checked
from pipelines.history.corrections import corrected_lines, correction_days
from pipelines.history.inspected import INSPECTED_LINES
from pipelines.history.profiles import Eve, load_profile, usable_profile
from pipelines.history.spec import HistorySpec
from pipelines.store.bucket_checks import Bucket, check_buckets, require_whole
from pipelines.store.day_table import DayTable
from pipelines.store.digests import file_digest
from pipelines.store.store import Store

logger = logging.getLogger(__name__)

_DAYS_AT_ONCE = 14
_LINES = {name: DECLARATION_COLUMNS[name] for name in LINE_KEY}


@dataclass
class Unmatched:
    """The lines (`LINE_KEY`) whose results do not count, of all days that a run looks at.

    Attributes:
        missing: those that are not among the declarations.
        early: those that were declared only after their inspection.
    """

    missing: list[pl.DataFrame] = field(default_factory=list)
    early: list[pl.DataFrame] = field(default_factory=list)

    def tell(self) -> None:
        """Warn of them, once for all days, and begin anew."""
        for parts, what in (
            (self.missing, "have no declaration in the store: their results count once it has come"),
            (self.early, "were inspected before the day of their declaration: these results never count"),
        ):
            lines = pl.concat([pl.DataFrame(schema=_LINES), *parts]).unique()
            parts.clear()
            if lines.height:
                examples = ", ".join(lines["declaration_id"].unique().sort().head(5))
                logger.warning("%d inspected lines (for example %s) %s", lines.height, examples, what)


@dataclass(frozen=True)
class Chronicle:
    """The days of a store under one configuration.

    Attributes:
        store: the store.
        settings: the configuration.
        unmatched: results that do not count, until somebody tells.
    """

    store: Store
    settings: Settings
    unmatched: Unmatched = field(default_factory=Unmatched, compare=False, repr=False)

    @cached_property
    def reference(self) -> Reference:
        """The reference tables."""
        return load_reference(self.settings.overlay)

    @cached_property
    def spec(self) -> HistorySpec:
        """What the history counts by."""
        return HistorySpec.of(self.settings)

    def days(self, after: date | None = None, until: date | None = None) -> list[date]:
        """Days with lines, results or corrections, in order, after `after`, up to and including `until`."""
        every = {*self.store.declaration_days(), *self.store.inspection_days()}
        every |= correction_days(self.store.layout)
        return sorted(
            day for day in every if (after is None or day > after) and (until is None or day <= until)
        )

    def prepared(self, day: date) -> pl.DataFrame:
        """All lines of a day with what blocks and history need.

        Raises:
            StoreError: some of them cannot be read.
        """
        require_whole(self.store.layout, day)
        lines = with_checked(self.store.layout, day, self.store.read_declarations(day))
        return prepare_lines(lines, self.reference.on(day), self.settings.pipeline.features)

    def tables(self, prepared: pl.DataFrame, day: date, eve: History) -> DayTables:
        """The sums of a day's lines by key, given the history of the eve."""
        return day_tables(prepared, day, eve, self.settings.pipeline.features)

    def results(self, day: date, inspections: pl.DataFrame | None = None) -> dict[str, pl.DataFrame]:
        """The sums by key of what was reported on `day`; `inspections`, if held, is all reported by then."""
        return self.sums_of(self.reported(day, inspections), day)

    def reported(self, day: date, inspections: pl.DataFrame | None = None) -> pl.DataFrame | None:
        """The reports of `day`, and earlier ones of the same lines, with the columns of the lines; None where
        there is none. `inspections`, if held, is all reported by then.
        """
        if inspections is None:
            reported = self.store.read_inspections(reported_from=day, reported_to=day)
        else:
            reported = inspections.filter(pl.col("reported_on") == day)
        if reported.is_empty():
            return None
        lines = reported.select(LINE_KEY).unique()
        known = self.store.read_inspections(reported_to=day) if inspections is None else inspections
        return self.with_attributes(known.join(lines, on=LINE_KEY, how="semi"), day)

    def sums_of(self, reported: pl.DataFrame | None, day: date) -> dict[str, pl.DataFrame]:
        """The sums by key of what was reported on `day`, from `reported`."""
        if reported is None:
            return {}
        reports = increments(reported, self.spec.labels).filter(pl.col("reported_on") == day)
        if reports.is_empty():
            return {}
        return result_tables(self._keyed(reports, day), self.spec.keys, self.spec.labels)

    def results_by_day(self, until: date) -> dict[date, dict[str, pl.DataFrame]]:
        """`results` of every day up to and including `until`, with one pass over the declarations."""
        inspections = self.store.read_inspections(reported_to=until)
        if inspections.is_empty():
            return {}
        reports = increments(self.with_attributes(inspections, until), self.spec.labels)
        self.unmatched.tell()
        if reports.is_empty():
            return {}
        keyed = self._keyed(reports, until)
        return {
            day: result_tables(part, self.spec.keys, self.spec.labels)
            for (day,), part in keyed.group_by("reported_on", maintain_order=True)
            if isinstance(day, date)
        }

    def with_attributes(self, reports: pl.DataFrame, day: date) -> pl.DataFrame:
        """The reports joined to the columns of their lines; those of lines not in the store, or declared only
        after their inspection, are left out and noted in `unmatched`.

        Declarations are searched from `day` backwards, to `result_lookback_days` before the first inspection.
        """
        columns = self._key_columns()
        wanted, parts = reports.select(LINE_KEY).unique(), []
        oldest = reports["inspected_on"].min()
        assert isinstance(oldest, date)
        earliest = oldest - timedelta(days=self.settings.pipeline.history.result_lookback_days)
        days = [known for known in self.store.declaration_days() if earliest <= known <= day]
        while days and not wanted.is_empty():
            chunk, days = days[-_DAYS_AT_ONCE:], days[:-_DAYS_AT_ONCE]
            lines = self.store.scan_declarations(chunk[0], chunk[-1]).select(*columns, "declared_on")
            matched = lines.join(wanted.lazy(), on=LINE_KEY, how="semi").collect()
            parts.append(matched)
            wanted = wanted.join(matched, on=LINE_KEY, how="anti")
        self.unmatched.missing.append(wanted)
        if not parts:
            schema = self.store.declaration_schema() | {"declared_on": pl.Date()}
            return reports.clear().with_columns(
                pl.lit(None, schema[name]).alias(name)
                for name in (*columns, "declared_on")
                if name not in LINE_KEY
            )
        found = pl.concat(parts)
        matched = with_results_of(found, reports)
        self.unmatched.early.append(found.select(LINE_KEY).join(matched, on=LINE_KEY, how="anti"))
        return matched

    def _key_columns(self) -> list[str]:
        schema = self.store.declaration_schema()
        sources = {"hs2": "hs_code", "hs4": "hs_code", "hs6": "hs_code", "item_key": "item_name"}
        needed = {sources.get(column, column) for spec in self.spec.keys for column in spec.columns}
        needed |= {*LINE_KEY, "unit_price", "total_price", "net_weight_kg", *INSPECTED_LINES}
        return [name for name in schema if name in needed]

    def _keyed(self, reports: pl.DataFrame, day: date) -> pl.DataFrame:
        """The reports with the hashes of their lines' keys, none of which depends on the day."""
        return prepare_lines(reports, self.reference.on(day), self.settings.pipeline.features)

    def corrections(self, day: date, eve: History) -> Corrections:
        """What messages of `day` change of earlier days, which the history of the eve counts."""
        lines = [] if eve.as_of is None else corrected_lines(self.store, eve.as_of, day)
        if not lines:
            return NO_CORRECTIONS
        features = self.settings.pipeline.features
        # Values are those that the lines had on their own day.
        prepared = [prepare_lines(rows, self.reference.on(declared), features) for declared, rows in lines]
        return corrections_of(pl.concat(prepared), day, eve, features)

    def step(self, before: History, day: date, today: DayTables, results: dict[str, pl.DataFrame]) -> History:
        """The history at the close of `day`."""
        corrections = self.corrections(day, before)
        folded = fold(before, day, today, results, self.settings.pipeline.history, corrections)
        lineage = self.lineage(before, day, check_buckets(self.store.layout, day))
        return replace(folded, lineage=lineage)

    def lineage(self, eve: History | Eve, day: date, buckets: Sequence[Bucket]) -> str:
        """Names the history after `day` by what it was folded from."""
        lines = [bucket.digest for bucket in sorted(buckets, key=lambda bucket: bucket.path)]
        results = [file_digest(file) for file in self.store.layout.files(DayTable.INSPECTIONS, day)]
        changes = [] if eve.as_of is None else corrected_lines(self.store, eve.as_of, day)
        told = [rows.write_csv().encode() for _, rows in changes]
        return hashlib.sha256(
            b"".join([f"{eve.lineage} {day}".encode(), *lines, *results, *told])
        ).hexdigest()

    def stored_history(self, before: date) -> History:
        """The newest usable history on disk that closes before `before`, else the empty one."""
        as_of = usable_profile(self.store, before, self.spec)
        if as_of is None:
            return self.spec.empty()
        return load_profile(self.store.layout.partition(DayTable.PROFILES, as_of), self.spec)

    def history_before(self, day: date) -> History:
        """The history of the eve of `day`, with the days folded that are not closed yet."""
        history = self.stored_history(day)
        for _, folded in self.replay(history, day - timedelta(days=1)):
            history = folded
        self.unmatched.tell()
        return history

    def replay(
        self, history: History, until: date, told: Callable[[date, pl.DataFrame | None], None] | None = None
    ) -> Iterator[tuple[date, History]]:
        """Folds the days after `history` up to and including `until`, one by one; `told` is called with what
        was `reported` on each.
        """
        for day in self.days(history.as_of, until):
            today = self.tables(self.prepared(day), day, history)
            reported = self.reported(day)
            if told is not None:
                told(day, reported)
            history = self.step(history, day, today, self.sums_of(reported, day))
            yield day, history
