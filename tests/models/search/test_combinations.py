"""Which combinations are found, and that nothing looks ahead."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from features.arrays.hashing import mixed
from models.search.combination_rates import InspectedLines, key_rates
from models.search.combinations import CombinationKey, Search, SearchOptions, find_combinations

_SINGLE = [
    CombinationKey("all", (), None),
    *(CombinationKey(name, (name,), "all") for name in ("a", "b", "c")),
]


def _lines(seed: int, share: float, lines: int = 9000) -> InspectedLines:
    """Three columns of twelve values. With `share` above zero one in six pairs (a, b) is bad, however common
    its a and its b are elsewhere; c says nothing.
    """
    rng = np.random.default_rng(seed)
    a, b, c = (rng.integers(0, 12, lines) for _ in range(3))
    bad = (a * 5 + b * 7) % 6 == 0
    declared = np.sort(rng.integers(0, 90, lines)).astype(np.int64)
    columns = {"a": a, "b": b, "c": c}
    return InspectedLines(
        {name: mixed(values.astype(np.uint64) + np.uint64(1)) for name, values in columns.items()},
        declared,
        declared + rng.integers(1, 9, lines),
        rng.random(lines) < np.where(bad, 0.02 + share, 0.02),
        np.ones(lines, dtype=bool),
    )


def _search(lines: InspectedLines, configured: list[CombinationKey] | None = None) -> Search:
    options = SearchOptions(smoothing=20.0, half_life_days=120.0, largest=3, most=3, seed=1)
    return find_combinations(lines, configured or _SINGLE, options)


def test_a_rate_counts_what_was_known_before_the_day_and_nothing_else() -> None:
    lines = _lines(1, 0.2, lines=400)
    given = key_rates(lines, ("a", "b"), 0.05, smoothing=4.0, half_life_days=30.0)
    for row in range(0, 400, 37):
        same = np.all([part == part[row] for part in (lines.columns["a"], lines.columns["b"])], axis=0)
        before = same & (lines.known < lines.declared[row])
        weight = np.exp2((lines.known[before] - lines.declared[row]) / 30.0)
        inspected, findings = weight.sum(), weight @ lines.found[before]
        assert given.inspected[row] == pytest.approx(inspected)
        assert given.rate[row] == pytest.approx((findings + 4.0 * 0.05) / (inspected + 4.0))


def test_later_results_change_no_rate() -> None:
    lines = _lines(2, 0.2, lines=600)
    day = 45
    turned = replace(lines, found=np.where(lines.known >= day, ~lines.found, lines.found))
    before = lines.declared <= day
    known, other = (
        key_rates(each, ("a",), 0.05, smoothing=4.0, half_life_days=30.0).rate for each in (lines, turned)
    )
    assert known[before] == pytest.approx(other[before], rel=1e-9)
    assert np.abs(known - other).max() > 0.01


def test_a_missing_part_has_the_rate_of_the_shorter_key() -> None:
    lines = _lines(3, 0.2, lines=300)
    gone = lines.columns["b"].copy()
    gone[::2] = 0
    lines = replace(lines, columns={**lines.columns, "b": gone})
    rates = key_rates(lines, ("a", "b"), 0.07, smoothing=4.0, half_life_days=30.0)
    assert (rates.rate[::2] == 0.07).all()
    assert (rates.inspected[::2] == 0.0).all()


def test_the_pair_that_matters_is_found_and_holds_on_later_days() -> None:
    found = _search(_lines(4, 0.25))
    assert found.chosen[0].key.columns == ("a", "b")
    assert found.chosen[0].key.backoff in ("a", "b")
    assert found.chosen[0].gain.low > 0.0
    assert found.judged is not None
    assert found.judged.low > 0.05
    assert found.chosen[0].later.low > 0.05
    assert found.kept == found.chosen
    assert found.promised == sum(each.gain.value for each in found.chosen)
    # What is counted already is not found again.
    again = _search(_lines(4, 0.25), [*_SINGLE, CombinationKey("a_b", ("a", "b"), "a")])
    assert all(set(each.key.columns) != {"a", "b"} for each in again.chosen)


def test_what_no_longer_holds_on_the_newest_days_says_so() -> None:
    """The bad pairs stop being bad: the promise of earlier days is worth nothing, and nothing is kept."""
    lines = _lines(4, 0.25)
    newest = lines.declared >= np.sort(lines.declared[lines.found])[2 * int(lines.found.sum()) // 3]
    rng = np.random.default_rng(9)
    found = _search(replace(lines, found=np.where(newest, rng.random(len(newest)) < 0.06, lines.found)))
    assert found.chosen
    assert not found.holds
    assert found.chosen[0] not in found.kept


@pytest.mark.parametrize("seed", range(5, 11))
def test_nothing_is_found_where_there_is_nothing(seed: int) -> None:
    found = _search(_lines(seed, 0.0, lines=6000))
    assert found.enough
    assert found.tried > 3
    assert found.chosen == ()
    assert found.judged is None


def test_a_key_over_a_column_that_is_not_there_counts_nothing() -> None:
    lines = _lines(4, 0.25)
    more = [*_SINGLE, CombinationKey("d", ("d",), "all"), CombinationKey("d_a", ("d", "a"), "d")]
    assert _search(lines, more) == _search(lines)


def test_too_few_findings_say_so() -> None:
    lines = _lines(4, 0.25, lines=300)
    assert not _search(replace(lines, found=np.arange(300) < 20)).enough
    assert not _search(replace(lines, found=np.zeros(300, dtype=bool))).enough
