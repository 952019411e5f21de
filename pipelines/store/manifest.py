"""What a run says about itself: how many rows went where, why, how long it took and how much memory."""

from __future__ import annotations

import multiprocessing
import os
import re
import resource
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from configs.errors import ParcelRiskError

UNPROVEN: Final = "unproven_models"
"""What a manifest of `score` says of models that nothing shows to be of use, by risk."""


@dataclass
class ManifestBuilder:
    """Collects the figures of one run.

    >>> manifest = ManifestBuilder("ingest")
    >>> with manifest.step("read"):
    ...     manifest.add_rows(rows_in=3, kept=2, quarantined=1)
    >>> manifest.check()
    >>> manifest.as_dict()["rows_kept"]
    2

    Attributes:
        verb: what ran.
        values_nulled: invalid values that became null, by `column:reason`.
        reasons: rejected rows by reason; a row with two reasons counts under both.
        model_versions: versions that scored, by risk.
        further: anything else that belongs into the manifest of this verb.
    """

    verb: str
    rows_in: int = 0
    rows_kept: int = 0
    rows_quarantined: int = 0
    rows_superseded: int = 0
    rows_scored: int = 0
    values_nulled: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    model_versions: dict[str, str] = field(default_factory=dict)
    further: dict[str, Any] = field(default_factory=dict)
    _seconds: dict[str, float] = field(default_factory=dict)
    _cpu_seconds: dict[str, float] = field(default_factory=dict)
    _began_at: dict[str, datetime] = field(default_factory=dict)
    _peaks: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Measure the block; a step that runs several times is added up.

        The memory is the highest that the process, or one of its workers, had reached by the step's end. CPU
        seconds are those of the process and of its workers, not those of a cluster.
        """
        begin, begin_cpu = time.perf_counter(), cpu_seconds()
        self._began_at.setdefault(name, datetime.now(UTC))
        try:
            yield
        finally:
            self._seconds[name] = self._seconds.get(name, 0.0) + time.perf_counter() - begin
            self._cpu_seconds[name] = self._cpu_seconds.get(name, 0.0) + cpu_seconds() - begin_cpu
            self._peaks[name] = max(self._peaks.get(name, 0.0), peak_memory_mb())

    def add_rows(
        self, *, rows_in: int = 0, kept: int = 0, quarantined: int = 0, superseded: int = 0, scored: int = 0
    ) -> None:
        """Count rows."""
        self.rows_in += rows_in
        self.rows_kept += kept
        self.rows_quarantined += quarantined
        self.rows_superseded += superseded
        self.rows_scored += scored

    @property
    def rows_unaccounted(self) -> int:
        """Rows that went in and did not come out; negative where more came out than went in."""
        return self.rows_in - self.rows_kept - self.rows_quarantined - self.rows_superseded

    def check(self) -> None:
        """Make sure that every row is accounted for.

        Raises:
            ParcelRiskError: rows_in is not rows_kept + rows_quarantined + rows_superseded.
        """
        if self.rows_unaccounted:
            raise ParcelRiskError(
                f"{self.verb}: {self.rows_unaccounted} of {self.rows_in} rows are not accounted for: "
                f"{self.rows_kept} kept, {self.rows_quarantined} in quarantine, "
                f"{self.rows_superseded} superseded. This is a fault of the program; nothing was changed"
            )

    def as_dict(self) -> dict[str, Any]:
        """Return the manifest as it is written: plain numbers and texts."""
        return {
            "verb": self.verb,
            "rows_in": self.rows_in,
            "rows_kept": self.rows_kept,
            "rows_quarantined": self.rows_quarantined,
            "rows_superseded": self.rows_superseded,
            "rows_scored": self.rows_scored,
            "values_nulled": dict(sorted(self.values_nulled.items())),
            "reasons": dict(sorted(self.reasons.items())),
            "model_versions": dict(sorted(self.model_versions.items())),
            "seconds": {name: round(value, 3) for name, value in self._seconds.items()},
            "cpu_seconds": {name: round(value, 3) for name, value in self._cpu_seconds.items()},
            "began_at": {name: moment.isoformat() for name, moment in self._began_at.items()},
            "peak_memory_mb": {name: round(value, 1) for name, value in self._peaks.items()},
            **self.further,
        }


def cpu_seconds() -> float:
    """Return the processor time in seconds that this process and the workers that it started have used."""
    used = os.times()
    finished = used.user + used.system + used.children_user + used.children_system
    return finished + sum(_cpu_of(worker) for worker in _workers())


def peak_memory_mb() -> float:
    """Return the most memory in MB that this process, or the largest of its workers, has held."""
    # Not `ru_maxrss` of this process: it begins with what the process that started this one held.
    held = [_peak_kib_of(process) for process in (Path("/proc/self"), *_workers())]
    return max(*held, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss) / 1024


def _workers() -> list[Path]:
    return [Path(f"/proc/{process.pid}") for process in multiprocessing.active_children()]


def _cpu_of(worker: Path) -> float:
    """Return fields 14 and 15 of proc_pid_stat(5), counted from behind the name, which may hold anything."""
    try:
        fields = (worker / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _peak_kib_of(worker: Path) -> int:
    try:
        peak = re.search(r"VmHWM:\s*(\d+) kB", (worker / "status").read_text(encoding="utf-8"))
    except OSError:
        return 0
    return int(peak[1]) if peak else 0
