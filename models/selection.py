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
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from configs.messages import nearest
from configs.schema import CapacityConfig
from features.hashing import hash_text, mix
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
_STRATUM = ["customs_office", "trade_mode"]


@dataclass(frozen=True)
class Selection:
    """What was chosen, and the plan of the random share.

    `listed` has the columns of `LISTED_SCHEMA`, sorted by office and rank; `strata` those of
    `models.strata.STRATA_SCHEMA`, one row a stratum that has parcels, whether drawn from or not.
    """

    listed: pl.DataFrame
    strata: pl.DataFrame


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
    lots = _lots(parcels["declaration_id"], capacity.seed, day)
    sizes = parcels.group_by(_STRATUM).agg(parcels=pl.len())
    places = _places(sizes, capacity, overrides or {})
    strata = plan_strata(sizes, places, capacity.random_share)
    drawn = _draw(parcels.with_columns(lots), strata)
    left = {office: count - _count(drawn, office) for office, count in places.items()}
    undrawn = parcels.filter(
        pl.col("expected_value_cny").is_not_null()
        & ~pl.col("declaration_id").is_in(drawn["declaration_id"].implode())
    )
    by_risk = _by_value(undrawn, left, capacity.caps.per_seller)
    listed = pl.concat([drawn, by_risk], how="diagonal").pipe(_rank)
    return Selection(listed.select(pl.col(name).cast(dtype) for name, dtype in LISTED_SCHEMA.items()), strata)


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
    lots = pl.Series("lot", mix(mix(hash_text(declaration_id).to_numpy() ^ np.uint64(key))))
    ascending = lots.sort()
    equal = ascending.filter(ascending == ascending.shift(1))
    suspects = declaration_id.filter(lots.is_in(equal.implode()))
    repeated = len(suspects) - suspects.n_unique()
    if repeated:
        raise ValueError(f"one row a parcel expected, {repeated} rows repeat a declaration_id")
    return lots


def _draw(parcels: pl.DataFrame, strata: pl.DataFrame) -> pl.DataFrame:
    """The `drawn` parcels of each stratum with the lowest lots."""
    wanted = strata.filter(pl.col("drawn") > 0)
    return (
        _head(parcels, wanted.select(*_STRATUM, wanted="drawn"), "lot", descending=False)
        .join(wanted.select(*_STRATUM, "drawn", "inspection_probability"), on=_STRATUM)
        .sort("lot", "declaration_id")
        .filter(pl.int_range(pl.len()).over(_STRATUM) < pl.col("drawn"))
        .drop("drawn")
        .with_columns(selection=pl.lit("random"))
    )


def _by_value(parcels: pl.DataFrame, left: Mapping[str, int], per_seller: float | None) -> pl.DataFrame:
    """The highest values of each office for the places that are `left`, at most the cap of one seller."""
    offices = pl.DataFrame(
        {
            "customs_office": list(left),
            "left": list(left.values()),
            "cap": [_cap(count, per_seller) for count in left.values()],
        },
        schema={"customs_office": pl.String, "left": pl.Int64, "cap": pl.Int64},
    ).filter(pl.col("left") > 0)
    # A nation's parcels are sorted for a few thousand places: their head will do, unless a cap bites.
    candidates = parcels.filter(pl.col("customs_office").is_in(offices["customs_office"].implode()))
    depth = 4
    while True:
        wanted = offices.select("customs_office", wanted=pl.col("left") * depth)
        head = _head(candidates, wanted, "expected_value_cny", descending=True)
        chosen = _capped(head.join(offices, on="customs_office"))
        short = _short_of(chosen, offices)
        if head.height == candidates.height or not short:
            break
        depth *= 8
    for office, missing in sorted(short.items()):
        held_back = _count(candidates, office) - _count(chosen, office)
        if held_back:
            LOG.warning(
                "office %s: %d places stay empty: the %d parcels left are of sellers at their cap "
                "(capacity.yaml, caps.per_seller)", office, missing, held_back,
            )  # fmt: skip
    return chosen.with_columns(selection=pl.lit("risk"), inspection_probability=pl.lit(1.0))


def _count(parcels: pl.DataFrame, office: str) -> int:
    return parcels.filter(customs_office=office).height


def _cap(places: int, per_seller: float | None) -> int:
    return places if per_seller is None else max(1, math.floor(per_seller * places + 1e-9))


def _capped(head: pl.DataFrame) -> pl.DataFrame:
    """Going down by value, a parcel is taken unless its seller's cap or the office's places are used up."""
    return (
        head.sort(["expected_value_cny", "declaration_id"], descending=[True, False])
        .filter(
            pl.col("seller_id").is_null()
            | (pl.int_range(pl.len()).over("customs_office", "seller_id") < pl.col("cap"))
        )
        .filter(pl.int_range(pl.len()).over("customs_office") < pl.col("left"))
        .drop("left", "cap")
    )


def _short_of(chosen: pl.DataFrame, offices: pl.DataFrame) -> dict[str, int]:
    taken = chosen.group_by("customs_office").agg(taken=pl.len())
    missing = offices.join(taken, on="customs_office", how="left").select(
        "customs_office", pl.col("left") - pl.col("taken").fill_null(0).cast(pl.Int64)
    )
    return {office: count for office, count in missing.iter_rows() if count > 0}


def _head(frame: pl.DataFrame, wanted: pl.DataFrame, by: str, *, descending: bool) -> pl.DataFrame:
    """The `wanted` first rows by `by` of each group named there, with all that equal the last of them."""
    groups = [name for name in wanted.columns if name != "wanted"]
    narrow = frame.select(*groups, by)
    last = (
        narrow.group_by(groups)
        .agg(pl.col(by).sort(descending=descending))
        .join(wanted, on=groups)
        .select(*groups, last=pl.col(by).list.get(pl.min_horizontal("wanted", pl.col(by).list.len()) - 1))
    )
    limit = narrow.join(last, on=groups, how="left", maintain_order="left")["last"]
    return frame.filter(frame[by] >= limit if descending else frame[by] <= limit)


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
