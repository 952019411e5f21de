"""The benchmark of whole lists: a killed run goes on, and the report says whatever the worlds say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks import selection
from benchmarks.judging.selection_report import parts_of
from benchmarks.selection import STRATEGIES, Size
from configs.loader import load_settings


def figures(seed: int, size: Size, share: float = 0.97) -> dict[str, Any]:
    rows, halves = [], []
    for place, name in enumerate(STRATEGIES):
        sums = {
            "opened": 100,
            "findings": 10 + place * seed % 7,
            "recovered_tax_cny": 5.0,
            "value_cny": 50.0 + place,
        }
        shares = {"risk_share_of_sort": share, "list_share_of_sort": 1.0 - place / 100}
        rows.append({"strategy": name, **sums, **shares, "hit_rate": sums["findings"] / 100})
        halves += [{"strategy": name, "half": half, **sums} for half in ("before", "after")]
    by_risk = {"strategy": "full", "selection": "risk", "opened": 80, "findings": 8, "value_cny": 784.0}
    drawn = {"strategy": "full", "selection": "random", "opened": 20, "findings": 1, "value_cny": 40.0}
    sorts = {
        "sort_opened": 80,
        "sort_value_cny": 800.0,
        "full_sort_opened": 100,
        "full_sort_value_cny": 900.0,
    }
    return {
        "seed": seed, "size": size.as_list(), "commit": "abc", "seconds": 1.0, "strategies": rows,
        "halves": halves, "selections": [by_risk, drawn], "sorts": [{"strategy": "full", **sorts}],
    }  # fmt: skip


def test_a_killed_run_goes_on_and_the_report_names_the_goal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    size, done = Size(weeks=2, before=10, parcels_per_day=50), []

    def made(seed: int, size: Size, folder: Path, *_: object) -> dict[str, Any]:
        if seed == 3 and len(done) == 2:
            done.append("killed")
            raise KeyboardInterrupt("killed")
        done.append(str(seed))
        return figures(seed, size)

    monkeypatch.setattr(selection, "run_seed", made)
    result, settings = tmp_path / "selection.md", load_settings()
    with pytest.raises(KeyboardInterrupt, match="killed"):
        selection.run([1, 2, 3], size, tmp_path / "work", result, settings)
    assert "2 simulated worlds (seeds 1, 2)" in result.read_text()
    selection.run([1, 2, 3], size, tmp_path / "work", result, settings)
    assert done == ["1", "2", "killed", "3"]
    said = result.read_text()
    assert "3 simulated worlds (seeds 1, 2, 3)" in said
    assert "97.0% [97.0%, 97.0%]" in said
    assert "the goal of 98% is NOT met" in said
    # Whole less sort, by world: 10 + 2 x seed % 7 less 10 + seed % 7.
    assert "+1, +2, +3" in said
    # 20 places drawn bring 2 CNY each, the next of a sort 100 over 20 = 5: 60 of 900 CNY less.
    assert "| random | 20 [20, 20] | 5.00 [5.00, 5.00] | 2 [2, 2] | 5 [5, 5] | +6.67 [+6.67, +6.67] |" in said


def test_figures_of_another_plan_are_refused(tmp_path: Path) -> None:
    folder = tmp_path / "selection"
    folder.mkdir()
    kept = figures(1, Size(weeks=2))
    (folder / "world-1.json").write_text(json.dumps(kept))
    plan = (tmp_path, tmp_path / "selection.md", load_settings())
    with pytest.raises(SystemExit, match=r"not random, model, full of \[3, 90, 1000, 42\]: give other"):
        selection.run([1], Size(weeks=3), *plan)
    with pytest.raises(SystemExit, match="give other --results"):
        # Also before another world has run for hours.
        selection.run([2], Size(weeks=2), *plan, strategies=["model", "full"])
    selection.run([1], Size(weeks=2), *plan)


def test_costs_of_the_parts_add_up_to_that_of_the_whole() -> None:
    parts = parts_of(figures(1, Size()))
    assert parts["risk"]["sort_value"] == 10.0
    assert parts["risk"]["cost"] == pytest.approx(100 * 16 / 900)
    assert sum(part["cost"] for part in parts.values()) == pytest.approx(100 * (1 - (784 + 40) / 900))


def test_the_change_lies_within_the_weeks() -> None:
    size = Size()
    assert size.first < size.changes_on < size.end
    assert (size.end - size.first).days + 1 == 182
