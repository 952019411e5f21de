"""LightGBM's own predict and bit vectors: CPU microseconds a line on one thread, the same lines in one run.

    python -m benchmarks.decisions.trees [LINES]

The models are trained on other lines of the same kind as those they are asked about: on lines unlike those
of the training both take the same few paths and look faster than they are. The ways take turns, and the best
of three turns counts, so that another process on the machine touches the ratio little.
"""

import os

from features.arrays.types import BoolArray, FloatArray

os.environ["OMP_NUM_THREADS"] = "1"

import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import lightgbm
import numpy as np

from models.trees.bit_vectors import BitVectorTrees
from models.trees.booster import Booster, TreeSettings, train_booster
from models.trees.columns import narrow
from models.trees.matrix import Columns, Matrix

LEARNED, TURNS = 20_000, 3
_CODES = 40


@dataclass(frozen=True)
class Kind:
    """A size of model: trees, leaves a tree, columns of the matrix, how many of them are codes."""

    name: str
    trees: int
    leaves: int
    columns: int
    codes: int


KINDS = (
    Kind("the size that national_day compares with", 400, 63, 60, 0),
    Kind("undervaluation", 118, 31, 315, 14),
    Kind("expected price, with its codes", 120, 31, 65, 14),
    Kind("prohibited items", 114, 3, 315, 14),
)


def drawn(kind: Kind, lines: int, seed: int) -> Matrix:
    """Columns as features have them: sums of money, counts, shares that are mostly unknown, and codes."""
    rng = np.random.default_rng(seed)
    numbers = kind.columns - kind.codes
    money = rng.lognormal(3.0, 1.5, (lines, numbers)).round(2)
    counts = rng.poisson(2.0, (lines, numbers)).astype(np.float64)
    shares = np.where(rng.random((lines, numbers)) < 0.4, np.nan, rng.beta(1.0, 12.0, (lines, numbers)))
    values = np.choose(np.arange(numbers) % 3, [money, counts, shares])
    values[rng.random(values.shape) < 0.03] = np.nan
    codes = np.floor(_CODES * rng.random((lines, kind.codes)) ** 2)
    names = tuple(f"f{place}" for place in range(kind.columns))
    return Matrix(narrow(np.hstack([values, codes])), names, tuple(range(numbers, kind.columns)))


def target(matrix: Matrix, seed: int) -> BoolArray:
    """Findings (lines,) that many columns tell something about, alone and in pairs."""
    known = np.log1p(np.nan_to_num(matrix.values))
    known[:, matrix.categorical] = np.sin(7.0 * known[:, matrix.categorical])
    known = (known - known.mean(axis=0)) / np.maximum(known.std(axis=0), 1e-9)
    rng = np.random.default_rng(seed)
    weights = rng.normal(size=known.shape[1]) / np.sqrt(known.shape[1])
    odds = known @ weights + (known * np.roll(known, 1, axis=1)) @ np.roll(weights, 5)
    return np.asarray(odds + rng.normal(size=len(known)) > 1.0)


def trained(kind: Kind) -> Booster:
    matrix = drawn(kind, LEARNED, 1)
    parameters = {"num_leaves": kind.leaves, "cat_smooth": 5.0, "cat_l2": 1.0, "feature_fraction": 0.5}
    found = target(matrix, 2)
    return train_booster(
        matrix, found, TreeSettings(rounds=kind.trees, seed=1, parameters=parameters)
    ).booster


def best_of(ways: Mapping[str, Callable[[], FloatArray]], lines: int) -> dict[str, float]:
    """CPU microseconds a line by way."""
    seconds: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(TURNS):
        for way, run in ways.items():
            began = time.process_time()
            run()
            seconds[way].append(time.process_time() - began)
    return {way: min(taken) / lines * 1e6 for way, taken in seconds.items()}


def measured(kind: Kind, lines: int) -> str:
    """A row of the table; ends with an error where the bits differ."""
    booster, matrix = trained(kind), drawn(kind, lines, 3)
    native: lightgbm.Booster = booster._native
    text = native.model_to_string()
    if BitVectorTrees.read(text) is None:
        raise SystemExit(f"{kind.name}: bit vectors cannot express the trees, there is nothing to compare")
    places = np.array(booster.places)
    columns = Columns(np.ascontiguousarray(matrix.values[:, places].T), places)
    ways: dict[str, Callable[[], FloatArray]] = {
        "lightgbm": lambda: np.asarray(native.predict(matrix.values, raw_score=True, num_threads=1)),
        "bits": lambda: booster.predict_columns(columns),
    }
    if ways["lightgbm"]().tobytes() != ways["bits"]().tobytes():
        raise SystemExit(f"{kind.name}: the two ways differ")
    taken = best_of(ways, lines)
    ratio = taken["lightgbm"] / taken["bits"]
    size = f"{kind.trees} x {kind.leaves}, {text.count('cat_threshold=')} trees with codes"
    return (
        f"| {kind.name} | {size} | {len(places)} of {kind.columns} "
        f"| {taken['lightgbm']:.2f} | {taken['bits']:.2f} | {ratio:.1f} |"
    )


def main() -> int:
    lines = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    print(f"{lines:,} lines, one thread, CPU microseconds a line; scores equal to the bit\n")
    print("| model | trees x leaves | columns read | LightGBM | bit vectors | ratio |")
    print("|---|---|---|---|---|---|")
    for kind in KINDS:
        print(measured(kind, lines), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
