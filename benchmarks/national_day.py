"""A national day in a night: what it takes, beside plain trees and beside a night as one writes it first.

    python -m benchmarks.national_day [--lines N] [--sizes N,N,…] [--work DIR] [--skip-naive]

`make bench-day`. Makes a day of N lines (`benchmarks/national/day_material.py` says how), takes it in and
scores it by the command line as the nightly job would, and in the same run times (a) LightGBM's `predict` of
three models of 400 trees x 63 leaves on as many lines, and (b) the same night in pandas and scikit-learn on
fewer lines.
Figures stay in the work folder; `benchmarks/results/national_day.md` is written from all that are there.
With --sizes only the nights of these sizes run, for the curve of memory and time.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.national import national_report
from benchmarks.national.day_material import LINES_OF_A_FILE, Month, make_day
from benchmarks.national.national_night import LINES_OF_A_LISTED_PARCEL, measured_night, models_of
from benchmarks.national.national_stores import DAY, EVE, Setup, prepare_stores
from benchmarks.shared.measured_process import run_measured
from benchmarks.shared.processes import commit

WORK = Path(__file__).resolve().parent / "work" / "national"
RESULT = Path(__file__).resolve().parent / "results" / "national_day.md"
NAIVE_LINES = 200_000


def run(
    setup: Setup, lines: int, naive_lines: int | None, *, lines_of_a_file: int = LINES_OF_A_FILE
) -> list[dict[str, Any]]:
    """Measure the night, the plain trees and, unless `naive_lines` is None, the naive day."""
    prepare_stores(setup)
    done = [_kept(setup, "night", measured_night(setup, lines, lines_of_a_file=lines_of_a_file))]
    done.append(_kept(setup, "trees", _trees(setup, lines)))
    if naive_lines is not None:
        done.append(_kept(setup, "naive", _naive(setup, min(naive_lines, lines))))
    return done


def run_sizes(setup: Setup, sizes: list[int]) -> list[dict[str, Any]]:
    """Measure nights of several sizes; keep the figures."""
    prepare_stores(setup)
    return [_kept(setup, "night", measured_night(setup, size)) for size in sizes]


def kept_figures(setup: Setup) -> list[dict[str, Any]]:
    """All figures of the work folder, the smallest day first."""
    found = [json.loads(path.read_text(encoding="utf-8")) for path in (setup.work / "figures").glob("*.json")]
    return sorted(found, key=lambda done: (done["kind"], done["lines"]))


def _trees(setup: Setup, lines: int) -> dict[str, Any]:
    arguments = [str(setup.month), str(EVE), str(lines), str(setup.cores)]
    return _module(setup, "plain_trees", arguments)


def _naive(setup: Setup, lines: int) -> dict[str, Any]:
    folder = setup.work / f"naive-{lines}"
    made = make_day(Month(setup.month), lines, folder)
    sizes = folder / "models.json"
    sizes.write_text(json.dumps(models_of(setup.month)), encoding="utf-8")
    listed = max(lines // LINES_OF_A_LISTED_PARCEL, 1)
    arguments = [str(setup.month), str(DAY), str(sizes), str(listed)]
    done = _module(setup, "naive_day", arguments, [str(file) for file in made.files])
    shutil.rmtree(folder)
    return done


def _module(
    setup: Setup, name: str, arguments: list[str], further: list[str] | None = None
) -> dict[str, Any]:
    """Run a module that writes its figures as JSON, with the threads of the night."""
    result = setup.work / f"{name}.json"
    command = [sys.executable, "-m", f"benchmarks.national.{name}", *arguments, str(result), *(further or [])]
    measured = run_measured(command, setup.environment(), setup.log)
    done: dict[str, Any] = json.loads(result.read_text(encoding="utf-8"))
    result.unlink()
    return {**done, "peak_bytes": measured.peak_bytes, "process_seconds": measured.seconds}


def _kept(setup: Setup, kind: str, done: dict[str, Any]) -> dict[str, Any]:
    moment = datetime.now(UTC).isoformat(timespec="seconds")
    if setup.remark:
        done = {**done, "remark": setup.remark}
    done = {"kind": kind, **done, "commit": commit(), "measured_at": moment}
    path = setup.work / "figures" / f"{kind}-{done['lines']}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(done, indent=1) + "\n", encoding="utf-8")
    print("\n".join(national_report.said(done)), flush=True)
    return done


def main() -> int:
    """Measure what the options ask for and write the report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--lines", type=_count, default=2_000_000, help="lines of the day")
    parser.add_argument("--sizes", type=_counts, help="nights of these many lines only, as in 2e6,4e6,8e6")
    parser.add_argument("--work", type=Path, default=WORK, help="folder for stores, days and figures")
    parser.add_argument("--skip-naive", action="store_true", help="leave the night in pandas away")
    parser.add_argument(
        "--naive-lines", type=_count, default=NAIVE_LINES, help="lines of the night in pandas"
    )
    parser.add_argument(
        "--month-parcels", type=_count, default=Setup.month_parcels, help="parcels a day before"
    )
    parser.add_argument("--remark", default="", help="what to say beside the figures")
    parser.add_argument("--workers", type=int, default=Setup.workers, help="processes of the night")
    parser.add_argument("--threads", type=int, default=Setup.threads, help="threads of each process")
    given = parser.parse_args()
    # No figure may depend on the models that a server of whoever runs this happens to hold.
    os.environ.pop("MLFLOW_TRACKING_URI", None)
    setup = Setup(
        given.work.resolve(),
        month_parcels=given.month_parcels,
        workers=given.workers,
        threads=given.threads,
        remark=given.remark,
    )
    if given.sizes:
        run_sizes(setup, given.sizes)
    else:
        run(setup, given.lines, None if given.skip_naive else given.naive_lines)
    write_report(setup, RESULT)
    return 0


def write_report(setup: Setup, path: Path) -> None:
    """Write the report of all figures in the work folder."""
    path.parent.mkdir(exist_ok=True)
    path.write_text(national_report.report(kept_figures(setup)), encoding="utf-8")
    print(f"written: {path}")


def _count(text: str) -> int:
    return int(float(text))


def _counts(text: str) -> list[int]:
    return [_count(part) for part in text.split(",")]


if __name__ == "__main__":
    sys.exit(main())
