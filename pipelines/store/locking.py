"""One writer a store: an advisory file lock that names its holder."""

from __future__ import annotations

import errno
import fcntl
import json
import logging
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, TextIO

from configs.errors import StoreError, StoreLockedError
from pipelines.store.layout import Layout

logger = logging.getLogger(__name__)

# What systems say of a file system without locks: NFS without its lock service, some cluster systems.
_NO_LOCKS: Final = (errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL)
_BRIEF_SECONDS: Final = 120.0
# A holder has no name in the moments in which it takes the lock and gives it back.
_UNNAMED_SECONDS: Final = 1.0
_PAUSE_SECONDS: Final = 0.1


@contextmanager
def hold_lock(root: Path, verb: str, *, brief: bool = False, patient: bool = False) -> Iterator[None]:
    """Hold the lock of a store, or of another folder, while the block runs.

    The lock belongs to the open file, so the kernel releases it when the process ends, however it
    ends: a killed run never leaves a store locked. `verb` is shown to whoever comes second. A run that
    holds it only for a moment says so (`brief`), and others wait for it; one that must not fail for want of
    the lock waits for whoever holds it (`patient`).

    Raises:
        StoreLockedError: another run holds the lock; the message names its verb, process, host and start.
        StoreError: the lock file cannot be opened, for example on a read-only disk, or the file system has
            no locks.
    """
    path = Layout(root).lock
    try:
        handle = path.open("a+", encoding="utf-8")
    except OSError as error:
        raise StoreError(
            f"the store {root} cannot be locked: {error.strerror} ({path}). "
            "Expected a folder that this user may write to, on a disk that is mounted for writing."
        ) from error
    with handle:
        _lock(handle, root, patient=patient)
        holder = {
            "verb": verb,
            "pid": os.getpid(),
            "host": socket.gethostname(),
            "since": datetime.now(UTC).isoformat(timespec="seconds"),
            "brief": brief,
        }
        try:
            os.ftruncate(handle.fileno(), 0)
            os.write(handle.fileno(), json.dumps(holder).encode())
        except OSError:
            # On a full disk the holder stays unnamed; it holds the lock all the same.
            os.ftruncate(handle.fileno(), 0)
        try:
            yield
        finally:
            os.ftruncate(handle.fileno(), 0)


def _lock(handle: TextIO, root: Path, *, patient: bool) -> None:
    """Lock an open file; wait for a run that holds it briefly, and for any if `patient`."""
    began, told = time.monotonic(), False
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = _holder(Path(handle.name))
            waits = _BRIEF_SECONDS if holder.get("brief") else 0.0 if holder else _UNNAMED_SECONDS
            brief = time.monotonic() - began < waits
            if not patient and not brief:
                raise StoreLockedError(_in_use(root, holder)) from error
            if patient and not brief and not told:
                logger.info("%s Waiting.", _in_use(root, holder))
                told = True
            time.sleep(_PAUSE_SECONDS)
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                raise
            raise StoreError(
                f"the store {root} cannot be locked: its file system does not support locks "
                f"({error.strerror}). Without them two runs could write at once: put the store on a local "
                "disk, or mount the share with locking (NFS: version 4, or with its lock service)"
            ) from error
        else:
            return


def _holder(path: Path) -> dict[str, Any]:
    """What the holder has written of itself; empty where it has not yet."""
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return {}


def _in_use(root: Path, holder: dict[str, Any]) -> str:
    who = "another run"
    if {"verb", "pid", "host", "since"} <= set(holder):
        who = f"`{holder['verb']}` (process {holder['pid']} on {holder['host']}, since {holder['since']})"
    return f"the store {root} is in use by {who}. One run at a time may write to it: wait until it is done."
