"""Runs a command and measures all of its processes: seconds, CPU seconds, memory, bytes written.

Memory is the proportional set size (PSS) of the command's process and all that descend from it, added up and
sampled: what processes share counts once. Reading it of some gigabytes takes the system tens of milliseconds
and lets them wait, so it is read where the resident sizes, which cost nothing to read and are never below it,
are a hundredth above any before, and every three seconds. A peak between two samples is not seen. CPU seconds
and bytes written are what the system booked on the process and its finished children: nothing escapes them.
Linux only, like the store's locks.
"""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]
_PROC = Path("/proc")
_KIB = 1024
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_SAMPLE_SECONDS = 0.25
_PSS_SECONDS = 3.0
_HIGHER = 1.01


@dataclass(frozen=True)
class Measured:
    """What a command took.

    Attributes:
        seconds: wall clock.
        cpu_seconds: user and system time of all its processes.
        peak_bytes: highest sum of PSS over all its processes at one moment.
        written_bytes: bytes that all its processes handed to the system to write.
        memory: moment (seconds since the epoch) and sum of PSS in bytes of each sample.
    """

    seconds: float
    cpu_seconds: float
    peak_bytes: int
    written_bytes: int
    memory: list[tuple[float, int]] = field(repr=False)

    def peak_between(self, first: float, last: float) -> int:
        """The highest sample between two moments; that of the nearest where none lies between."""
        inside = [held for moment, held in self.memory if first <= moment <= last]
        nearest = min(self.memory, key=lambda sample: abs(sample[0] - first), default=(0.0, 0))
        return max(inside, default=nearest[1])


def run_measured(
    command: Sequence[str], environment: Mapping[str, str], log: Path, *, folder: Path = _ROOT
) -> Measured:
    """Run a command in a folder to its end; what it says goes to the end of `log`.

    Raises SystemExit with the command's last lines where its exit code is not 0.
    """
    memory: list[tuple[float, int]] = []
    over = threading.Event()
    with log.open("a", encoding="utf-8") as said:
        began = time.perf_counter()
        process = subprocess.Popen(
            command, cwd=folder, stdout=said, stderr=subprocess.STDOUT, env={**os.environ, **environment}
        )
        sampler = threading.Thread(target=_sample, args=(process.pid, memory, over), daemon=True)
        sampler.start()
        try:
            # Not reaped yet: its counters go with it.
            os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
            seconds = time.perf_counter() - began
            written = _written(process.pid)
            _, status, used = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        finally:
            over.set()
            sampler.join()
            if process.returncode is None:
                process.terminate()
                process.wait()
    if process.returncode:
        last = "\n".join(log.read_text(encoding="utf-8").splitlines()[-15:])
        raise SystemExit(f"{' '.join(command)} ended with exit code {process.returncode}:\n{last}")
    peak = max((held for _, held in memory), default=0)
    return Measured(seconds, used.ru_utime + used.ru_stime, peak, written, memory)


def descendants(process: int) -> list[int]:
    """A process and all that descend from it; those that end meanwhile are left out."""
    found, waiting = [], [process]
    while waiting:
        number = waiting.pop()
        found.append(number)
        for task in _tasks(number):
            try:
                waiting += [int(child) for child in (task / "children").read_text().split()]
            except OSError:
                continue
    return found


def proportional_bytes(process: int) -> int:
    """The PSS of one process in bytes; 0 where it has ended."""
    try:
        for line in (_PROC / str(process) / "smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * _KIB
    except OSError:
        pass
    return 0


def resident_bytes(process: int) -> int:
    """The resident set size of one process in bytes; 0 where it has ended."""
    try:
        return int((_PROC / str(process) / "statm").read_text().split()[1]) * _PAGE_BYTES
    except (OSError, IndexError):
        return 0


def _tasks(process: int) -> list[Path]:
    try:
        return list((_PROC / str(process) / "task").iterdir())
    except OSError:
        return []


def _sample(process: int, memory: list[tuple[float, int]], over: threading.Event) -> None:
    highest, due = 0, time.monotonic()
    while not over.is_set():
        numbers = descendants(process)
        resident = sum(map(resident_bytes, numbers))
        if resident > _HIGHER * highest or time.monotonic() >= due:
            memory.append((time.time(), sum(map(proportional_bytes, numbers))))
            highest, due = max(highest, resident), time.monotonic() + _PSS_SECONDS
        over.wait(_SAMPLE_SECONDS)


def _written(process: int) -> int:
    try:
        for line in (_PROC / str(process) / "io").read_text().splitlines():
            if line.startswith("wchar:"):
                return int(line.split()[1])
    except OSError:
        pass
    return 0
