"""A run that is killed at any step of a change has changed nothing or everything."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from pipelines.store.journal import Transaction, pending
from pipelines.store.store import Store

CALLS = ("rename", "replace", "unlink", "fsync")


class Killed(BaseException):
    """Stands for SIGKILL: nothing that runs after it may touch the disk."""


FOLDERS = (
    "declarations/declared_on=2026-11-20",
    "profiles/as_of=2026-11-20",
    "inspections/reported_on=2026-11-20",
)


def change(store: Store) -> None:
    with store.lock("test"), store.transaction() as t:
        (t.stage(store.path / "declarations/declared_on=2026-11-20") / "part-000.parquet").write_text("new")
        (t.stage(store.path / "scores/declared_on=2026-11-20") / "part.parquet").write_text("new")
        t.remove(store.path / "profiles/as_of=2026-11-20")
        t.remove(store.path / "profiles/as_of=1999-01-01")
        t.stage(store.path / "inspections/reported_on=2026-11-20")
        t.stage_file(store.path / "manifests/ingest-2026-11-20-1.json").write_text("new")


def prepared(path: Path) -> Store:
    store = Store.create(path)
    for name in FOLDERS:
        (path / name).mkdir(parents=True)
        (path / name / "part-000.parquet").write_text("old")
    return store


def state(root: Path) -> dict[str, str]:
    return {
        str(path.relative_to(root)): path.read_text()
        for path in sorted(root.rglob("*"))
        if path.is_file() and not path.relative_to(root).parts[0].startswith(".")
    }


def killed(*_: Any) -> None:
    raise Killed("rename")


def kill_at(patch: pytest.MonkeyPatch, step: int) -> None:
    """From the given call on, every call that changes the disk kills the process."""
    count = 0

    def wrap(real: Any) -> Any:
        def call(*args: Any, **kwargs: Any) -> Any:
            nonlocal count
            count += 1
            if count >= step:
                raise Killed
            return real(*args, **kwargs)

        return call

    for name in CALLS:
        patch.setattr(os, name, wrap(getattr(os, name)))
    patch.setattr(shutil, "rmtree", wrap(shutil.rmtree))


def test_a_kill_at_any_step_leaves_all_or_nothing(tmp_path: Path) -> None:
    before = state(prepared(tmp_path / "before").path)
    undisturbed = prepared(tmp_path / "undisturbed")
    change(undisturbed)
    after = state(undisturbed.path)
    assert set(after.values()) != set(before.values())
    seen = []
    for step in range(1, 200):
        store = prepared(tmp_path / f"killed-{step}")
        with pytest.MonkeyPatch.context() as patch:
            kill_at(patch, step)
            try:
                change(store)
                finished = True
            except Killed:
                finished = False
        again = Store.open(store.path)
        found = state(again.path)
        assert found in (before, after), f"half a change after a kill at step {step}"
        with again.lock("test"):
            assert state(again.path) == found
            assert not pending(again.path)
            assert not again.layout.staging.exists()
        seen.append(found == after)
        if finished:
            break
    assert finished
    assert seen[0] is False
    assert seen == sorted(seen), "a change that was decided on is never taken back"


def test_a_kill_while_recovering_is_recovered_from(tmp_path: Path) -> None:
    undisturbed = prepared(tmp_path / "undisturbed")
    change(undisturbed)
    store = prepared(tmp_path / "store")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "rename", killed)
        with pytest.raises(Killed, match="rename"):
            change(store)
    for step in range(1, 12):
        with pytest.MonkeyPatch.context() as patch:
            kill_at(patch, step)
            try:
                Store.open(store.path)
            except Killed:
                continue
    Store.open(store.path)
    assert state(store.path) == state(undisturbed.path)


def test_scratch_is_not_kept(tmp_path: Path) -> None:
    store = Store.create(tmp_path / "store")
    with store.lock("test"), store.transaction() as t:
        (t.scratch("sort") / "run-1").write_text("working")
        assert t.staged(store.path / "scores") is None
    assert isinstance(t, Transaction)
    assert state(store.path).keys() == {"store.json"}
