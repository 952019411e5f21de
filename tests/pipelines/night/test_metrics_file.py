"""The file of metrics says what the last run of `score` did, however it ended, and never stops a night."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pipelines.night import metrics_file
from pipelines.night.metrics_file import Gauge, exposition, write_metrics
from pipelines.scoring import day_steps
from pipelines.scoring.bucket import BucketTask
from tests.pipelines.trained_world import NIGHT, RISKS, World

LINE = re.compile(r'([a-z_]+)(?:\{([a-z]+="(?:[^"\\\n]|\\["\\n])*"(?:,[a-z]+="[^"]*")*)\})? (\S+)')


def metrics(path: Path) -> dict[str, float]:
    """Values by name and labels; every line has to follow the format."""
    text = path.read_text(encoding="utf-8")
    assert text.endswith("\n")
    found: dict[str, float] = {}
    for line in text.splitlines():
        if line.startswith("#"):
            assert re.fullmatch(r"# (HELP [a-z_]+ .+|TYPE [a-z_]+ gauge)", line)
            continue
        match = LINE.fullmatch(line)
        assert match, line
        key = match[1] if match[2] is None else f"{match[1]}{{{match[2]}}}"
        assert key not in found, "a series stands in the file once"
        found[key] = float(match[3])
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


def test_a_night_with_gaps_and_one_that_fails_say_so_and_keep_the_last_success(
    scored_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = scored_world.path / "metrics/parcel_risk.prom"
    success = metrics(file)["parcel_risk_score_last_success_timestamp_seconds"]
    real = day_steps.score_bucket

    def score_bucket(task: BucketTask) -> int:
        if task.file.name.startswith("bucket-000-"):
            raise MemoryError
        return real(task)

    with monkeypatch.context() as patch:
        patch.setattr(day_steps, "score_bucket", score_bucket)
        assert scored_world.score(scored_world.store.declaration_days()[-1]) == 5
    found = metrics(file)
    assert found["parcel_risk_score_exit_code"] == 5
    assert found['parcel_risk_score_rows{state="missing"}'] > 0
    assert found["parcel_risk_score_buckets_set_aside"] == 1
    assert scored_world.run("score", "--date", "2031-01-01") == 2
    found = metrics(file)
    assert found["parcel_risk_score_exit_code"] == 2
    assert found["parcel_risk_score_last_success_timestamp_seconds"] == success
    assert found["parcel_risk_score_last_run_timestamp_seconds"] > success


def test_labels_and_help_are_escaped() -> None:
    text = exposition([Gauge("a", "first\nsecond \\", [({"of": 'x"\\\ny'}, 0.5), ({"of": "z"}, 2.0)])])
    assert text == (
        "# HELP a first\\nsecond \\\\\n# TYPE a gauge\n" + r'a{of="x\"\\\ny"} 0.5' + '\na{of="z"} 2\n'
    )
    assert exposition([Gauge("a", "nothing", [])]) == ""


def test_the_file_is_whole_or_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "elsewhere" / "risk.prom"
    write_metrics(tmp_path, str(file), None, 0, 1.0)
    before = file.read_text(encoding="utf-8")
    monkeypatch.setattr(Path, "replace", refuse)
    write_metrics(tmp_path, str(file), None, 1, 2.0)
    assert file.read_text(encoding="utf-8") == before
    assert [path.name for path in file.parent.iterdir()] == ["risk.prom"]


def refuse(path: Path, target: Path) -> None:
    raise OSError(28, "No space left on device", str(path))


def test_a_store_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    write_metrics(tmp_path / "none", None, None, 1, 1.0)
    assert not (tmp_path / "none").exists()
    assert metrics_file.exposition([]) == ""
