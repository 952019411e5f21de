"""Which parcels of a day are opened, told apart in `selection`.

- `random`: drawn from all parcels of a stratum (office × trade mode), with no cap, so that each has exactly
  the chance drawn / parcels and estimates over all parcels rest on it.
- `rule` and `referral`: what a watch list or a case from outside wants opened.
- `risk`: by expected value, with caps per seller, address and goods and minimum shares of risks. Given the
  scores nothing is left to chance, so the recorded probability is 1.
- `exploration`: drawn from what is left, with chances in proportion to how unsure the expected value is.
"""

from __future__ import annotations

import hashlib
import logging
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from configs.messages import nearest
from configs.schema.capacity import CapacityConfig
from models.selection.capped_choice import ListPlaces, chosen_by_value
from models.selection.census import Census
from models.selection.exploration import draw
from models.selection.list_order import ranked, with_shifts
from models.selection.lists import (
    PartsByList,
    list_name,
    places_of_list,
    ranked_by_office,
    shifts_of_list,
    with_offices,
)
from models.selection.shortlist import STRATUM, ValueShortlist, drawn_at_random
from models.selection.strata import plan_strata

LOG = logging.getLogger(__name__)

LISTED_SCHEMA: dict[str, type[pl.DataType]] = {
    "rank": pl.Int32,
    "customs_office": pl.String,
    "declaration_id": pl.String,
    "line_no": pl.Int32,
    "risk": pl.String,
    "probability": pl.Float64,
    "expected_value_cny": pl.Float64,
    "selection": pl.String,
    "inspection_probability": pl.Float64,
    "trade_mode": pl.String,
    "shift": pl.String,
    "together": pl.Int32,
    "must_inspect": pl.Int32,
}
_HELD_AT_FIRST = 3
_HELD_MORE = 8
_LEAST_HELD = 200


@dataclass(frozen=True)
class Selection:
    """What was chosen, and the plan of the random share.

    `listed` has the columns of `LISTED_SCHEMA`, sorted by office and rank; `strata` those of
    `models.selection.strata.STRATA_SCHEMA` and `exports` (Boolean: the stratum is of the office's list of
    exports), one row a stratum that has parcels, drawn from or not. `origin` has, for each of `listed`, its
    `declaration_id` and in `part` the number of the part that it came in.
    """

    listed: pl.DataFrame
    strata: pl.DataFrame
    origin: pl.DataFrame


def select(
    parcels: pl.DataFrame,
    capacity: CapacityConfig,
    day: date,
    overrides: Mapping[str, int] | None = None,
) -> Selection:
    """The day's lists, from the table of `models.estimates.parcel_table.parcel_table`; `overrides` are places
    by office. Exports of offices with places for them are on a list of their own, as a shift `exports`.

    The same parcels give the same lists in whatever order they come; `capacity.seed` and the day decide
    what is left to chance. A parcel without any score can only be drawn at random or wanted by a rule.
    Where the caps leave places that nothing else fills, the list is shorter, and the log says so. What
    rules want is listed also beyond the places of an office. `models.selection.list_order` says in which
    order the parcels stand.

    >>> parcels = pl.DataFrame({"declaration_id": ["A", "B", "C"], "customs_office": "0100",
    ...     "trade_mode": "9610", "seller_id": ["s", "t", "u"], "line_no": 1, "risk": "food_safety",
    ...     "probability": [0.1, 0.3, 0.2], "expected_value_cny": [10.0, 30.0, 20.0]})
    >>> capacity = CapacityConfig(random_share=0.0, exploration_share=0.0)
    >>> chosen = select(parcels, capacity, date(2026, 11, 20), {"0100": 2})
    >>> chosen.listed.select("rank", "declaration_id", "selection").rows()
    [(1, 'B', 'risk'), (2, 'C', 'risk')]

    Raises ValueError where a parcel stands in the table twice.
    """
    return select_from([parcels], capacity, day, overrides)


def select_from(
    parts: Iterable[pl.DataFrame],
    capacity: CapacityConfig,
    day: date,
    overrides: Mapping[str, int] | None = None,
) -> Selection:
    """The same from a table that comes in parts, in memory of one part, of the lists, and of some 40 bytes a
    parcel.

    `parts` are gone through several times, so they are no generator; there is at least one. However the table
    is cut, the lists are the same.
    """
    parts = PartsByList(parts, capacity)
    census = Census.of(parts, capacity.seed, day)
    places = _places(census.strata, capacity, overrides or {})
    strata = plan_strata(census.strata.select(*STRATUM, "parcels"), places, capacity.random_share)
    drawn = drawn_at_random(census.gathered(parts, census.lowest_lots(strata)), strata)
    wanted = _wanted(census.must_inspect, drawn, capacity)
    taken = pl.concat([drawn, wanted], how="diagonal")
    left = _left(places, taken)
    explored = _explored_places(left, places, capacity, day)
    by_risk = {office: count - explored[office] for office, count in left.items()}
    chosen, empty = _by_value(parts, census, taken, by_risk, capacity)
    taken = pl.concat([taken, chosen], how="diagonal")
    exploring = _explore(parts, census, taken, explored, capacity.seed, day)
    listed = ranked(pl.concat([taken, exploring], how="diagonal"))
    _report_empty_places(empty, census.strata, taken)
    shifts = {code: shifts_of_list(capacity, code) for code in places}
    listed = ranked_by_office(with_shifts(listed, shifts))
    return Selection(
        listed.select(pl.col(name).cast(dtype) for name, dtype in LISTED_SCHEMA.items()),
        with_offices(strata).sort("customs_office", "exports", "trade_mode"),
        listed.select("declaration_id", "part"),
    )


