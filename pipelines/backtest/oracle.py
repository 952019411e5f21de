"""What a parcel would show if it were opened: from a simulated truth, or from results of every line."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Final, Protocol

import polars as pl

from configs.errors import UsageError
from configs.reference.facts import Reference
from features.contract.declarations import LINE_KEY
from pipelines.simulation.inspections.oracle import NEEDED, examined
from pipelines.store.day_table import DayTable
from pipelines.store.files import read_whole
from pipelines.store.store import Store

_SHOWN_DAYS: Final = 3


class Oracle(Protocol):
    """Knows the results of inspections that never took place."""

    source: str
    """Where it knows them from, in words."""
    knows_tax: bool
    """Whether results tell recovered tax."""

    def shown(self, day: date, opened: pl.DataFrame) -> pl.DataFrame:
        """The results of all lines of some parcels declared on `day`.

        `opened` has `declaration_id` and `opened_on` (Date). Columns: those of an inspection but for
        `selection` and `inspection_probability`, with the further labels of the store; a row a line and
        report, sorted by key and day. The same parcel shows the same, whoever opens it and whatever is opened
        beside it.
        """
        ...


def oracle_of(store: Store, days: Sequence[date], seed: int, reference: Reference) -> Oracle:
    """The oracle that a store has for some days: its truth, or its results where every line has one.

    Raises:
        UsageError: the store has neither.
    """
    truth = {day for day in days if store.layout.file(DayTable.TRUTH, day).exists()}
    if len(truth) == len(days):
        return SimulatedOracle(store, seed, reference)
    if truth:
        missing = [day for day in days if day not in truth]
        raise UsageError(
            f"expected the truth about every day in {store.layout.table(DayTable.TRUTH)}, found that of "
            f"{len(truth)} of {len(days)} days; it lacks {_listed(missing)}. "
            "Choose --from and --to among simulated days."
        )
    labelled = LabelledOracle(store, days)
    lines, unknown = labelled.count_unknown()
    if unknown:
        raise UsageError(
            "a backtest needs to know what any parcel would have shown: expected the truth of a simulated "
            f"store, or a result for each of the {lines:,} lines declared from {days[0]} to {days[-1]} in "
            f"{store.path}; {unknown:,} have none. Inspections of chosen parcels alone cannot tell what "
            "others would have shown."
        )
    return labelled


class SimulatedOracle:
    """Results drawn from the truth of a simulated store, as its inspectors would have found them."""

    source = "the truth of the simulated world"
    knows_tax = True

    def __init__(self, store: Store, seed: int, reference: Reference) -> None:
        self._store, self._seed, self._reference = store, seed, reference

    def shown(self, day: date, opened: pl.DataFrame) -> pl.DataFrame:
        """See `Oracle.shown`."""
        file = self._store.layout.file(DayTable.TRUTH, day)
        truth = read_whole(file)
        columns = [name for name in NEEDED if name not in (*LINE_KEY, *truth.columns)]
        lines = (
            self._store.read_declarations(day, [*columns, *LINE_KEY, "currency"])
            .join(opened.select("declaration_id", "opened_on"), on="declaration_id")
            .join(truth, on=LINE_KEY, validate="1:1")
            .sort(LINE_KEY)
        )
        rate = self._reference.on(day).cny_rate(lines["currency"])
        return examined(lines.with_columns(rate.alias("cny_rate")), self._seed)


class LabelledOracle:
    """The results of a store in which every line has one, as long after the opening as they took there."""

    source = "the results that every line has"

    def __init__(self, store: Store, days: Sequence[date]) -> None:
        self._store = store
        lines = [store.read_declarations(day, [*LINE_KEY]) for day in days]
        self._lines = pl.concat(lines) if lines else pl.DataFrame(schema={"declaration_id": pl.String})
        results = store.read_inspections()
        self._results = results.join(self._lines, on=LINE_KEY, how="semi").sort(*LINE_KEY, "reported_on")
        self.knows_tax = bool(self._results["recovered_tax_cny"].count())

    def count_unknown(self) -> tuple[int, int]:
        """Lines of the days, and how many of them have no result."""
        unknown = self._lines.join(self._results, on=LINE_KEY, how="anti")
        return self._lines.height, unknown.height

    def shown(self, day: date, opened: pl.DataFrame) -> pl.DataFrame:
        """See `Oracle.shown`."""
        later = pl.col("opened_on") - pl.col("inspected_on")
        return (
            self._results.join(opened.select("declaration_id", "opened_on"), on="declaration_id")
            .with_columns(pl.col("inspected_on").min().over(LINE_KEY))
            .with_columns(reported_on=pl.col("reported_on") + later, inspected_on=pl.col("opened_on"))
            .drop("opened_on", "selection", "inspection_probability")
            .sort(*LINE_KEY, "reported_on")
        )


def _listed(days: Sequence[date]) -> str:
    shown = ", ".join(str(day) for day in days[:_SHOWN_DAYS])
    return shown + (f" and {len(days) - _SHOWN_DAYS} more" if len(days) > _SHOWN_DAYS else "")
