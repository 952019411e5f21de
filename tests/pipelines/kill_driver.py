"""Runs command lines in children that are killed at a chosen change of a file; started by `killing.Killer`.

Each line of its input is a job: the command line, the folder whose changes count, and the change at which
the child kills itself (SIGKILL): how it begins, and the how manieth of that kind it is. The answer is how the
child ended and the changes that it got to. The large packages are loaded once, for all children.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any, Never

_CHANGES = {"os.rename", "os.mkdir", "os.remove", "os.rmdir"}


def load() -> None:
    """Import the large packages that the verbs import, so that each child need not.

    Not the program itself: some of its modules make frames when they are imported, and Polars' threads do not
    survive the fork.
    """
    for name in ("lightgbm", "mlflow.pyfunc", "mlflow.store.tracking.sqlalchemy_store", "numba", "polars"):
        importlib.import_module(name)


class Watch:
    """Writes down each change below a folder, and kills the process at one of them, leaving half a file."""

    def __init__(self, folder: str, kill_at: tuple[str, int] | None, log: Any) -> None:
        self.folder, self.log = folder, log
        self.what, self.left = kill_at or ("", 0)

    def start(self) -> None:
        """Begin; an audit hook cannot be taken off again, so this is for a child."""
        import polars as pl
        import pyarrow.parquet as pq

        write, close = pl.DataFrame.write_parquet, pq.ParquetWriter.close

        def watched(frame: pl.DataFrame, file: Any, *args: Any, **options: Any) -> None:
            last = self.change("write", str(file))
            write(frame, file, *args, **options)
            if last:
                os.truncate(file, Path(file).stat().st_size // 2)
                self.die()

        def watched_close(writer: Any) -> None:
            last = writer.is_open and self.change("write", str(writer.where))
            close(writer)
            if last:
                os.truncate(writer.where, Path(writer.where).stat().st_size // 2)
                self.die()

        pl.DataFrame.write_parquet = watched  # type: ignore[method-assign, assignment]
        pq.ParquetWriter.close = watched_close
        sys.addaudithook(self.hear)

    def hear(self, event: str, args: tuple[Any, ...]) -> None:
        """Called by the interpreter before each change."""
        if event == "open":
            path, _, flags = args
            creates = isinstance(path, str | bytes) and flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
            if creates and self.change("open", os.fsdecode(path)):
                with Path(os.fsdecode(path)).open("ab") as torn:
                    torn.write(b"{ torn")
                self.die()
        elif event in _CHANGES and self.change(event, os.fsdecode(args[0])):
            self.die()

    def change(self, kind: str, path: str) -> bool:
        """Whether this is the change to die at."""
        if not path.startswith(self.folder):
            return False
        change = f"{kind} {path.removeprefix(self.folder)}"
        self.log.write(change + "\n")
        self.log.flush()
        if not change.startswith(self.what):
            return False
        self.left -= 1
        return self.left == 0

    def die(self) -> Never:
        """As a machine that loses its power."""
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError("unreachable")


def child(job: dict[str, Any], log: Any) -> Never:
    """Run the command line of a job and end with its exit code."""
    from pipelines.cli.main import run

    if job["folder"] is not None:
        Watch(job["folder"], job["kill_at"], log).start()
    code = 99
    try:
        code = run(job["arguments"])
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def main() -> None:
    """Answer jobs until the input ends."""
    load()
    # Polars warns of forking with its threads; here they do not run yet.
    warnings.simplefilter("ignore")
    answers = os.fdopen(os.dup(1), "w")
    for line in sys.stdin:
        job = json.loads(line)
        with tempfile.TemporaryFile("w+") as log, tempfile.TemporaryFile("w+") as said:
            pid = os.fork()
            if pid == 0:
                os.dup2(said.fileno(), 1)
                os.dup2(said.fileno(), 2)
                child(job, log)
            status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
            for file in (log, said):
                file.seek(0)
            answer = {"status": status, "changes": log.read().splitlines(), "said": said.read()}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
