"""A day is watched: what is written, what a change of prices is called, and what an absent server does."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from configs.schema.capacity import CapacityConfig
from models.tracking.tracker import Tracker
from pipelines.monitoring.days import NEWCOMERS
from pipelines.monitoring.monitor import MonitorReport, monitor
from pipelines.monitoring.page import ToldFindings, monitor_page
from pipelines.pages.naming import Naming
from pipelines.store.day_table import DayTable
from pipelines.store.files import write_table
from pipelines.work.progress import Progress
from tests.english import english_in
from tests.pipelines.trained_world import END, NIGHT, RISKS, World, without_server

CHANGED_ON = date(2026, 11, 12)
PRICES = ("unit_price", "total_price")


def pretend_scores(world: World) -> None:
    """Scores of the days before the night; food_safety had another model until `CHANGED_ON`."""
    rng, store = np.random.default_rng(1), world.store
    for day in (NIGHT - timedelta(days=back) for back in range(1, 14)):
        lines = store.read_declarations(day, ["declaration_id", "line_no"])
        scores = lines.with_columns(pl.Series(risk, rng.beta(1.0, 60.0, lines.height)) for risk in RISKS)
        values = lines.with_columns(pl.lit(100.0).alias(risk) for risk in RISKS)
        for kind, table in ((DayTable.SCORES, scores), (DayTable.VALUES, values)):
            folder = store.layout.partition(kind, day)
            folder.mkdir(parents=True)
            write_table(table, folder / "bucket-000-of-001.parquet")
        versions = dict.fromkeys(RISKS, "1") | ({"food_safety": "0"} if day < CHANGED_ON else {})
        manifest = world.path / f"manifests/score-{day}-1.json"
        manifest.write_text(json.dumps({"model_versions": versions}), encoding="utf-8")


def replace_prices(world: World, factor: float) -> None:
    store = world.store
    lines = store.read_declarations(NIGHT).with_columns(pl.col(name) * factor for name in PRICES)
    with store.lock("test"), store.transaction() as t:
        store.write_declarations(t, NIGHT, lines, world.settings.pipeline.store.bucket_rows)


def report_of(world: World) -> dict[str, Any]:
    file = world.path / f"monitoring/date={NIGHT}/report.json"
    content: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return content


@pytest.fixture(scope="module")
def monitored(tmp_path_factory: pytest.TempPathFactory, scored: World) -> World:
    """The world after `monitor` of the night. Not to be changed."""
    with without_server():
        world = scored.copy(tmp_path_factory.mktemp("monitored"))
        pretend_scores(world)
        assert world.run("monitor", "--date", NIGHT.isoformat(), "--weeks", "2", "--quiet") == 0
    return world


@pytest.fixture(scope="module")
def cheaper(tmp_path_factory: pytest.TempPathFactory, scored: World) -> tuple[World, MonitorReport]:
    """The same night with prices of a twentieth, watched while the server is away, and what was reported."""
    world = scored.copy(tmp_path_factory.mktemp("cheaper"))
    replace_prices(world, 0.05)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_TRACKING_URI", "http://ana:s3cret@127.0.0.1:9")
        report = monitor(world.path, day=NIGHT, settings=world.settings, progress=Progress.silent())
    return world, report


def test_the_report_has_every_part(monitored: World) -> None:
    content = report_of(monitored)
    assert content["date"] == NIGHT.isoformat()
    assert content["verdict"] in ("fine", "watch", "retrain")
    assert content["lines"] == monitored.scores().height
    assert content["thresholds"]["weeks"] == 2
    assert len(content["reference_days"]) == 5
    first = (NIGHT - timedelta(weeks=2)).isoformat()
    assert all(first <= day < NIGHT.isoformat() for day in content["reference_days"])
    assert {"price", "goods", "hit_rate (undervaluation)"} <= {row["block"] for row in content["blocks"]}
    assert all(row["limit"] > row["expected"] > 0 for row in content["features"])
    assert set(content["results"]) == set(content["label_delay"]) == set(RISKS)
    assert set(content["newcomers"]) == set(NEWCOMERS.values())
    assert {row["risk"] for row in content["results_to_come"]} == set(RISKS)


def test_results_are_counted_with_the_probabilities_of_their_day(monitored: World) -> None:
    mature_to = NIGHT - timedelta(days=3)
    inspections = pl.concat(
        pl.read_parquet(file, hive_partitioning=False).with_columns(pl.lit(day).alias("reported_on"))
        for day in monitored.store.inspection_days()
        if day <= NIGHT
        for file in [monitored.path / f"inspections/reported_on={day}/inspections.parquet"]
    ).filter(pl.col("selection").is_in(["risk", "random"]))
    chosen = inspections.group_by("declaration_id", "line_no").agg(pl.col("food_safety").any())
    expected, lines, findings = 0.0, 0, 0
    for back in range(14):
        day = mature_to - timedelta(days=back)
        if (monitored.path / f"scores/declared_on={day}").exists() and day >= CHANGED_ON:
            scores = monitored.scores(day).rename({"food_safety": "p"})
            joined = scores.join(chosen, on=["declaration_id", "line_no"])
            expected, lines = expected + joined["p"].sum(), lines + joined.height
            findings += int(joined["food_safety"].fill_null(False).sum())
    (row,) = (
        row
        for row in report_of(monitored)["results"]["food_safety"]["calibration"]
        if row["share"] == "all but referrals"
    )
    assert lines > 20
    assert (row["lines"], row["findings"]) == (lines, findings)
    assert row["expected"] == pytest.approx(expected)
    assert row["versions"] == ["1"]


def test_a_model_that_was_replaced_is_said_and_its_scores_are_left_out(monitored: World) -> None:
    content = report_of(monitored)
    assert content["model_changes"] == [
        {"risk": "food_safety", "from_day": CHANGED_ON.isoformat(), "before": "0", "after": "1"}
    ]
    assert any("version 0 was replaced by 1" in note for note in content["notes"])
    shifts = {row["group"]: row for row in content["scores"] if row["scope"] == "all offices"}
    own_days = sum(monitored.scores(NIGHT - timedelta(days=back)).height for back in range(1, 7))
    assert shifts["food_safety"]["reference_lines"] <= own_days
    # What was pretended resembles no model.
    assert any(reason["check"] == "score drift" for reason in content["reasons"])


def test_the_page_stands_alone(monitored: World) -> None:
    page = (monitored.path / f"monitoring/date={NIGHT}/report.html").read_text(encoding="utf-8")
    (style,) = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    page = html.unescape(page)
    assert f"default-src 'none'; style-src 'sha256-{digest}'" in page
    assert page.count("<svg") >= 4
    assert not re.search(r"<script|<link|<img|\bsrc=|\bhref=|url\(|@import|\bstyle=", page)
    assert re.findall(r"https?://[^\"' ]+", page.replace("http://www.w3.org/2000/svg", "")) == []
    assert "prefers-color-scheme: dark" in page
    content = report_of(monitored)
    for reason in content["reasons"]:
        assert reason["subject"] in page
    chinese = monitored.settings.model_copy(update={"capacity": CapacityConfig(language="zh-CN")})
    told = ToldFindings(Naming.of(chinese), "正常", [], [])
    assert not english_in(monitor_page(content, told))


def test_the_report_is_a_run_in_mlflow_and_the_manifest_names_the_models(monitored: World) -> None:
    (run,) = Tracker.in_folder(monitored.store.layout.mlflow).find_runs("monitoring")
    content = report_of(monitored)
    assert run.tags["verdict"] == content["verdict"]
    assert run.parameters["weeks"] == "2"
    assert run.metrics["lines"] == content["lines"]
    assert "drift/price" in run.metrics
    (manifest,) = monitored.store.layout.manifests("monitor")
    said = json.loads(manifest.read_text(encoding="utf-8"))
    assert manifest.name == f"monitor-{NIGHT}-1.json"
    assert said["rows_in"] == said["rows_kept"] == content["lines"]
    assert said["model_versions"] == content["model_versions"]


def test_replaced_prices_are_named_with_their_block(cheaper: tuple[World, MonitorReport]) -> None:
    content = report_of(cheaper[0])
    assert content["verdict"] in ("watch", "retrain")
    (reason,) = (reason for reason in content["reasons"] if reason["subject"] == "price")
    assert reason["check"] == "feature drift"
    assert "price__" in reason["text"]
    shifted = {row["block"] for row in content["blocks"] if row["level"] != "fine"}
    assert not shifted & {"goods", "route", "text", "weight", "calendar"}


def test_a_server_that_is_away_costs_a_warning_only(cheaper: tuple[World, MonitorReport]) -> None:
    world, report = cheaper
    assert report.exit_code == 0
    (warning,) = report.warnings
    assert "cannot be reached" in warning
    assert "but not in MLflow" in warning
    assert report.as_dict()["warnings"] == [warning]
    assert (world.path / f"monitoring/date={NIGHT}/report.html").exists()
    assert Tracker.in_folder(world.store.layout.mlflow).find_runs("monitoring") == ()


def test_the_password_of_an_address_is_not_shown(cheaper: tuple[World, MonitorReport]) -> None:
    report = cheaper[1]
    assert report.as_dict()["tracking_uri"] == "http://127.0.0.1:9"
    assert "s3cret" not in str([report.as_dict(), report.lines()])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--date", END.isoformat()], f"expected scores of {END}"),
        (["--date", NIGHT.isoformat(), "--weeks", "0"], "--weeks"),
    ],
)
def test_what_cannot_be_watched_is_wrong_usage(
    scored: World, options: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert scored.run("monitor", *options) == 2
    assert said in capsys.readouterr().err


def test_thresholds_in_the_wrong_order_are_refused(
    scored: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "pipeline.yaml").write_text("monitoring: {drift_watch: 0.5}\n", encoding="utf-8")
    arguments = World(scored.path, tmp_path).run("monitor", "--date", NIGHT.isoformat())
    assert arguments == 2
    assert "drift_retrain above drift_watch" in capsys.readouterr().err
