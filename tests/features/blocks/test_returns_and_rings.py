"""The blocks that tell what goes back of whom, and who shares what."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import polars as pl
import pytest

from configs.reference.facts import load_reference
from configs.schema.settings import Settings
from features.assemble import FeatureSet, found_blocks
from features.history.day_tables import day_tables
from features.history.state import History
from features.history.view import DayContext, HistoryView
from features.pattern import (
    RETURN_KEYS,
    RETURNED_COLUMNS,
    RING_COLUMNS,
    RING_DEFAULTS,
    returned_column,
    ring_column,
)

_FACTS = [name for name in RETURNED_COLUMNS if name not in RETURN_KEYS.values()]


@pytest.fixture(scope="module")
def view(replay_steps: list[tuple[date, FeatureSet, History]], settings: Settings) -> HistoryView:
    """The last day of the small world, of whose sellers three lines went back in four days each."""
    day, features, _ = replay_steps[-1]
    history: History = replay_steps[-2][2]
    today = day_tables(features.lines, day, history, settings.pipeline.features)
    context = DayContext(day, history, today, settings.pipeline.features)
    told = dict(zip(_FACTS, (3, 12_345, 4.0, 0.5, None), strict=True))
    returned = [
        pl.lit(told[fact] if key == "seller" else None, RETURNED_COLUMNS[fact]).alias(
            returned_column(key, fact)
        )
        for key in RETURN_KEYS
        for fact in _FACTS
    ]
    rings = [
        pl.lit(value + 1, RING_COLUMNS[name]).alias(ring_column(name))
        for name, value in RING_DEFAULTS.items()
    ]
    return HistoryView(features.lines.with_columns(*returned, *rings), context)


def built(
    view: HistoryView, name: str, settings: Settings, lines: pl.DataFrame | None = None
) -> pl.DataFrame:
    block = found_blocks()[name]
    seen = HistoryView(view.lines if lines is None else lines, view._context)
    return block(seen, "prohibited_item", load_reference(settings.overlay).on(view.day))


def test_returns_are_a_share_of_what_was_declared_lately(view: HistoryView, settings: Settings) -> None:
    frame = built(view, "returns", settings)
    first = frame.row(0, named=True)
    assert (first["returns__seller_lines"], first["returns__seller_value_cny"]) == (3.0, 123.45)
    assert (first["returns__seller_days"], first["returns__seller_near_limit_share"]) == (4.0, 0.5)
    assert first["returns__seller_differing_share"] is None
    sellers = view.for_block(found_blocks()["returns"].needs, "prohibited_item")
    declared = sellers.decayed("seller", "lines_60d", 60.0)
    wanted = pl.select(pl.when(declared > 0).then(3.0 / declared)).to_series()
    assert frame["returns__seller_share"].to_list() == wanted.to_list()
    assert wanted.null_count() < len(wanted)
    assert frame["returns__goods_share"].null_count() == frame.height


def test_allowances_count_for_newcomers_alone(view: HistoryView, settings: Settings) -> None:
    frame = built(view, "rings", settings)
    for name, value in RING_DEFAULTS.items():
        assert set(frame[f"rings__{name}"]) == {value + 1.0}
    # The world is younger than a month.
    used = built(view, "same_day", settings)["same_day__allowance_used"]
    assert frame["rings__newcomer_allowance"].is_null().equals(used.is_null())
    assert frame["rings__newcomer_allowance"].drop_nulls().to_list() == pytest.approx(
        used.drop_nulls().to_list()
    )
    history = view._context.history
    old = history.tables["buyer"].with_columns(pl.col("first_day") - pl.duration(days=31))
    known = pl.Series(history.rows_of("buyer", view.lines["_key_buyer"].fill_null(0).to_numpy()) >= 0)
    later = HistoryView(view.lines, _with_buyers(view._context, old))
    told = built(later, "rings", settings)["rings__newcomer_allowance"]
    assert set(told.filter(known).drop_nulls()) == {0.0}
    assert known.any()


def _with_buyers(context: DayContext, buyers: pl.DataFrame) -> DayContext:
    tables = {**context.history.tables, "buyer": buyers}
    return replace(context, history=replace(context.history, tables=tables))


@pytest.mark.parametrize("name", ["returns", "rings"])
def test_they_are_silent_where_nothing_is_known(name: str, view: HistoryView, settings: Settings) -> None:
    columns = [column for column in view.lines.columns if column.startswith(("_returned_", "_ring_"))]
    assert built(view, name, settings, view.lines.drop(columns)).width == 0
    unknown = view.lines.with_columns(
        pl.lit(None, view.lines.schema[column]).alias(column) for column in columns
    )
    frame = built(view, name, settings, unknown)
    assert frame.width > 4
    assert frame.null_count().row(0) == (frame.height,) * frame.width


@pytest.mark.parametrize("name", ["returns", "rings"])
def test_a_row_rests_on_its_own_line(name: str, view: HistoryView, settings: Settings) -> None:
    whole = built(view, name, settings)
    assert built(view, name, settings, view.lines[7:8]).equals(whole[7:8])
    assert built(view, name, settings, view.lines[::-1]).equals(whole[::-1])
