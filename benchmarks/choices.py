"""Which lines to learn from, measured: inspected lines by their chance, and lines that nobody opened.

    python -m benchmarks.choices [--work DIR] [--fresh] [--parallel N]

Simulated worlds of development, not those that the models are judged on. Each runs in a process of its own
and leaves its figures as JSON in the work folder; a world whose figures are there is not run again, unless
--fresh says so. A way of learning is worth its place in a risk's file where it gains on later lines.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.judging.choice_variants import EQUAL, RIVALS, UNLABELLED, LaterLines, compared, later_lines
from benchmarks.judging.world_run import Size, write_figures
from benchmarks.shared import figures as f
from benchmarks.shared.clock import Clock
from benchmarks.shared.processes import run_modules
from benchmarks.worlds import WORK, with_threads
from configs.loader import load_settings
from configs.schema.pipeline import PipelineConfig
from configs.schema.risk import RiskConfig
from configs.schema.settings import Settings
from features.arrays.types import FloatArray
from models.trees.errors import TooFewFindings
from pipelines.history.chronicle import Chronicle
from pipelines.simulation import WorldParameters, simulate
from pipelines.store.store import Store
from pipelines.training.frames import TrainingData, training_data
from pipelines.work.progress import Progress

Figures = dict[str, Any]

SEEDS = (71, 72, 73)
SIZE = Size(days=60)
GAIN, LOSS, NEITHER = "gain", "loss", "no difference to be seen"


def measure(
    seed: int,
    parameters: WorldParameters,
    folder: Path,
    size: Size,
    settings: Settings,
    judged: Callable[[RiskConfig, TrainingData, LaterLines, PipelineConfig, int], Figures],
) -> dict[str, Figures]:
    """The figures of a world by risk, as `judged` makes them; its store is made in `folder`. A risk that has
    too few findings to learn from has empty ones.
    """
    clock, silent = Clock(f"choices, seed {seed}"), Progress.silent()
    with clock.step("simulate"):
        simulate(
            folder / "store", days=size.days, parcels_per_day=size.parcels_per_day, end=size.end, seed=seed,
            drift=False, settings=settings, progress=silent, parameters=parameters,
        )  # fmt: skip
    chronicle, risks = Chronicle(Store.open(folder / "store"), settings), list(settings.risks.values())
    with clock.step("features"):
        data = training_data(chronicle, risks, size.until, silent)
        later = later_lines(chronicle, data, risks, size.calendar[-size.scored_days :])
    done: dict[str, Figures] = {}
    for risk in risks:
        with clock.step(risk.name):
            try:
                done[risk.name] = judged(risk, data, later, settings.pipeline, seed)
            except TooFewFindings as error:
                print(error, flush=True)
                done[risk.name] = {}
    return done


def section(work: Path, *, fresh: bool = False, parallel: int = 1, size: Size = SIZE) -> str:
    """All tables, from the figures in the work folder or from a run of the worlds that have none there."""
    work.mkdir(parents=True, exist_ok=True)
    paths = {seed: _figures_path(work, seed, size) for seed in SEEDS}
    for path in paths.values() if fresh else ():
        path.unlink(missing_ok=True)
    threads = max(1, (os.cpu_count() or 1) // parallel)
    sizes = ["--days", str(size.days), "--parcels", str(size.parcels_per_day)]
    options = ["--work", str(work), "--threads", str(threads), *sizes]
    calls = [
        ["benchmarks.choices", "--run", str(seed), *options]
        for seed, path in paths.items()
        if not path.exists()
    ]
    run_modules(calls, parallel=parallel, threads=threads)
    return report({seed: json.loads(path.read_text("utf-8")) for seed, path in paths.items()}, size)


def _figures_path(work: Path, seed: int, size: Size) -> Path:
    return work / f"choices_{seed}_{size.days}x{size.parcels_per_day}.json"


def _run_one(seed: int, work: Path, size: Size, threads: int) -> None:
    parameters = WorldParameters.for_volume(size.parcels_per_day)
    settings = with_threads(load_settings(), threads)
    path = _figures_path(work, seed, size)
    folder = path.with_suffix(".run")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    write_figures(measure(seed, parameters, folder, size, settings, compared), path)
    shutil.rmtree(folder)


def ratios(figures: Figures, way: str) -> FloatArray:
    """Average precision of a way over that of equal weights on the same draws, (1 + draws,)."""
    ours, equal = (np.array(figures["average_precision"][name], dtype=np.float64) for name in (way, EQUAL))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(equal > 0.0, ours / equal, np.nan))


def pooled(by_world: Sequence[FloatArray]) -> f.Figure:
    """The geometric mean of the worlds' ratios. Worlds are drawn independently, so that any draw of one goes
    with any of another.
    """
    with np.errstate(divide="ignore"):
        return f.figure(np.exp(np.mean(np.log(by_world), axis=0)))


def verdict(ratio: f.Figure) -> str:
    """What the interval of a ratio says: a gain where all of it lies above 1."""
    if ratio.low > 1.0:
        return GAIN
    return LOSS if ratio.high < 1.0 else NEITHER


def report(worlds: dict[int, dict[str, Figures]], size: Size) -> str:
    """The section, from the figures by seed and risk."""
    shares = " and ".join(f"{share:.0%}" for share in UNLABELLED.values())
    said = [
        "## What to learn from\n",
        f"{len(worlds)} simulated worlds of development (seeds {', '.join(map(str, worlds))}), {size.days} "
        f"days of {size.parcels_per_day:,} parcels. Models learn from what was reported by the eve of the "
        f"last {size.scored_days} days and rank **all** lines of these days; figures are average precision "
        "against the truth. *Equal weights*: every inspected line counts alike. *Inverse propensity*: it "
        "counts one over its chance of inspection (`training_weights` in a risk's file). *Unlabelled*: "
        "lines of the newest training days that nobody inspected are shown as negatives that together count "
        f"{shares} of the inspected ones. All ways share encoder, parameters and number of trees. Intervals "
        "(95%) are a bootstrap over sellers with the same draws for every way; the pooled ratio is the "
        "geometric mean over worlds. What other seeds of a training would change is not in them, and one in "
        "forty ways that change nothing would seem to gain.\n",
    ]
    for risk in dict.fromkeys(name for world in worlds.values() for name in world):
        of_risk = {seed: world[risk] for seed, world in worlds.items()}
        said += [f"**{risk.replace('_', ' ')}**\n", *_table(of_risk), "", _verdicts(of_risk), ""]
    return "\n".join(said)


def _table(worlds: dict[int, Figures]) -> list[str]:
    """A row a world: findings, average precision of every way, and of the others its ratio."""
    heads = [f"{way} | ratio" for way in RIVALS]
    rows = [f"| seed | learned from | later findings | {EQUAL} | {' | '.join(heads)} |"]
    rows.append("|---" * (4 + 2 * len(RIVALS)) + "|")
    for seed, figures in worlds.items():
        if not figures:
            rows.append(f"| {seed} | too few findings to learn from{' |' * (2 + 2 * len(RIVALS))} |")
            continue
        cells = [
            f"{figures['learned_lines']:,} ({figures['learned_findings']:,}), "
            f"{figures['unlabelled_lines']:,} unlabelled",
            f"{figures['findings']:,} of {figures['lines']:,}",
            _cell(f.figure(np.array(figures["average_precision"][EQUAL]))),
        ]
        for way in RIVALS:
            cells.append(_cell(f.figure(np.array(figures["average_precision"][way]))))
            cells.append(_cell(f.figure(ratios(figures, way)), 2))
        rows.append(f"| {seed} | {' | '.join(cells)} |")
    return rows


def _verdicts(worlds: dict[int, Figures]) -> str:
    judged = [figures for figures in worlds.values() if figures.get("findings")]
    if not judged:
        return "No world has later findings and a model to rank them."
    findings = sum(figures["findings"] for figures in judged)
    said = []
    for way in RIVALS:
        ratio = pooled([ratios(figures, way) for figures in judged])
        said.append(f"{way} {_cell(ratio)}: **{verdict(ratio)}**")
    return f"Pooled ratio to equal weights, {findings:,} findings: {'; '.join(said)}."


def _cell(figure: f.Figure, digits: int = 3) -> str:
    return f"{figure.value:.{digits}f} [{figure.low:.{digits}f}, {figure.high:.{digits}f}]"


def main() -> int:
    """Print the section."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--work", type=Path, default=WORK, help="folder for stores and figures")
    parser.add_argument("--fresh", action="store_true", help="run worlds whose figures are there again")
    parser.add_argument("--parallel", type=int, default=1, help="worlds at a time, which share the cores")
    parser.add_argument("--days", type=int, default=SIZE.days, help="days of a world")
    parser.add_argument("--parcels", type=int, default=SIZE.parcels_per_day, help="parcels a day")
    parser.add_argument("--run", type=int, choices=SEEDS, help=argparse.SUPPRESS)
    parser.add_argument("--threads", type=int, default=1, help=argparse.SUPPRESS)
    given = parser.parse_args()
    size, work = Size(days=given.days, parcels_per_day=given.parcels), given.work.resolve()
    if given.run is not None:
        _run_one(given.run, work, size, given.threads)
        return 0
    print(section(work, fresh=given.fresh, parallel=max(1, given.parallel), size=size))
    return 0


if __name__ == "__main__":
    sys.exit(main())
