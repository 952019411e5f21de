"""Late data of an old day does not have one night fold all history again; some days a night catch up."""

from __future__ import annotations

import shutil
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest

from pipelines.history.chronicle import Chronicle
from pipelines.scoring.history_steps import LINES_IN_MEMORY, close_days_before, fold_again
from pipelines.store.day_table import DayTable
from pipelines.work.execution import Executor
from tests.pipelines.taken_in import take_in
from tests.pipelines.trained_world import END, World

FIRST = END - timedelta(days=5)
TOMORROW = END + timedelta(days=1)
AFTER = END + timedelta(days=2)
KEYS = ("all", "seller", "buyer", "hs2", "hs4", "hs6", "item_key")


def bounded(world: World, days: int) -> Chronicle:
    """The days of a world whose nights fold so many of them again, with one key of each kind: each is a file
    a day.
    """
    pipeline = world.settings.pipeline
    night = pipeline.night.model_copy(update={"refold_days": days})
    keys = [key for key in pipeline.history.combinations if key.name in KEYS]
    history = pipeline.history.model_copy(update={"keep_daily_profiles": 1, "combinations": tuple(keys)})
    changed = pipeline.model_copy(update={"night": night, "history": history})
    return Chronicle(world.store, world.settings.model_copy(update={"pipeline": changed}))


def late(number: int, day: date = FIRST) -> pl.DataFrame:
    columns = {"line_no": 1, "hs_code": "330499", "total_price": 9.0, "currency": "CNY"}
    return pl.DataFrame({"declaration_id": [f"LATE{number}"], "declared_at": f"{day}T03:00:00Z", **columns})


def history(chronicle: Chronicle, day: date = END) -> dict[str, bytes]:
    folder = chronicle.store.layout.partition(DayTable.PROFILES, day)
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("in_memory", [LINES_IN_MEMORY, 0])
def test_late_data_of_an_old_day_is_folded_in_some_days_a_night(
    tmp_path: Path, untrained: World, in_memory: int
) -> None:
    world = untrained.newest(tmp_path, FIRST)
    chronicle = bounded(world, 4)
    with chronicle.store.lock("test"):
        close_days_before(chronicle, TOMORROW, Executor())
    before = history(chronicle)
    assert take_in(world.path, late(1), settings=chronicle.settings).reopened == FIRST
    with chronicle.store.lock("test"):
        assert fold_again(chronicle, Executor(), lines_in_memory=in_memory) == 2
    assert history(chronicle) == before, "it serves as it was until all is folded again"
    # A day more meanwhile, and what its night thins must not take away how far the other has come.
    take_in(world.path, late(2, TOMORROW), settings=chronicle.settings)
    with chronicle.store.lock("test"):
        close_days_before(chronicle, AFTER, Executor())
        assert fold_again(chronicle, Executor(), lines_in_memory=in_memory) == 0
        assert fold_again(chronicle, Executor(), lines_in_memory=in_memory) == 0
    assert chronicle.store.out_of_date_from is None
    fresh = untrained.newest(tmp_path / "fresh", FIRST)
    take_in(fresh.path, late(1), late(2, TOMORROW), settings=fresh.settings)
    anew = Chronicle(fresh.store, chronicle.settings)
    with anew.store.lock("test"):
        close_days_before(anew, AFTER, Executor())
    assert history(anew, TOMORROW) == history(chronicle, TOMORROW)


def test_no_day_is_folded_onto_the_history_of_one_that_has_gone(tmp_path: Path, untrained: World) -> None:
    gone = END - timedelta(days=1)
    found = []
    for reopened in (False, True):
        world = untrained.newest(tmp_path / str(reopened), FIRST)
        chronicle = bounded(world, 9)
        if reopened:
            with chronicle.store.lock("test"):
                close_days_before(chronicle, TOMORROW, Executor(), lines_in_memory=0)
        for table in (DayTable.DECLARATIONS, DayTable.INSPECTIONS):
            shutil.rmtree(world.store.layout.partition(table, gone), ignore_errors=True)
        with chronicle.store.lock("test"):
            if reopened:
                with chronicle.store.transaction() as t:
                    chronicle.store.set_out_of_date(t, gone)
                assert fold_again(chronicle, Executor(), lines_in_memory=0) == 0
            else:
                close_days_before(chronicle, TOMORROW, Executor(), lines_in_memory=0)
        found.append(history(chronicle))
    assert found[0] == found[1]


def test_late_data_of_a_day_not_far_back_is_folded_the_same_night(tmp_path: Path, untrained: World) -> None:
    world = untrained.newest(tmp_path, FIRST)
    chronicle = bounded(world, 5)
    with chronicle.store.lock("test"):
        close_days_before(chronicle, TOMORROW, Executor())
    take_in(world.path, late(1, END - timedelta(days=2)), settings=chronicle.settings)
    assert chronicle.store.out_of_date_from is None
    assert chronicle.store.days(DayTable.PROFILES) == [date(2026, 11, 15)], "the Sunday before is left"


def test_the_night_says_what_is_left_and_ends_with_5(
    tmp_path: Path, scored_world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    configs = tmp_path / "configs"
    configs.mkdir()
    own = (scored_world.configs / "pipeline.yaml").read_text(encoding="utf-8")
    (configs / "pipeline.yaml").write_text(own + "\nnight: {refold_days: 9}\n", encoding="utf-8")
    (configs / "risks").symlink_to(scored_world.configs / "risks")
    world = World(scored_world.path, configs)
    take_in(world.path, late(1), settings=world.settings)
    capsys.readouterr()
    assert world.score() == 5
    assert "days is still to be folded again: that goes on the next night" in capsys.readouterr().out
