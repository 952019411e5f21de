"""The strength of a key's prior: learned from how its values differ, the same bits in any order of rows."""

from __future__ import annotations

import numpy as np
import pytest

import features.history.prior_strength as prior
from configs.schema.pipeline import HitRatesConfig
from features.arrays.hashing import mixed
from features.history.keys import KeySpec
from features.history.prior_strength import RateMoments, sampled, strengths

CONFIG = HitRatesConfig()
ALL = KeySpec("all", (), None, party=False)
HEADING = KeySpec("heading", ("hs6",), "all", party=False)
CODE = KeySpec("code", ("hs_code",), "heading", party=False)


def _drawn(strength: float, seed: int, values: int = 4000, mean: float = 0.1) -> RateMoments:
    rng = np.random.default_rng(seed)
    inspected = rng.integers(1, 30, values)
    rate = rng.beta(mean * strength, (1 - mean) * strength, values)
    return RateMoments.of(inspected, rng.binomial(inspected, rate))


@pytest.mark.parametrize("strength", [4.0, 15.0, 60.0])
def test_the_strength_that_made_the_results_is_found(strength: float) -> None:
    overall = RateMoments.of(np.array([60_000]), np.array([6_000]))
    moments = {"all": overall, "heading": _drawn(strength, 1)}
    learned = strengths([ALL, HEADING], moments, CONFIG)
    assert learned["heading"] == pytest.approx(strength, rel=0.2)


def test_what_the_shorter_key_explains_is_not_told_twice() -> None:
    """Codes that all have the rate of their heading are pulled to it as strongly as may be."""
    rng = np.random.default_rng(2)
    rate = rng.beta(0.5, 4.5, 600)
    inspected = rng.integers(2, 20, (600, 4))
    found = rng.binomial(inspected, rate[:, None])
    moments = {
        "all": RateMoments.of(np.array([inspected.sum()]), np.array([found.sum()])),
        "heading": RateMoments.of(inspected.sum(axis=1), found.sum(axis=1)),
        "code": RateMoments.of(inspected.ravel(), found.ravel()),
    }
    learned = strengths([ALL, HEADING, CODE], moments, CONFIG)
    assert learned["heading"] < 10.0
    assert learned["code"] > 50.0


def test_values_with_plain_results_are_believed_soon() -> None:
    """Thirteen projects, some of which find nearly all and others nothing."""
    inspected = np.full(13, 55)
    found = np.array([47, 2, 0, 1, 51, 3, 0, 2, 1, 44, 0, 1, 3])
    overall = RateMoments.of(np.array([inspected.sum()]), np.array([found.sum()]))
    pull = strengths([ALL, HEADING], {"all": overall, "heading": RateMoments.of(inspected, found)}, CONFIG)
    assert pull["heading"] < 10.0
    assert (47 + pull["heading"] * overall.mean) / (55 + pull["heading"]) > 0.75


def test_few_values_leave_what_is_configured() -> None:
    none = RateMoments.of(np.array([1, 1, 0]), np.array([1, 0, 0]))
    assert strengths([HEADING], {"heading": none}, CONFIG) == {"heading": pytest.approx(20.0)}
    fixed = HitRatesConfig(smoothing=7.0, learn_smoothing=False)
    assert strengths([HEADING], {"heading": _drawn(3.0, 3)}, fixed) == {"heading": 7.0}


def test_every_order_of_rows_and_every_part_of_a_long_table_has_the_same_bits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(prior, "SAMPLED_ROWS", 500)
    rng = np.random.default_rng(4)
    keys = np.sort(mixed(np.arange(4_000).astype(np.uint64)))
    inspected = rng.integers(0, 30, 4_000)
    found = rng.binomial(inspected, 0.2)
    order = rng.permutation(4_000)
    kept, shuffled = sampled(keys), sampled(keys[order])
    assert isinstance(kept, slice)
    assert 400 < kept.stop < 600
    one = RateMoments.of(inspected[kept], found[kept])
    assert one == RateMoments.of(inspected[order][shuffled], found[order][shuffled])
