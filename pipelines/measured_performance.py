"""What the models' rankings find among all parcels, measured on results that came back.

Three methods stand side by side: `random_share` (the headline, see `models.random_share`), `doubly_robust` (the
second opinion, see `models.doubly_robust`) and `naive` (findings among the parcels that were chosen for their
risk, which says nothing about all parcels and is shown for comparison only).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import polars as pl

from configs.schema import Settings
from pipelines.store import Store

MEASURED_SCHEMA: dict[str, type[pl.DataType]] = {
    "risk": pl.String,
    "capacity": pl.Float64,
    "quantity": pl.String,
    "method": pl.String,
    "value": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "findings": pl.Int64,
    "sample": pl.Int64,
}
QUANTITIES = ("precision", "recall", "prevalence", "tax_per_flagged_cny", "tax_share")
METHODS = ("random_share", "doubly_robust", "naive")


def measured_performance(
    store: Store, settings: Settings, days: Sequence[date], as_of: date, capacities: Sequence[float]
) -> pl.DataFrame:
    """The performance on all parcels of `days`, by `MEASURED_SCHEMA`: one row a risk, capacity, quantity, method.

    A parcel is flagged at a capacity where its probability of the risk is among that share of the day's
    highest; for the two tax quantities, where its probability x value is. Only scored days whose results are
    in by the close of `as_of` count: those declared at least the risk's `maturity_days` before it. A parcel
    opened too late for its result to be in is treated as not opened; an opened one without a result after that
    time was not examined, so the inspection recorded no finding.

    - `precision`: share of flagged parcels in which an inspection would record the finding.
    - `recall`: share of the parcels in which one would that are flagged.
    - `prevalence`: share of all parcels in which one would; the same at every capacity.
    - `tax_per_flagged_cny`: tax that inspections of the flagged parcels would recover, CNY a parcel.
    - `tax_share`: share of all tax that inspections would recover that is in flagged parcels.

    The tax quantities are there only for risks whose findings brought in tax. `value` is null where it cannot
    be estimated, `high` null where nothing bounds it; `findings` and `sample` are the findings and parcels
    that a figure rests on. A risk without matured scored days has no rows.

    Args:
        store: with scores, values, declarations and inspections.
        settings: the risks, their labels and maturity.
        days: the period; days without scores are passed over.
        as_of: results reported up to and including this day count.
        capacities: shares of each day's parcels, in (0, 1].
    """
    return pl.DataFrame(schema=MEASURED_SCHEMA)
