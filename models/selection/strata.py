"""How many parcels of each stratum are drawn at random: the plan behind unbiased estimates."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import polars as pl

STRATA_SCHEMA: dict[str, type[pl.DataType]] = {
    "customs_office": pl.String,
    "trade_mode": pl.String,
    "parcels": pl.Int64,
    "drawn": pl.Int64,
    "inspection_probability": pl.Float64,
}


def random_places(places: int, share: float) -> int:
    """How many of an office's places are drawn at random: the share rounded up, so that no list goes without.

    Only a list that would then hold nothing else keeps its last place for the highest risk.

    >>> random_places(40, 0.10), random_places(3, 0.10), random_places(1, 0.10), random_places(1, 1.0)
    (4, 1, 0, 1)
    """
    drawn = min(places, math.ceil(share * places - 1e-9))
    return drawn - 1 if 0 < drawn == places and share < 1.0 else drawn


def allocate(sizes: Sequence[int], drawn: int) -> list[int]:
    """How many of `drawn` places each stratum gets; never more than it has parcels.

    Each stratum gets one as far as they reach, the largest first, because an estimate over all parcels needs
    every stratum to be drawn from; the rest is shared out in proportion, by largest remainder (Hamilton's
    method). Equals are served in the order given.

    >>> allocate([900, 95, 5], 10)
    [8, 1, 1]
    >>> allocate([50, 40, 10], 2)
    [1, 1, 0]
    """
    total = sum(sizes)
    drawn = min(drawn, total)
    largest_first = sorted(range(len(sizes)), key=lambda stratum: -sizes[stratum])
    shares = [0] * len(sizes)
    for stratum in largest_first[:drawn]:
        shares[stratum] = min(1, sizes[stratum])
    for _ in range(drawn - sum(shares)):
        # Whole numbers on both sides: with fractions, rounding could decide between equals.
        lacking = [drawn * size - share * total for size, share in zip(sizes, shares, strict=True)]
        shares[lacking.index(max(lacking))] += 1
    return shares


def plan_strata(sizes: pl.DataFrame, places: Mapping[str, int], share: float) -> pl.DataFrame:
    """How many parcels are drawn at random from each stratum of a day, by `STRATA_SCHEMA`.

    `sizes` has one row a stratum: `customs_office`, `trade_mode`, `parcels`; `places` is the length of each
    office's list. `inspection_probability` is drawn / parcels: every parcel of the stratum has exactly that
    chance.

    >>> sizes = pl.DataFrame({"customs_office": ["0100"], "trade_mode": ["9610"], "parcels": [250]})
    >>> plan_strata(sizes, {"0100": 10}, share=0.10)["inspection_probability"].to_list()
    [0.004]
    """
    ordered = sizes.sort("customs_office", "trade_mode")
    drawn: list[int] = []
    for (office,), strata in ordered.group_by("customs_office", maintain_order=True):
        drawn += allocate(strata["parcels"].to_list(), random_places(places[str(office)], share))
    planned = ordered.with_columns(pl.Series("drawn", drawn, dtype=pl.Int64))
    return planned.with_columns(
        pl.col("parcels").cast(pl.Int64),
        inspection_probability=pl.col("drawn") / pl.col("parcels"),
    ).select(pl.col(name).cast(dtype) for name, dtype in STRATA_SCHEMA.items())
