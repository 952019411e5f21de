"""Long measurements in processes of their own: threads are set before anything is imported, and the memory of
each is given back; and the commit that they measure.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]


def run_modules(calls: Sequence[Sequence[str]], *, parallel: int, threads: int) -> None:
    """Run `python -m <call>` for each call, `parallel` at a time with so many threads each.

    Where one fails, the others are ended and its exit code becomes that of this process.
    """
    # No figure may depend on the models that a server of whoever runs this happens to hold.
    ours = {key: value for key, value in os.environ.items() if key != "MLFLOW_TRACKING_URI"}
    few = {"POLARS_MAX_THREADS": str(threads), "OMP_NUM_THREADS": str(threads), "OMP_WAIT_POLICY": "PASSIVE"}
    waiting, running = list(calls), list[subprocess.Popen[bytes]]()
    while waiting or running:
        while waiting and len(running) < parallel:
            command = [sys.executable, "-m", *waiting.pop(0)]
            running.append(subprocess.Popen(command, env={**ours, **few}, cwd=_ROOT))
        time.sleep(0.2)
        for process in [process for process in running if process.poll() is not None]:
            running.remove(process)
            if process.returncode:
                for other in running:
                    other.terminate()
                raise SystemExit(process.returncode)


def commit() -> str:
    """The commit of the checkout, with a word where files differ from it, other than reports of such runs."""

    def git(*arguments: str) -> str:
        done = subprocess.run(["git", *arguments], cwd=_ROOT, capture_output=True, text=True, check=False)
        return done.stdout.strip()

    changed = git("status", "--porcelain", "--untracked-files=no", "--", ".", ":!benchmarks/results")
    return (git("rev-parse", "--short", "HEAD") or "unknown") + (", with changed files" if changed else "")
