"""Bit vectors against LightGBM's own answer, to the last bit, on trees of every shape that it can write."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import lightgbm as lgb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from configs.schema.tree_parameters import MOST_LEAVES
from models.trees.bit_vectors import BLOCK, BitVectorTrees
from models.trees.booster import Booster
from models.trees.forest import Forest
from models.trees.linear_start import LinearStart
from models.trees.matrix import Columns
from models.trees.tree_text import HIGHEST

COLUMNS = 7
CATEGORICAL = (5, 6)
# Around what LightGBM takes for zero, around the ends of the numbers, and codes that no training has seen.
ODD = (
    0.0,
    -0.0,
    1e-36,
    -1e-36,
    1e-35,
    1.1e-35,
    -1.1e-35,
    np.nan,
    np.inf,
    -np.inf,
    1e30,
    HIGHEST,
    0.1,
    1.0,
    2.0,
)
ODD_CODES = (np.nan, -1.0, -0.5, -3.0, 0.0, 1.7, 31.0, 32.0, 63.0, 64.0, 500.0, 3e9, -3e9, np.inf)
THRESHOLDS = (
    0.0,
    -0.0,
    1e-35,
    1.0000000180025095e-35,
    -1.0000000180025095e-35,
    np.inf,
    -np.inf,
    1e30,
    0.1,
    1.0,
)


def random_lines(rng: np.random.Generator, lines: int) -> np.ndarray:
    values = np.where(
        rng.random((lines, COLUMNS)) < 0.5,
        rng.choice(ODD, (lines, COLUMNS)),
        rng.normal(size=(lines, COLUMNS)).round(2),
    )
    codes = (lines, len(CATEGORICAL))
    values[:, CATEGORICAL] = np.where(
        rng.random(codes) < 0.5, rng.choice(ODD_CODES, codes), rng.integers(0, 70, codes)
    )
    return values.astype(np.float32)


def random_tree(rng: np.random.Generator, number: int, leaves: int) -> str:
    """A tree grown by splitting one leaf after the other, in LightGBM's numbering."""
    left, right, holder = [], [], {0: (-1, "")}
    columns = rng.integers(0, COLUMNS, leaves - 1)
    kinds, thresholds, boundaries, words = [], [], [0], []
    for node, column in enumerate(columns):
        leaf = int(rng.choice(list(holder)))
        parent, side = holder[leaf]
        if side:
            (left if side == "left" else right)[parent] = node
        left.append(~leaf)
        right.append(~(node + 1))
        holder[leaf], holder[node + 1] = (node, "left"), (node, "right")
        if column in CATEGORICAL:
            kinds.append(1)
            thresholds.append(float(len(boundaries) - 1))
            words += rng.integers(0, 2**32, int(rng.integers(1, 4))).tolist()
            boundaries.append(len(words))
        else:
            kinds.append(int(rng.integers(0, 3)) << 2 | int(rng.integers(0, 2)) << 1)
            drawn = float(rng.normal().__round__(2)) if rng.random() < 0.6 else float(rng.choice(THRESHOLDS))
            thresholds.append(drawn)
    fields: dict[str, Any] = {"num_leaves": leaves, "num_cat": len(boundaries) - 1}
    if leaves > 1:
        fields |= {
            "split_feature": columns,
            "split_gain": np.ones(leaves - 1),
            "threshold": [repr(threshold) for threshold in thresholds],
            "decision_type": kinds,
            "left_child": left,
            "right_child": right,
        }
    fields["leaf_value"] = [repr(value) for value in rng.normal(size=leaves).tolist()]
    if leaves > 1:
        fields |= {"leaf_weight": np.ones(leaves), "leaf_count": rng.integers(1, 90, leaves)}
        fields |= {"internal_value": np.zeros(leaves - 1), "internal_weight": np.ones(leaves - 1)}
        fields["internal_count"] = rng.integers(1, 900, leaves - 1)
    if words:
        fields |= {"cat_boundaries": boundaries, "cat_threshold": words}
    fields |= {"is_linear": 0, "shrinkage": 1}
    written = [
        f"{name}={' '.join(map(str, value)) if not isinstance(value, int) else value}"
        for name, value in fields.items()
    ]
    return "\n".join([f"Tree={number}", *written, "", ""])


