"""Columns as numbers: what a null becomes, wherever Polars keeps it, and that slices are the matrix."""

from __future__ import annotations

import lightgbm as lgb
import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.fitting.training import FittedRisk
from models.trees import number_columns
from models.trees.booster import Booster
from models.trees.categories import CategoryMaps
from models.trees.columns import FeatureColumns, number_column
from models.trees.number_columns import ColumnBuffer, FrameNumbers, column_slices

numbers = st.one_of(st.none(), st.sampled_from([0.0, -1.5, float("nan"), float("inf")]))


@given(values=st.lists(numbers, max_size=40), first=st.integers(0, 20), begin=st.integers(0, 20))
def test_a_null_is_missing_wherever_a_slice_begins(
    values: list[float | None], first: int, begin: int
) -> None:
    column = pl.Series(values, dtype=pl.Float64)[first:]
    expected = number_column(column.to_frame("x"), "x")
    found = ColumnBuffer.of(column)
    assert found.to_numpy().tobytes() == expected.tobytes()
    part = np.empty(len(expected[begin:]))
    found.copy(begin, begin + len(part), part)
    assert part.tobytes() == expected[begin:].tobytes()


@pytest.mark.parametrize(
    "column",
    [
        pl.Series([3, None, 5], dtype=pl.Int32),
        pl.Series([True, None, False]),
        pl.Series([None, None], dtype=pl.Null),
        pl.Series([1.5, None], dtype=pl.Float32),
        pl.concat([pl.Series([1.0, None]), pl.Series([None, 2.0])], rechunk=False),
    ],
    ids=["integers", "booleans", "nothing", "short floats", "pieces"],
)
def test_every_kind_of_number_is_taken(column: pl.Series) -> None:
    expected = number_column(column.to_frame("x"), "x")
    assert ColumnBuffer.of(column).to_numpy().tobytes() == expected.tobytes()


def test_full_columns_are_not_copied() -> None:
    column = pl.Series([1.0, 2.0, 3.0])
    assert np.shares_memory(ColumnBuffer.of(column).values, column.to_numpy())


def test_a_column_is_converted_once_for_the_same_codes() -> None:
    frame = pl.DataFrame({"a__x": ["u", "v", None], "a__y": [1, None, 3]})
    given = FrameNumbers(frame)
    one, same, other = (
        FeatureColumns(("a__x", "a__y", "a__z"), CategoryMaps({"a__x": values}))
        for values in (("u", "v"), ("u", "v"), ("v",))
    )
    assert given.column(one, "a__x") is given.column(same, "a__x")
    assert given.column(one, "a__y") is given.column(other, "a__y")
    np.testing.assert_array_equal(given.column(one, "a__x").to_numpy(), [0.0, 1.0, np.nan])
    np.testing.assert_array_equal(given.column(other, "a__x").to_numpy(), [np.nan, 0.0, np.nan])
    assert np.isnan(given.column(one, "a__z").to_numpy()).all()


def test_slices_hold_the_columns_of_the_matrix(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(number_columns, "_SLICE", 4)
    values = np.arange(22.0).reshape(2, 11)
    parts = [
        (lines, columns.values.copy(), columns.rows([7]).tolist())
        for lines, columns in column_slices([ColumnBuffer(row) for row in values], (3, 7), 11)
    ]
    assert [lines for lines, _, _ in parts] == [slice(0, 4), slice(4, 8), slice(8, 11)]
    assert np.hstack([part for _, part, _ in parts]).tobytes() == values.astype(np.float32).tobytes()
    assert all(rows == [1] for _, _, rows in parts)
    assert list(column_slices([ColumnBuffer(np.empty(0))], (3,), 0)) == []


@pytest.mark.parametrize("lines_at_once", [100, 128, 1_000_000])
def test_scores_are_those_of_the_whole_matrix_however_it_is_cut(
    fitted: FittedRisk, frame: pl.DataFrame, monkeypatch: pytest.MonkeyPatch, lines_at_once: int
) -> None:
    model, price = fitted.model, fitted.model.encoder.fair_value
    assert price is not None
    matrix = model.encoder.matrix(frame, model.encoder.learned(frame)).values
    trees = [lightgbm_alone(each, price.columns.numbers(frame)) for each in (price.booster, price.low)]
    offset = np.log(frame["price__peer_median_unit_cny"].to_numpy())
    monkeypatch.setattr(number_columns, "_SLICE", lines_at_once)
    expected = price.expected_log_prices(frame)
    np.testing.assert_allclose(expected.median, trees[0] + offset, rtol=1e-14)
    np.testing.assert_allclose(expected.low, np.minimum(trees[1] + offset, expected.median), rtol=1e-14)
    assert (
        model.predict_raw(frame).tobytes()
        == lightgbm_alone(model.booster.members[0].booster, matrix).tobytes()
    )


def lightgbm_alone(booster: Booster, matrix: np.ndarray) -> np.ndarray:
    native: lgb.Booster = booster._native
    raw = np.asarray(native.predict(matrix, raw_score=True, num_iteration=booster.rounds))
    return raw if booster.start is None else raw + booster.start(matrix)


def test_columns_may_all_be_texts() -> None:
    columns = FeatureColumns(("a__x", "a__gone"), CategoryMaps({"a__x": ("k",), "a__gone": ("k",)}))
    np.testing.assert_array_equal(
        columns.numbers(pl.DataFrame({"a__x": ["k", "l"]})), [[0.0, np.nan], [np.nan] * 2]
    )
