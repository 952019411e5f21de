"""A night with documents: they are checked first, and tell as features and as entries of lists."""

from __future__ import annotations

import html
import json
import shutil
from datetime import timedelta
from pathlib import Path

import mlflow
import numpy as np
import polars as pl
import pytest

from configs.loader import load_settings
from configs.schema.checks import DOCUMENT_CHECKS
from features.check import FINDINGS
from features.contract.declarations import LINE_KEY
from features.pattern import RING_DEFAULTS
from models.tracking.tracker import Tracker
from pipelines.backtest.working_store import start_store
from pipelines.history.checked import with_checked
from pipelines.history.chronicle import Chronicle
from pipelines.scoring.features_of_day import features_of_day
from pipelines.simulation.run import simulate
from pipelines.store.day_table import DayTable
from pipelines.store.files import read_json
from pipelines.training.frames import replay_features
from pipelines.work.progress import Progress
from tests.pipelines.taken_in import take_in
from tests.pipelines.trained_world import DAYS, END, NIGHT, World, results_of, without_server, write_configs


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> World:
    """A world with documents, checked, trained and scored; some are opened whatever their risk."""
    folder = tmp_path_factory.mktemp("documents")
    world = World(folder / "S", write_configs(folder / "configs"))
    (world.configs / "capacity.yaml").write_text(
        "default: {parcels: 20}\n"
        "must_inspect:\n"
        "  - {column: check, value: consignee, since: 2026-01-01, reason: other addresses}\n",
        encoding="utf-8",
    )
    with without_server():
        simulate(
            world.path, days=DAYS, parcels_per_day=200, end=END, seed=5, drift=False, documents=True,
            rings=True, settings=world.settings, progress=Progress.silent(),
        )  # fmt: skip
        take_in(world.path, results_of(world.path), settings=world.settings)
        first, eve = world.store.declaration_days()[0], NIGHT.replace(day=NIGHT.day - 1)
        assert world.run("check", "--date", str(first), "--to", str(eve), "--quiet") == 0
        assert world.run("train", "--risk", "undervaluation", "--until", str(eve), "--quiet") == 0
        assert world.score() == 0
    return world


def findings(world: World) -> pl.DataFrame:
    file = world.store.layout.file(DayTable.CHECKS, NIGHT)
    return pl.read_parquet(file, hive_partitioning=False)


def test_the_night_checks_its_day_and_the_features_say_so(night: World) -> None:
    found = findings(night)
    told = set(found["check"]) & set(DOCUMENT_CHECKS)
    assert len(told) >= 4
    features = pl.from_pandas(features_of_day(night.path, NIGHT, "undervaluation", night.settings))
    for check in told:
        parcels = found.filter(check=check)["declaration_id"].implode()
        wanted = features.select(pl.col("declaration_id").is_in(parcels).cast(pl.Float64)).to_series()
        assert features[f"documents__{check}"].to_list() == wanted.to_list()
        assert wanted.sum() > 0
    of_parcel = found.filter(pl.col("outcome") != "note").group_by("declaration_id").agg(pl.n_unique("check"))
    counts = features.join(of_parcel, on="declaration_id", how="left")["check"].fill_null(0)
    assert features["documents__findings"].to_list() == counts.cast(pl.Float64).to_list()


def test_models_and_backtests_learn_from_what_checks_found(night: World, tmp_path: Path) -> None:
    tracker = Tracker.in_folder(night.store.layout.mlflow)
    tracker.download_champion("undervaluation", tmp_path / "model")
    learned = json.loads((tmp_path / "model" / "columns.json").read_text(encoding="utf-8"))["names"]
    assert {f"documents__{check}" for check in DOCUMENT_CHECKS} < set(learned)
    assert {f"rings__{fact}" for fact in RING_DEFAULTS} < set(learned)
    assert "returns__seller_share" in learned

    eve = NIGHT - timedelta(days=1)
    start = start_store(night.store, tmp_path / "start", eve, NIGHT)
    for table in (DayTable.CHECKS, DayTable.PATTERNS):
        assert start.days(table) == night.store.days(table)


@pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy is deprecated")
def test_the_night_knows_of_patterns_what_a_training_does(
    night: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = f"sqlite:///{night.path.with_name('S.mlflow') / 'mlflow.db'}"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
    chronicle = Chronicle(night.store, night.settings)
    risk = night.settings.risk("undervaluation")
    every = night.store.read_declarations(NIGHT, list(LINE_KEY))
    *_, (day, part, _) = replay_features(chronicle, every, [risk], NIGHT, Progress.silent())
    assert day == NIGHT
    assert part is not None
    replayed = part.inspected[risk.name]
    told = replayed.select(pl.col("^rings__.*$", "^returns__.*$"))
    assert told.width > 20
    assert told["rings__telephone_buyers"].max() > 1
    assert told["returns__seller_lines"].max() > 0
    model = mlflow.pyfunc.load_model("models:/parcel-risk-undervaluation@champion")
    said = np.asarray(model.predict(replayed.to_pandas()), dtype=np.float64)
    keys = replayed.select("declaration_id", pl.col("line_no").cast(pl.Int32))
    scores = keys.join(night.scores(), on=list(LINE_KEY), how="left", maintain_order="left")
    assert (said.view(np.uint64) == scores["undervaluation"].to_numpy().view(np.uint64)).all()


def test_what_a_check_found_is_opened_where_the_configuration_says_so(night: World) -> None:
    listed = night.listed()
    wanted = set(findings(night).filter(check="consignee")["declaration_id"])
    assert wanted
    of_rule = listed.filter(selection="rule")
    assert set(of_rule["declaration_id"]) | set(listed.filter(selection="random")["declaration_id"]) >= wanted
    assert set(of_rule["declaration_id"]) <= wanted
    assert of_rule["reason_1"].str.contains("other addresses").all()


def test_the_case_of_a_parcel_shows_what_its_documents_say(night: World) -> None:
    found = findings(night).filter(check="consignee")
    listed = night.listed().join(found, on="declaration_id", suffix="_of")
    assert listed.height > 0
    for row in listed.iter_rows(named=True):
        page = night.store.layout.partition(DayTable.LISTS, NIGHT) / f"{row['customs_office']}.html"
        text = html.unescape(page.read_text(encoding="utf-8"))
        (case,) = (
            each
            for each in text.split("<template ")
            if each.startswith(f'data-case="{row["declaration_id"]}"')
        )
        assert "order, waybill and inventory name different addresses" in case
        assert f"{row['found']}; expected: {row['expected']}" in case


def test_a_day_is_scored_again_where_its_documents_changed(night: World, tmp_path: Path) -> None:
    world = night.copy(tmp_path)
    before, named = world.results("scores", "lists"), read_json(world.store.layout.outcome(NIGHT))["run"]
    assert world.score() == 0
    assert world.results("scores", "lists") == before
    day = world.store.layout.partition(DayTable.PAYMENTS, NIGHT)
    shutil.rmtree(day)
    world.store.layout.digests(day).unlink()
    assert world.score() == 0
    missing = findings(world).filter(check="payment_missing").height
    assert missing > findings(night).filter(check="payment_missing").height
    assert read_json(world.store.layout.outcome(NIGHT))["run"] != named


def test_a_day_whose_documents_are_damaged_is_listed_all_the_same(
    night: World, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    world = night.copy(tmp_path)
    file = world.store.layout.files(DayTable.ORDERS, NIGHT)[0]
    file.write_bytes(b"PAR1")
    shutil.rmtree(world.store.layout.partition(DayTable.LISTS, NIGHT))
    assert world.score() == 0
    assert f"its documents could not be checked: {file} is damaged" in caplog.text
    assert world.listed().height > 0


def test_a_store_without_documents_has_no_such_features(scored: World) -> None:
    assert not scored.store.layout.file(DayTable.CHECKS, NIGHT).exists()
    assert scored.store.layout.file(DayTable.LAW, NIGHT).exists()
    assert scored.store.layout.file(DayTable.ASSESSMENTS, NIGHT).exists()
    lines = scored.store.read_declarations(NIGHT)
    assert FINDINGS not in with_checked(scored.store.layout, NIGHT, lines).columns
    features = features_of_day(scored.path, NIGHT, "undervaluation", load_settings(scored.configs))
    assert [
        name for name in features.columns if name.startswith(("documents__", "rings__", "returns__"))
    ] == []


def test_a_check_that_nobody_knows_is_a_wrong_configuration(night: World, tmp_path: Path) -> None:
    world = World(night.path, tmp_path / "configs")
    world.configs.mkdir()
    (world.configs / "capacity.yaml").write_text(
        "must_inspect: [{column: check, value: buyers, since: 2026-01-01, reason: x}]\n", encoding="utf-8"
    )
    assert world.run("score", "--date", str(NIGHT)) == 2


def test_a_model_that_knows_no_patterns_says_what_it_said(scored: World, tmp_path: Path) -> None:
    world = scored.copy(tmp_path)
    assert world.run("check", "--date", str(NIGHT), "--quiet") == 0
    assert world.store.days(DayTable.PATTERNS) == [NIGHT]
    assert world.score() == 0
    assert world.scores().equals(scored.scores())
