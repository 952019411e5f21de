"""Holds, of parcels that come in parts, only those that can still be chosen.

Both channels choose greedily in a fixed order, each parcel unless a limit is used up: so many of a stratum,
or so many of an office and of a seller in it. Such limits form matroids (Edmonds, "Matroids and the greedy
algorithm", Mathematical Programming 1971): a parcel that is turned down among some parcels is turned down
among more of them too. So choosing from what was chosen before and the next part gives, in the end, exactly
what choosing from all parcels at once would have given.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

import polars as pl

STRATUM: Final = ["customs_office", "trade_mode"]
_BY_VALUE: Final = ["expected_value_cny", "declaration_id"]


class RandomShortlist:
    """The parcels of each stratum with the lowest lots so far.

    Args:
        strata: the plan, see `models.strata.plan_strata`.
    """

    def __init__(self, strata: pl.DataFrame) -> None:
        self._wanted = strata.filter(pl.col("drawn") > 0).select(*STRATUM, "drawn", "inspection_probability")
        self._held: pl.DataFrame | None = None

    def add(self, parcels: pl.DataFrame) -> None:
        """Draw from what is held and some more parcels; `parcels` have a `lot`, a UInt64 each."""
        held = parcels.join(self._wanted, on=STRATUM)
        if self._held is not None:
            held = pl.concat([self._held, held])
        self._held = held.sort("lot", "declaration_id").filter(
            pl.int_range(pl.len()).over(STRATUM) < pl.col("drawn")
        )

    def drawn(self, parcels: pl.DataFrame) -> pl.DataFrame:
        """The parcels drawn, with `inspection_probability` and `selection`; `parcels` give the columns."""
        if self._held is None:
            self.add(parcels.clear())
        assert self._held is not None
        return self._held.drop("drawn").with_columns(selection=pl.lit("random"))


class ValueShortlist:
    """The parcels of each office with the highest expected values so far, within the cap of each seller.

    Args:
        left: places by office.
        per_seller: the share of these places that one seller may fill; None for all.
    """

    def __init__(self, left: Mapping[str, int], per_seller: float | None) -> None:
        self.offices = pl.DataFrame(
            {
                "customs_office": list(left),
                "left": list(left.values()),
                "cap": [_cap(count, per_seller) for count in left.values()],
            },
            schema={"customs_office": pl.String, "left": pl.Int64, "cap": pl.Int64},
        ).filter(pl.col("left") > 0)
        self._held: pl.DataFrame | None = None

    def add(self, parcels: pl.DataFrame) -> None:
        """Choose among what is held and some more parcels, which all have an expected value."""
        new = parcels.join(self.offices, on="customs_office")
        if self._held is not None:
            new = pl.concat([self._held, new.filter(pl.col("expected_value_cny") >= self._least(new))])
        self._held = (
            new.sort(_BY_VALUE, descending=[True, False])
            .filter(
                pl.col("seller_id").is_null()
                | (pl.int_range(pl.len()).over("customs_office", "seller_id") < pl.col("cap"))
            )
            .filter(pl.int_range(pl.len()).over("customs_office") < pl.col("left"))
        )

    def chosen(self, parcels: pl.DataFrame) -> pl.DataFrame:
        """The parcels chosen, with `inspection_probability` and `selection`; `parcels` give the columns."""
        if self._held is None:
            self.add(parcels.clear())
        assert self._held is not None
        return self._held.drop("left", "cap").with_columns(
            selection=pl.lit("risk"), inspection_probability=pl.lit(1.0)
        )

    def empty_places(self) -> dict[str, int]:
        """Places that nothing was found for, by office."""
        held = self.offices.clear() if self._held is None else self._held
        taken = held.group_by("customs_office").agg(taken=pl.len())
        missing = self.offices.join(taken, on="customs_office", how="left").select(
            "customs_office", pl.col("left") - pl.col("taken").fill_null(0).cast(pl.Int64)
        )
        return {office: count for office, count in missing.iter_rows() if count > 0}

    def _least(self, new: pl.DataFrame) -> pl.Series:
        """For each of `new`, the value below which its office, full by now, has no use for it."""
        assert self._held is not None
        full = (
            self._held.group_by("customs_office")
            .agg(pl.len(), least=pl.col("expected_value_cny").min(), left=pl.col("left").first())
            .filter(pl.col("len") == pl.col("left"))
        )
        least = new.select("customs_office").join(
            full.select("customs_office", "least"), on="customs_office", how="left", maintain_order="left"
        )
        return least["least"].fill_null(-math.inf)


def _cap(places: int, per_seller: float | None) -> int:
    return places if per_seller is None else max(1, math.floor(per_seller * places + 1e-9))
