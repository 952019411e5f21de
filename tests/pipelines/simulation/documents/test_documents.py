"""Documents that agree with their declarations unless something is said to be wrong, and that truth."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl
import pytest

from features.contract.china_time import china_day
from features.contract.documents import DOCUMENT_TABLES, validate_documents
from features.contract.rules import ContractRules
from pipelines.simulation import World, WorldParameters, simulate_days
from pipelines.simulation.documents.documents import (
    OpenedByCustoms,
    SimulatedDocuments,
    make_documents,
)
from pipelines.simulation.documents.kinds import IN_STORE, KINDS, draw_kinds, spread_kinds
from pipelines.simulation.documents.parcels import traded_parcels
from tests.pipelines.documents.message_sets import message_frames
from tests.pipelines.documents.rules_by_hand import Known, close_of, findings, latest

Frames = dict[str, pl.DataFrame]
Made = tuple[pl.DataFrame, SimulatedDocuments, Frames]
_CHECKS = {
    "order_missing", "payment_missing", "waybill_missing", "amount", "goods", "buyer", "consignee", "weight",
    "payment_reused", "waybill_reused", "paid_late", "return_unknown", "return_exceeds", "return_late",
}  # fmt: skip


@pytest.fixture(scope="module", params=[7, 11])
def made(request: pytest.FixtureRequest) -> Made:
    return message_frames(request.param)


def known_at_close(day: date, frames: Frames) -> Known:
    before = close_of(day)
    versions = {name: latest(frames[name], table.key, before) for name, table in DOCUMENT_TABLES.items()}
    withdrawn = {row["declaration_id"] for row in versions["cancellations"]}
    inventories = latest(frames["declarations"], ["declaration_id"], before)
    states = frames["return_states"].filter(pl.col("status") == 100, pl.col("sent_at") < before)
    return Known(
        [row for row in inventories if row["declaration_id"] not in withdrawn],
        versions["orders"], versions["payments"], versions["waybills"], versions["returns"],
        versions["receipts"],
        set(states.select("declaration_id", "own_number").iter_rows()),
    )  # fmt: skip


def test_the_truth_is_what_the_rules_say_by_hand(made: Made) -> None:
    _, documents, frames = made
    truth = documents.truth
    days = sorted(
        {*documents.parcels["declared_on"], *truth["day"], *china_day(frames["returns"]["sent_at"])}
    )
    for day in days:
        expected = truth.filter(day=day).select("declaration_id", "line_no", "check", "outcome")
        assert findings(day, known_at_close(day, frames)) == set(expected.iter_rows()), day


def test_every_fault_and_every_check_occurs_and_no_trap_is_one(made: Made) -> None:
    _, documents, _ = made
    truth, kinds = documents.truth, documents.parcels["kind"]
    assert set(truth["check"]) == _CHECKS
    assert set(truth["mechanism"]) == {kind.name for kind in KINDS if kind.checks}
    assert set(kinds.drop_nulls()) == {kind.name for kind in KINDS}
    assert truth.is_unique().all()


def test_heads_add_up_unless_the_amount_is_wrong(made: Made) -> None:
    _, documents, _ = made
    orders = documents.tables["orders"].filter(pl.col("direction") == "import")
    parts = pl.col("goods_value") + pl.col("freight") + pl.col("tax_total") - pl.col("discount")
    off = orders.filter((parts - pl.col("paid_total")).abs() > 0.005)["order_id"].unique()
    kinds = documents.parcels.filter(pl.col("order_id").is_in(off.implode()))["kind"]
    assert set(kinds) == {
        "head_sum", "order_off_by_cents", "corrected_before_close", "corrected_after_close",
        "spoiled_before_close", "spoiled_after_close", "draft_beside_order",
    }  # fmt: skip
    assert orders.filter(pl.col("discount") > 0).height > 0
    lines = orders.group_by("order_id", "sent_at", "app_status").agg(
        pl.col("total_price").sum(), pl.col("goods_value").first()
    )
    assert ((lines["total_price"] - lines["goods_value"]).abs() < 0.005).all()


def test_rows_keep_to_the_contract_of_their_table(made: Made) -> None:
    _, documents, _ = made
    for name, table in DOCUMENT_TABLES.items():
        rows = documents.tables[name].drop_nulls(list(table.required))
        validated = validate_documents(rows, table, ContractRules())
        assert validated.nulled == {}
        assert validated.kept.height == rows.height > 0
        assert rows["sent_at"].dt.microsecond().sum() == 0


def test_documents_are_sent_around_their_declaration(made: Made) -> None:
    _, documents, _ = made
    plain = documents.parcels.filter(pl.col("kind").is_null())
    for column in ("order_at", "payment_at", "waybill_at"):
        ahead = (plain["declared_at"] - plain[column]).dt.total_seconds()
        assert (plain[column] < plain["closes_at"]).all()
        assert 0.01 < (ahead < 0).mean() < 0.2  # type: ignore[operator]
        assert ahead.max() <= 6 * 3600  # type: ignore[operator]


def test_returns_follow_the_release_and_withdraw_what_was_bought(made: Made) -> None:
    lines, documents, _ = made
    fair = pl.col("kind").is_in(["return_whole", "return_part", "export_return"])
    returns = documents.tables["returns"].filter(fair)
    bought = returns.join(lines, on=["declaration_id", "line_no"])
    assert bought.height == returns.height > 0
    assert (bought["quantity"] <= bought["quantity_right"] + 1e-9).all()
    parcels = documents.parcels.select("declaration_id", "released_at", "declared_at")
    after = returns.join(parcels, on="declaration_id")
    assert after.select(pl.col("sent_at") > pl.coalesce("released_at", "declared_at")).to_series().all()


def test_the_same_seed_makes_the_same_and_another_one_not() -> None:
    (_, one, _), (_, again, _), (_, other, _) = (message_frames(seed) for seed in (5, 5, 6))
    for name, rows in one.tables.items():
        assert rows.equals(again.tables[name])
        assert not rows.equals(other.tables[name])


def test_what_is_special_about_one_parcel_changes_no_other() -> None:
    world = World.make(7, WorldParameters.for_volume(200))
    (day,) = simulate_days(world, 1, 200, date(2024, 9, 6))
    lines = day.declarations
    parcels = traded_parcels(lines, 7)
    nothing = lines.head(0).select("declaration_id", "line_no", assessed_unit_price="unit_price")
    opened = OpenedByCustoms(parcels["declaration_id"][:10], parcels["declaration_id"][:3], nothing)
    chance = pl.Series([0.5] * parcels.height)
    special = draw_kinds(parcels, chance, np.random.default_rng(1))
    one, other = (
        make_documents(lines, parcels.with_columns(kind), opened, 7, np.random.default_rng(2)).tables
        for kind in (special, pl.Series("kind", [None] * parcels.height, dtype=pl.String))
    )
    ordinary = parcels.filter(special.is_null())
    keys = {
        "orders": "order_id",
        "payments": "order_id",
        "waybills": "waybill_id",
        "receipts": "declaration_id",
    }
    for name, key in keys.items():
        of_ordinary = pl.col(key).is_in(ordinary[key].drop_nulls().implode())
        rows = one[name].filter(of_ordinary)
        assert rows.height > 20
        assert rows.equals(other[name].filter(of_ordinary)), name


def test_the_truth_names_no_ordinary_parcel(made: Made) -> None:
    _, documents, _ = made
    parcels = documents.parcels.select("declaration_id", "kind", "paid_total")
    ordinary = parcels.filter(pl.col("kind").is_null())
    assert ordinary.height > 200
    assert documents.truth.join(ordinary, on="declaration_id").is_empty()


def test_too_few_parcels_for_a_kind_are_told(made: Made) -> None:
    _, documents, _ = made
    with pytest.raises(ValueError, match=r"expected \d+ parcels for it, got \d+: take more"):
        spread_kinds(documents.parcels, 50, np.random.default_rng(1))
    always = pl.Series([1.0] * documents.parcels.height)
    drawn = draw_kinds(documents.parcels, always, np.random.default_rng(1))
    assert set(drawn.drop_nulls()) <= {kind.name for kind in IN_STORE}