def random_model(rng: np.random.Generator, leaves: list[int]) -> lgb.Booster:
    head = {
        "version": "v4",
        "num_class": 1,
        "num_tree_per_iteration": 1,
        "label_index": 0,
        "max_feature_idx": COLUMNS - 1,
        "objective": "regression",
        "feature_names": " ".join(f"f{column}" for column in range(COLUMNS)),
        "feature_infos": " ".join(["[-9:9]"] * COLUMNS),
    }
    lines = ["tree", *(f"{name}={value}" for name, value in head.items()), ""]
    trees = [random_tree(rng, number, count) for number, count in enumerate(leaves)]
    return lgb.Booster(model_str="\n".join([*lines, *trees, "end of trees", "", "parameters:", ""]))


def ours(native: lgb.Booster, values: np.ndarray, rounds: int | None = None) -> np.ndarray:
    return Booster(native, native.current_iteration()).predict_raw(values, rounds=rounds)


def theirs(native: lgb.Booster, values: np.ndarray, rounds: int | None = None) -> np.ndarray:
    return np.asarray(native.predict(values, raw_score=True, num_iteration=rounds or -1, num_threads=1))


@settings(deadline=None, max_examples=60)
@given(
    seed=st.integers(0, 2**32 - 1),
    leaves=st.lists(st.sampled_from([1, 2, 3, 15, 31, 33, 63, MOST_LEAVES]), min_size=1, max_size=12),
    lines=st.sampled_from([1, BLOCK - 1, BLOCK, BLOCK + 1, 1000]),
)
def test_every_tree_gives_the_bits_of_lightgbm(seed: int, leaves: list[int], lines: int) -> None:
    rng = np.random.default_rng(seed)
    native, values = random_model(rng, leaves), random_lines(rng, lines)
    assert BitVectorTrees.read(native.model_to_string()) is not None
    assert ours(native, values).tobytes() == theirs(native, values).tobytes()
    fewer = int(rng.integers(1, len(leaves) + 1))
    assert ours(native, values, fewer).tobytes() == theirs(native, values, fewer).tobytes()


@settings(deadline=None, max_examples=30)
@given(
    seed=st.integers(0, 2**32 - 1),
    leaves=st.lists(st.sampled_from([1, 2, 3, 15, 31, MOST_LEAVES]), min_size=1, max_size=6),
    lines=st.sampled_from([1, 2, 40]),
)
def test_what_columns_add_to_a_tree_has_the_bits_of_lightgbm(
    seed: int, leaves: list[int], lines: int
) -> None:
    rng = np.random.default_rng(seed)
    native, values = random_model(rng, leaves), random_lines(rng, lines)
    fewer = int(rng.integers(1, len(leaves) + 1))
    parts = np.asarray(native.predict(values, pred_contrib=True, num_iteration=fewer, num_threads=1))
    assert Forest.read(native.model_to_string()) is not None
    assert Booster(native, fewer).contributions(values).tobytes() == parts.tobytes()


@pytest.mark.parametrize(
    "parameters",
    [{}, {"use_missing": False}, {"zero_as_missing": True}, {"min_data_per_group": 5, "cat_smooth": 1.0}],
)
def test_trained_trees_give_the_bits_of_lightgbm(parameters: dict[str, Any]) -> None:
    rng = np.random.default_rng(4)
    values = random_lines(rng, 3000)
    values[~np.isfinite(values)] = np.nan
    values = np.clip(values, -1e6, 1e6)
    target = np.nan_to_num(values[:, 0]) + (values[:, 5] % 3 == 1) + rng.normal(size=3000)
    values[:1500, CATEGORICAL] = np.abs(values[:1500, CATEGORICAL])
    data = lgb.Dataset(values[:1500], target[:1500], categorical_feature=list(CATEGORICAL))
    always = {"verbosity": -1, "num_leaves": MOST_LEAVES, "min_data_in_leaf": 5, "num_threads": 1}
    native = lgb.train({**always, **parameters}, data, 20)
    text = native.model_to_string()
    assert "num_leaves=64" in text
    assert BitVectorTrees.read(text) is not None
    assert ours(native, values).tobytes() == theirs(native, values).tobytes()
    read_again = lgb.Booster(model_str=text)
    assert ours(read_again, values).tobytes() == theirs(native, values).tobytes()


