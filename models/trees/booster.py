"""A LightGBM booster kept as text: its training repeats itself, no batch or thread changes a score.

The native `Booster` is used rather than the scikit-learn wrapper, because it is saved as text and needs no
pickle. Whatever evaluates trees at scoring time stands behind `Booster.predict_columns`, for the nightly job
and MLflow alike: bit vectors, which give the bits of LightGBM's own answer.

Source: Ke et al. 2017, "LightGBM: A Highly Efficient Gradient Boosting Decision Tree".
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from features.arrays.types import Float32Array, FloatArray
from models.trees.bit_vectors import BitVectorTrees
from models.trees.contributions import contributions
from models.trees.forest import Forest
from models.trees.linear_start import LinearStart
from models.trees.matrix import Columns, Matrix

if TYPE_CHECKING:
    import lightgbm

Parameter = float | int | str | bool

# A risk has some hundred findings at best: small trees, slow steps, and leaves that need company.
# Categories with many values are the easiest way to learn noise, so their splits pay a high penalty.
DEFAULTS: Mapping[str, Parameter] = {
    "objective": "binary",
    "learning_rate": 0.05,
    "num_leaves": 15,
    "min_data_in_leaf": 20,
    "min_sum_hessian_in_leaf": 0.5,
    "lambda_l2": 5.0,
    "feature_fraction": 0.5,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "max_bin": 127,
    "cat_smooth": 20.0,
    "cat_l2": 20.0,
    "max_cat_threshold": 16,
    "min_data_per_group": 50,
}
# Never up to a configuration: without these a training would not repeat itself.
_FIXED: Mapping[str, Parameter] = {
    "deterministic": True,
    "force_row_wise": True,
    "feature_pre_filter": False,
    "verbosity": -1,
}


class _ReadOnce:
    """The trees of a booster in every form, each made when somebody wants it: that takes longer than a small
    day's scores, and LightGBM itself takes seconds to start.
    """

    def __init__(self, native: lightgbm.Booster | None = None, text: str | None = None) -> None:
        self._native, self._text = native, text

    @cached_property
    def native(self) -> lightgbm.Booster:
        return _lightgbm().Booster(model_str=self._text) if self._native is None else self._native

    @cached_property
    def text(self) -> str:
        return self._text or str(self.native.model_to_string(num_iteration=-1))

    @cached_property
    def forest(self) -> Forest | None:
        return Forest.read(self.text)

    @cached_property
    def trees(self) -> BitVectorTrees | None:
        return None if self.forest is None else BitVectorTrees.of(self.forest)


class Booster:
    """Trees over a `Matrix`, which go on from a `LinearStart` where there is one."""

    def __init__(
        self, native: lightgbm.Booster | None, rounds: int, start: LinearStart | None = None,
        read: _ReadOnce | None = None,
    ) -> None:  # fmt: skip
        self.rounds = rounds
        self.start = start
        self._read = read or _ReadOnce(native)

    def upto(self, rounds: int) -> Booster:
        """The same with the first `rounds` trees alone."""
        return Booster(None, rounds, self.start, self._read)

    @property
    def _native(self) -> lightgbm.Booster:
        return self._read.native

    @property
    def _trees(self) -> BitVectorTrees | None:
        return self._read.trees

    @cached_property
    def places(self) -> tuple[int, ...]:
        """The columns of the matrix that a raw score depends on, in ascending order."""
        split = range(self._native.num_feature()) if self._trees is None else self._trees.places
        return tuple(sorted({*split, *(() if self.start is None else self.start.places)}))

    def predict_raw(self, values: Float32Array, *, threads: int = 1, rounds: int | None = None) -> FloatArray:
        """Raw score a line (lines,) for matrix values (lines, columns): log-odds for a classifier, the
        target's unit for a regression.
        """
        places = np.array(self.places, dtype=np.int64)
        columns = Columns(np.ascontiguousarray(values[:, places].T), places)
        return self.predict_columns(columns, threads=threads, rounds=rounds)

    def predict_columns(self, columns: Columns, *, threads: int = 1, rounds: int | None = None) -> FloatArray:
        """`predict_raw` where only columns are at hand, which must be those of `places` or more of them.

        Trees that bit vectors cannot express are left to LightGBM, on so many threads.
        """
        rounds, lines = rounds or self.rounds, columns.values.shape[1]
        if lines == 0:
            return np.empty(0, dtype=np.float64)
        if self._trees is not None:
            trees = self._trees(columns.values, columns.rows(self._trees.places), rounds)
        else:
            whole = columns.values[columns.rows(range(self._native.num_feature()))].T
            raw = self._native.predict(whole, raw_score=True, num_iteration=rounds, num_threads=threads)
            trees = np.asarray(raw, dtype=np.float64)
        if self.start is None:
            return trees
        given = (columns.values[row] for row in columns.rows(self.start.places))
        return trees + self.start.of_columns(given, lines)

    def contributions(self, values: Float32Array, *, threads: int = 1) -> FloatArray:
        """What each column adds to the raw score, (lines, columns + 1); the last is the mean of all lines.

        Trees of a kind that we do not read are left to LightGBM, on so many threads.
        """
        if len(values) == 0:
            return np.empty((0, values.shape[1] + 1), dtype=np.float64)
        if self._read.forest is not None:
            added = contributions(self._read.forest, values, self.rounds)
        else:
            parts = self._native.predict(
                values, pred_contrib=True, num_iteration=self.rounds, num_threads=threads
            )
            added = np.asarray(parts, dtype=np.float64)
        if self.start is not None:
            added[:, list(self.start.places)] += self.start.parts(values)
            added[:, -1] += self.start.intercept
        return added

    def gain(self) -> FloatArray:
        """Loss taken away by the splits on each column, (columns,)."""
        return np.asarray(
            self._native.feature_importance(importance_type="gain", iteration=self.rounds), dtype=np.float64
        )

    def save(self, path: Path) -> None:
        """Write the trees in use in LightGBM's text format, and a start beside them as JSON."""
        path.write_text(self._native.model_to_string(num_iteration=self.rounds), encoding="utf-8")
        beside = _start_path(path)
        if self.start is None:
            beside.unlink(missing_ok=True)
        else:
            beside.write_text(json.dumps(self.start.as_dict(), indent=1) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> Booster:
        """Read what `save` wrote."""
        text = path.read_text(encoding="utf-8")
        beside, start = _start_path(path), None
        if beside.exists():
            start = LinearStart.from_dict(json.loads(beside.read_text(encoding="utf-8")))
        return cls(None, text.count("\nTree="), start, _ReadOnce(text=text))


def _start_path(path: Path) -> Path:
    return path.with_name(f"{path.stem}_start.json")


@dataclass(frozen=True)
class Trained:
    """A booster with all its rounds, and the loss on the validation lines after each of them (rounds,)."""

    booster: Booster
    curve: FloatArray | None


@dataclass(frozen=True)
class TreeSettings:
    """How many trees, from which seed, on how many threads, with which `parameters` laid over `DEFAULTS`."""

    rounds: int
    seed: int
    threads: int = 1
    parameters: Mapping[str, Parameter] = field(default_factory=dict)


def train_booster(
    matrix: Matrix,
    target: npt.ArrayLike,
    settings: TreeSettings,
    *,
    validation: tuple[Matrix, npt.ArrayLike] | None = None,
    start: LinearStart | None = None,
    weights: FloatArray | None = None,
) -> Trained:
    """Train trees; the same input gives the same ones.

    There is no early stopping: with `validation` the caller sees the whole curve and can average it over
    blocks. Its lines count alike.

    Args:
        matrix: the lines to learn from.
        target: finding or amount of each line (lines,).
        settings: what the trees are grown by.
        validation: later lines and their targets, on which the loss is recorded after each tree.
        start: what the trees go on from.
        weights: how much each line counts (lines,); alike where there are none.
    """
    lightgbm = _lightgbm()
    laid_over: dict[str, Any] = {
        **DEFAULTS,
        **settings.parameters,
        **_FIXED,
        "seed": settings.seed,
        "num_threads": settings.threads,
    }
    dataset = _dataset(matrix, target, laid_over, start, weights=weights)
    recorded: dict[str, dict[str, list[float]]] = {}
    valid_sets = []
    callbacks = []
    if validation is not None:
        valid_sets = [_dataset(*validation, laid_over, start, reference=dataset)]
        callbacks = [lightgbm.record_evaluation(recorded)]
    native = lightgbm.train(
        laid_over,
        dataset,
        num_boost_round=settings.rounds,
        valid_sets=valid_sets,
        valid_names=["later"] * len(valid_sets),
        callbacks=callbacks,
    )
    curve = None
    if recorded:
        curve = np.asarray(next(iter(recorded["later"].values())), dtype=np.float64)
    return Trained(Booster(native, settings.rounds, start), curve)


def _lightgbm() -> ModuleType:
    """LightGBM, imported when needed, with threads that sleep while they wait.

    By default they spin, and any other process on the machine then doubles the time of a training.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    import lightgbm

    return lightgbm


def _dataset(
    matrix: Matrix,
    target: npt.ArrayLike,
    parameters: Mapping[str, Any],
    start: LinearStart | None,
    *,
    reference: lightgbm.Dataset | None = None,
    weights: FloatArray | None = None,
) -> lightgbm.Dataset:
    dataset: lightgbm.Dataset = _lightgbm().Dataset(
        matrix.values,
        label=np.asarray(target, dtype=np.float64),
        weight=weights,
        init_score=None if start is None else start(matrix.values),
        # Names of columns may hold signs that LightGBM's text format does not allow.
        feature_name=[f"f{index}" for index in range(len(matrix.columns))],
        categorical_feature=list(matrix.categorical),
        reference=reference,
        params=dict(parameters),
        free_raw_data=True,
    )
    return dataset
