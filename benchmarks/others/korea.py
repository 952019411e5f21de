"""The public Korean import declarations: train on 2020, score the first quarter of 2021, five seeds.

    python -m benchmarks.others.korea [--work DIR] [--trials N] [--seeds N] [--fresh]

Needs the folder ../shared/korea beside the checkout. Scores are kept in the work folder and used again.

The published data repeats itself: most later rows have an exact (heading, origin, unit price) of an earlier
one, four fifths its exact total value, and looking its fraud rate up beats the published models. So the
lookups stand beside the models, and rows that have no such twin apart. Intervals are a bootstrap over days of
the mean over seeds.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import polars as pl

from benchmarks.others.korea_ours import OPERATION, WITHHELD, our_scores
from benchmarks.others.korea_rivals import KOREA, SAME_VALUE, TWIN, read, rivals, twins
from benchmarks.shared import figures as f
from features.arrays.hashing import hash_text
from features.arrays.types import FloatArray
from models.stats.intervals import bootstrap_interval, bootstrap_weights

Scores = Mapping[str, Sequence[FloatArray]]

RESULT = Path(__file__).resolve().parents[1] / "results" / "korea.md"
SEEDS = 5
TRIALS = 15
_FILE = "korea.json"
_PUBLISHED = (
    "Published on other months of the same table (Jeong et al. 2022), precision at 5% and 10%: LightGBM "
    "0.762 and 0.641, XGBoost 0.675 and 0.579, CatBoost 0.621 and 0.520."
)


def section(work: Path, *, fresh: bool = False, seeds: int = SEEDS, trials: int = TRIALS) -> str:
    """The section of the report: tables of all rows and of those without a twin, or why there are none."""
    title = "## Korean import declarations, first quarter of 2021\n\n"
    if not KOREA.is_dir():
        return f"{title}Skipped: expected the public Korean table in ../shared/korea, which is not there.\n"
    past, later = read("train.csv"), read("valid.csv")
    scores = _scores(work, past, later, seeds, trials, fresh=fresh)
    twin, same_value = (twins(past, later, key).to_numpy() for key in (TWIN, SAME_VALUE))
    said = [
        f"{title}Trained until the end of 2020 and tuned within it (`parcel-risk combinations`, then "
        f"{trials} trials of `parcel-risk tune`), {seeds} seeds. Each cell: mean over the seeds "
        "[95% interval of the mean, a bootstrap over days] "
        f"(lowest to highest seed). {_PUBLISHED}\n"
    ]
    if not any(name.startswith("CatBoost") for name in scores):
        said.append("CatBoost is not installed here (`pip install -e '.[bench]'`), so its row is missing.\n")
    parts = {
        "All rows": np.ones(len(twin), dtype=bool),
        "Rows without a twin (heading, origin, unit price)": ~twin,
        "Rows whose heading and origin never had their total value": ~same_value,
    }
    for name, mask in parts.items():
        chosen = {key: [each[mask] for each in given] for key, given in scores.items()}
        said.append(_table(name, later.filter(mask), chosen))
    return "\n".join(said)


def _scores(
    work: Path, past: pl.DataFrame, later: pl.DataFrame, seeds: int, trials: int, *, fresh: bool
) -> dict[str, list[FloatArray]]:
    """By name, the scores of each seed; from the work folder where they are there, and kept as they come."""
    kept, asked = work / _FILE, {"seeds": seeds, "trials": trials}
    scores: dict[str, list[list[float]]] = {}
    if kept.exists() and not fresh:
        stored = json.loads(kept.read_text(encoding="utf-8"))
        scores = stored["scores"] if stored["asked"] == asked else {}
    numbers = range(1, seeds + 1)

    def keep(name: str, given: Sequence[FloatArray], began: float) -> None:
        scores[name] = [each.tolist() for each in given]
        beside = kept.with_suffix(".new")
        beside.write_text(json.dumps({"asked": asked, "scores": scores}) + "\n", encoding="utf-8")
        beside.replace(kept)
        print(f"korea: {name}: {time.perf_counter() - began:.0f} s", flush=True)

    if WITHHELD not in scores or OPERATION not in scores:
        began = time.perf_counter()
        with tempfile.TemporaryDirectory(dir=work) as scratch:
            ours = our_scores(Path(scratch), later["Declaration ID"], numbers, trials)
        for name, given in ours.items():
            keep(name, given, began)
    for name, rival in rivals().items():
        if name not in scores:
            began = time.perf_counter()
            keep(name, [rival(past, later, seed) for seed in numbers], began)
    return {name: [np.array(each) for each in given] for name, given in scores.items()}


def _table(title: str, rows: pl.DataFrame, scores: Scores) -> str:
    """AUC and precision at 5 and 10% of every score, then the gain of ours over the others."""
    found, ties = rows["found"].to_numpy(), hash_text(rows["Declaration ID"]).to_numpy()
    weights = bootstrap_weights(rows["day"].to_numpy().astype(np.int64), draws=300, seed=1)
    weights = np.vstack([np.ones(len(found)), weights])
    columns = {"AUC": None, "precision at 5%": 0.05, "precision at 10%": 0.10}
    drawn = {
        (name, column): np.array(
            [
                (f.auc(each, found) if top is None else f.precision_at_top(each, found, ties, top))(weights)
                for each in given
            ]
        )
        for name, given in scores.items()
        for column, top in columns.items()
    }
    head = f"### {title}: {rows.height:,} rows, {int(found.sum()):,} findings\n"
    said = [head, f"| score | {' | '.join(columns)} |", "|---" * (1 + len(columns)) + "|"]
    for name in scores:
        said.append(f"| {name} | {' | '.join(_cell(drawn[name, column]) for column in columns)} |")
    for ours in (WITHHELD, OPERATION):
        for name in (name for name in scores if name not in (WITHHELD, OPERATION)):
            gains = [_gain(drawn[ours, column], drawn[name, column]) for column in columns]
            short = ours.removeprefix("this program, ")
            said.append(f"| *ours ({short}) less {name}* | {' | '.join(gains)} |")
    return "\n".join(said) + "\n"


def _cell(drawn: FloatArray) -> str:
    """Mean over seeds with interval, and the range of the seeds; `drawn` is (seeds, 1 + draws)."""
    mean = drawn.mean(axis=0)
    low, high = bootstrap_interval(mean[1:])
    return f"{mean[0]:.3f} [{low:.3f}, {high:.3f}] ({drawn[:, 0].min():.3f} to {drawn[:, 0].max():.3f})"


def _gain(ours: FloatArray, other: FloatArray) -> str:
    difference = ours.mean(axis=0) - other.mean(axis=0)
    low, high = bootstrap_interval(difference[1:])
    return f"{difference[0]:+.3f} [{low:+.3f}, {high:+.3f}]"


def main() -> int:
    """Write the section as a report of its own."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--work", type=Path, help="folder for stores and scores; default: a temporary one")
    parser.add_argument("--trials", type=int, default=TRIALS, help="trials of the search in 2020; 0: none")
    parser.add_argument("--seeds", type=int, default=SEEDS, help="number of seeds")
    parser.add_argument("--fresh", action="store_true", help="score anew although scores are there")
    given = parser.parse_args()
    if not KOREA.is_dir():
        print("skipped: expected the public Korean table in ../shared/korea, which is not there")
        return 0
    with tempfile.TemporaryDirectory() as scratch:
        work = (given.work or Path(scratch)).resolve()
        work.mkdir(parents=True, exist_ok=True)
        text = section(work, fresh=given.fresh, seeds=given.seeds, trials=given.trials)
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(f"Made by `python -m benchmarks.others.korea`.\n\n{text}", encoding="utf-8")
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
