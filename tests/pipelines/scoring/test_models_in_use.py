"""A night runs on the champions, on their last copies where the server is away, and on nothing else."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pipelines.scoring.models_in_use import models_in_use
from tests.pipelines.trained_world import NIGHT, RISKS, World, different

NEXT = NIGHT + timedelta(days=1)


def test_the_night_runs_on_the_last_models_when_the_server_is_away(
    scored_world: World, no_server: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert scored_world.score(NEXT) == 0
    said = capsys.readouterr()
    assert f"the MLflow server {no_server} cannot be reached" in said.err
    assert "The models of the last run are used." in said.out
    assert "undervaluation: model version 1" in said.out
    assert "secret" not in said.out + said.err
    assert scored_world.scores(NEXT)["undervaluation"].null_count() == 0


def test_the_server_s_absence_changes_no_score(
    scored_world: World, scored: World, no_server: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert scored_world.score(NIGHT) == 0
    assert "was scored before with the same result" in capsys.readouterr().out
    assert different(scored_world.results(), scored.results()) == []


def test_training_needs_the_server_and_says_so_before_it_works(
    world: World, no_server: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert world.run("train") == 1
    said = capsys.readouterr().err
    assert f"the MLflow server {no_server} cannot be reached" in said
    assert "MLFLOW_TRACKING_URI" in said
    assert "secret" not in said


def test_without_a_server_and_a_copy_there_is_no_model(
    world: World, no_server: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert world.score() == 4
    said = capsys.readouterr().err
    assert (
        "expected a model in use for one of the risks food_safety, prohibited_items, undervaluation" in said
    )
    assert no_server in said


def test_a_store_without_models_ends_with_4(untrained: World, capsys: pytest.CaptureFixture[str]) -> None:
    before = untrained.results()
    assert untrained.score() == 4
    said = capsys.readouterr().err
    assert "found none" in said
    assert "parcel-risk train" in said
    assert different(untrained.results(), before) == []


def test_a_copy_is_the_champion_file_by_file(scored_world: World) -> None:
    with scored_world.store.lock("test"):
        found = models_in_use(scored_world.store, scored_world.settings.risks)
    assert (found.notes, found.withdrawn) == ([], [])
    assert sorted(found.models) == sorted(RISKS)
    for risk, model in found.models.items():
        original = next(scored_world.path.with_name("S.mlflow").rglob(f"*/{risk}*/**/booster.txt"), None)
        copied = model.folder / "booster.txt"
        candidates = [original] if original else scored_world.path.with_name("S.mlflow").rglob("booster.txt")
        assert copied.read_bytes() in [path.read_bytes() for path in candidates if path is not None]
        assert (model.version, len(model.digest)) == ("1", 64)


def test_a_model_of_an_earlier_version_is_used_and_named(
    scored_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not models_in_use(scored_world.store, RISKS).notes
    monkeypatch.setattr("models.risk.saved_model.MODEL_FORMAT", 5)
    (note,) = models_in_use(scored_world.store, RISKS).notes
    assert "food_safety, prohibited_items, undervaluation: the model in use is of an earlier version" in note
    assert "parcel-risk train" in note
