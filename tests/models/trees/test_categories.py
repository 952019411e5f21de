from __future__ import annotations

import json

import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from models.trees.categories import CategoryMaps

texts = st.lists(st.one_of(st.none(), st.sampled_from(["a", "b", "中", "", "a "])), min_size=1, max_size=40)


@given(values=texts, shuffled=st.randoms(use_true_random=False))
def test_codes_depend_on_the_values_alone(values: list[str | None], shuffled: object) -> None:
    frame = pl.DataFrame({"x": values}, schema={"x": pl.String})
    maps = CategoryMaps.fit(frame, ["x"], minimum=2)
    assert maps == CategoryMaps.fit(frame.reverse(), ["x"], minimum=2)
    codes = maps.encode(frame, "x")
    for value, code in zip(values, codes, strict=True):
        if value is None or values.count(value) < 2:
            assert np.isnan(code)
        else:
            assert maps.values["x"][int(code)] == value


def test_maps_survive_json() -> None:
    maps = CategoryMaps({"x": ("a", "中文"), "empty": ()})
    assert CategoryMaps.from_dict(json.loads(json.dumps(maps.as_dict()))) == maps


def test_a_column_without_known_values_is_all_missing() -> None:
    maps = CategoryMaps({"x": ()})
    assert np.isnan(maps.encode(pl.DataFrame({"x": ["a", None]}), "x")).all()
    assert np.isnan(maps.encode(pl.DataFrame({"x": [None, None]}, schema={"x": pl.String}), "x")).all()
