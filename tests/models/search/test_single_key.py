"""The best single key: found among others, counted in time, and chosen on the past alone."""

from __future__ import annotations

import numpy as np
import pytest

from models.search.combination_rates import InspectedLines
from models.search.single_key import SingleKey, best_single_key, single_key_rates

LINES = 4_000


def world(seed: int, *, first: int = 0, days: int = 60) -> InspectedLines:
    """Findings depend on a pair of columns, of which neither alone tells much."""
    rng = np.random.default_rng(seed)
    left, right, noise = (rng.integers(1, 9, LINES).astype(np.uint64) for _ in range(3))
    declared = np.sort(rng.integers(first, first + days, LINES))
    found = rng.random(LINES) < np.where((left + right) % 8 == 0, 0.4, 0.02)
    return InspectedLines(
        {"left": left, "right": right, "noise": noise},
        declared,
        declared + rng.integers(0, 9, LINES),
        found,
        np.ones(LINES, dtype=bool),
    )


def counted(known: InspectedLines, later: InspectedLines, key: SingleKey) -> list[float]:
    """The same, line by line."""
    rates = []
    for line in range(200):
        before = known.known < later.declared[line]
        same = before & np.all(
            [known.columns[name] == later.columns[name][line] for name in key.columns], axis=0
        )
        overall = known.found[before].sum() / max(1, before.sum())
        rates.append((known.found[same].sum() + key.smoothing * overall) / (same.sum() + key.smoothing))
    return rates


@pytest.mark.parametrize("moving", [False, True])
def test_the_pair_that_tells_is_chosen(moving: bool) -> None:
    key = best_single_key(world(1), moving=moving)
    assert key is not None
    assert set(key.columns) == {"left", "right"}


def test_rates_count_what_was_known_before_the_day_of_a_line() -> None:
    known, later = world(1), world(2, first=30)
    key = SingleKey(("left", "noise"), 5.0)
    rates = single_key_rates(known, later, key)
    assert rates[:200] == pytest.approx(counted(known, later, key))


def test_results_of_the_later_lines_play_no_part() -> None:
    known, later = world(1), world(2, first=70)
    turned = InspectedLines(later.columns, later.declared, later.known, ~later.found, later.chosen)
    key = SingleKey(("left", "right"), 1.0)
    assert (single_key_rates(known, later, key) == single_key_rates(known, turned, key)).all()


def test_where_too_little_is_known_no_key_is_chosen() -> None:
    past = world(1)
    few = InspectedLines(
        past.columns, past.declared, past.known, past.found & (np.arange(LINES) < 60), past.chosen
    )
    assert best_single_key(few, moving=False) is None
