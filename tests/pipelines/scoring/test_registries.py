"""Which models a night uses when MLflow is not where it was: under a wrong address, lost, or shared."""

from __future__ import annotations

import json
import shutil
from datetime import timedelta
from pathlib import Path

import mlflow
import pytest

from configs.errors import ConfigurationError
from models.tracking.addresses import sqlite_address
from models.tracking.registry import model_name
from models.tracking.tracker import Tracker
from pipelines.scoring.models_in_use import ModelsInUse, models_in_use
from pipelines.store.layout import CHAMPION, WITHDRAWN
from pipelines.store.meta import StoreMeta
from tests.pipelines.trained_world import NIGHT, RISKS, World

NEXT = NIGHT + timedelta(days=1)
RISK = "food_safety"

# MLflow 3.17 uses an option that SQLAlchemy 2.1 calls old.
pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy is deprecated")


def found(world: World) -> ModelsInUse:
    return models_in_use(world.store, world.settings.risks)


def remembered(world: World, risk: str = RISK) -> dict[str, object]:
    text = (world.store.layout.models(risk) / CHAMPION).read_text(encoding="utf-8")
    return dict(json.loads(text))


def withdraw(world: World, *risks: str) -> None:
    client = mlflow.MlflowClient(sqlite_address(world.store.layout.mlflow / "mlflow.db"))
    for risk in risks:
        client.delete_registered_model_alias(model_name(risk), "champion")


def with_identity(world: World, identity: str) -> None:
    meta = world.store.layout.meta
    content = json.loads(meta.read_text(encoding="utf-8")) | {"identity": identity}
    meta.write_text(json.dumps(content), encoding="utf-8")


def test_a_lost_database_leaves_the_night_its_models_and_the_next_one_too(
    scored_world: World, no_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.rmtree(scored_world.path.with_name("S.mlflow"))
    before = remembered(scored_world)
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    said = "\n".join(found(scored_world).notes)
    assert f"{RISK}: version 1 from sqlite:///" in said
    assert "mlflow.db (MLFLOW_TRACKING_URI is not set) is another registry and has none" in said
    assert remembered(scored_world) == before
    monkeypatch.setenv("MLFLOW_TRACKING_URI", no_server)
    assert set(found(scored_world).models) == set(RISKS)


def test_a_wrong_address_deletes_no_remembered_model_and_makes_no_database(
    scored_world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "we?ird").mkdir()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/we?ird/mlflow.db")
    used = found(scored_world)
    assert set(used.models) == set(RISKS)
    assert len(used.notes) == len(RISKS)
    assert list((tmp_path / "we?ird").iterdir()) == []
    assert remembered(scored_world)["version"] == 1


def test_an_older_model_of_another_registry_replaces_none(
    scored_world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    older = tmp_path / "older"
    shutil.copytree(scored_world.path.with_name("S.mlflow"), older)
    place = scored_world.store.layout.models(RISK) / CHAMPION
    newer = remembered(scored_world) | {"registry": "9-9", "since": "2999-01-01T00:00:00+00:00", "version": 7}
    place.write_text(json.dumps(newer), encoding="utf-8")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", sqlite_address(older / "mlflow.db"))
    (note,) = found(scored_world).notes
    assert "version 7" in note
    assert "only the older version 1" in note
    assert remembered(scored_world) == newer


@pytest.fixture
def moved(scored_world: World, tmp_path: Path) -> World:
    """A store that was moved with its runs and models, without its copies, to a place that is oddly spelt."""
    place = tmp_path / "why? #1 50%20"
    for name in ("S", "S.mlflow"):
        shutil.move(tmp_path / name, place / name)
    world = World(place / "S", scored_world.configs)
    shutil.rmtree(world.path / "models")
    return world


def test_a_moved_store_runs_and_a_risk_that_lost_its_model_ends_the_night_with_5(
    moved: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    world = moved
    assert set(found(world).models) == set(RISKS)
    assert [path.name for path in tmp_path.iterdir()] == ["why? #1 50%20"]
    withdraw(world, RISK)
    assert world.score(NEXT, "--quiet") == 5
    said = capsys.readouterr()
    assert f"{RISK}: had a model in use and has none any more" in said.err
    assert f"{RISK}: had a model in use and has none any more" in said.out
    assert found(world).withdrawn == [RISK], "the next night says so again"
    (manifest,) = world.store.layout.manifests_of_day("score", NEXT)
    assert json.loads(manifest.read_text(encoding="utf-8"))["without_model"] == [RISK]
    assert f'parcel_risk_model_lost{{risk="{RISK}"}} 1.0' in world.store.layout.metrics.read_text("utf-8")
    assert world.scores(NEXT)[RISK].null_count() == world.scores(NEXT).height
    assert not (world.store.layout.models(RISK) / CHAMPION).exists()
    assert world.run("champion promote", RISK, "1", "--reason", "back") == 0
    used = found(world)
    assert (set(used.models), used.withdrawn) == (set(RISKS), [])
    assert not (world.store.layout.models(RISK) / WITHDRAWN).exists()


def test_when_the_same_registry_withdrew_every_model_there_is_none(
    scored_world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    withdraw(scored_world, *RISKS)
    assert scored_world.score(NEXT) == 4
    assert "expected a model in use for one of the risks" in capsys.readouterr().err


def test_what_an_earlier_version_remembered_is_known_again_and_keeps_no_password(
    scored_world: World, no_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = {"version": 1, "since": "2999-01-01", "uri": no_server.replace("://", "://ana:secret@")}
    for risk in RISKS:
        run = {"run": remembered(scored_world, risk)["run"]}
        place = scored_world.store.layout.models(risk) / CHAMPION
        place.write_text(json.dumps(old | run), encoding="utf-8")
    assert set(found(scored_world).models) == set(RISKS)
    assert "secret" not in str(remembered(scored_world))
    assert remembered(scored_world)["address"] == no_server
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    withdraw(scored_world, RISK)
    assert found(scored_world).withdrawn == [RISK]


def test_the_models_of_another_store_are_refused_with_2(
    scored_world: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    database = sqlite_address(scored_world.store.layout.mlflow / "mlflow.db")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", database)
    mine = scored_world.store.meta.identity
    Tracker(database, store=mine).prepare([RISK])
    with_identity(scored_world, StoreMeta.new().identified().identity)
    for verb, options in {
        "score": ("--date", str(NEXT)),
        "train": (),
        "champion promote": (RISK, "1", "--reason", "r"),
        "champion list": (),
    }.items():
        assert scored_world.run(verb, *options) == 2, verb
        said = capsys.readouterr().err
        assert (
            f"the registered model parcel-risk-{RISK} belongs to another store (identity {mine[:12]}" in said
        )
        assert "delete the tag `store` of the registered model" in said
    assert remembered(scored_world)["version"] == 1
    mlflow.MlflowClient(database).delete_registered_model_tag(model_name(RISK), "store")
    theirs = scored_world.store.meta.identity
    Tracker(database, store=theirs).prepare([RISK])
    with pytest.raises(ConfigurationError, match="belongs to another store"):
        Tracker(database, store=mine).champions([RISK])


def test_an_address_that_cannot_be_used_ends_every_verb_with_2(
    scored: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://ana:secret@127.0.0.1:50x0")
    for verb, options in {"score": ("--date", str(NEXT)), "train": (), "champion list": ()}.items():
        assert scored.run(verb, *options) == 2, verb
        told = capsys.readouterr().err
        assert "a port of 1 to 65535" in told
        assert "fault of the program" not in told
        assert "secret" not in told
