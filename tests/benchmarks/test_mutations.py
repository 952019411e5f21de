"""Some of the valid inputs with something wrong that `make bench-mutations` makes by the thousand."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from benchmarks.mutated.case import KINDS, Cases, environment, kind_of

# Those that once ended in a traceback, in silence or with rows that nobody accounted for.
KEPT = (23, 117, 119, 131, 1226, 1394)
# The fewest in a row with every kind.
SOME = range(7, 21)


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cases]:
    with environment():
        yield Cases(tmp_path_factory.mktemp("cases"))


@pytest.mark.parametrize("seed", sorted({*KEPT, *SOME}))
def test_a_broken_input_is_told_and_accounted_for(cases: Cases, seed: int) -> None:
    outcome = cases.outcome(seed)
    assert outcome.faults == [], outcome.said


def test_every_kind_of_input_is_among_them() -> None:
    assert {kind_of(seed) for seed in SOME} == set(KINDS)


def test_a_case_is_the_same_again(cases: Cases) -> None:
    assert cases.outcome(3) == cases.outcome(3)
