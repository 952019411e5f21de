"""A model in use that nothing shows to be of use says so wherever it is named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

import mlflow
import pytest

from models.tracking.packed_training import PackedTraining
from models.tracking.tracker import LoggedModel, Tracker
from pipelines.cli.logs import set_up_logging
from pipelines.training.fitted import FittedOnDisk
from tests.pipelines.trained_world import NIGHT, World

RISK = "undervaluation"


def judge(world: World, verdict: str) -> None:
    """Write another verdict of the gate into the runs of the models in use: all passed but this risk's."""
    tracker = Tracker.in_folder(world.store.layout.mlflow)
    client = mlflow.MlflowClient(tracking_uri=tracker.uri)
    for champion in tracker.champions():
        client.set_tag(champion.run_id, "gate", verdict if champion.risk == RISK else "passed")


def test_the_list_of_champions_names_it(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    judge(world, "not judged")
    assert world.run("champion list") == 0
    (line,) = (line for line in capsys.readouterr().out.splitlines() if line.startswith(RISK))
    assert "was never judged" in line


def test_score_lists_monitor_and_report_name_it(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    judge(world, "failed")
    assert world.score() == 0
    said = capsys.readouterr().out
    assert f"{RISK}: model version 1, which FAILED its gate" in said
    assert "food_safety: model version 1\n" in said
    (manifest,) = world.store.layout.manifests_of_day("score", NIGHT)
    assert json.loads(manifest.read_text())["unproven_models"] == {RISK: "FAILED its gate"}
    title = world.settings.risk(RISK).title.en
    pages = list((world.path / f"lists/declared_on={NIGHT}").glob("*.html"))
    assert pages
    for page in pages:
        assert f"NOT PROVEN: nothing shows yet that these models are of use: {title}." in page.read_text()
    assert world.run("monitor", "--date", NIGHT.isoformat()) == 0
    assert f"{RISK}: model version 1 FAILED its gate" in capsys.readouterr().out
    page = next((world.path / "monitoring").rglob("*.html")).read_text()
    assert f"{RISK} version 1 (FAILED its gate)" in page
    assert world.run("report") == 0
    assert f"{RISK}: the model of these lists FAILED its gate" in capsys.readouterr().out


def test_a_first_model_in_use_although_it_failed_is_told_under_quiet(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    class Registry:
        """Takes any model."""

        def log_packed(self, packed: PackedTraining) -> LoggedModel:
            return LoggedModel(packed.risk, "run", 1)

        def promote(self, *_: Any) -> None:
            pass

    set_up_logging(verbose=False, quiet=True, log_format="text")
    doubt = "this first model is in use although it FAILED its gate: look at its run before you rely on it"
    packed = PackedTraining(tmp_path / "packed", RISK, "a run")
    fitted = FittedOnDisk(tmp_path, "key", packed, "the first model", (), (doubt,), doubt)
    assert fitted.register(cast(Tracker, Registry())).promoted
    assert f"{RISK}: version 1: {doubt}" in capsys.readouterr().err
