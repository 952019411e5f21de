"""In which order the parcels of a list are opened: ranks, parcels that travel together, shifts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

_TRAVEL = ("buyer_id", "address_id", "order_id")
_AT_ONCE = ("referral", "rule")
_SPREAD = ("exploration", "random")


def ranked(listed: pl.DataFrame) -> pl.DataFrame:
    """The parcels with `rank` (1 = first, within the office) and `together` (a number within the office for
    parcels chosen by risk that share a buyer, an address or an order; null for one that travels alone),
    sorted by both.

    What must be inspected stands first, the highest value before the others. Then come the others: those
    chosen by risk by their value, those that travel together right after the first of them; those drawn at
    random and those explored stand evenly spread among them and in the order of their lots, the j-th of m
    at the share (j − ½)/m. A shift that ends early has then opened a random part of them, and no more or
    fewer of them than of the rest.
    """
    grouped = pl.concat(
        [_together(of) for _, of in listed.group_by("customs_office", maintain_order=True)]
        or [_together(listed)]
    )
    within = ["customs_office", "selection"]
    by_lot = pl.col("selection").is_in(_SPREAD)
    value = pl.col("expected_value_cny").fill_null(-1.0)
    own = ["customs_office", "together"]
    ordered = grouped.with_columns(
        first=pl.when(pl.col("together").is_null()).then(value).otherwise(value.max().over(own)),
        lot_order=pl.when(by_lot).then(pl.col("lot")),
    ).sort(
        [*within, "lot_order", "first", "together", "expected_value_cny", "declaration_id"],
        descending=[False, False, False, True, False, True, False],
        nulls_last=True,
    )
    place = (pl.int_range(pl.len()).over(within) + 0.5) / pl.len().over(within)
    return (
        ordered.with_columns(place=place, section=~pl.col("selection").is_in(_AT_ONCE))
        .sort("customs_office", "section", "place", by_lot, maintain_order=True)
        .with_columns(rank=pl.int_range(1, pl.len() + 1).over("customs_office"))
        .drop("first", "lot_order", "place", "section")
    )


def with_shifts(ranked_list: pl.DataFrame, shifts: Mapping[str, Mapping[str, int]]) -> pl.DataFrame:
    """The list with `shift` (String, null where an office has none): `shifts` by office name their parts.

    The first ranks go to the first shift.

    >>> listed = pl.DataFrame({"customs_office": ["0100"] * 3, "rank": [1, 2, 3]})
    >>> with_shifts(listed, {"0100": {"early": 20, "late": 10}})["shift"].to_list()
    ['early', 'early', 'late']
    """
    parts = []
    for (office,), of in ranked_list.group_by("customs_office", maintain_order=True):
        of_office = shifts.get(str(office), {})
        names = list(of_office)
        bounds = np.cumsum([of_office[name] for name in names]) / max(sum(of_office.values()), 1)
        ends = np.floor(bounds * of.height + 0.5).astype(np.int64)
        at = np.searchsorted(ends, np.arange(of.height), side="right")
        shift_names = [names[min(place, len(names) - 1)] if names else None for place in at]
        parts.append(of.with_columns(shift=pl.Series(shift_names, dtype=pl.String)))
    return pl.concat(parts) if parts else ranked_list.with_columns(shift=pl.lit(None, pl.String))


def _together(of_office: pl.DataFrame) -> pl.DataFrame:
    """`together` for the parcels of one office: connected through what they share."""
    chosen = (of_office["selection"] == "risk").to_list()
    leader = list(range(of_office.height))

    def find(row: int) -> int:
        while leader[row] != row:
            leader[row] = leader[leader[row]]
            row = leader[row]
        return row

    for column in _TRAVEL:
        seen: dict[object, int] = {}
        for row, value in enumerate(of_office[column].to_list()):
            if value is not None and chosen[row]:
                leader[find(row)] = find(seen.setdefault(value, row))
    return of_office.with_columns(_numbers([find(row) for row in range(of_office.height)], of_office))


def _numbers(leaders: Sequence[int], of_office: pl.DataFrame) -> pl.Series:
    """Groups of two and more, numbered by the lowest declaration in them."""
    members: dict[int, list[str]] = {}
    for leader, name in zip(leaders, of_office["declaration_id"].to_list(), strict=True):
        members.setdefault(leader, []).append(name)
    groups = sorted((min(names), leader) for leader, names in members.items() if len(names) > 1)
    number = {leader: place for place, (_, leader) in enumerate(groups, start=1)}
    return pl.Series("together", [number.get(leader) for leader in leaders], dtype=pl.Int32)
