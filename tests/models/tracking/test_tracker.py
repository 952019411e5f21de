from __future__ import annotations

import os
import pwd
import socket
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import mlflow
import numpy as np
import polars as pl
import pytest

from configs.errors import TrackingError, UsageError
from models.fitting.training import FittedRisk
from models.judging.gate import GateDecision
from models.judging.gate_checks import Check
from models.report.plots import as_png, draw_plots
from models.risk.risk_model import RiskModel
from models.tracking.registry import Reign, model_name, read_history, write_history
from models.tracking.run_content import RunContent
from models.tracking.tracker import LoggedModel, Tracker

RISK = "undervaluation"

# MLflow 3.17 uses an option that SQLAlchemy 2.1 calls old.
pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy is deprecated")


@pytest.fixture(scope="module")
def tracker(tmp_path_factory: pytest.TempPathFactory) -> Tracker:
    return Tracker.in_folder(tmp_path_factory.mktemp("tracked") / "store.mlflow")


@pytest.fixture(autouse=True)
def no_server_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)


def log(tracker: Tracker, fitted: FittedRisk) -> LoggedModel:
    return tracker.log_training(
        fitted,
        RunContent(
            tags={"data_fingerprint": "abc"},
            parameters={"rounds": 60, "num_leaves": 31},
            texts={"configuration/pipeline.yaml": "training: {seed: 7}\n"},
            pictures={
                "plots/importance.png": as_png(draw_plots(fitted.model, fitted.evaluation)["importance.png"])
            },
        ),
        decision=GateDecision((Check("against chance", True, "better than chance"),)),
    )


@pytest.fixture(scope="module")
def logged(tracker: Tracker, fitted: FittedRisk) -> Iterator[LoggedModel]:
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        first = log(tracker, fitted)
        tracker.promote(RISK, first.version, "first model", who="ana")
        yield first


@pytest.fixture
def at_tracker(tracker: Tracker, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the variable: what `set_tracking_uri` leaves in it outlives the test."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", tracker.uri)


@pytest.mark.usefixtures("at_tracker")
def test_a_run_holds_what_one_needs_to_repeat_and_to_judge_it(
    tracker: Tracker, logged: LoggedModel, fitted: FittedRisk
) -> None:
    run = mlflow.get_run(logged.run_id)
    assert run.info.status == "FINISHED"
    assert run.data.params["num_leaves"] == "31"
    assert run.data.tags["data_fingerprint"] == "abc"
    assert run.data.tags["gate"] == "passed"
    metrics = fitted.evaluation.as_metrics()
    assert run.data.metrics["average_precision_low"] == pytest.approx(metrics["average_precision_low"])
    assert {"baseline.lookup.no_twin.auc", "baseline.seller_rate.average_precision"} <= set(run.data.metrics)
    artifacts = {item.path for item in mlflow.MlflowClient().list_artifacts(logged.run_id)}
    assert {"configuration", "metrics.json", "out_of_time.parquet", "plots"} <= artifacts
    plots = {Path(item.path).name for item in mlflow.MlflowClient().list_artifacts(logged.run_id, "plots")}
    assert plots == {"importance.png"}
    assert tracker.read_text(logged.run_id, "configuration/pipeline.yaml") == "training: {seed: 7}\n"


@pytest.mark.usefixtures("logged", "at_tracker")
def test_the_pyfunc_gives_the_probabilities_of_the_night_to_the_last_bit(
    fitted: FittedRisk, frame: pl.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "false")
    loaded = mlflow.pyfunc.load_model(f"models:/parcel-risk-{RISK}@champion")
    features = frame[:, : frame.columns.index("declared_on")].to_pandas()
    features.index = np.zeros(len(features), dtype=int)
    probability = loaded.predict(features)
    assert isinstance(probability, np.ndarray)
    assert probability.shape == (frame.height,)
    assert probability.tobytes() == fitted.model.predict(frame).tobytes()
    without = loaded.predict(features.drop(columns=["extra__courier", "item_name", "seller_id"]).head(20))
    expected = fitted.model.predict(frame.head(20).drop("extra__courier", "item_name"))
    assert without.tobytes() == expected.tobytes()


@pytest.mark.usefixtures("logged")
def test_the_nightly_copy_of_the_champion_is_the_model(
    tracker: Tracker, fitted: FittedRisk, frame: pl.DataFrame, tmp_path: Path
) -> None:
    champion = tracker.download_champion(RISK, tmp_path / "copy")
    assert champion is not None
    assert RiskModel.load(tmp_path / "copy").predict(frame).tobytes() == fitted.model.predict(frame).tobytes()
    predictions = pl.read_parquet(tracker.out_of_time(champion, tmp_path))
    assert predictions.equals(fitted.out_of_time)
    assert tracker.download_champion("food_safety", tmp_path / "none") is None


@pytest.mark.usefixtures("logged")
def test_nothing_in_the_artifacts_is_pickled(tracker: Tracker) -> None:
    folder = Path(tracker.uri.removeprefix("sqlite:///")).parent / "artifacts"
    files = [path for path in folder.rglob("*") if path.is_file()]
    kinds = {path.suffix for path in files}
    assert kinds <= {".json", ".txt", ".npz", ".yaml", ".yml", ".png", ".parquet", ".py", ""}
    assert {path.name for path in files if not path.suffix} <= {"MLmodel", "registered_model_meta"}
    for path in files:
        assert not path.read_bytes().startswith((b"\x80\x03", b"\x80\x04", b"\x80\x05")), path


