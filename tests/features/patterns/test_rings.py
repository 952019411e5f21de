"""What parcels share with those of other buyers."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from features.pattern import RING_COLUMNS, Shared
from features.patterns.rings import find_rings, foreign_payers
from tests.features.checked_days import LINE, ORDER, PAYMENT, day_of

NOBODY: dict[str, list[tuple[Any, ...]]] = {"payers": [], "telephones": [], "baskets": []}


def shared(**rows: list[tuple[Any, ...]]) -> Shared:
    schemas = {
        "payers": ["payer_id", "buyer_id"],
        "telephones": ["telephone_id", "buyer_id"],
        "baskets": ["declaration_id", "address_id", "buyer_id", "basket"],
    }
    return Shared(
        **{
            name: pl.DataFrame(
                (NOBODY | rows)[name],
                schema={column: pl.UInt64 if column == "basket" else pl.String for column in columns},
                orient="row",
            )
            for name, columns in schemas.items()
        }
    )


def rings(day: Any, **rows: list[tuple[Any, ...]]) -> list[dict[str, Any]]:
    return find_rings(day, shared(**rows)).to_dicts()


def test_an_honest_parcel_shares_nothing() -> None:
    day = day_of(orders=[ORDER | {"telephone_id": "T"}])
    own = [("INV1", "lane 1", "ann", 7)]
    assert rings(day, telephones=[("T", "ann")], baskets=own) == []
    assert find_rings(day, shared()).schema == RING_COLUMNS


@pytest.mark.parametrize("buyers", [2, 40])
def test_a_payer_counts_those_for_whom_he_pays(buyers: int) -> None:
    day = day_of(payments=[PAYMENT | {"payer_id": "boss"}])
    assert foreign_payers(day)["payer_id"].to_list() == ["boss"]
    # What he bought for himself is his own affair.
    pairs = [("boss", "boss"), *(("boss", f"buyer {number}") for number in range(buyers))]
    (row,) = rings(day, payers=pairs)
    assert row == {
        "declaration_id": "INV1", "payer_buyers": buyers, "telephone_buyers": 1, "basket_parcels": 1,
        "basket_buyers": 1,
    }  # fmt: skip


def test_of_several_payers_the_one_with_most_buyers_counts() -> None:
    payments = [PAYMENT | {"payer_id": payer, "transaction_id": payer} for payer in ("aunt", "boss", "ann")]
    pairs = [("aunt", "ann"), *(("boss", name) for name in ("ann", "bob", "cyn"))]
    assert rings(day_of(payments=payments), payers=pairs)[0]["payer_buyers"] == 3


def test_who_pays_for_himself_is_not_looked_at() -> None:
    day = day_of()
    assert foreign_payers(day).is_empty()
    assert rings(day, payers=[("ann", "bob")]) == []


def test_a_telephone_counts_its_buyers() -> None:
    lines = [LINE, LINE | {"declaration_id": "INV2", "order_id": "O2", "buyer_id": "bob"}]
    orders = [ORDER | {"telephone_id": "T"}, ORDER | {"telephone_id": "U", "order_id": "O2"}]
    pairs = [("T", "ann"), ("T", "bob"), ("T", None), ("U", "bob")]
    found = rings(day_of(lines, orders), telephones=pairs)
    assert [(row["declaration_id"], row["telephone_buyers"]) for row in found] == [("INV1", 2)]


def test_the_same_goods_to_one_address_count_with_their_buyers() -> None:
    rows: list[tuple[Any, ...]] = [("INV1", "lane 1", "ann", 7), ("X1", "lane 1", "bob", 7)]
    rows += [("X2", "lane 1", "bob", 7), ("X3", "lane 1", "cyn", 8), ("X4", "lane 2", "dan", 7)]
    (row,) = rings(day_of(), baskets=rows)
    assert (row["basket_parcels"], row["basket_buyers"]) == (3, 2)


def test_the_order_of_rows_is_of_no_consequence() -> None:
    lines = [LINE | {"declaration_id": f"INV{n}", "order_id": f"O{n}"} for n in range(4)]
    orders = [ORDER | {"order_id": f"O{n}", "telephone_id": f"T{n % 2}"} for n in range(4)]
    pairs: list[tuple[Any, ...]] = [("T0", "ann"), ("T0", "bob"), ("T1", "ann"), ("T1", "cyn")]
    told = find_rings(day_of(lines, orders), shared(telephones=pairs))
    turned = find_rings(day_of(lines[::-1], orders[::-1]), shared(telephones=pairs[::-1]))
    assert told.height == 4
    assert told.equals(turned)
