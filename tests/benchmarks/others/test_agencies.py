"""The section on agencies' own tables: what it shows, and that it says why there is none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.others import agencies

_CELL = [0.25, 0.2, 0.3]
_SCORE = dict.fromkeys(("average_precision", "auc", "log_loss"), _CELL) | {"precision": {"0.05": _CELL}}


def test_it_says_that_the_tables_are_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agencies, "FOLDER", tmp_path / "nowhere")
    assert "Skipped: expected the agencies' tables in ../shared/agencies" in agencies.section(tmp_path)


def test_each_rival_stands_with_the_paired_difference(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    figures = {
        "lines": 3330,
        "findings": 400,
        "from": "2023-02-22",
        "to": "2023-03-31",
        "seconds": 180.0,
        "scores": {"model": _SCORE, "lightgbm": _SCORE, "catboost": None, "best_key": _SCORE},
        "differences": {"lightgbm": _SCORE, "catboost": None, "best_key": _SCORE},
    }
    monkeypatch.setattr(agencies, "FOLDER", tmp_path)
    for name in ("fsis", "lemis"):
        (tmp_path / f"agency-{name}.json").write_text(json.dumps(figures), encoding="utf-8")
    said = agencies.section(tmp_path)
    assert said.count("3,330 lines, 400 findings; 3 minutes") == 2
    assert "| this program | 0.250 [0.200, 0.300] | 0.250" in said
    assert "| *this program less LightGBM* | +0.250 [+0.200, +0.300]" in said
    assert "| CatBoost | not installed" in said
