"""A store that cannot be locked says why, and a run that holds it for a moment only is waited for."""

from __future__ import annotations

import errno
import fcntl
import os
import threading
from pathlib import Path

import pytest

from configs.errors import StoreError, StoreLockedError
from pipelines.store.locking import hold_lock
from pipelines.work.attempts import cure, in_words


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS])
def test_a_file_system_without_locks_is_named_with_what_to_do(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unsupported(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", unsupported)
    with (
        pytest.raises(
            StoreError, match=r"its file system does not support locks \(.*put the store on a local"
        ),
        hold_lock(tmp_path, "score"),
    ):
        pass


def test_a_disk_that_is_mounted_read_only_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def read_only(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(Path, "open", read_only)
    with (
        pytest.raises(StoreError, match=r"Read-only file system .* on a disk that is mounted for writing"),
        hold_lock(tmp_path, "ingest"),
    ):
        pass


def test_a_lock_held_for_a_moment_is_waited_for_and_any_other_refused(tmp_path: Path) -> None:
    held, release = threading.Event(), threading.Event()

    def hold(brief: bool) -> None:
        with hold_lock(tmp_path, "train", brief=brief):
            held.set()
            release.wait(10)

    for brief in (False, True):
        held.clear()
        release.clear()
        other = threading.Thread(target=hold, args=(brief,))
        other.start()
        held.wait(10)
        if not brief:
            with pytest.raises(StoreLockedError, match="in use by `train`"), hold_lock(tmp_path, "score"):
                pass
        timer = threading.Timer(0.2, release.set)
        timer.start()
        with hold_lock(tmp_path, "score", patient=not brief):
            assert release.is_set()
        other.join()


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        OSError("4096 requested and 512 written"),
        OSError("encoder error -2 when writing image file"),
        RuntimeError("underlying IO error: No space left on device (os error 28)"),
    ],
)
def test_a_disk_that_fills_midway_is_called_full_whoever_meets_it(error: Exception) -> None:
    assert in_words(error) == "the disk is full"
    assert cure(error) == "Make room, then start the same command again: what is complete is kept."
