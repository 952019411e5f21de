"""What receipts and tax bills say of inspections, put into their rows beside what inspectors returned.

Such values are made anew from the documents whenever one of them, a declaration or a result of the parcel
comes in: what was made of them before is taken out of the stored rows first. So no order of files matters,
and where an inspector said something, that stays.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

import polars as pl

from features.contract.declarations import LINE_KEY
from features.contract.inspections import CONTRACT_LABELS, INSPECTION_COLUMNS, INSPECTION_KEY
from pipelines.documents.outcomes import (
    IRREGULARITY,
    OUTCOME_COLUMNS,
    assessed_prices,
    outcomes_with_prices,
    receipt_outcomes,
)
from pipelines.ingest.line_spool import LineSpool
from pipelines.ingest.merging.told_parcels import OWN, ToldParcels, without_lines
from pipelines.keys.hash_sets import sorted_union
from pipelines.lists.issued import issued_lists
from pipelines.store.day_table import DayTable
from pipelines.store.files import read_tables
from pipelines.store.spool import Spool, collected
from pipelines.store.store import Store

_CHANNEL: Final[dict[str, pl.DataType]] = {
    "selection": pl.String(),
    "inspection_probability": pl.Float64(),
}
_VALUES: Final = (IRREGULARITY, "assessed_unit_price")
_OFFICER: Final = "officer"
_INSPECTED: Final[dict[str, pl.DataType]] = {
    **{name: OUTCOME_COLUMNS[name] for name in (*INSPECTION_KEY, "inspected_on")},
    "found": pl.Boolean(),
}


@dataclass(frozen=True)
class DerivedResults:
    """What documents said of inspections before a run, and say after it.

    Attributes:
        before: `OUTCOME_COLUMNS`, `selection` and `inspection_probability`.
        after: the same.
        contradicted: numbers of declarations that a receipt releases though an inspector found something.
    """

    before: pl.DataFrame
    after: pl.DataFrame
    contradicted: tuple[str, ...] = ()

    @classmethod
    def none(cls) -> DerivedResults:
        """Nothing, before or after."""
        nothing = pl.DataFrame(schema={**OUTCOME_COLUMNS, **_CHANNEL})
        return cls(nothing, nothing)

    @property
    def days(self) -> set[date]:
        """The days of report that may change."""
        return {*self.before["reported_on"], *self.after["reported_on"]}

    def taken_out(self, stored: pl.DataFrame) -> pl.DataFrame:
        """Stored results without what was made of documents."""
        if self.before.is_empty():
            return stored
        told = self.before.select(*INSPECTION_KEY, *(pl.col(name).alias(f"_{name}") for name in _VALUES))
        known = [name for name in _VALUES if name in stored.columns]
        joined = stored.join(told, on=INSPECTION_KEY, how="left", maintain_order="left")
        values = [
            pl.when(pl.col(name) == pl.col(f"_{name}")).then(None).otherwise(pl.col(name)).alias(name)
            for name in known
        ]
        base = joined.with_columns(values).select(stored.columns)
        beside = (*INSPECTION_KEY, "inspected_on", *_CHANNEL)
        says = [pl.col(name).is_not_null() for name in stored.columns if name not in beside]
        nothing = base.filter(~pl.any_horizontal(says)).join(self.before, on=INSPECTION_KEY, how="semi")
        return base.join(nothing, on=INSPECTION_KEY, how="anti", maintain_order="left")

    def put_in(self, day: date, results: pl.DataFrame) -> pl.DataFrame:
        """A day's results with what documents say; a value of an inspector stays."""
        new = self.after.filter(pl.col("reported_on") == day)
        if new.is_empty():
            return results
        both = results.join(new, on=INSPECTION_KEY, how="full", suffix="_new", coalesce=True)
        columns = [name for name in (*OUTCOME_COLUMNS, *_CHANNEL) if name not in INSPECTION_KEY]
        # A chance belongs to its channel.
        has_channel = pl.col("selection").is_not_null()
        filled = [
            pl.when(has_channel).then(name).otherwise(f"{name}_new").alias(name)
            if name in _CHANNEL
            else pl.coalesce(name, f"{name}_new").alias(name)
            for name in columns
        ]
        return both.with_columns(filled).select(results.columns)


