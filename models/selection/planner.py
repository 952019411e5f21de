"""What an office's list would find at other capacities, so that inspectors stand where they find most."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from configs.schema.capacity import CapacityConfig
from features.arrays.types import FloatArray
from models.selection.lists import PartsByList, places_of_list, with_offices
from models.selection.shortlist import ValueShortlist
from models.selection.strata import random_places

STEPS = tuple(step / 4 for step in range(1, 13))
"""The capacities that a plan shows, as multiples of the present one."""

PLAN_SCHEMA: dict[str, type[pl.DataType]] = {
    "customs_office": pl.String,
    "exports": pl.Boolean,
    "parcels": pl.Int64,
    "places_now": pl.Int64,
    "places": pl.Int64,
    "expected_findings": pl.Float64,
    "expected_tax_cny": pl.Float64,
    "expected_value_cny": pl.Float64,
    "more": pl.Int64,
    "findings_of_more": pl.Float64,
    "tax_of_more_cny": pl.Float64,
    "value_of_more_cny": pl.Float64,
    "findings_of_fewer": pl.Float64,
    "value_of_fewer_cny": pl.Float64,
}
_MEASURES = ("expected_findings", "expected_tax_cny", "expected_value_cny")


@dataclass(frozen=True)
class _Office:
    """Sums over the parcels with the highest expected values, the first, the first two and so on (places + 1,
    measures), and the mean over all parcels (measures,).
    """

    sums: FloatArray
    mean: FloatArray

    def expected(self, places: int, capacity: CapacityConfig) -> FloatArray:
        """The measures of a list of so many places."""
        others = random_places(places, capacity.random_share)
        others = min(places, others + round(capacity.exploration_share * places))
        chosen: FloatArray = self.sums[min(places - others, len(self.sums) - 1)]
        return chosen + others * self.mean


def plan(
    parts: Iterable[pl.DataFrame],
    capacity: CapacityConfig,
    more: int,
    overrides: Mapping[str, int] | None = None,
) -> pl.DataFrame:
    """For each office, what its list is expected to find at `STEPS` of its capacity, with `more` places than
    there, and what it would lose with so many `fewer` (null where it has not so many): a table of
    `PLAN_SCHEMA`, sorted by office and places. An office's list of exports has rows of its own (`exports`).

    `parts` are tables of `models.estimates.parcel_table.parcel_table`, gone through several times. The
    expectation is the sum of the calibrated probabilities (and of tax and value) over the parcels with the
    highest expected values; places drawn at random count with the mean of the office, and so do explored
    ones, which understates them. Caps, minimum shares and rules are left aside. A finding is a
    parcel in which any risk is found.

    >>> parcels = pl.DataFrame({"declaration_id": ["A", "B", "C", "D"], "customs_office": "0100",
    ...     "risk": "food_safety", "expected_value_cny": [40.0, 30.0, 20.0, 10.0],
    ...     "expected_findings": [0.4, 0.3, 0.2, 0.1], "expected_tax_cny": 0.0})
    >>> capacity = CapacityConfig(random_share=0.0, exploration_share=0.0)
    >>> plan([parcels], capacity, 1, {"0100": 2}).filter(places=2)["findings_of_more"].round(9).to_list()
    [0.2]
    """
    parts = PartsByList(parts, capacity)
    totals = _totals(parts)
    now = {
        office: min((overrides or {}).get(office, places_of_list(capacity, office, parcels)), parcels)
        for office, parcels in totals.select("customs_office", "parcels").iter_rows()
    }
    largest = {office: round(STEPS[-1] * places) + more for office, places in now.items()}
    rows = []
    for office, parcels, sums in _offices(parts, totals, largest):
        for places in sorted(
            {min(max(1, round(step * now[office])), parcels) for step in STEPS} if now[office] else ()
        ):
            here, with_more, with_fewer = (
                sums.expected(min(max(count, 0), parcels), capacity)
                for count in (places, places + more, places - more)
            )
            lost = (here - with_fewer)[[0, 2]].tolist() if places >= more else (None, None)
            rows.append((office, parcels, now[office], places, *here, more, *(with_more - here), *lost))
    by_list = {name: dtype for name, dtype in PLAN_SCHEMA.items() if name != "exports"}
    table = with_offices(pl.DataFrame(rows, schema=by_list, orient="row"))
    return table.select(*PLAN_SCHEMA).sort("customs_office", "exports", "places")


def _totals(parts: Iterable[pl.DataFrame]) -> pl.DataFrame:
    sums = [pl.col(name).fill_null(0.0).sum() for name in _MEASURES]
    counted = [
        part.group_by("customs_office").agg(pl.len().alias("parcels"), *sums).sort("customs_office")
        for part in parts
    ]
    # Part by part, in their order: a sum in another order has another last bit.
    return (
        pl.concat(counted)
        .group_by("customs_office", maintain_order=True)
        .agg(pl.col("parcels").sum(), *(pl.col(name).sum() for name in _MEASURES))
        .sort("customs_office")
    )


def _offices(
    parts: Iterable[pl.DataFrame], totals: pl.DataFrame, largest: Mapping[str, int]
) -> Iterable[tuple[str, int, _Office]]:
    shortlist, columns = ValueShortlist(largest), pl.DataFrame()
    wanted = ["declaration_id", "customs_office", "risk", *_MEASURES]
    for part in parts:
        columns = part.select(wanted).clear()
        shortlist.add(part.select(wanted).filter(pl.col("expected_value_cny").is_not_null()))
    held = shortlist.held(columns)
    for office, parcels, *whole in totals.iter_rows():
        best = held.filter(customs_office=office).select(_MEASURES).to_numpy()
        sums = np.vstack([np.zeros((1, len(_MEASURES))), np.cumsum(best, axis=0)])
        yield office, int(parcels), _Office(sums, np.array(whole) / parcels)
