"""What a night reads has to be what was written: scores that rest on a flipped bit are never published."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from pipelines.store.day_table import PROFILE, DayTable
from tests.pipelines.store.test_digests import flip_a_bit
from tests.pipelines.trained_world import NIGHT, World, different


def history(world: World) -> Path:
    return world.store.layout.partition(DayTable.PROFILES, NIGHT)


def test_a_night_refuses_a_history_with_a_flipped_bit_and_says_how_to_go_on(
    scored_world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    file = history(scored_world) / "key-seller.parquet"
    flip_a_bit(file)
    assert scored_world.score(NIGHT + timedelta(days=1)) == 1
    said = capsys.readouterr().err
    assert f"{file} is damaged" in said
    assert f"Delete the folder {history(scored_world)}" in said
    for path in history(scored_world).iterdir():
        path.unlink()
    history(scored_world).rmdir()
    assert scored_world.score(NIGHT + timedelta(days=1)) == 0


def test_a_description_of_the_history_that_was_cut_short_is_named(
    scored_world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    (history(scored_world) / PROFILE).write_text('{"as_of": "2026-11-18"}')
    assert scored_world.score(NIGHT + timedelta(days=1)) == 1
    assert f"{history(scored_world) / PROFILE} is damaged" in capsys.readouterr().err


def test_results_with_a_flipped_bit_are_refused(
    scored_world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    layout = scored_world.store.layout
    file = layout.file(DayTable.INSPECTIONS, layout.days(DayTable.INSPECTIONS)[0])
    flip_a_bit(file)
    assert scored_world.run("train", "--risk", "undervaluation") == 1
    assert f"{file} is damaged" in capsys.readouterr().err


@pytest.mark.parametrize(("table", "code"), [(DayTable.SCORES, 1), (DayTable.VALUES, 5)])
def test_lists_are_not_made_again_from_scores_with_a_flipped_bit(
    table: DayTable, code: int, scored_world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    file = scored_world.store.layout.files(table, NIGHT)[0]
    flip_a_bit(file)
    assert scored_world.run("select", "--date", NIGHT.isoformat()) == code
    said = "".join(capsys.readouterr())
    assert f"{file} is damaged" in said
    assert f"delete the folder {file.parent} and score the day again" in said


def test_an_outcome_of_no_bytes_is_named_and_the_day_is_scored_again(
    scored_world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    before, file = scored_world.results(), scored_world.store.layout.outcome(NIGHT)
    file.write_bytes(b"")
    assert scored_world.score() == 0
    said = capsys.readouterr().err
    assert f"{file} is damaged: expected a JSON object, found 0 bytes that are none" in said
    assert different(scored_world.results(), before) == []


def test_a_damaged_copy_of_a_model_is_fetched_again_or_refused_while_mlflow_is_away(
    scored_world: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, no_server: str
) -> None:
    copies = scored_world.store.layout.models("undervaluation")
    file = next(path for path in sorted(copies.rglob("*.txt")) if path.stat().st_size > 1000)
    before = file.read_bytes()
    flip_a_bit(file)
    assert scored_world.score(NIGHT + timedelta(days=1)) == 1
    said = capsys.readouterr().err
    assert f"{file} is damaged" in said
    assert "While MLflow answers, it is fetched again" in said
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    assert scored_world.score(NIGHT + timedelta(days=1), "--quiet") == 0
    assert f"{file} is damaged" in capsys.readouterr().err
    assert file.read_bytes() == before
