from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

import models.search.parameters
import pipelines.training.tune
from models.search.blocks import InnerFigures, SearchBlocks, inner_figures
from models.tracking.run_content import LoggedRun
from models.tracking.tracker import Tracker
from models.trees.booster import Parameter
from pipelines.store.store import Store
from pipelines.training.frames import TrainingData, training_data
from tests.pipelines.trained_world import World, without_server

_TUNING = """
tuning:
  rounds: 25
  space:
    - {name: learning_rate, low: 0.05, high: 0.3, log: true}
    - {name: num_leaves, low: 3, high: 15, log: true}
    - {name: cat_l2, low: 1.0, high: 50.0, log: true}
"""
_SECOND_RISK = "label: food_safety\nfinding_value: {kind: constant, cny: 5}\n"


class _Interrupting:
    """Ctrl-C in the middle of a trial."""

    def __init__(self, at: int) -> None:
        self.at, self.calls = at, 0

    def __call__(
        self, blocks: SearchBlocks, parameters: Sequence[Mapping[str, Parameter]], rounds: int
    ) -> InnerFigures:
        self.calls += 1
        if self.calls == self.at:
            raise KeyboardInterrupt
        return inner_figures(blocks, parameters, rounds)


class _Remembering:
    """The features of the second run are those of the first, and take longer than all trials."""

    def __init__(self) -> None:
        self.data: TrainingData | None = None

    def __call__(self, *given: Any) -> TrainingData:
        self.data = self.data or training_data(*given)
        return self.data


class Tuned:
    """A search that was interrupted in its fourth trial and begun again, and what it left."""

    def __init__(self, world: World, folder: Path) -> None:
        self.world, self.folder = world, folder
        self.begin, self.trained = _Interrupting(4), _Interrupting(99)
        command = ("tune", "--risk", "undervaluation", "--trials", "6")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(pipelines.training.tune, "training_data", _Remembering())
            patch.setattr(models.search.parameters, "inner_figures", self.begin)
            self.interrupted = world.run(*command, "--quiet")
            patch.setattr(models.search.parameters, "inner_figures", self.trained)
            self.finished = world.run(*command, "--write", folder, "--quiet")

    @property
    def tracker(self) -> Tracker:
        return Tracker.in_folder(self.world.store.layout.mlflow)

    @property
    def parent(self) -> LoggedRun:
        (run,) = self.tracker.find_runs("tuning")
        return run


@pytest.fixture(scope="module")
def tuned(tmp_path_factory: pytest.TempPathFactory, untrained: World) -> Tuned:
    folder = tmp_path_factory.mktemp("tuned")
    copy = untrained.copy(folder)
    shutil.copytree(copy.configs, folder / "configs")
    with (folder / "configs" / "pipeline.yaml").open("a", encoding="utf-8") as pipeline:
        pipeline.write(_TUNING)
    (folder / "configs" / "risks" / "second.yaml").write_text(_SECOND_RISK)
    risk = folder / "configs" / "risks" / "undervaluation.yaml"
    steps = re.compile(r"^  learning_rate: .*$", re.MULTILINE)
    # Steps this large overshoot, so that the search has something to find.
    risk.write_text(steps.sub("  learning_rate: 0.95", risk.read_text("utf-8")), "utf-8")
    with without_server():
        return Tuned(World(copy.path, folder / "configs"), folder / "best")


def test_an_interrupted_search_goes_on_where_it_was(tuned: Tuned) -> None:
    assert (tuned.interrupted, tuned.finished) == (130, 0)
    assert tuned.begin.calls == 4
    assert tuned.trained.calls == 3  # the fourth trial anew, the fifth and the sixth


def test_every_trial_is_one_run_below_that_of_the_search(tuned: Tuned) -> None:
    parent = tuned.parent
    trials = tuned.tracker.find_runs("trial", parent=parent.run_id)
    assert [int(run.tags["trial"]) for run in trials] == list(range(6))
    assert [run.tags["set"] for run in trials[:2]] == ["configured", "LightGBM's defaults"]
    assert all(run.finished and run.metrics["log_loss"] > 0.0 for run in trials)
    assert trials[0].parameters["num_leaves"] == "31"
    assert trials[0].parameters["cat_l2"] == "100"
    best = min((run for run in trials if run.tags["trial"] != "1"), key=lambda run: run.metrics["log_loss"])
    assert parent.tags["best_trial"] == best.tags["trial"]
    assert parent.metrics["best_log_loss"] == best.metrics["log_loss"]


def test_the_run_of_the_search_says_on_what_and_with_which_verdict(tuned: Tuned) -> None:
    parent = tuned.parent
    assert parent.finished
    assert parent.tags["verdict"] in ("use", "keep")
    assert {"data_fingerprint", "configuration_fingerprint", "study", "code_version"} <= set(parent.tags)
    report = tuned.tracker.read_text(parent.run_id, "report.txt")
    assert "configured against LightGBM's defaults: log loss" in report
    assert ("keep what is configured" in report) == (parent.tags["verdict"] == "keep")
    basis = json.loads(tuned.tracker.read_text(parent.run_id, "search.json"))
    assert [wanted["name"] for wanted in basis["space"]] == ["learning_rate", "num_leaves", "cat_l2"]


def test_the_best_set_is_written_as_a_folder_for_configs(tuned: Tuned) -> None:
    trials = tuned.tracker.find_runs("trial", parent=tuned.parent.run_id)
    best = trials[int(tuned.parent.tags["best_trial"])]
    assert int(best.tags["trial"]) >= 2
    written = World(tuned.world.path, tuned.folder).settings
    before = tuned.world.settings
    shown = {name: str(value) for name, value in written.risk("undervaluation").model.items()}
    assert shown == best.parameters
    assert written.risk("undervaluation").rounds == 25
    assert written.pipeline == before.pipeline
    assert written.risk("second") == before.risk("second")


def test_the_store_is_free_and_unchanged_after_a_search(tuned: Tuned, untrained: World) -> None:
    assert tuned.world.results() == untrained.results()
    with Store.open(tuned.world.path).lock("test"):
        assert not list(tuned.world.path.glob("manifests/tune*"))


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (("--risk", "undervalution"), 2, "came 'undervalution'"),
        (("--risk", "undervaluation", "--trials", "2"), 2, "2 is not in the range"),
        (("--risk", "undervaluation", "--write", "."), 2, "expected a new or empty folder"),
        (("--risk", "second"), 3, "found none: use `parcel-risk ingest`"),
    ],
)
def test_what_cannot_be_tuned_is_said(
    options: tuple[str, ...], code: int, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    Store.create(tmp_path / "S")
    (tmp_path / "C" / "risks").mkdir(parents=True)
    (tmp_path / "C" / "risks" / "second.yaml").write_text(_SECOND_RISK)
    monkeypatch.chdir(tmp_path)
    world = World(tmp_path / "S", tmp_path / "C")
    assert world.run("tune", *options) == code
    assert message in capsys.readouterr().err
