"""How the allocator of Polars holds memory: what a night takes with its own settings and with ours.

    python -m benchmarks.decisions.allocator [--lines N] [--rounds R] [--work DIR]

One night of N lines (`benchmarks/national/national_night.py`) after the other, the two ways by turns in one
run, and the ratio of what they took. The work folder is that of `make bench-day`, so its stores are used.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.national.national_night import measured_night
from benchmarks.national.national_stores import Setup, prepare_stores
from benchmarks.national_day import WORK
from pipelines import ALLOCATOR, ALLOCATOR_VARIABLE

WAYS = {"as Polars comes": "", "as the program sets it": ALLOCATOR}
_FIGURES = ("seconds", "cpu_seconds", "peak_bytes")


def measured(setup: Setup, lines: int, rounds: int) -> dict[str, list[dict[str, Any]]]:
    """The verbs' figures by way, as many as there are rounds."""
    prepare_stores(setup)
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in WAYS}
    for _ in range(rounds):
        for name, value in WAYS.items():
            os.environ[ALLOCATOR_VARIABLE] = value
            found[name].append(measured_night(setup, lines)["verbs"])
    return found


def table(found: dict[str, list[dict[str, Any]]]) -> list[str]:
    """A row a verb: the least of each figure by way, and the second way over the first."""
    first, second = (_least(verbs) for verbs in found.values())
    said = [f"| verb | figure | {' | '.join(found)} | ratio |", "|---|---|---|---|---|"]
    for verb in first:
        for figure in _FIGURES:
            one, other = first[verb][figure], second[verb][figure]
            shown = [
                f"{value / 1e9:.2f} GB" if figure == "peak_bytes" else f"{value:.1f} s"
                for value in (one, other)
            ]
            said.append(f"| {verb} | {figure.replace('_', ' ')} | {' | '.join(shown)} | {other / one:.2f} |")
    return said


def _least(rounds: Sequence[dict[str, Any]]) -> dict[str, dict[str, float]]:
    return {
        verb: {figure: min(verbs[verb][figure] for verbs in rounds) for figure in _FIGURES}
        for verb in rounds[0]
    }


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument(
        "--lines", type=lambda text: int(float(text)), default=1_000_000, help="lines of the day"
    )
    parser.add_argument("--rounds", type=int, default=2, help="nights of each way")
    parser.add_argument("--work", type=Path, default=WORK, help="folder for stores and days")
    given = parser.parse_args()
    print(f"{given.lines:,} lines, the least of {given.rounds} nights\n")
    print("\n".join(table(measured(Setup(given.work.resolve()), given.lines, given.rounds))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
