from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.text.grams import BUCKETS, MAX_CHARACTERS, clean_text, gram_matrix, linear_score
from models.text.score import TextScore, fit_text_score

WEIGHTS = np.random.default_rng(3).normal(size=BUCKETS).astype(np.float32)


def frame_of(names: Sequence[str | None]) -> pl.DataFrame:
    return pl.DataFrame({"item_name": names}, schema={"item_name": pl.String})


@given(st.lists(st.one_of(st.none(), st.text(max_size=60)), min_size=1, max_size=12), st.integers(0, 11))
def test_a_score_depends_on_the_text_alone(names: list[str | None], place: int) -> None:
    together = linear_score(clean_text(frame_of(names)), WEIGHTS, 0.5)
    alone = linear_score(clean_text(frame_of([names[place % len(names)]])), WEIGHTS, 0.5)
    assert together[place % len(names)].tobytes() == alone[0].tobytes()


@given(st.lists(st.one_of(st.none(), st.text(max_size=60)), min_size=1, max_size=12))
def test_the_compiled_score_is_that_of_the_matrix(names: list[str | None]) -> None:
    text = clean_text(frame_of(names))
    expected = gram_matrix(text) @ WEIGHTS.astype(np.float64)
    scores = linear_score(text, WEIGHTS, 0.0)
    has_text = text.is_not_null().to_numpy()
    np.testing.assert_allclose(np.nan_to_num(scores[has_text]), expected[has_text], atol=1e-9)
    assert np.isnan(scores[~has_text]).all()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Milk  Powder", "milk powder"),
        ("ＭＩＬＫ", "milk"),
        ("milk-powder", "milk, powder"),
        (" 奶粉 ", "奶粉"),
    ],
)
def test_spelling_that_means_the_same_scores_the_same(one: str, other: str) -> None:
    scores = linear_score(clean_text(frame_of([one, other])), WEIGHTS, 0.0)
    assert scores[0] == scores[1]


def test_grams_are_those_that_the_scripts_need() -> None:
    chinese = gram_matrix(clean_text(frame_of(["奶粉"])))
    assert round(1 / chinese.data.max() ** 2) == chinese.nnz  # each gram once
    # _奶粉 _奶粉_ 奶 奶粉 奶粉_ 粉 粉_ and the word
    assert chinese.nnz == 8
    assert gram_matrix(clean_text(frame_of(["x" * 5000]))).sum() <= np.sqrt(4 * MAX_CHARACTERS)


def test_text_of_a_line_is_name_and_model() -> None:
    frame = pl.DataFrame({"item_name": ["A", None, None], "item_model": ["b", "c", " "]})
    assert clean_text(frame).to_list() == [" a b ", " c ", None]
    assert clean_text(frame.drop("item_name", "item_model")).to_list() == [None, None, None]


def learnable(lines: int = 400) -> tuple[pl.DataFrame, np.ndarray]:
    rng = np.random.default_rng(1)
    found = rng.random(lines) < 0.2
    words = rng.choice(["lamp", "dress", "cup", "shoe"], lines)
    names = [
        f"{'gift sample' if hit else 'new'} {word} {rng.integers(999)}"
        for hit, word in zip(found, words, strict=True)
    ]
    return frame_of(names), found.astype(np.float64)


def test_out_of_fold_scores_come_from_models_that_have_not_seen_the_text() -> None:
    rng = np.random.default_rng(2)
    names = [f"zq{rng.integers(10**9)}" for _ in range(100)]
    frame, target = frame_of(names * 3), np.tile(rng.random(100) < 0.3, 3).astype(np.float64)
    fitted = fit_text_score(frame, target)
    assert fitted is not None
    model, out_of_fold = fitted
    in_sample = model.score(frame)
    # Nothing but memory separates these texts: the model knows them all, out of fold it must not.
    assert np.corrcoef(in_sample, target)[0, 1] > 0.9
    assert abs(np.corrcoef(out_of_fold, target)[0, 1]) < 0.3


def test_training_repeats_itself_and_finds_the_words() -> None:
    frame, target = learnable()
    one, other = fit_text_score(frame, target), fit_text_score(frame, target)
    assert one is not None
    assert other is not None
    assert one[1].tobytes() == other[1].tobytes()
    assert one[0].weights.tobytes() == other[0].weights.tobytes()
    assert one[1][target == 1.0].min() > one[1][target == 0.0].max()


def test_weights_survive_the_file(tmp_path: Path) -> None:
    frame, target = learnable()
    fitted = fit_text_score(frame, target)
    assert fitted is not None
    fitted[0].save(tmp_path / "text.npz")
    assert TextScore.load(tmp_path / "text.npz").score(frame).tobytes() == fitted[0].score(frame).tobytes()


@pytest.mark.parametrize("target", [np.zeros(50), np.ones(50)])
def test_nothing_is_learned_from_one_kind_of_line(target: np.ndarray) -> None:
    assert fit_text_score(frame_of(["some text"] * 50), target) is None


def test_nothing_is_learned_without_text() -> None:
    target = (np.arange(50) % 2).astype(np.float64)
    assert fit_text_score(frame_of([None] * 50), target) is None
