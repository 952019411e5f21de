"""A task brings all that a worker needs, and a worker reads anew only what another task needs."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from multiprocessing import Pipe
from multiprocessing.reduction import ForkingPickler
from pathlib import Path

import pytest

from configs.loader import load_settings
from pipelines.scoring.bucket import DayTask, workspace
from pipelines.store.layout import Layout

DAY = date(2026, 11, 20)


@pytest.fixture
def task(tmp_path: Path) -> DayTask:
    settings, work = load_settings(), Layout(tmp_path).work(DAY, "77")
    return DayTask("77", tmp_path, settings, DAY, work.eve, work.unpacked, work, ())


def test_a_process_keeps_its_workspace_from_bucket_to_bucket(task: DayTask) -> None:
    here, there = Pipe()
    here.send(task)
    sent = there.recv()
    assert sent == task
    assert workspace(sent) is workspace(task)


def test_settings_that_the_command_line_changed_are_those_of_the_task(task: DayTask) -> None:
    capacity = task.settings.capacity.speaking(("zh-CN", ()))
    changed = replace(task, settings=task.settings.model_copy(update={"capacity": capacity}))
    assert workspace(task).settings.capacity.language == "en"
    assert workspace(changed).settings.capacity.language == "zh-CN"


def test_a_task_is_small_beside_the_work_that_it_describes(task: DayTask) -> None:
    assert len(ForkingPickler.dumps(task)) < 60_000
