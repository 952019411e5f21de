"""The page of `benchmarks/scaling.py`: what was measured, the law, and what it says of a national day."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from pathlib import Path

from benchmarks.scale.scaling_law import Law, Line, Measured

NATIONAL_DAYS = (20_000_000, 52_000_000)
# Below, starting and compiling are most of what is measured.
LEAST_LINES = 100_000
HOURS = (4.0, 1.0, 0.5, 0.25)


def write_report(
    path: Path, law: Law, half: Measured, whole: Measured, pool: Measured, clusters: Sequence[Measured]
) -> None:
    """Write the page and print it."""
    parts = [
        "# How a night scales\n\n"
        f"Written by `python -m benchmarks.scaling` on {os.cpu_count()} cores ({platform.machine()}). "
        "Workers have one thread.",
        "## Measured\n\n" + _measured(law, [half, whole, pool, *clusters]),
        "## The law\n\n" + _law(law),
        "## A national day by this law\n\n" + _national(law, whole),
    ]
    text = "\n\n".join(parts) + "\n"
    path.write_text(text, encoding="utf-8")
    print(text)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _measured(law: Law, nights: Sequence[Measured]) -> str:
    workers = {"two-processes": 2, "cluster-2": 2}
    rows = [
        [
            night.name,
            f"{night.lines:,}",
            f"{night.seconds:.1f}",
            f"{night.serial:.1f}",
            f"{night.in_passes:.1f}",
            f"{law.seconds(night.lines, workers.get(night.name, 1)):.1f}",
            f"{night.lines / night.seconds:,.0f}",
            f"{night.worker_bytes / 1e6:,.0f}",
        ]
        for night in nights
    ]
    head = ["night", "lines", "s", "serial", "in tasks", "by the law", "lines/s", "MB a worker"]
    return _table(head, rows) + (
        "\n\n`half` and `whole` ran in one process; the law is made of them, the other rows are its test. "
        "What these take beyond it is Dask, and that processes of one machine share caches and memory."
    )


def _law(law: Law) -> str:
    rows = [["serial", _line(law.serial), ""]]
    rows += [[name, _line(law.total[name]), _line(law.longest[name])] for name in law.total]
    return (
        "```text\nseconds(N lines, w workers) = serial(N) + sum over passes of "
        "total(N) / w + (1 - 1/w) longest(N)\n```\n\n" + _table(["part", "total, s", "longest task, s"], rows)
    )


def _line(line: Line) -> str:
    return f"{line.fixed:.2f} + {line.per_line * 1e6:,.1f} per million lines"


def _national(law: Law, whole: Measured) -> str:
    if whole.lines < LEAST_LINES:
        return f"Nothing is projected from a day of {whole.lines:,} lines: expected {LEAST_LINES:,} or more."
    read, written = (each / whole.lines for each in (whole.lines_bytes, whole.scores_bytes))
    rows = []
    for lines in NATIONAL_DAYS:
        for hours in HOURS:
            workers = law.workers(lines, hours * 3600)
            if workers is None:
                rows.append([f"{lines / 1e6:.0f} million", f"{hours:g} h", "none are enough", "", "", ""])
                continue
            seconds = law.seconds(lines, workers)
            # Lines are read for the sums, the scores and the reasons.
            traffic = lines * (3 * read + written) / seconds / 1e6
            rows.append(
                [
                    f"{lines / 1e6:.0f} million",
                    f"{hours:g} h",
                    f"{workers:,}",
                    f"{workers * seconds / 3600:.1f}",
                    f"{workers * whole.worker_bytes / 1e9:.1f}",
                    f"{traffic:.0f}",
                ]
            )
    shortest = " and ".join(
        f"{law.shortest(lines) / 60:.1f} min ({lines / 1e6:.0f} million)" for lines in NATIONAL_DAYS
    )
    head = ["lines", "done within", "workers", "core hours", "GB of memory", "MB/s of the file system"]
    return _table(head, rows) + (
        f"\n\nNo number of workers is faster than {shortest}: the serial part and the longest tasks remain. "
        "Traffic counts lines and scores; the sums of the day by key come on top. Beyond the measured "
        "size this is a projection."
    )
