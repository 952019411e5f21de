"""Training learns from what was known on its day, and says what became of each risk and who is champion."""

from __future__ import annotations

import json
import shutil
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest

from models.fitting.bounds import STANDS_FOR
from models.fitting.cross_fitted_rates import APART_DAYS, RateKeys, cross_fitted
from models.fitting.training import known_lines
from models.goods.columns import GOODS_COLUMNS
from models.tracking.run_content import LoggedRun
from models.tracking.tracker import Tracker
from pipelines.history.chronicle import Chronicle
from pipelines.store.day_table import DayTable
from pipelines.store.store import Store
from pipelines.training.frames import TrainingData, training_data
from pipelines.work.progress import Progress
from tests.pipelines.trained_world import (
    DAYS,
    END,
    NIGHT,
    RISKS,
    TRAINED_UNTIL,
    World,
    different,
    without_server,
)

EARLY = END - timedelta(days=DAYS - 8)
NEXT = NIGHT + timedelta(days=1)
REPEATED = "undervaluation"


def data_of(world: World) -> TrainingData:
    risks = [world.settings.risks["undervaluation"]]
    return training_data(Chronicle(world.store, world.settings), risks, EARLY, Progress.silent())


@pytest.fixture(scope="module")
def early(untrained: World) -> TrainingData:
    """What a training of an early day learns from."""
    return data_of(untrained)


def test_nothing_later_than_its_day_enters_training(
    tmp_path: Path, untrained: World, early: TrainingData
) -> None:
    world = untrained.copy(tmp_path)
    for table in (DayTable.DECLARATIONS, DayTable.INSPECTIONS):
        for day in world.store.days(table):
            if day > EARLY:
                shutil.rmtree(world.store.layout.partition(table, day))
    cut, whole = data_of(world), early
    assert cut.frames["undervaluation"].equals(whole.frames["undervaluation"])
    assert cut.fingerprint == whole.fingerprint
    assert cut.history.lineage == whole.history.lineage
    frame = whole.frames["undervaluation"]
    assert frame["declared_on"].max() <= EARLY  # type: ignore[operator]
    assert frame["reported_on"].max() <= EARLY  # type: ignore[operator]
    reported = (
        untrained.store.read_inspections(reported_to=EARLY).select("declaration_id", "line_no").unique()
    )
    assert frame.height == reported.height


def test_the_newest_days_bring_some_of_all_lines_beside_the_inspected(
    untrained: World, early: TrainingData
) -> None:
    drawn, frame = early.all_lines["undervaluation"], early.frames["undervaluation"]
    features = [name for name in drawn.columns if name != STANDS_FOR]
    assert features == frame.columns[: len(features)]
    per_day = drawn.group_by("declared_on").agg(pl.len(), pl.col(STANDS_FOR).sum()).sort("declared_on")
    lines = [untrained.store.read_declarations(day).height for day in per_day["declared_on"]]
    assert per_day[STANDS_FOR].to_list() == pytest.approx(lines)
    gate = untrained.settings.pipeline.gate
    assert per_day["len"].max() <= gate.sample_lines  # type: ignore[operator]
    key = ["declaration_id", "line_no"]
    both = drawn.join(frame.select(*key, "price__total_cny"), on=key, suffix="_inspected")
    assert 0 < both.height < drawn.height
    assert both["price__total_cny"].equals(both["price__total_cny_inspected"])


def test_one_goods_model_serves_every_risk_that_wants_it(untrained: World) -> None:
    risks = dict(untrained.settings.risks)
    risks["food_safety"] = risks["food_safety"].model_copy(update={"goods_models": False})
    chronicle = Chronicle(untrained.store, untrained.settings)
    data = training_data(chronicle, list(risks.values()), END, Progress.silent())
    assert data.goods is not None
    for name, frame in data.frames.items():
        goods = [column for column in frame.columns if column.startswith("model__goods_")]
        assert goods == ([] if name == "food_safety" else list(GOODS_COLUMNS))
        assert set(goods) <= set(data.all_lines[name].columns)


