"""Holds, of parcels that come in parts, only those that can still be chosen.

A draw by lot takes the lowest lots of each stratum. Caps on several parties at once turn parcels down that
would have been taken among fewer of them (they are no matroid; Edmonds, "Matroids and the greedy algorithm",
Mathematical Programming 1971), so there the highest values are held, and whoever runs out of them asks for
more.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Final

import polars as pl

STRATUM: Final = ["customs_office", "trade_mode"]
BY_VALUE: Final = ["expected_value_cny", "declaration_id"]


def drawn_at_random(parcels: pl.DataFrame, strata: pl.DataFrame) -> pl.DataFrame:
    """Of each stratum the parcels with the lowest lots, with `inspection_probability` and `selection`.

    Args:
        parcels: those that may be drawn, with a `lot`, a UInt64 each.
        strata: the plan, see `models.selection.strata.plan_strata`.
    """
    wanted = strata.filter(pl.col("drawn") > 0).select(*STRATUM, "drawn", "inspection_probability")
    in_order = parcels.join(wanted, on=STRATUM).sort("lot", "declaration_id")
    chosen = in_order.filter(pl.int_range(pl.len()).over(STRATUM) < pl.col("drawn"))
    return chosen.drop("drawn").with_columns(selection=pl.lit("random"))


class ValueShortlist:
    """The parcels with the highest expected values so far: so many of each office, and of each risk in it.

    Args:
        held: how many by office.
        risks: of which risks as many are held beside them.
    """

    def __init__(self, held: Mapping[str, int], risks: Sequence[str] = ()) -> None:
        self._wanted = pl.DataFrame(
            {"customs_office": list(held), "most": list(held.values())},
            schema={"customs_office": pl.String, "most": pl.Int64},
        ).filter(pl.col("most") > 0)
        self._risks = list(risks)
        self._held: pl.DataFrame | None = None
        self._seen: dict[tuple[str, str | None], int] = {}

    def add(self, parcels: pl.DataFrame) -> None:
        """Hold the highest of what is held and some more parcels, which all have an expected value."""
        new = parcels.join(self._wanted, on="customs_office")
        self._count(new)
        if self._held is not None:
            new = pl.concat([self._held.drop("overall"), new.filter(self._may_be_held(new))])
        ordered = new.sort(BY_VALUE, descending=[True, False]).with_columns(
            overall=pl.int_range(pl.len()).over("customs_office") < pl.col("most"),
        )
        of_risk = pl.int_range(pl.len()).over("customs_office", "risk") < pl.col("most")
        self._held = ordered.filter(pl.col("overall") | (of_risk & pl.col("risk").is_in(self._risks)))

    def held(self, parcels: pl.DataFrame) -> pl.DataFrame:
        """What is held, the highest value first; `overall` says whether it is so among all parcels of its
        office, or only among those of its risk. `parcels` give the columns.
        """
        if self._held is None:
            self.add(parcels.clear())
        assert self._held is not None
        return self._held.drop("most")

    def lacks(self, office: str, risk: str | None = None) -> bool:
        """Whether there are parcels of the office (and risk) that are not held."""
        most = self._wanted.filter(customs_office=office)["most"]
        return bool(len(most)) and self._seen.get((office, risk), 0) > most[0]

    def _count(self, new: pl.DataFrame) -> None:
        for office, risk, count in new.group_by("customs_office", "risk").len().iter_rows():
            for key in ((office, None), (office, risk)):
                self._seen[key] = self._seen.get(key, 0) + count

    def _may_be_held(self, new: pl.DataFrame) -> pl.Series:
        """Which of `new` reach the least value held of their office, or of their risk in it."""
        assert self._held is not None
        fits = new["expected_value_cny"] >= _least(self._held.filter("overall"), new, ["customs_office"])
        if self._risks:
            among = self._held.filter(pl.col("risk").is_in(self._risks))
            least = _least(among, new, ["customs_office", "risk"])
            fits |= new["risk"].is_in(self._risks) & (new["expected_value_cny"] >= least)
        return fits


def _least(held: pl.DataFrame, new: pl.DataFrame, keys: list[str]) -> pl.Series:
    full = (
        held.group_by(keys)
        .agg(pl.len(), least=pl.col("expected_value_cny").min(), most=pl.col("most").first())
        .filter(pl.col("len") >= pl.col("most"))
    )
    least = new.select(keys).join(full.select(*keys, "least"), on=keys, how="left", maintain_order="left")
    return least["least"].fill_null(-math.inf)
