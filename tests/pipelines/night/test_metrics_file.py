"""The file of metrics says what the last run of `score` did, however it ended, and never stops a night."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from configs.schema.pipeline import ScoringConfig
from pipelines.night.metrics_file import write_metrics
from pipelines.scoring import bucket_steps
from pipelines.scoring.bucket import BucketTask
from tests.pipelines.trained_world import NIGHT, RISKS, World


def metrics(path: Path) -> dict[str, float]:
    """Values by name and labels."""
    found: dict[str, float] = {}
    for family in text_string_to_metric_families(path.read_text(encoding="utf-8")):
        assert family.type == "gauge"
        assert family.documentation
        for sample in family.samples:
            labels = ",".join(f'{name}="{text}"' for name, text in sample.labels.items())
            key = sample.name + (f"{{{labels}}}" if labels else "")
            assert key not in found, "a series stands in the file once"
            found[key] = sample.value
    return found


def test_a_night_leaves_its_figures(scored: World) -> None:
    found = metrics(scored.path / "metrics/parcel_risk.prom")
    lines = scored.store.read_declarations(NIGHT).height
    rows = {state: found[f'parcel_risk_score_rows{{state="{state}"}}'] for state in ("in", "kept", "scored")}
    assert rows == dict.fromkeys(rows, lines)
    assert found['parcel_risk_score_rows{state="missing"}'] == 0
    assert found["parcel_risk_score_exit_code"] == 0
    assert found["parcel_risk_score_parcels_listed"] == scored.listed().height
    assert found['parcel_risk_score_step_seconds{step="scores"}'] > 0
    ended = found["parcel_risk_score_last_run_timestamp_seconds"]
    assert found["parcel_risk_score_last_success_timestamp_seconds"] == ended
    for risk in RISKS:
        assert found[f'parcel_risk_model_info{{risk="{risk}",version="1"}}'] == 1


def test_scoring_an_old_day_renews_neither_the_last_success_nor_the_newest_day(scored_world: World) -> None:
    file = scored_world.path / "metrics/parcel_risk.prom"
    before = metrics(file)
    newest = "parcel_risk_score_newest_listed_day_timestamp_seconds"
    assert before[newest] == datetime(NIGHT.year, NIGHT.month, NIGHT.day, tzinfo=UTC).timestamp()
    assert scored_world.score(NIGHT - timedelta(days=3)) == 0
    after = metrics(file)
    same = "parcel_risk_score_last_success_timestamp_seconds"
    assert (after[same], after[newest]) == (before[same], before[newest])
    ran = "parcel_risk_score_last_run_timestamp_seconds"
    assert after[ran] > before[ran]
    # Scored now, but two days since then never were.
    assert after["parcel_risk_score_days_without_lists"] == 2


def test_a_night_with_gaps_and_one_that_fails_say_so_and_keep_the_last_success(
    scored_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = scored_world.path / "metrics/parcel_risk.prom"
    success = metrics(file)["parcel_risk_score_last_success_timestamp_seconds"]
    real = bucket_steps.score_bucket

    def score_bucket(task: BucketTask) -> int:
        if task.file.name.startswith("bucket-000-"):
            raise MemoryError
        return real(task)

    with monkeypatch.context() as patch:
        patch.setattr(bucket_steps, "score_bucket", score_bucket)
        assert scored_world.score(NIGHT + timedelta(days=1)) == 5
    found = metrics(file)
    assert found["parcel_risk_score_exit_code"] == 5
    assert found['parcel_risk_score_rows{state="missing"}'] > 0
    assert found["parcel_risk_score_buckets_set_aside"] == 1
    assert scored_world.run("score", "--date", "2031-01-01") == 2
    found = metrics(file)
    assert found["parcel_risk_score_exit_code"] == 2
    assert found["parcel_risk_score_last_success_timestamp_seconds"] == success
    assert found["parcel_risk_score_last_run_timestamp_seconds"] > success


def test_values_are_rounded_to_thousandths_and_a_series_without_a_value_is_left_out(tmp_path: Path) -> None:
    file = tmp_path / "risk.prom"
    write_metrics(tmp_path, ScoringConfig(metrics_file=str(file)), None, 1, 1.23456)
    assert file.read_text(encoding="utf-8").splitlines()[-3:] == [
        "# HELP parcel_risk_score_duration_seconds Seconds that the last run of score took.",
        "# TYPE parcel_risk_score_duration_seconds gauge",
        "parcel_risk_score_duration_seconds 1.235",
    ]
    assert "last_success" not in file.read_text(encoding="utf-8")


def test_the_last_success_of_a_file_of_version_0_1_is_kept(tmp_path: Path) -> None:
    file = tmp_path / "risk.prom"
    name = "parcel_risk_score_last_success_timestamp_seconds"
    file.write_text(f"# HELP {name} When.\n# TYPE {name} gauge\n{name} 1795966765.123\n")
    write_metrics(tmp_path, ScoringConfig(metrics_file=str(file)), None, 2, 1.0)
    assert metrics(file)[name] == 1795966765.123


def test_a_file_that_somebody_else_broke_stops_no_night(tmp_path: Path) -> None:
    file = tmp_path / "risk.prom"
    file.write_text("half a {line\n")
    write_metrics(tmp_path, ScoringConfig(metrics_file=str(file)), None, 2, 1.0)
    assert metrics(file)["parcel_risk_score_exit_code"] == 2


def test_the_file_is_whole_or_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "elsewhere" / "risk.prom"
    write_metrics(tmp_path, ScoringConfig(metrics_file=str(file)), None, 0, 1.0)
    before = file.read_text(encoding="utf-8")
    monkeypatch.setattr(os, "rename", refuse)
    write_metrics(tmp_path, ScoringConfig(metrics_file=str(file)), None, 1, 2.0)
    assert file.read_text(encoding="utf-8") == before
    assert [path.name for path in file.parent.iterdir()] == ["risk.prom"]


def refuse(path: str, target: str) -> None:
    raise OSError(28, "No space left on device", path)


def test_a_store_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    write_metrics(tmp_path / "none", ScoringConfig(), None, 1, 1.0)
    assert not (tmp_path / "none").exists()