def test_slow_results_are_learned_from_across_time_by_the_keys_of_the_history(untrained: World) -> None:
    risk = untrained.settings.risks["food_safety"]
    chronicle = Chronicle(untrained.store, untrained.settings)
    data = training_data(chronicle, [risk], END, Progress.silent())
    pipeline = untrained.settings.pipeline
    lines = known_lines(data.frames[risk.name], risk, pipeline.training)
    learned = cross_fitted(lines, risk, RateKeys.of(pipeline))
    rows = lines.with_row_index("row").select(
        "row", "declared_on", "food_safety", "seller_id", hs6=pl.col("hs_code").str.slice(0, 6)
    )
    apart = (pl.col("declared_on") - pl.col("declared_on_other")).dt.total_days().abs()
    for name, columns in {"seller": ["seller_id"], "seller_hs6": ["seller_id", "hs6"]}.items():
        others = (
            rows.drop_nulls(columns)
            .join(rows, on=columns, suffix="_other")
            .filter(apart > APART_DAYS)
            .group_by("row")
            .agg(inspected=pl.len(), findings=pl.col("food_safety_other").sum())
        )
        wanted = rows.join(others, on="row", how="left", maintain_order="left")
        for kind in ("inspected", "findings"):
            got = learned[f"hit_rate__{name}_{kind}"].fill_null(0.0).to_list()
            assert got == wanted[kind].fill_null(0).to_list(), (name, kind)
            assert sum(got) > lines[f"hit_rate__{name}_{kind}"].sum()


def test_a_first_training_says_what_became_of_each_risk(trained: World) -> None:
    said = json.loads(trained.store.layout.manifests("train")[-1].read_text(encoding="utf-8"))
    assert said["model_versions"] == dict.fromkeys(RISKS, "1")
    assert said["rows_in"] == said["rows_kept"] > 0
    assert len(said["data_fingerprint"]) == 64
    assert {"features", *RISKS} <= set(said["seconds"])
    assert trained.store.days(DayTable.PROFILES) == [TRAINED_UNTIL]


@pytest.fixture(scope="module")
def twice(tmp_path_factory: pytest.TempPathFactory, scored: World) -> World:
    """Trained a second time after a night. Changed by the tests below in the order of their lines."""
    world = scored.copy(tmp_path_factory.mktemp("twice"))
    assert world.run("train", "--risk", "food_safety", "--until", str(NIGHT)) == 0
    return world


@pytest.fixture(scope="module")
def run(trained: World) -> tuple[Tracker, LoggedRun]:
    """The first training of a risk as MLflow holds it."""
    with without_server():
        tracker = Tracker.in_folder(trained.store.layout.mlflow)
        (found,) = tracker.find_runs("training", {"risk": REPEATED})
    return tracker, found


def test_a_run_says_what_it_is_repeated_from(run: tuple[Tracker, LoggedRun]) -> None:
    tracker, found = run
    assert found.finished
    named = {"until", "seed", "data_fingerprint", "configuration_fingerprint", "code_version", "gate"}
    assert named <= set(found.tags)
    assert (found.tags["until"], found.tags["seed"]) == (str(TRAINED_UNTIL), "7")
    packages = json.loads(tracker.read_text(found.run_id, "packages.json"))
    assert {"python", "lightgbm", "numpy", "polars"} <= set(packages)
    page = tracker.read_text(found.run_id, "report.html")
    assert found.tags["data_fingerprint"] in page


def test_a_run_shows_plain_rivals_beside_the_model(run: tuple[Tracker, LoggedRun]) -> None:
    tracker, found = run
    page = tracker.read_text(found.run_id, "report.html")
    for name, called in {"lightgbm": "LightGBM", "best_key": "best key"}.items():
        own, theirs, less = (
            found.metrics[f"{prefix}average_precision"] for prefix in ("", f"{name}.", f"less.{name}.")
        )
        assert less == pytest.approx(own - theirs)
        assert found.metrics[f"less.{name}.average_precision_low"] <= less
        assert f"against {called}</th>" in page
        assert f"model less {called}</th>" in page
    assert found.parameters["best_key"] in page
    assert f"A night sums {int(found.parameters['trees']):,} trees" in page


def test_lines_whose_results_are_not_due_are_not_judged(tmp_path: Path, trained: World) -> None:
    tracker = Tracker.in_folder(trained.store.layout.mlflow)
    (champion,) = (found for found in tracker.champions() if found.risk == REPEATED)
    judged = pl.read_parquet(tracker.out_of_time(champion, tmp_path))
    waits = trained.settings.risks[REPEATED].maturity_days
    assert judged["declared_on"].max() == TRAINED_UNTIL - timedelta(days=waits)
    tracker.download_champion(REPEATED, tmp_path / "model")
    learned = json.loads((tmp_path / "model" / "model.json").read_text(encoding="utf-8"))["metadata"]
    assert date.fromisoformat(learned["declared_to"]) > judged["declared_on"].max()  # type: ignore[operator]


