"""What of an inspection reaches the records: what was looked at, in one row, late, twice, unexplained."""

from typing import Final

import numpy as np
import polars as pl

from features.arrays.hashing import hash_text
from features.contract.declarations import LINE_KEY
from features.contract.inspections import CONTRACT_LABELS, FOUND_COLUMNS, INSPECTION_COLUMNS, INSPECTION_KEY
from pipelines.simulation.days.day import SimulatedDay
from pipelines.simulation.inspections.officers import OpenedParcels
from pipelines.simulation.world.randomness import Floats, uniform

_LATE_DAYS: Final = (30, 90)
_REPEATED_DAYS: Final = (1, 20)
RECORDED_COLUMNS: Final = [name for name in INSPECTION_COLUMNS if name not in FOUND_COLUMNS]
"""Nobody writes down what was really there."""
_SUMS: Final = ("assessed_unit_price", "recovered_tax_cny")


def as_recorded(day: SimulatedDay, chosen: OpenedParcels, table: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of `examine` as the offices keep them, sorted by the day of report."""
    parameters = day.today.world.parameters
    if chosen.examined is not None and parameters.other_risks_share < 1.0:
        table = _looked_at(day, chosen, table)
    if parameters.one_report_share:
        table = _in_one_row(day, table)
    if parameters.late_result_share:
        table = _late(day, table)
    if parameters.unknown_selection_share:
        known = pl.Series(_of_parcel(day, table, "channel") >= parameters.unknown_selection_share)
        table = table.with_columns(
            pl.when(known).then(pl.col(name)).alias(name) for name in ("selection", "inspection_probability")
        )
    if parameters.repeated_result_share:
        table = _repeated(day, table)
    return table.sort("reported_on", maintain_order=True)


def _looked_at(day: SimulatedDay, chosen: OpenedParcels, table: pl.DataFrame) -> pl.DataFrame:
    """Leave away what nobody looked at, and reports of which nothing is left, one a line excepted."""
    assert chosen.examined is not None
    first = np.searchsorted(day.lines.parcel, chosen.parcel)
    looked = pl.DataFrame(
        {
            "declaration_id": day.declarations["declaration_id"][pl.Series(first, dtype=pl.UInt32)],
            **{f"_{label}": chosen.examined[:, risk] for risk, label in enumerate(CONTRACT_LABELS)},
        }
    )
    labels = [pl.when(f"_{label}").then(pl.col(label)).alias(label) for label in CONTRACT_LABELS]
    speaks = pl.any_horizontal(pl.col(label).is_not_null() for label in CONTRACT_LABELS)
    # Rows of a line come in the order of their reports: the first of a line that says nothing stays.
    stays = pl.col("_speaks") | (
        ~pl.col("_speaks").any().over(LINE_KEY) & pl.struct(LINE_KEY).is_first_distinct()
    )
    joined = table.join(looked, on="declaration_id", how="left", maintain_order="left", validate="m:1")
    said = joined.with_columns(labels).with_columns(_speaks=speaks)
    return said.filter(stays).select(RECORDED_COLUMNS)


def _in_one_row(day: SimulatedDay, table: pl.DataFrame) -> pl.DataFrame:
    """Offices that report once do so when all is known, with 0 where no tax was recovered."""
    share = day.today.world.parameters.one_report_share
    office = hash_text(table["declaration_id"].str.slice(0, 4)).to_numpy()
    once = pl.Series(uniform(day.today.world.salt("reports once"), office) < share)
    last = [pl.col(name).drop_nulls().last() for name in (*CONTRACT_LABELS, *_SUMS)]
    kept = ("inspected_on", "selection", "inspection_probability")
    rows = (
        table.filter(once)
        .group_by(LINE_KEY, maintain_order=True)
        .agg(pl.col(kept).first(), pl.col("reported_on").max(), *last)
        .with_columns(pl.col("recovered_tax_cny").fill_null(0.0))
    )
    return pl.concat([table.filter(~once), rows.select(RECORDED_COLUMNS)])


def _late(day: SimulatedDay, table: pl.DataFrame) -> pl.DataFrame:
    """Results of some parcels that come weeks later than they could."""
    late = _of_parcel(day, table, "late") < day.today.world.parameters.late_result_share
    low, high = _LATE_DAYS
    days = np.where(late, low + (high - low) * _of_parcel(day, table, "how late"), 0.0).astype(np.int64)
    return table.with_columns(pl.col("reported_on") + pl.duration(days=pl.lit(pl.Series(days))))


def _repeated(day: SimulatedDay, table: pl.DataFrame) -> pl.DataFrame:
    """Results that are entered once more, some days later."""
    again = table.filter(
        pl.Series(_of_parcel(day, table, "again") < day.today.world.parameters.repeated_result_share)
    )
    low, high = _REPEATED_DAYS
    days = (low + (high - low) * _of_parcel(day, again, "how much later")).astype(np.int64)
    later = again.with_columns(pl.col("reported_on") + pl.duration(days=pl.lit(pl.Series(days))))
    return pl.concat([table, later]).unique(INSPECTION_KEY, keep="first", maintain_order=True)


def _of_parcel(day: SimulatedDay, table: pl.DataFrame, purpose: str) -> Floats:
    """Return a number in [0, 1) of each row's parcel."""
    return uniform(
        day.today.world.salt(f"recorded: {purpose}"), hash_text(table["declaration_id"]).to_numpy()
    )
