"""The benchmark of trees compares two ways that give the same bits."""

from __future__ import annotations

import pytest

from benchmarks.decisions import trees


def test_both_ways_give_the_same_bits_and_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trees, "LEARNED", 2_000)
    row = trees.measured(trees.Kind("small", 8, 31, 20, 3), 500)
    assert row.startswith("| small | 8 x 31, ")
    assert row.count("|") == 7
