"""A training shares the store with the night, and its work outlives a server that goes away."""

from __future__ import annotations

import json
import shutil
from datetime import timedelta
from pathlib import Path

import mlflow
import polars as pl
import pytest

from configs.errors import TrackingError
from models.tracking.packed_training import TRAINING
from models.tracking.registry import STORE_TAG
from models.tracking.run_content import KIND_TAG, RunContent
from models.tracking.tracker import Tracker
from pipelines.store.day_table import DayTable
from pipelines.store.store import Store
from pipelines.training import train as training
from pipelines.training import train_risk as fitting
from pipelines.training.snapshot import freeze, only_training, still_holds
from tests.pipelines.trained_world import NIGHT, RISKS, TRAINED_UNTIL, World

NEXT = NIGHT + timedelta(days=1)
RISK = "food_safety"
TRAIN = ("train", "--risk", RISK, "--until", str(TRAINED_UNTIL))

# MLflow 3.17 uses an option that SQLAlchemy 2.1 calls old.
pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy is deprecated")


def refuse(*_: object, **__: object) -> None:
    raise AssertionError("nothing should be fitted or replayed")


def test_a_night_runs_beside_a_training_whose_server_dies_and_nothing_is_fitted_twice(
    scored_world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    world, codes = scored_world, []
    fit = fitting.fit_risk

    def beside_a_night(*arguments: object, **options: object) -> object:
        codes.append(world.score(NEXT))
        return fit(*arguments, **options)  # type: ignore[arg-type]

    def dead(*_: object) -> None:
        raise TrackingError("the MLflow server http://host cannot be reached.")

    with monkeypatch.context() as patch:
        patch.setattr(fitting, "fit_risk", beside_a_night)
        patch.setattr(Tracker, "log_packed", dead)
        assert world.run(*TRAIN) == 1
    assert codes == [0]
    said = capsys.readouterr()
    assert f"{RISK}: fitted but not registered: the MLflow server http://host cannot be reached." in said.out
    assert "the same command registers it, and fits nothing again" in said.err
    monkeypatch.setattr(fitting, "fit_risk", refuse)
    assert world.run(*TRAIN) == 0
    assert f"{RISK}: version 2, registered" in capsys.readouterr().out
    assert not [path for path in world.store.layout.training.iterdir() if path.name != ".lock"]


def test_a_model_that_one_risk_cannot_register_leaves_the_others_theirs(
    scored_world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of two fitted risks the server takes the second, and the first when it is asked again."""
    kept, asked = {}, []
    for risk in RISKS[:2]:
        kept[risk] = tmp_path / risk

    class Kept:
        def __init__(self, risk: str) -> None:
            self.packed, self.folder, self.evaluation = self, kept[risk], None
            self.risk = risk

        def register(self, _: object) -> training.RiskTrained:
            asked.append(self.risk)
            if asked == [RISKS[0]]:
                raise TrackingError("gone")
            return training.RiskTrained(self.risk, version=2)

    monkeypatch.setattr(training, "train_risk", lambda risk, *_: Kept(risk.name))
    options = [option for risk in RISKS[:2] for option in ("--risk", risk)]
    monkeypatch.setattr(training, "training_data", lambda chronicle, chosen, last, _: DATA(last))
    assert scored_world.run("train", *options) == 0
    assert asked == [RISKS[0], RISKS[0], RISKS[1]]


class DATA:
    """As little of the data of a training as the end of one needs."""

    lines, fingerprint = 0, ""

    def __init__(self, until: object) -> None:
        self.until = until
        self.history = type("History", (), {"as_of": None})()


def test_a_right_that_is_missing_is_told_before_the_work(
    scored_world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def forbidden(*_: object, **__: object) -> None:
        raise mlflow.exceptions.MlflowException("API request failed with error code 403 != 200. Forbidden")

    monkeypatch.setattr(training, "training_data", refuse)
    for right in ("set_registered_model_tag", "log_text"):
        with monkeypatch.context() as patch:
            patch.setattr(mlflow.MlflowClient, right, forbidden)
            assert scored_world.run(*TRAIN) == 1
        assert "ask for the right to write runs, models and artifacts" in capsys.readouterr().err


def test_a_second_training_is_refused_while_a_night_is_not(
    scored_world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    with only_training(scored_world.store):
        assert scored_world.run(*TRAIN) == 1
        assert "is in use by `train`" in capsys.readouterr().err
        with scored_world.store.lock("score"):
            pass


def test_runs_that_a_dead_server_left_open_are_failed_by_the_next_training(scored_world: World) -> None:
    place = scored_world.store.layout.mlflow
    tracker = Tracker.in_folder(place, "me")
    left = tracker.log_run("left", RunContent(), kind=TRAINING, finished=False)
    other = Tracker.in_folder(place, "other")
    theirs = other.log_run("theirs", RunContent(), kind=TRAINING, finished=False)
    for _ in range(2):
        tracker.prepare([RISK])
    client = mlflow.MlflowClient(tracker.uri)
    assert client.get_run(left).info.status == "FAILED"
    assert client.get_run(theirs).info.status == "RUNNING"
    assert client.get_run(left).data.tags[KIND_TAG] == TRAINING
    assert len(tracker.find_runs("check of rights", {STORE_TAG: "me"})) == 1


def test_what_a_training_reads_stays_as_it_was_when_others_write(scored_world: World) -> None:
    store = scored_world.store
    day = store.inspection_days()[0]
    with only_training(store) as folder:
        with store.lock("test"):
            frozen = freeze(store, folder)
        assert frozen is not None
        before = frozen.read_inspections()
        assert still_holds(store, frozen, TRAINED_UNTIL)
        # No history rests on what a night's checks find.
        assert scored_world.run("check", "--date", str(TRAINED_UNTIL), "--quiet") == 0
        assert still_holds(store, frozen, TRAINED_UNTIL)
        assert not frozen.layout.file(DayTable.CHECKS, TRAINED_UNTIL).exists()
        with store.lock("test"), store.transaction() as t:
            store.write_inspections(t, day, pl.DataFrame(schema=store.inspection_schema()))
        assert not still_holds(store, frozen, TRAINED_UNTIL)
        assert frozen.read_inspections().equals(before)
        assert frozen.days(DayTable.DECLARATIONS) == store.declaration_days()
    assert not frozen.path.exists()


def test_without_second_names_of_files_a_training_keeps_the_lock_while_it_reads(
    scored_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def not_here(*_: object) -> None:
        raise OSError("Operation not permitted")

    monkeypatch.setattr(Path, "hardlink_to", not_here)
    seen = []

    def look(chronicle: object, chosen: object, last: object, _: object) -> DATA:
        holder = json.loads(scored_world.store.layout.lock.read_text(encoding="utf-8"))
        seen.append((holder["verb"], chronicle.store.path))  # type: ignore[attr-defined]
        return DATA(last)

    monkeypatch.setattr(training, "training_data", look)
    monkeypatch.setattr(training, "train_risk", lambda risk, *_: training.RiskTrained(risk.name, why=["no"]))
    assert scored_world.run(*TRAIN) == 3
    assert seen == [("train", scored_world.path)]
    assert Store.open(scored_world.path).days(DayTable.PROFILES)


def test_a_damaged_file_is_named_by_its_place_in_the_store(
    scored_world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    file = scored_world.store.layout.files(DayTable.INSPECTIONS, scored_world.store.inspection_days()[0])[0]
    shutil.copyfile(file, file.with_suffix(".kept"))
    file.unlink()
    file.write_bytes(b"PAR1")
    file.with_suffix(".kept").unlink()
    assert scored_world.run(*TRAIN) == 1
    said = capsys.readouterr().err
    assert str(file) in said
    assert ".work" not in said
