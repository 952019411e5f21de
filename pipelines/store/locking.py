"""One writer a store: an advisory file lock that names its holder."""

from __future__ import annotations

import fcntl
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from configs.errors import StoreError, StoreLockedError
from pipelines.store.layout import Layout


@contextmanager
def hold_lock(root: Path, verb: str) -> Iterator[None]:
    """Hold the lock of a store, or of another folder, while the block runs.

    The lock belongs to the open file, so the kernel releases it when the process ends, however it
    ends: a killed run never leaves a store locked. `verb` is shown to whoever comes second.

    Raises:
        StoreLockedError: another run holds the lock; the message names its verb, process, host and start.
        StoreError: the lock file cannot be opened, for example on a read-only disk.
    """
    path = Layout(root).lock
    try:
        handle = path.open("a+", encoding="utf-8")
    except OSError as error:
        raise StoreError(
            f"the store {root} cannot be locked: {error.strerror} ({path}). "
            "Expected a folder that this user may write to."
        ) from error
    with handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise StoreLockedError(_describe_holder(root, path)) from error
        holder = {
            "verb": verb,
            "pid": os.getpid(),
            "host": socket.gethostname(),
            "since": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        os.ftruncate(handle.fileno(), 0)
        os.write(handle.fileno(), json.dumps(holder).encode())
        try:
            yield
        finally:
            os.ftruncate(handle.fileno(), 0)


def _describe_holder(root: Path, path: Path) -> str:
    try:
        holder = json.loads(path.read_text(encoding="utf-8"))
        who = f"`{holder['verb']}` (process {holder['pid']} on {holder['host']}, since {holder['since']})"
    except (OSError, ValueError, KeyError, TypeError):
        # The holder may not have written its name yet: the refusal matters, not the name.
        who = "another run"
    return f"the store {root} is in use by {who}. One run at a time may write to it: wait until it is done."
