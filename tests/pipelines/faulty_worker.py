"""What tests let the workers of a cluster do: die, not see the store, tell what they have.

`dask worker --preload tests.pipelines.faulty_worker` reads the fault from the environment. Nothing here
imports Polars: a worker has to get its threads first.
"""

from __future__ import annotations

import errno
import os
import signal
import sys
from typing import Any, Never

# Dies, as one that the system kills for want of memory, before the n-th rename of such a file: "3:/scores/".
DIES = "TEST_WORKER_DIES"
# Finds no file below this folder, as on a machine where the file system is not mounted.
BLIND = "TEST_WORKER_BLIND"


def dask_setup(_: Any) -> None:
    """Called by Dask when the worker starts."""
    left, _, part = os.environ.get(DIES, "0:").partition(":")
    renames = int(left)
    hidden = os.environ.get(BLIND)

    def hear(event: str, args: tuple[Any, ...]) -> None:
        nonlocal renames
        if event == "os.rename" and part and part in os.fsdecode(args[0]):
            renames -= 1
            if renames == 0:
                die()
        if event == "open" and hidden and str(args[0]).startswith(hidden):
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), args[0])

    sys.addaudithook(hear)


def die(_: object = None) -> Never:
    """End this process at once."""
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("unreachable")


def environment(name: str) -> str | None:
    """A variable of the environment."""
    return os.environ.get(name)


def loaded(_: object = None) -> list[str]:
    """The packages that this process has imported."""
    return sorted({name.partition(".")[0] for name in sys.modules})
