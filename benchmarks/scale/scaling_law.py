"""The law by which a night scales, from two nights of different size in one process.

A night is a serial part and passes of independent tasks. Each of these times is a fixed share and one that
grows with the lines, both from the two nights. With w workers a pass takes at most total/w + (1 - 1/w)
longest, in whatever order its tasks are handed out (Graham 1969, "Bounds on multiprocessing timing
anomalies").
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_MOST_WORKERS = 4096


@dataclass(frozen=True)
class Measured:
    """One night: its lines, seconds, passes over tasks, and the most memory that a worker had.

    `passes` have a name, their seconds and, where they ran in one process, the seconds of each task.
    """

    name: str
    lines: int
    seconds: float
    passes: list[dict[str, Any]]
    worker_bytes: int
    lines_bytes: int
    scores_bytes: int

    @property
    def in_passes(self) -> float:
        """Seconds in which tasks ran."""
        return float(sum(each["seconds"] for each in self.passes))

    @property
    def serial(self) -> float:
        """Seconds in which none did."""
        return self.seconds - self.in_passes

    def tasks(self, name: str) -> list[float]:
        """Seconds of each task of a pass."""
        return [seconds for each in self.passes if each["name"] == name for seconds in each["tasks"]]


@dataclass(frozen=True)
class Line:
    """Seconds that grow with the lines of a day.

    >>> Line.through(100, 3.0, 200, 5.0)
    Line(fixed=1.0, per_line=0.02)
    >>> Line.through(100, 3.0, 200, 2.9)
    Line(fixed=2.9, per_line=0.0)
    """

    fixed: float
    per_line: float

    @classmethod
    def through(cls, lines: int, seconds: float, more_lines: int, more_seconds: float) -> Line:
        """The line through two nights; neither part is below zero, whatever the noise."""
        per_line = max(0.0, (more_seconds - seconds) / (more_lines - lines))
        fixed = more_seconds - per_line * more_lines
        return cls(fixed, per_line) if fixed >= 0 else cls(0.0, more_seconds / more_lines)

    def at(self, lines: int) -> float:
        """Seconds for so many lines."""
        return self.fixed + self.per_line * lines


@dataclass(frozen=True)
class Law:
    """What a night takes: the serial part, and by pass all its tasks and the longest of them."""

    serial: Line
    total: Mapping[str, Line]
    longest: Mapping[str, Line]

    @classmethod
    def of(cls, half: Measured, whole: Measured) -> Law:
        """The law that two nights in one process give."""

        def line(less: float, more: float) -> Line:
            return Line.through(half.lines, less, whole.lines, more)

        names = list(dict.fromkeys(each["name"] for each in whole.passes))
        tasks = {name: (half.tasks(name) or [0.0], whole.tasks(name)) for name in names}
        return cls(
            line(half.serial, whole.serial),
            {name: line(sum(less), sum(more)) for name, (less, more) in tasks.items()},
            {
                # More lines are more buckets, not longer ones; a table of the history grows.
                name: Line(max(more), 0.0) if len(more) > len(less) else line(max(less), max(more))
                for name, (less, more) in tasks.items()
            },
        )

    def seconds(self, lines: int, workers: int) -> float:
        """What a night of so many lines takes with so many workers."""
        passes = (
            self.total[name].at(lines) / workers + (1 - 1 / workers) * self.longest[name].at(lines)
            for name in self.total
        )
        return self.serial.at(lines) + sum(passes)

    def shortest(self, lines: int) -> float:
        """What it takes with any number of workers."""
        return self.seconds(lines, 10**9)

    def workers(self, lines: int, within: float) -> int | None:
        """The fewest workers with which it is done within so many seconds; None where none are enough.

        >>> law = Law(Line(10.0, 0.0), {"score": Line(0.0, 1.0)}, {"score": Line(1.0, 0.0)})
        >>> law.workers(100, 60.0), law.seconds(100, 3)
        (3, 44.0)
        >>> law.workers(100, 10.0) is None
        True
        """
        return next((w for w in range(1, _MOST_WORKERS) if self.seconds(lines, w) <= within), None)
