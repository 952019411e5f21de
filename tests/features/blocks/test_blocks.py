"""One contract that every feature block keeps, whoever wrote it."""

from __future__ import annotations

import random
from datetime import date

import polars as pl
import pytest

from configs.reference.facts import load_reference
from configs.schema.settings import Settings
from features.assemble import FeatureSet, assemble, found_blocks
from features.contract.declarations import DECLARATION_COLUMNS
from features.history.day_tables import DayTables, day_tables, merge_parties, merge_prices
from features.history.peers import sketch_names
from features.history.state import History
from features.history.view import DayContext, HistoryView
from features.prepare import prepare_lines
from tests.features.small_world import SmallWorld

Day = tuple[date, pl.DataFrame, History]
REQUIRED = {"declaration_id", "line_no", "declared_at", "hs_code", "total_price", "currency"}


@pytest.fixture(scope="module")
def last_day(replay_steps: list[tuple[date, FeatureSet, History]]) -> Day:
    day, features, _ = replay_steps[-1]
    history: History = replay_steps[-2][2]
    return day, features.lines, history


def context_of(last_day: Day, settings: Settings) -> DayContext:
    day, lines, history = last_day
    return DayContext(day, history, tables_of(lines, settings, day, history), settings.pipeline.features)


def tables_of(lines: pl.DataFrame, settings: Settings, day: date, history: History) -> DayTables:
    return day_tables(lines, day, history, settings.pipeline.features)


def build(name: str, lines: pl.DataFrame, context: DayContext, settings: Settings) -> pl.DataFrame:
    block = found_blocks()[name]
    view = HistoryView(lines, context).for_block(block.needs, "prohibited_item")
    return block.build(lines, view, load_reference(settings.overlay).on(context.day))


@pytest.mark.parametrize("name", list(found_blocks()))
def test_columns_carry_the_name_of_the_block_and_are_text_or_numbers(
    name: str, last_day: Day, settings: Settings
) -> None:
    frame = build(name, last_day[1], context_of(last_day, settings), settings)
    assert all(column.startswith(f"{name}__") for column in frame.columns)
    assert set(frame.dtypes) <= {pl.String(), pl.Float64()}
    assert frame.height in (0, last_day[1].height)


@pytest.mark.parametrize("name", list(found_blocks()))
def test_a_row_depends_on_its_own_line_only(name: str, last_day: Day, settings: Settings) -> None:
    context, lines = context_of(last_day, settings), last_day[1]
    order = list(range(lines.height))
    random.Random(3).shuffle(order)
    part = order[: lines.height // 2]
    whole = build(name, lines, context, settings)
    some = build(name, lines[part], context, settings)
    assert whole.columns == some.columns
    assert not whole.columns or whole[part].equals(some, null_equal=True)


@pytest.mark.parametrize("name", list(found_blocks()))
def test_a_block_is_the_same_for_all_risks_unless_it_declares_the_label(
    name: str, last_day: Day, settings: Settings
) -> None:
    context, block = context_of(last_day, settings), found_blocks()[name]
    reference, view = load_reference().on(context.day), HistoryView(last_day[1], context)
    one, other = (block(view, label, reference) for label in ("prohibited_item", "undervaluation"))
    assert one.equals(other, null_equal=True) != block.needs.label


@pytest.mark.parametrize("name", list(found_blocks()))
def test_keys_that_a_configuration_lacks_leave_columns_out(
    name: str, world: SmallWorld, settings: Settings
) -> None:
    bare = settings.pipeline.history.model_copy(update={"combinations": ()})
    features = settings.pipeline.features.model_copy(update={"history": bare})
    reference, day = load_reference().on(world.days[0]), world.days[0]
    lines = prepare_lines(world.declarations.filter(declared_on=day).drop("declared_on"), reference, features)
    eve = History.empty(bare, ["prohibited_item"], sketch_names(features.peers.columns_by_level))
    context = DayContext(day, eve, day_tables(lines, day, eve, features), features)
    frame = found_blocks()[name](HistoryView(lines, context), "prohibited_item", reference)
    assert frame.height in (0, lines.height)


def test_a_short_name_is_vague_by_what_it_can_say(last_day: Day, settings: Settings) -> None:
    names = ["红", "口红", "棒球帽", "cup", "lamp"]
    lines = last_day[1].head(len(names)).with_columns(pl.Series("item_name", names))
    vague = build("text", lines, context_of(last_day, settings), settings)["text__vague"]
    assert vague.to_list() == [1.0, 0.0, 0.0, 1.0, 0.0]


@pytest.mark.parametrize("name", list(found_blocks()))
def test_the_input_is_not_touched(name: str, last_day: Day, settings: Settings) -> None:
    lines = last_day[1]
    before = lines.clone()
    build(name, lines, context_of(last_day, settings), settings)
    assert lines.equals(before, null_equal=True)


def test_every_optional_column_may_be_missing(world: SmallWorld, settings: Settings, last_day: Day) -> None:
    day, _, history = last_day
    bare = world.declarations.filter(declared_on=day).select(sorted(REQUIRED))
    reference = load_reference(settings.overlay).on(day)
    lines = prepare_lines(bare, reference, settings.pipeline.features)
    context = DayContext(day, history, tables_of(lines, settings, day, history), settings.pipeline.features)
    features = assemble(lines, context, reference, list(settings.risks.values()))
    for risk in settings.risks.values():
        frame = features.for_risk(risk)
        assert frame.height == bare.height
        assert frame["party__seller_lines"].null_count() == frame.height
        assert frame["text__watch_terms"].null_count() == frame.height
        assert frame["price__total_cny"].null_count() < frame.height


def test_a_line_alone_in_its_bucket_has_the_features_that_it_has_among_others(
    last_day: Day, settings: Settings
) -> None:
    context, reference = context_of(last_day, settings), load_reference(settings.overlay).on(last_day[0])
    risks = list(settings.risks.values())
    lines = last_day[1]
    together = assemble(lines, context, reference, risks)
    for place in range(0, lines.height, 9):
        alone = assemble(lines[place : place + 1], context, reference, risks)
        for risk in risks:
            expected = together.for_risk(risk)[place : place + 1]
            assert alone.for_risk(risk).equals(expected, null_equal=True)


def test_an_unknown_currency_makes_the_cny_value_null_and_nothing_else(
    last_day: Day, settings: Settings
) -> None:
    frame = build("price", last_day[1], context_of(last_day, settings), settings)
    unknown = last_day[1]["currency"] == "XQQ"
    assert unknown.any()
    assert frame["price__total_cny"].is_null().to_list() == unknown.to_list()
    assert frame.filter(unknown)["price__quantity"].null_count() == 0


def test_sums_of_buckets_are_the_sums_of_the_day(last_day: Day, settings: Settings) -> None:
    day, lines, history = last_day
    parcels = lines["declaration_id"].unique(maintain_order=True)
    parts = [
        tables_of(
            lines.filter(pl.col("declaration_id").is_in(parcels[start::3].implode())), settings, day, history
        )
        for start in range(3)
    ]
    whole = tables_of(lines, settings, day, history)
    for name, table in whole.parties.items():
        merged = merge_parties([part.parties[name] for part in parts])
        assert table.sort("key").equals(merged.sort("key"), null_equal=True), name
    for name, table in whole.prices.items():
        merged = merge_prices([part.prices[name] for part in parts])
        assert table.sort("key", "bin").equals(merged.sort("key", "bin")), name


def test_required_columns_are_those_of_the_contract() -> None:
    assert set(DECLARATION_COLUMNS) >= REQUIRED
