"""Every figure about the models, written into benchmarks/results/models.md: `make bench-models`.

    python -m benchmarks.models [--work DIR] [--fresh] [--parallel N] [--only SECTION]

What is in the work folder is used again, so that a killed run goes on where it ended; --fresh begins anew.
A section is a function of the work folder that returns its text: add it to SECTIONS.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from benchmarks import ablation, choices, coverage, worlds
from benchmarks.judging import world_report
from benchmarks.judging.new_worlds_report import new_worlds_section
from benchmarks.others import agencies, korea, office
from benchmarks.shared.processes import commit
from pipelines.work.progress import Progress

ROOT = Path(__file__).resolve().parents[1]
RESULT = ROOT / "benchmarks" / "results" / "models.md"
_PACKAGES = ("lightgbm", "numpy", "polars", "scikit-learn")


@dataclass(frozen=True)
class Run:
    """How to run: where figures are kept, whether they are made anew, how many worlds at a time."""

    work: Path
    fresh: bool
    parallel: int


def _worlds(run: Run) -> str:
    return world_report.section(worlds.figures_of_worlds(run.work, fresh=run.fresh, parallel=run.parallel))


def _new_worlds(run: Run) -> str:
    twelve = [bench.name for bench in worlds.twelve_worlds()]
    figures = worlds.figures_of_worlds(run.work, fresh=run.fresh, parallel=run.parallel, only=twelve)
    return new_worlds_section(figures)


def _office(run: Run) -> str:
    return office.section(run.work, fresh=run.fresh)


def _choices(run: Run) -> str:
    return choices.section(run.work, fresh=run.fresh, parallel=run.parallel)


def _ablation(run: Run) -> str:
    return ablation.section(run.work, fresh=run.fresh)


def _korea(run: Run) -> str:
    return korea.section(run.work, fresh=run.fresh)


def _agencies(run: Run) -> str:
    return agencies.section(run.work, fresh=run.fresh)


def _coverage(run: Run) -> str:
    return _kept(run, "coverage.md", lambda: coverage.section(Progress.on_terminal()))


SECTIONS: dict[str, Callable[[Run], str]] = {
    "worlds": _worlds,
    "new worlds": _new_worlds,
    "office": _office,
    "choices": _choices,
    "ablation": _ablation,
    "coverage": _coverage,
    "korea": _korea,
    "agencies": _agencies,
}


def main() -> int:
    """Write the report; with --only print sections instead."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--work", type=Path, default=worlds.WORK, help="folder for stores and figures")
    parser.add_argument("--fresh", action="store_true", help="measure again what is in the work folder")
    parser.add_argument("--parallel", type=int, default=1, help="worlds at a time, which share the cores")
    parser.add_argument("--only", action="append", choices=list(SECTIONS), help="print this section only")
    given = parser.parse_args()
    # No figure may depend on the models that a server of whoever runs this happens to hold.
    os.environ.pop("MLFLOW_TRACKING_URI", None)
    run = Run(given.work.resolve(), given.fresh, max(1, given.parallel))
    run.work.mkdir(parents=True, exist_ok=True)
    parts, seconds = [], {}
    for name in given.only or SECTIONS:
        began = time.perf_counter()
        parts.append(SECTIONS[name](run))
        seconds[name] = time.perf_counter() - began
        print(f"{name}: {seconds[name]:.0f} s", flush=True)
    if given.only:
        print("\n".join(parts))
        return 0
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text("\n".join([_head(seconds), *parts]), encoding="utf-8")
    print(f"written: {RESULT.relative_to(ROOT)}")
    return 0


def _kept(run: Run, name: str, make: Callable[[], str]) -> str:
    """A section's text from the work folder, or made and put there."""
    path = run.work / name
    if run.fresh or not path.exists():
        text = make()
        path.write_text(text, encoding="utf-8")
        return text
    return path.read_text(encoding="utf-8")


def _head(seconds: dict[str, float]) -> str:
    packages = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    took = ", ".join(f"{name} {spent:.0f} s" for name, spent in seconds.items())
    return (
        "# The models, measured\n\n"
        "Written by `make bench-models`; no figure here was typed. Each stands with its 95% interval and the "
        "number of findings that it rests on.\n\n"
        f"- made on {datetime.now(UTC):%Y-%m-%d} from commit {commit()}\n"
        f"- machine: {os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}; "
        f"{packages}\n"
        f"- this run: {took}; what an earlier run left in the work folder was not measured again\n"
    )


if __name__ == "__main__":
    sys.exit(main())