def derived_results(parcels: ToldParcels, lines_that_came: LineSpool, results: Spool) -> DerivedResults:
    """What documents say of inspections of the parcels that a run speaks of.

    `results` are those that came in: `_id_hash` and `INSPECTION_COLUMNS`.
    """
    store = parcels.store
    told = parcels.find(sorted_union([lines_that_came.ids(), results.column("_id_hash").to_numpy()]))
    if told is None:
        return DerivedResults.none()
    lines = told.lines
    stored = _stored_inspections(store, lines["declaration_id"].unique())
    came = _inspections(collected(results.scan(), INSPECTION_COLUMNS))
    known = pl.concat([stored, came]).unique()
    made = [
        _made(_resolved(told.receipts[now], lines), told.taxes[now], lines, inspected)
        for now, inspected in enumerate((stored, known))
    ]
    channels = _channels(store, {day for rows in made for day in rows["declared_on"]})
    before, after = (_with_channel(rows, channels) for rows in made)
    released = after.filter(~pl.col(IRREGULARITY))
    contradicted = known.filter("found").join(released, on=LINE_KEY, how="semi")["declaration_id"]
    return DerivedResults(before, after, tuple(contradicted.unique().sort()))


def _channels(store: Store, days: set[date]) -> pl.DataFrame:
    """How the parcels of some days came onto the lists that were issued."""
    parts = [pl.DataFrame(schema={"declaration_id": pl.String(), **_CHANNEL})]
    parts += [issued_lists(store, day).select(parts[0].columns) for day in sorted(days)]
    return pl.concat(parts).unique("declaration_id", keep="first", maintain_order=True)


def _stored_inspections(store: Store, parcels: pl.Series) -> pl.DataFrame:
    parts = [pl.DataFrame(schema=_INSPECTED)]
    for day in store.inspection_days() if len(parcels) else []:
        files = store.layout.files(DayTable.INSPECTIONS, day)
        rows = read_tables(files, INSPECTION_COLUMNS, [*LINE_KEY, "inspected_on", *CONTRACT_LABELS])
        rows = rows.filter(pl.col("declaration_id").is_in(parcels.implode()))
        parts.append(_inspections(rows.with_columns(pl.lit(day).alias("reported_on"))))
    return pl.concat(parts)


def _made(
    receipts: pl.DataFrame, taxes: pl.DataFrame, lines: pl.DataFrame, inspected: pl.DataFrame
) -> pl.DataFrame:
    """What documents say of lines, with `declared_on`."""
    outcomes = receipt_outcomes(receipts, lines)
    columns = [*INSPECTION_KEY, "inspected_on"]
    known = pl.concat([outcomes.select(columns), inspected.select(columns)]).unique()
    rows = outcomes_with_prices(outcomes, assessed_prices(taxes, known, lines))
    rows = rows.join(lines.select(*LINE_KEY, "declared_on"), on=LINE_KEY)
    return rows.filter(pl.col("inspected_on") >= pl.col("declared_on"))


def _with_channel(rows: pl.DataFrame, channels: pl.DataFrame) -> pl.DataFrame:
    """The same with `_CHANNEL`: that of a list, else an officer's."""
    joined = rows.join(channels, on="declaration_id", how="left")
    selection = pl.col("selection").fill_null(_OFFICER)
    return joined.with_columns(selection).select(*OUTCOME_COLUMNS, *_CHANNEL)


def _inspections(results: pl.DataFrame) -> pl.DataFrame:
    """Results with whether anything was found."""
    found = pl.any_horizontal(pl.col(CONTRACT_LABELS).fill_null(False))
    return results.select(*INSPECTION_KEY, "inspected_on", found.alias("found"))


def _resolved(receipts: pl.DataFrame, lines: pl.DataFrame) -> pl.DataFrame:
    """Receipts with the number of their inventory: its own, or that of the seller's own number."""
    columns = ("declaration_id", "status", "sent_at")
    owners = lines.select("declaration_id", *OWN).drop_nulls().sort("declaration_id")
    owners = owners.unique(OWN, keep="first", maintain_order=True)
    nameless = without_lines(receipts, lines).drop("declaration_id")
    by_own = nameless.join(owners, on=OWN).select(columns)
    return pl.concat([receipts.drop_nulls("declaration_id").select(columns), by_own]).unique()
