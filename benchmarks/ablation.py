"""What each part of the models brings: a risk fitted with and without it, and how each ranks all later lines.

    python -m benchmarks.ablation [--work DIR] [--seed N]... [--days N] [--parcels N]

Simulated worlds of development, not those that the models are judged on. All fits learn from the same
inspected lines and rank all lines of the last days against the truth; a world whose figures are in the work
folder is not run again.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from benchmarks.choices import SEEDS, measure, pooled
from benchmarks.judging.choice_variants import LaterLines
from benchmarks.judging.world_run import Size, write_figures
from benchmarks.shared import figures as f
from benchmarks.worlds import WORK
from configs.loader import load_settings
from configs.schema.pipeline import PipelineConfig
from configs.schema.risk import RiskConfig
from features.arrays.types import BoolArray, FloatArray
from models.fitting.cross_fitted_rates import RateKeys
from models.fitting.training import fit_risk
from pipelines.simulation import WorldParameters
from pipelines.training.frames import TrainingData

WHOLE = "whole"
PARTS: Mapping[str, Mapping[str, Any]] = {
    WHOLE: {},
    "own trees alone": {"candidates": ()},
    "no goods models": {"goods_models": False},
    "neither": {"candidates": (), "goods_models": False},
}
"""What a risk's file says otherwise, by what is left of the model."""
SIZE = Size(days=60, parcels_per_day=3000)
Figures = dict[str, Any]


def with_and_without(
    risk: RiskConfig, data: TrainingData, later: LaterLines, config: PipelineConfig, seed: int
) -> Figures:
    """Average precision `(1 + draws)` and findings in the top 1% by what was done, by what is left."""
    found = later.truth[risk.label].to_numpy()
    scores = {
        left: _scores(risk.model_copy(update=dict(said)), data, later, config) for left, said in PARTS.items()
    }
    draws = f.Draws.of(later.truth["seller_id"], later.truth["declaration_id"], seed)
    drawn = f.figures(draws, {left: f.average_precision(each, found) for left, each in scores.items()})
    kinds = later.truth["mechanism"]
    return {
        "findings": int(found.sum()),
        "average_precision": {left: values.tolist() for left, values in drawn.items()},
        "top": {left: _caught(each, found, kinds) for left, each in scores.items()},
        "of": _counted(found, kinds),
    }


def _scores(risk: RiskConfig, data: TrainingData, later: LaterLines, config: PipelineConfig) -> FloatArray:
    fitted = fit_risk(
        data.frames[risk.name], risk, config.training, until=data.until, all_lines=data.all_lines[risk.name],
        keys=RateKeys.of(config),
    )  # fmt: skip
    model = fitted.model.with_goods(data.goods)
    return model.score(later.frames[risk.name], threads=config.training.threads).probability


def _caught(score: FloatArray, found: BoolArray, kinds: pl.Series) -> dict[str, int]:
    top = np.argsort(-score, kind="stable")[: max(1, round(f.TOP * len(score)))]
    return _counted(found[top], kinds[top])


def _counted(found: BoolArray, kinds: pl.Series) -> dict[str, int]:
    counts = kinds.filter(pl.Series(found)).drop_nulls().value_counts(sort=True)
    return {str(kind): int(count) for kind, count in counts.iter_rows()}


def report(worlds: Mapping[int, Mapping[str, Figures]], size: Size) -> str:
    """The section, from the figures by seed and risk."""
    seeds = ", ".join(map(str, worlds))
    said = [
        "## What each part brings\n",
        f"{len(worlds)} simulated worlds of development (seeds {seeds}), {size.days} days of "
        f"{size.parcels_per_day:,} parcels; average precision on all lines of the last {size.scored_days} "
        "days against the truth. *Own trees alone*: without the other candidates of the blend; *no goods "
        "models*: without what goods of such words cost and weigh and go under. Ratios to the whole are "
        "geometric means over worlds, with a bootstrap over sellers (95%).\n",
    ]
    for risk in dict.fromkeys(risk for world in worlds.values() for risk in world):
        of_risk = [world[risk] for world in worlds.values() if world[risk]]
        if not of_risk:
            continue
        said += [f"**{risk.replace('_', ' ')}**, {sum(each['findings'] for each in of_risk):,} findings\n"]
        said += [*_ranking(of_risk), "", *_top(of_risk), ""]
    return "\n".join(said)


def _ranking(worlds: Sequence[Figures]) -> list[str]:
    rows = ["| left | average precision by world | over the whole |", "|---|---|---|"]
    for left in PARTS:
        values = [np.array(world["average_precision"][left]) for world in worlds]
        whole = [np.array(world["average_precision"][WHOLE]) for world in worlds]
        ratio = pooled([one / other for one, other in zip(values, whole, strict=True)])
        figures = ", ".join(f"{each[0]:.3f}" for each in values)
        rows.append(f"| {left} | {figures} | {ratio.value:.2f} [{ratio.low:.2f}, {ratio.high:.2f}] |")
    return rows


def _top(worlds: Sequence[Figures]) -> list[str]:
    kinds = sorted({kind for world in worlds for kind in world["of"]})
    rows = [f"| in the top {f.TOP:.0%}, of all | {' | '.join(PARTS)} |", "|---" * (1 + len(PARTS)) + "|"]
    for kind in kinds:
        whole = sum(world["of"].get(kind, 0) for world in worlds)
        cells = (sum(world["top"][left].get(kind, 0) for world in worlds) / whole for left in PARTS)
        rows.append(f"| {kind.replace('_', ' ')} ({whole}) | {' | '.join(f'{cell:.2f}' for cell in cells)} |")
    return rows


def section(work: Path, seeds: Sequence[int] = SEEDS[:2], size: Size = SIZE, *, fresh: bool = False) -> str:
    """All tables, from the figures in the work folder or from a run of the worlds that have none there."""
    worlds = {}
    for seed in seeds:
        path = work / f"ablation_{seed}_{size.days}x{size.parcels_per_day}.json"
        if fresh or not path.exists():
            folder = path.with_suffix(".run")
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            parameters = WorldParameters.for_volume(size.parcels_per_day)
            made = measure(seed, parameters, folder, size, load_settings(), with_and_without)
            write_figures(made, path)
            shutil.rmtree(folder)
        worlds[seed] = json.loads(path.read_text("utf-8"))
    return report(worlds, size)


def main() -> int:
    """Print the section."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--work", type=Path, default=WORK, help="folder for stores and figures")
    parser.add_argument("--seed", type=int, action="append", help="of a world; may be given more than once")
    parser.add_argument("--days", type=int, default=SIZE.days, help="days of a world")
    parser.add_argument("--parcels", type=int, default=SIZE.parcels_per_day, help="parcels a day")
    given = parser.parse_args()
    size = Size(days=given.days, parcels_per_day=given.parcels)
    print(section(given.work.resolve(), given.seed or SEEDS[:2], size))
    return 0


if __name__ == "__main__":
    sys.exit(main())
