"""Randomness without state: the same keys give the same number, whatever was drawn before."""

import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from pipelines.simulation.world.randomness import hex_text, mix, normal, pick, salt, uniform, weighted


@given(st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=50))
def test_a_key_has_one_value_whatever_stands_beside_it(keys: list[int]) -> None:
    start = salt(7, "trait")
    together = mix(start, np.array(keys, dtype=np.uint64))
    alone = [mix(start, np.array([key], dtype=np.uint64))[0] for key in keys]
    assert together.tolist() == alone


def test_uniform_and_normal_numbers_have_their_moments() -> None:
    keys = np.arange(200_000)
    flat, bell = uniform(salt(1, "flat"), keys), normal(salt(1, "bell"), keys)
    assert 0.0 <= flat.min() < flat.max() < 1.0
    assert abs(flat.mean() - 0.5) < 0.005
    assert abs(bell.mean()) < 0.01
    assert abs(bell.std() - 1.0) < 0.01


def test_seeds_and_traits_are_independent() -> None:
    keys = np.arange(5000)
    values = [uniform(salt(seed, name), keys) for seed in (1, 2) for name in ("a", "b")]
    correlation = np.corrcoef(np.stack(values)) - np.eye(4)
    assert np.abs(correlation).max() < 0.06


def test_pick_draws_in_proportion_and_never_what_weighs_nothing() -> None:
    drawn = pick(np.array([0.0, 1.0, 0.0, 3.0]), np.random.default_rng(3).random(20_000))
    assert set(np.unique(drawn)) == {1, 3}
    assert abs((drawn == 3).mean() - 0.75) < 0.02


@given(st.lists(st.integers(0, 2**64 - 1), max_size=40))
def test_hex_text_is_python_s_own_formatting(keys: list[int]) -> None:
    text = hex_text(np.array(keys, dtype=np.uint64))
    assert text.dtype == pl.String
    assert text.to_list() == [f"{key:016x}" for key in keys]


def test_weighted_reads_a_list_of_weights() -> None:
    assert weighted("B:2;A:0.5", ["A", "B", "C"]).tolist() == [0.5, 2.0, 0.0]
