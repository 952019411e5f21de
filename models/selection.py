"""Which parcels of a day are opened: a random share first, then the highest expected values.

Two channels, told apart in `selection`:

- `random`: from all parcels of a stratum (office × trade mode), with no cap, so that each has exactly the
  chance drawn / parcels and estimates over all parcels rest on it.
- `risk`: the rest of each office's places by expected value, with a cap per seller. Given the scores
  nothing is left to chance, so the recorded probability is 1.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from configs.messages import nearest
from configs.schema import CapacityConfig
from features.hashing import UInt64Array, hash_text, mix
from models.shortlist import STRATUM, RandomShortlist, ValueShortlist
from models.strata import plan_strata

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
}


@dataclass(frozen=True)
class Selection:
    """What was chosen, and the plan of the random share.

    `listed` has the columns of `LISTED_SCHEMA`, sorted by office and rank; `strata` those of
    `models.strata.STRATA_SCHEMA`, one row a stratum that has parcels, drawn from or not. `origin` has,
    for each of `listed`, its `declaration_id` and in `part` the number of the part that it came in.
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
    """The day's lists, from the table of `models.parcel_table.parcel_table`; `overrides` are places by
    office.

    The same parcels give the same lists in whatever order they come; `capacity.seed` and the day decide the
    draw. A parcel without any score can only be drawn at random. Where the cap per seller leaves places
    that no other seller fills, the list is shorter, and the log says so.

    `rank` follows the expected value, except that the parcels drawn at random stand evenly spread among the
    others and in the order of the draw: a shift that ends early has then opened a random part of them, and
    no more or fewer of them than of the rest.

    >>> parcels = pl.DataFrame({"declaration_id": ["A", "B", "C"], "customs_office": "0100",
    ...     "trade_mode": "9610", "seller_id": ["s", "t", "u"], "line_no": 1, "risk": "food_safety",
    ...     "probability": [0.1, 0.3, 0.2], "expected_value_cny": [10.0, 30.0, 20.0]})
    >>> chosen = select(parcels, CapacityConfig(random_share=0.0), date(2026, 11, 20), {"0100": 2})
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
    """The same from a table that comes in parts, in memory of one part, of the lists, and of eight bytes a
    parcel.

    `parts` are gone through several times, so they are no generator; there is at least one. However the table
    is cut, the lists are the same.
    """
    census, columns = _census(parts, capacity.seed, day)
    places = _places(census.select(*STRATUM, "parcels"), capacity, overrides or {})
    strata = plan_strata(census.select(*STRATUM, "parcels"), places, capacity.random_share)
    at_random = RandomShortlist(strata)
    for number, part in enumerate(parts):
        at_random.add(_numbered(part, number).with_columns(_lots(part["declaration_id"], capacity.seed, day)))
    drawn = at_random.drawn(columns)
    left = {office: count - drawn.filter(customs_office=office).height for office, count in places.items()}
    by_value = ValueShortlist(left, capacity.caps.per_seller)
    for number, part in enumerate(parts):
        by_value.add(
            _numbered(part, number).filter(
                pl.col("expected_value_cny").is_not_null()
                & ~pl.col("declaration_id").is_in(drawn["declaration_id"].implode())
            )
        )
    chosen = by_value.chosen(columns.drop("lot"))
    _report_empty_places(by_value.empty_places(), census, drawn, chosen)
    listed = pl.concat([drawn, chosen], how="diagonal").pipe(_rank)
    return Selection(
        listed.select(pl.col(name).cast(dtype) for name, dtype in LISTED_SCHEMA.items()),
        strata,
        listed.select("declaration_id", "part"),
    )


def _numbered(part: pl.DataFrame, number: int) -> pl.DataFrame:
    return part.with_columns(pl.lit(number, dtype=pl.Int64).alias("part"))


def _census(parts: Iterable[pl.DataFrame], seed: int, day: date) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Parcels of each stratum and those with a value; and a frame without rows that has all columns."""
    counts, lots = [], []
    columns = pl.DataFrame()
    for part in parts:
        counts.append(
            part.group_by(STRATUM).agg(parcels=pl.len(), valued=pl.col("expected_value_cny").count())
        )
        lots.append(_lots(part["declaration_id"], seed, day))
        columns = _numbered(part.clear(), 0).with_columns(lots[-1].clear())
    _refuse_repeats(parts, np.concatenate([part.to_numpy() for part in lots]), seed, day)
    census = pl.concat(counts).group_by(STRATUM).agg(pl.col("parcels").sum(), pl.col("valued").sum())
    return census, columns


def _refuse_repeats(parts: Iterable[pl.DataFrame], lots: UInt64Array, seed: int, day: date) -> None:
    lots.sort()
    equal = pl.Series(lots[1:][lots[1:] == lots[:-1]], dtype=pl.UInt64).unique()
    if equal.is_empty():
        return
    ids = [part["declaration_id"] for part in parts]
    suspects = pl.concat([some.filter(_lots(some, seed, day).is_in(equal.implode())) for some in ids])
    repeated = len(suspects) - suspects.n_unique()
    if repeated:
        raise ValueError(f"one row a parcel expected, {repeated} rows repeat a declaration_id")


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
        else capacity.for_office(office).places(parcels)
        for office, parcels in offices.items()
    }


def _lots(declaration_id: pl.Series, seed: int, day: date) -> pl.Series:
    """The lot of each parcel: a hash of its number, keyed by seed and day."""
    key = int.from_bytes(hashlib.blake2b(f"{seed}|{day.isoformat()}".encode(), digest_size=8).digest(), "big")
    return pl.Series("lot", mix(mix(hash_text(declaration_id).to_numpy() ^ np.uint64(key))))


def _report_empty_places(
    empty: Mapping[str, int], census: pl.DataFrame, drawn: pl.DataFrame, chosen: pl.DataFrame
) -> None:
    for office, missing in sorted(empty.items()):
        valued = census.filter(customs_office=office)["valued"].sum()
        valued -= drawn.filter(customs_office=office)["expected_value_cny"].count()
        held_back = valued - chosen.filter(customs_office=office).height
        if held_back:
            LOG.warning(
                "office %s: %d places stay empty: the %d parcels left are of sellers at their cap "
                "(capacity.yaml, caps.per_seller)", office, missing, held_back,
            )  # fmt: skip


def _rank(chosen: pl.DataFrame) -> pl.DataFrame:
    """Ranks within the office; the j-th of m random ones stands at the share (j − ½)/m of the list."""
    is_random = pl.col("selection") == "random"
    within = ["customs_office", "selection"]
    return (
        chosen.sort(
            ["customs_office", "selection", "lot", "expected_value_cny", "declaration_id"],
            descending=[False, False, False, True, False],
            nulls_last=True,
        )
        .with_columns(
            place=(pl.int_range(pl.len()).over(within) + 0.5) / pl.len().over(within),
            is_random=is_random,
        )
        .sort("customs_office", "place", "is_random")
        .with_columns(rank=pl.int_range(1, pl.len() + 1).over("customs_office"))
    )