def trained(lines: int = 1500, **parameters: Any) -> tuple[lgb.Booster, np.ndarray]:
    rng = np.random.default_rng(5)
    values = rng.normal(size=(lines, COLUMNS)).astype(np.float32)
    target = np.floor(np.abs(values[:, 0] + values[:, 1] * values[:, 2])).clip(0, 2)
    if "num_class" not in parameters:
        target = values @ rng.normal(size=COLUMNS) + np.sin(5.0 * values[:, 3])
    always = {"verbosity": -1, "min_data_in_leaf": 5, "num_threads": 1}
    return lgb.train({**always, **parameters}, lgb.Dataset(values, target), 5), values


INEXPRESSIBLE: dict[str, dict[str, Any]] = {
    "65 leaves": {"num_leaves": MOST_LEAVES + 1},
    "linear leaves": {"linear_tree": True, "num_leaves": 4},
    "an average": {"boosting": "rf", "bagging_freq": 1, "bagging_fraction": 0.5, "num_leaves": 4},
    "classes": {"objective": "multiclass", "num_class": 3, "num_leaves": 4},
}


@pytest.mark.parametrize("name", INEXPRESSIBLE)
def test_what_bit_vectors_cannot_express_is_not_read(name: str) -> None:
    native, _ = trained(**INEXPRESSIBLE[name])
    assert BitVectorTrees.read(native.model_to_string()) is None
    native, _ = trained(num_leaves=4)
    text = native.model_to_string()
    assert BitVectorTrees.read(text) is not None
    assert BitVectorTrees.read(text.replace("version=v4", "version=v5")) is None
    cut_off = text[: text.rindex("\nTree=")]
    assert BitVectorTrees.read(cut_off) is None


def test_an_infinity_is_no_missing_value() -> None:
    """A threshold that only an infinity is above is where the two would be mixed up."""
    native = random_model(np.random.default_rng(1), [2])
    text = native.model_to_string()
    threshold, kind = (
        next(line for line in text.splitlines() if line.startswith(name)) for name in ("threshold", "decis")
    )
    text = text.replace(kind, "decision_type=8").replace(threshold, f"threshold={HIGHEST!r}")
    assert BitVectorTrees.read(text) is None
    native = lgb.Booster(model_str=text)
    values = np.repeat(np.array([[np.inf], [np.nan], [HIGHEST]], dtype=np.float32), COLUMNS, axis=1)
    assert len(set(theirs(native, values).tolist())) == 2
    assert ours(native, values).tobytes() == theirs(native, values).tobytes()


@pytest.mark.parametrize("name", ["65 leaves", "linear leaves", "an average"])
def test_lightgbm_answers_where_bit_vectors_cannot(name: str, tmp_path: Path) -> None:
    native, values = trained(**INEXPRESSIBLE[name])
    start = LinearStart((2, 4), (False, False), (0.5, 0.0), (2.0, -1.0), 0.25)
    booster = Booster(native, 4, start)
    assert booster.places == tuple(range(COLUMNS))
    expected = theirs(native, values, 4) + start(values)
    assert booster.predict_raw(values).tobytes() == expected.tobytes()
    assert booster.predict_raw(values, threads=2).tobytes() == expected.tobytes()
    booster.save(tmp_path / "booster.txt")
    assert Booster.load(tmp_path / "booster.txt").predict_raw(values).tobytes() == expected.tobytes()


def test_only_the_columns_that_count_are_asked_for() -> None:
    native, values = trained(num_leaves=4, interaction_constraints="[[3]]")
    booster = Booster(native, 5, LinearStart((5,), (False,), (0.0,), (1.0,), 0.0))
    assert booster.places == (3, 5)
    expected = booster.predict_raw(values)
    for places in ((3, 5), (0, 1, 3, 5, 6)):
        columns = Columns(np.ascontiguousarray(values[:, places].T), np.array(places))
        assert booster.predict_columns(columns).tobytes() == expected.tobytes()
    hidden = np.full_like(values, np.nan)
    hidden[:, booster.places] = values[:, booster.places]
    assert booster.predict_raw(hidden).tobytes() == expected.tobytes()
    assert booster.predict_raw(values[:0]).shape == (0,)