def _wanted(must_inspect: pl.DataFrame, drawn: pl.DataFrame, capacity: CapacityConfig) -> pl.DataFrame:
    """What rules want and the draw has not listed already."""
    kinds = pl.Series("selection", [entry.kind for entry in capacity.must_inspect], dtype=pl.String)
    rest = must_inspect.filter(~pl.col("declaration_id").is_in(drawn["declaration_id"].implode()))
    return rest.with_columns(
        kinds.gather(rest["must_inspect"].cast(pl.UInt32)), pl.lit(1.0).alias("inspection_probability")
    )


def _left(places: Mapping[str, int], taken: pl.DataFrame) -> dict[str, int]:
    used = dict(taken.group_by("customs_office").len().iter_rows())
    for office, count in sorted(places.items()):
        if used.get(office, 0) > count:
            LOG.warning(
                "office %s: %d parcels must be inspected or were drawn at random, it has %d places: all "
                "of them are on its list, and nothing else is", list_name(office), used[office], count,
            )  # fmt: skip
    return {office: max(count - used.get(office, 0), 0) for office, count in places.items()}


def _by_value(
    parts: Iterable[pl.DataFrame],
    census: Census,
    taken: pl.DataFrame,
    left: Mapping[str, int],
    capacity: CapacityConfig,
) -> tuple[pl.DataFrame, dict[str, int]]:
    """What is chosen by risk, and the places that stay empty. Where the caps turn so much down that what
    was held does not fill the places, more is held.
    """
    places = {
        office: ListPlaces.of(count, capacity.caps, capacity.minimum_shares) for office, count in left.items()
    }
    held = {office: _HELD_AT_FIRST * count + _LEAST_HELD if count else 0 for office, count in left.items()}
    done = taken["lot"].implode()
    while True:
        shortlist = ValueShortlist(held, sorted(capacity.minimum_shares))
        for number, part in enumerate(parts):
            valued = pl.col("expected_value_cny").is_not_null() & ~pl.col("lot").is_in(done)
            shortlist.add(census.numbered(part, number).filter(valued))
        chosen, empty, more = chosen_by_value(shortlist, shortlist.held(census.columns), places)
        if not more:
            selected = chosen.with_columns(selection=pl.lit("risk"), inspection_probability=pl.lit(1.0))
            return selected, empty
        held = {office: count * (_HELD_MORE if office in more else 1) for office, count in held.items()}


def _explore(
    parts: Iterable[pl.DataFrame],
    census: Census,
    taken: pl.DataFrame,
    places: Mapping[str, int],
    seed: int,
    day: date,
) -> pl.DataFrame:
    """What is explored in each office: drawn from all parcels that nothing else has listed."""
    weights = census.weights.copy()
    weights[pl.Series(census.lots).is_in(taken["lot"].implode()).to_numpy()] = 0
    positions, chances = [np.empty(0, dtype=np.int64)], [np.empty(0)]
    for office, count in sorted(places.items()):
        if not count:
            continue
        rows = np.flatnonzero(census.offices == census.names[office])
        start = _start(seed, day, office, 1)
        drawn, chance = draw(census.lots[rows], weights[rows], count, start)
        positions.append(rows[drawn])
        chances.append(chance)
    where, chance = np.concatenate(positions), np.concatenate(chances)
    order = np.argsort(where)
    return census.gathered(parts, where[order]).with_columns(
        pl.Series("inspection_probability", chance[order]), selection=pl.lit("exploration")
    )


def _explored_places(
    left: Mapping[str, int], places: Mapping[str, int], capacity: CapacityConfig, day: date
) -> dict[str, int]:
    """How many of the places left are explored: the configured share on average over the days.

    Unless random and explored parcels are to be all, one place is kept for the highest risk.
    """
    kept = int(capacity.random_share + capacity.exploration_share < 1.0)
    return {
        office: min(
            math.floor(
                capacity.exploration_share * places[office] + _start(capacity.seed, day, office, 0) + 1e-9
            ),
            max(count - kept, 0),
        )
        for office, count in left.items()
    }


def _start(seed: int, day: date, office: str, purpose: int) -> float:
    """A number in [0, 1) that seed, day and office decide."""
    text = f"{seed}|{day.isoformat()}|{office}|{purpose}".encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(text, digest_size=6).digest(), "big") / 2.0**48


def _places(sizes: pl.DataFrame, capacity: CapacityConfig, overrides: Mapping[str, int]) -> dict[str, int]:
    offices = dict(
        sizes.group_by("customs_office").agg(pl.col("parcels").sum()).sort("customs_office").iter_rows()
    )
    for office in sorted(set(overrides) - set(offices)):
        LOG.warning(
            "no parcels of office %r that day, its capacity of %d has no effect.%s",
            office, overrides[office], nearest(office, offices),
        )  # fmt: skip
    return {
        office: max(0, min(overrides[office], parcels))
        if office in overrides
        else places_of_list(capacity, office, parcels)
        for office, parcels in offices.items()
    }


def _report_empty_places(empty: Mapping[str, int], census: pl.DataFrame, taken: pl.DataFrame) -> None:
    for office, missing in sorted(empty.items()):
        valued = census.filter(customs_office=office)["valued"].sum()
        held_back = valued - taken.filter(customs_office=office)["expected_value_cny"].count()
        if held_back:
            LOG.warning(
                "office %s: %d places stay empty: the %d parcels left are of sellers, addresses or goods "
                "at their cap (capacity.yaml, caps)", list_name(office), missing, held_back,
            )  # fmt: skip
