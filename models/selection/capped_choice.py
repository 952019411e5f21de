"""The parcels of the highest expected values, so that no scheme fills a list and no risk goes without.

Greedy in the order of the values: a parcel is taken unless its seller, its address or its goods have all
the places that one of them may have. Before that, each risk with a minimum share takes its own best
parcels.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from configs.schema.capacity import CapsConfig
from models.selection.shortlist import ValueShortlist

_LIMITED = {"seller_id": "per_seller", "address_id": "per_address", "goods": "per_goods"}


@dataclass(frozen=True)
class ListPlaces:
    """How many places of a list go by risk, how many of them each risk has for sure, how many each column's
    values may take at most.
    """

    count: int
    reserved: Mapping[str, int]
    caps: Mapping[str, int]

    @classmethod
    def of(cls, count: int, caps: CapsConfig, minimum_shares: Mapping[str, float]) -> ListPlaces:
        """The places of one office.

        >>> caps = CapsConfig(per_seller=0.25, per_address=None, per_goods=None)
        >>> ListPlaces.of(10, caps, {"food_safety": 0.3})
        ListPlaces(count=10, reserved={'food_safety': 3}, caps={'seller_id': 3})
        """
        shares = {column: getattr(caps, name) for column, name in _LIMITED.items()}
        reserved: dict[str, int] = {}
        for risk in sorted(minimum_shares):
            wanted = math.ceil(minimum_shares[risk] * count - 1e-9)
            reserved[risk] = min(wanted, count - sum(reserved.values()))
        return cls(
            count,
            reserved,
            {
                column: max(1, math.ceil(share * count - 1e-9))
                for column, share in shares.items()
                if share is not None
            },
        )


@dataclass(frozen=True)
class CappedChoice:
    """What one office's places go to: row numbers of what was held. `wanting` are the risks whose reserved
    places, and None for all places, were not filled.
    """

    rows: Sequence[int]
    wanting: frozenset[str | None]


def choose_capped(held: pl.DataFrame, places: ListPlaces) -> CappedChoice:
    """Choose among the parcels of one office, the highest expected value first.

    `held` is of `models.selection.shortlist.ValueShortlist.held`. Rows come back in their order there.
    A parcel without a seller, an address or goods is not capped by it.
    """
    columns = [(held[column].to_list(), cap, Counter[object]()) for column, cap in places.caps.items()]
    risks, overall = held["risk"].to_list(), held["overall"].to_list()
    taken: set[int] = set()

    def take(rows: Iterable[int], most: int) -> int:
        count = 0
        for row in rows:
            if count == most:
                break
            if row in taken or any(
                values[row] is not None and used[values[row]] >= cap for values, cap, used in columns
            ):
                continue
            for values, _, used in columns:
                used[values[row]] += 1
            taken.add(row)
            count += 1
        return count

    wanting: set[str | None] = set()
    for risk, wanted in places.reserved.items():
        if take((row for row, of in enumerate(risks) if of == risk), wanted) < wanted:
            wanting.add(risk)
    left = places.count - len(taken)
    if take((row for row, held_overall in enumerate(overall) if held_overall), left) < left:
        wanting.add(None)
    return CappedChoice(sorted(taken), frozenset(wanting))


def chosen_by_value(
    shortlist: ValueShortlist, held: pl.DataFrame, places: Mapping[str, ListPlaces]
) -> tuple[pl.DataFrame, dict[str, int], set[str]]:
    """The parcels chosen in each office, the places that stay empty, and the offices of which more parcels
    have to be held before one can say.
    """
    parts, empty, more = [held.clear()], {}, set()
    of_office = dict(held.partition_by("customs_office", maintain_order=True, as_dict=True))
    for office, of in sorted(places.items()):
        rows = of_office.get((office,), held.clear())
        chosen = choose_capped(rows, of)
        parts.append(rows[list(chosen.rows)])
        empty[office] = of.count - len(chosen.rows)
        if any(shortlist.lacks(office, risk) for risk in chosen.wanting):
            more.add(office)
    return pl.concat(parts).drop("overall"), {o: n for o, n in empty.items() if n > 0}, more
