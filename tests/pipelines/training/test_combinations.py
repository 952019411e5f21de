"""The verb `combinations` on a small store."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

import pipelines.training.combinations
from configs.loader import load_settings
from models.search.combinations import CombinationKey, Found, Search
from models.stats.intervals import Estimate
from tests.pipelines.trained_world import World

_FOUND = Search(
    40,
    (
        Found(
            CombinationKey("seller_office", ("seller_id", "customs_office"), "seller"),
            Estimate(0.2, 0.1, 0.3, 50),
            Estimate(0.1, -0.02, 0.2, 40),
        ),
        Found(
            CombinationKey("agent_port", ("agent_id", "port"), "agent"),
            Estimate(0.1, 0.05, 0.15, 50),
            Estimate(-0.05, -0.1, 0.0, 40),
        ),
    ),
    Estimate(0.1, -0.02, 0.2, 40),
)


def test_it_says_what_it_tried_and_changes_no_configuration(
    untrained: World, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    world = untrained.copy(tmp_path)
    folder = tmp_path / "wider"
    asked = ("combinations", "--risk", "undervaluation", "--largest", "2")
    assert world.run(*asked, "--write", str(folder)) == 0
    said = capsys.readouterr().out
    assert "undervaluation: " in said
    assert "inspected lines with" in said
    assert world.run(*asked, "--log-format", "json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["lines"] > told["findings"] > 0
    assert {"seller_id", "hs6", "customs_office", "total_price"} <= set(told["columns"])
    assert told["written"] is None
    assert folder.exists() == bool(told["chosen"])


def test_what_is_found_joins_what_is_configured(
    untrained: World, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipelines.training.combinations, "find_combinations", lambda *_, **__: _FOUND)
    world, folder = untrained.copy(tmp_path), tmp_path / "wider"
    assert world.run("combinations", "--risk", "undervaluation", "--write", str(folder)) == 0
    said = capsys.readouterr().out
    assert "seller_id x customs_office, pulled towards seller: gains 0.200 [0.100, 0.300]" in said
    assert "(50 findings), 0.100 [-0.020, 0.200] on later ones" in said
    assert "-0.050 [-0.100, 0.000] on later ones: it does not hold, and is not written" in said
    assert "together gain 0.100 [-0.020, 0.200] of the 0.300 that the days that chose them promise" in said
    assert "may be chance: the promise does not hold" in said
    before = load_settings(world.configs).pipeline.history.combinations
    after = load_settings(folder).pipeline.history.combinations
    assert after[:-1] == before
    assert after[-1].columns == ("seller_id", "customs_office")
    # Whatever else the folder in use holds is in the new one too.
    own = yaml.safe_load((world.configs / "pipeline.yaml").read_text(encoding="utf-8"))
    new = yaml.safe_load((folder / "pipeline.yaml").read_text(encoding="utf-8"))
    assert {name: new[name] for name in own if name != "history"} == {
        name: value for name, value in own.items() if name != "history"
    }
    assert world.run("combinations", "--risk", "undervaluation", "--write", str(folder)) == 2
    assert "expected a new or empty folder" in capsys.readouterr().err


def test_nothing_reported_is_a_clear_error(
    untrained: World, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    world = untrained.copy(tmp_path)
    assert world.run("combinations", "--risk", "undervaluation", "--until", "2020-01-01") == 3
    assert "expected results in the column undervaluation up to 2020-01-01" in capsys.readouterr().err
