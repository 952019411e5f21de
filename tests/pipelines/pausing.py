"""Work for a pool of processes that never ends; run as a program, it hands two such items to two workers."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from pipelines.work.execution import Executor


def say_and_pause(pipe: Path) -> None:
    """Write the process's number into a named pipe and wait for a signal."""
    with pipe.open("w") as handle:
        handle.write(f"{os.getpid()}\n")
    signal.pause()


if __name__ == "__main__":
    from tests.pipelines.pausing import say_and_pause as importable

    pipes = [Path(name) for name in sys.argv[1:]]
    Executor(workers=2).run("pause", importable, pipes)