def test_a_run_repeated_from_what_it_logged_gives_the_same_model(
    tmp_path: Path, run: tuple[Tracker, LoggedRun], untrained: World, trained: World
) -> None:
    tracker, found = run
    configs = tmp_path / "logged"
    for name in ("pipeline.yaml", f"risks/{REPEATED}.yaml"):
        (configs / name).parent.mkdir(parents=True, exist_ok=True)
        text = tracker.read_text(found.run_id, f"configuration/{name}")
        (configs / name).write_text(text, encoding="utf-8")
    again = World(untrained.copy(tmp_path).path, configs)
    assert again.run("train", "--risk", REPEATED, "--until", found.tags["until"]) == 0
    other = Tracker.in_folder(again.store.layout.mlflow)
    (repeated,) = other.find_runs("training", {"risk": REPEATED})
    assert repeated.tags["data_fingerprint"] == found.tags["data_fingerprint"]
    assert repeated.metrics == found.metrics
    tracker.download_champion(REPEATED, tmp_path / "first")
    other.download_champion(REPEATED, tmp_path / "second")
    first, second = (
        {path.name: path.read_bytes() for path in (tmp_path / name).iterdir()} for name in ("first", "second")
    )
    assert {"model.json", "booster.txt", "columns.json"} <= set(first)
    assert different(first, second) == []


def test_a_second_training_leaves_scores_and_lists_alone(twice: World, scored: World) -> None:
    said = json.loads(twice.store.layout.manifests("train")[-1].read_text(encoding="utf-8"))
    assert said["model_versions"] == {"food_safety": "2"}
    assert different(twice.results("scores", "lists"), scored.results("scores", "lists")) == []


def test_promoting_by_hand_puts_a_version_in_use_and_rolling_back_the_one_before(
    twice: World, capsys: pytest.CaptureFixture[str]
) -> None:
    for version in ("1", "2"):
        assert twice.run("champion promote", "food_safety", version, "--reason", f"trial {version}") == 0
    assert "food_safety: version 2 is now in use" in capsys.readouterr().out
    assert twice.run("champion list") == 0
    said = capsys.readouterr().out
    assert "food_safety: version 2 since " in said
    assert "trial 2" in said
    assert twice.score(NEXT) == 0
    assert "food_safety: model version 2" in capsys.readouterr().out
    second = twice.scores(NEXT)

    assert twice.run("champion rollback", "food_safety", "--reason", "worse on snacks") == 0
    assert "food_safety: version 1 is in use again" in capsys.readouterr().out
    assert twice.score(NEXT) == 0
    said = capsys.readouterr().out
    assert "food_safety: model version 1" in said
    assert "its lists were issued before and stay" in said
    assert twice.scores(NEXT)["undervaluation"].equals(second["undervaluation"])
    assert not twice.scores(NEXT)["food_safety"].equals(second["food_safety"])


def test_a_version_that_is_not_there_is_refused(twice: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert twice.run("champion promote", "food_safety", "9", "--reason", "r") == 2
    assert "has no version 9; its newest versions: 1, 2" in capsys.readouterr().err
    assert twice.run("champion rollback", "undervaluation", "--reason", "r") == 2
    assert "cannot be rolled back" in capsys.readouterr().err


def test_which_store_s_models_has_to_be_said(trained: World, capsys: pytest.CaptureFixture[str]) -> None:
    from pipelines.cli.main import run

    assert run(["champion", "list"]) == 2
    assert "--store S or the variable MLFLOW_TRACKING_URI" in capsys.readouterr().err


def test_too_few_findings_are_told_and_end_with_3(
    tmp_path: Path, untrained: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world = untrained.copy(tmp_path)
    strict = tmp_path / "strict"
    shutil.copytree(untrained.configs, strict)
    text = (strict / "pipeline.yaml").read_text(encoding="utf-8")
    (strict / "pipeline.yaml").write_text(
        text.replace("min_findings: 4", "min_findings: 100000"), encoding="utf-8"
    )
    code = World(world.path, strict).run("train", "--risk", "food_safety", "--until", str(EARLY))
    said = capsys.readouterr().out
    assert code == 3
    assert "food_safety: not trained" in said
    assert "at least 100000 are needed (training.min_findings)" in said


def test_a_store_without_results_is_told(
    tmp_path: Path, untrained: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world = untrained.copy(tmp_path)
    shutil.rmtree(world.path / "inspections")
    assert world.run("train") == 3
    assert "expected inspections reported up to" in capsys.readouterr().err
    empty = World(Store.create(tmp_path / "empty").path, world.configs)
    assert empty.run("train") == 3
    assert "expected declarations and inspections" in capsys.readouterr().err


def test_results_of_unknown_lines_alone_are_told(
    tmp_path: Path, untrained: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world = World(tmp_path / "S", untrained.configs)
    pl.DataFrame(
        {
            "declaration_id": ["X"], "line_no": [1], "inspected_on": ["2026-11-01"],
            "reported_on": ["2026-11-02"], "food_safety": ["true"],
        }
    ).write_csv(tmp_path / "results.csv")  # fmt: skip
    assert world.run("ingest", tmp_path / "results.csv") == 0
    assert world.run("train") == 3
    assert "none of the 1 lines inspected" in capsys.readouterr().err
