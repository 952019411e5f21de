"""A night that was missed is made up for by the next, or told of until it is."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path

import pytest

from configs.errors import StoreError, UsageError
from pipelines.history.chronicle import Chronicle
from pipelines.night import score as night
from pipelines.night.missed import asked_days, missed_days
from pipelines.night.score_day import score_day
from pipelines.store.day_table import DayTable
from pipelines.store.layout import Layout
from tests.pipelines.night.test_metrics_file import metrics
from tests.pipelines.trained_world import END, NIGHT, World

MISSED = NIGHT + timedelta(days=1)


def days_without_lists(world: World) -> float:
    return metrics(world.store.layout.metrics)["parcel_risk_score_days_without_lists"]


def layout_with(folder: Path, *, declared: list[int], listed: list[int]) -> Layout:
    layout = Layout(folder)
    for table, days in ((DayTable.DECLARATIONS, declared), (DayTable.LISTS, listed)):
        for day in days:
            layout.partition(table, date(2026, 3, day)).mkdir(parents=True)
    return layout


def test_days_between_the_first_list_and_the_day_asked_for_are_missed_those_before_are_history(
    tmp_path: Path,
) -> None:
    layout = layout_with(tmp_path, declared=[1, 2, 3, 5, 6, 7, 8], listed=[3, 6])
    assert missed_days(layout, date(2026, 3, 7)) == [date(2026, 3, 5), date(2026, 3, 7)]
    assert missed_days(layout, date(2026, 3, 2)) == []
    assert missed_days(layout_with(tmp_path / "new", declared=[1, 2], listed=[]), date(2026, 3, 2)) == []


def test_a_day_of_which_the_lists_were_taken_away_was_not_missed(tmp_path: Path) -> None:
    layout = layout_with(tmp_path, declared=[1, 2, 3], listed=[1])
    layout.partition(DayTable.ISSUED, date(2026, 3, 2)).mkdir(parents=True)
    assert missed_days(layout, date(2026, 3, 3)) == [date(2026, 3, 3)]


def test_no_delivery_is_no_wrong_option_and_a_day_to_come_is(tmp_path: Path) -> None:
    layout = layout_with(tmp_path, declared=[1, 3], listed=[])
    assert asked_days(layout, date(2026, 3, 2), date(2026, 3, 2)) == []
    assert asked_days(layout, date(2026, 3, 9), date(2026, 3, 9)) == []
    assert asked_days(layout, date(2026, 3, 2), date(2026, 3, 4)) == [date(2026, 3, 3)]
    for wrong in (date(2026, 2, 28), date(2999, 1, 1)):
        with pytest.raises(UsageError, match=f"on {wrong} .* it holds 2026-03-01 to 2026-03-03"):
            asked_days(layout, wrong, wrong)


def test_a_night_lists_the_days_that_were_missed_before_it(
    scored_world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    assert scored_world.score(END) == 0
    assert f"{MISSED} was missed when it was due: its lists are made now" in capsys.readouterr().out
    assert scored_world.store.days(DayTable.LISTS) == [NIGHT, MISSED, END]
    assert days_without_lists(scored_world) == 0


def test_a_missed_day_that_cannot_be_listed_holds_up_no_other_and_is_told(
    scored_world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def failing(chronicle: Chronicle, day: date, *others: object) -> object:
        if day == MISSED:
            raise StoreError("none of its buckets could be scored")
        return score_day(chronicle, day, *others)  # type: ignore[arg-type]

    monkeypatch.setattr(night, "score_day", failing)
    assert scored_world.score(END, "--quiet", "--log-format", "json") == 5
    said = capsys.readouterr()
    report = json.loads(said.out)
    assert report["days_without_lists"] == {str(MISSED): "none of its buckets could be scored"}
    assert [day["day"] for day in report["days"]] == [str(END)]
    assert f"{MISSED} was missed when it was due, and cannot be listed now" in said.err
    assert days_without_lists(scored_world) == 1
    assert scored_world.score(END) == 5
    assert f"{MISSED} STILL HAS NO LISTS" in capsys.readouterr().out


def test_a_night_without_a_delivery_ends_with_0_and_says_so_under_quiet(
    scored_world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    assert scored_world.score(END + timedelta(days=1), "--quiet") == 0
    said = capsys.readouterr().err
    assert f"no list was made: expected declarations on {END + timedelta(days=1)}" in said
    assert scored_world.store.days(DayTable.LISTS) == [NIGHT, MISSED, END]
    assert metrics(scored_world.store.layout.metrics)["parcel_risk_score_exit_code"] == 0