def test_champions_change_hands_and_go_back(
    tracker: Tracker, logged: LoggedModel, fitted: FittedRisk
) -> None:
    first, second = logged.version, log(tracker, fitted).version
    assert second == first + 1
    promoted = tracker.promote(RISK, second, "passed the gate", who="bo")
    tracker.promote(RISK, first, "by hand", who="bo")
    tracker.promote(RISK, first, "by hand again", who="bo")
    assert (promoted.version, promoted.who, promoted.why) == (second, "bo", "passed the gate")
    assert promoted.since.endswith("+00:00")
    assert [champion.version for champion in tracker.champions()] == [first]
    assert tracker.rollback(RISK, "too many alarms").version == second
    back = tracker.rollback(RISK)
    assert back.version == first
    assert back.why == f"rolled back (from version {second})"
    assert tracker.champions() == (back,)
    with pytest.raises(UsageError, match="'undervaluation' cannot be rolled back"):
        tracker.rollback(RISK)


@pytest.mark.usefixtures("logged")
def test_a_version_or_a_risk_that_is_not_there_is_named(tracker: Tracker) -> None:
    with pytest.raises(UsageError, match="risk 'undervaluation' has no version 99; its newest versions: "):
        tracker.promote(RISK, 99, "by hand")
    with pytest.raises(UsageError, match="risk 'counterfeit' has no model yet"):
        tracker.rollback("counterfeit")


def test_a_server_that_is_away_is_said_to_be_away(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://ana:secret@127.0.0.1:{port}")
    with pytest.raises(
        TrackingError, match=rf"server http://127.0.0.1:{port} cannot be reached .*refused"
    ) as caught:
        Tracker.in_folder(tmp_path / "store.mlflow").champions()
    assert "secret" not in str(caught.value)
    assert not (tmp_path / "store.mlflow").exists()


def test_a_database_that_cannot_be_opened_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "mlflow.db").write_text("this is no database", encoding="utf-8")
    with pytest.raises(TrackingError, match=r"did not do it: .*not a database"):
        Tracker(f"sqlite:///{tmp_path / 'mlflow.db'}").champions()


def test_the_address_of_others_is_left_as_it_was(tracker: Tracker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://elsewhere:1")
    tracker.champions()
    assert mlflow.get_tracking_uri() == "http://elsewhere:1"


def test_the_history_fits_into_tags_and_the_oldest_champions_stay() -> None:
    reigns = [Reign(number, "2026-11-20T01:00:00+00:00", "ana", "为什么" * 100) for number in range(50)]
    tags = write_history(reigns)
    assert all(len(tag) <= 5000 for tag in tags.values())
    assert read_history({**tags, "risk": "x"}) == tuple(reigns)
    assert read_history({}) == ()
    assert read_history({"champion_history": '[{"version": 1, "since": "", "who": "a", "why": "b"}]'}) == (
        Reign(1, "", "a", "b"),
    )


@pytest.mark.usefixtures("at_tracker")
def test_who_promoted_is_what_the_system_says(
    tracker: Tracker, logged: LoggedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.setenv(name, "somebody else")
    promoted = tracker.promote(RISK, logged.version, "by hand")
    account = pwd.getpwuid(os.getuid()).pw_name
    assert promoted.who == account
    tags = mlflow.MlflowClient().get_model_version(model_name(RISK), str(logged.version)).tags
    assert tags["champion_who"] == account
    assert tags["champion_account"] == f"{account}@{socket.gethostname()}"
    assert tags["champion_code"].startswith(version("parcel-risk"))


def test_a_run_that_is_no_training_is_written_found_and_extended(tracker: Tracker, tmp_path: Path) -> None:
    (tmp_path / "drift.json").write_text("{}", encoding="utf-8")
    study = tracker.log_run("search", RunContent(tags={"risk": RISK}), kind="tuning", finished=False)
    for number in range(3):
        trial = RunContent(
            tags={"risk": RISK, "trial": str(number)},
            parameters={"num_leaves": 7 + number},
            metrics={"log_loss": 0.3 - 0.1 * number, "auc": float("nan")},
        )
        tracker.log_run(f"trial {number}", trial, kind="trial", parent=study)
    tracker.log_run("of another search", RunContent(tags={"risk": RISK}), kind="trial")
    (found,) = tracker.find_runs("tuning", {"risk": RISK})
    assert (found.run_id, found.name, found.finished) == (study, "search", False)
    trials = tracker.find_runs("trial", {"risk": RISK}, parent=study)
    assert [run.parameters["num_leaves"] for run in trials] == ["7", "8", "9"]
    assert trials[0].metrics == {"log_loss": 0.3}
    assert trials[0].tags["code_version"] == version("parcel-risk")
    files = {"data/drift.json": tmp_path / "drift.json"}
    pictures = {"plots/drift.png": b"a picture", "whole.png": b"another"}
    texts = {"report.txt": "好"}
    tracker.extend_run(study, RunContent(metrics={"best": 0.1}, texts=texts, pictures=pictures, files=files))
    (found,) = tracker.find_runs("tuning")
    assert (found.finished, found.metrics) == (True, {"best": 0.1})
    assert tracker.read_text(study, "report.txt") == "好"
    assert tracker.read_text(study, "data/drift.json") == "{}"
    assert [tracker.read_text(study, name) for name in pictures] == ["a picture", "another"]
    assert tracker.find_runs("monitoring") == ()
    with pytest.raises(TrackingError, match="did not do it"):
        tracker.read_text(study, "missing.txt")
