"""What the trees alone cost in LightGBM: `Booster.predict` of three models of 400 trees with 63 leaves.

    python -m benchmarks.national.plain_trees STORE DAY LINES THREADS RESULT

Always of this size, whatever the models in use have. The matrix is ready and holds the 60 feature columns of
a day of the store that trees use most, so that lines take the paths that real lines take: on made-up columns
most end in a few leaves, which looks up to twice as fast. Its lines are drawn from those of the day.
The matrix is predicted in chunks, of which one is in memory; only the time of `predict` counts.
"""

from __future__ import annotations

import json
import sys
import time
from datetime import date
from pathlib import Path
from typing import Any

import lightgbm as lgb
import numpy as np

from configs.loader import load_settings
from features.arrays.types import FloatArray, IntArray
from pipelines.scoring.features_of_day import features_of_day

TREES, LEAVES, MODELS, COLUMNS = 400, 63, 3, 60
CHUNK = 250_000
_RISK = "undervaluation"
_RATES = (0.03, 0.02, 0.05)
_FIXED = {"objective": "binary", "deterministic": True, "force_row_wise": True, "verbosity": -1, "seed": 7}


def plain_trees(
    store: Path, day: date, lines: int, threads: int, *, trees: int = TREES, chunk: int = CHUNK
) -> dict[str, Any]:
    """Train and time; `seconds` are those of `predict` alone, for `lines` lines and the three models.

    The features are those of the lines of `day` in `store`.
    """
    columns = real_columns(store, day)
    rng = np.random.default_rng(7)
    targets = [_target(columns, rate, rng) for rate in _RATES[:MODELS]]
    used = _most_used(columns, targets[0], threads)
    matrix = columns[:, used]
    models = [_trained(matrix, target, trees, threads) for target in targets]
    seconds, done = 0.0, 0
    while done < lines:
        rows = rng.integers(0, len(matrix), min(chunk, lines - done))
        ready = np.ascontiguousarray(matrix[rows])
        began = time.perf_counter()
        for model in models:
            model.predict(ready, num_threads=threads)
        seconds += time.perf_counter() - began
        done += len(rows)
    return {
        "lines": lines,
        "seconds": seconds,
        "threads": threads,
        "real_lines": len(matrix),
        "columns": matrix.shape[1],
        "trees": [model.num_trees() for model in models],
        "leaves": float(np.mean([_leaves(model) for model in models])),
    }


def real_columns(store: Path, day: date) -> FloatArray:
    """The numeric features of the lines of a day (lines, columns)."""
    return features_of_day(store, day, _RISK, load_settings()).select_dtypes("number").to_numpy(np.float64)


def _target(columns: FloatArray, rate: float, rng: np.random.Generator) -> FloatArray:
    """Findings that hang on many columns and on chance, so that 400 trees find something to split on."""
    filled = np.nan_to_num(columns, posinf=0.0, neginf=0.0)
    spread = filled.std(axis=0)
    scaled = (filled - filled.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    weights = rng.normal(size=columns.shape[1]) * (spread > 0)
    pairs = rng.integers(0, columns.shape[1], (2, 40))
    score = np.tanh(scaled) @ weights + (np.tanh(scaled[:, pairs[0]] * scaled[:, pairs[1]])).sum(axis=1)
    score = score + rng.logistic(size=len(score)) * score.std()
    return (score > np.quantile(score, 1 - rate)).astype(np.float64)


def _most_used(columns: FloatArray, target: FloatArray, threads: int) -> IntArray:
    model = _trained(columns, target, 60, threads)
    gain = np.asarray(model.feature_importance("gain"))
    return np.sort(np.argsort(-gain, kind="stable")[:COLUMNS])


def _trained(matrix: FloatArray, target: FloatArray, trees: int, threads: int) -> lgb.Booster:
    parameters = {**_FIXED, "num_leaves": LEAVES, "learning_rate": 0.03, "num_threads": threads}
    return lgb.train(parameters, lgb.Dataset(matrix, target), num_boost_round=trees)


def _leaves(model: lgb.Booster) -> float:
    return float(np.mean([tree["num_leaves"] for tree in model.dump_model()["tree_info"]]))


def main() -> int:
    """Write the figures as JSON."""
    store, day, lines, threads, result = sys.argv[1:]
    done = plain_trees(Path(store), date.fromisoformat(day), int(lines), int(threads))
    Path(result).write_text(json.dumps(done, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
