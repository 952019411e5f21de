"""One risk trained in several ways on the same inspected lines, and how each ranks all later lines.

The ways differ in what the trees are shown and how much of it counts: every inspected line alike, each by one
over its chance of inspection, or all of them and, beside them, lines that nobody opened as negatives that
hardly count. Encoder, linear start, parameters and the number of trees are those of the first way.

Source of the weak negatives: Elkan and Noto 2008, "Learning Classifiers from Only Positive and Unlabeled
Data" (unlabelled lines as weighted examples).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import polars as pl

from benchmarks.judging.bound import KIND, truth_of
from benchmarks.shared import figures as f
from configs.schema.pipeline import PipelineConfig, TrainingConfig
from configs.schema.risk import RiskConfig
from features.arrays.types import BoolArray, FloatArray
from features.assemble import assemble
from features.contract.declarations import LINE_KEY
from features.history.view import DayContext
from models.fitting.candidates import start_of, tree_parameters
from models.fitting.cross_fitted_rates import RateKeys, cross_fitted
from models.fitting.inspection_weights import inverse_propensity_weights
from models.fitting.training import fit_risk, known_lines
from models.risk.calibration import Calibrator
from models.risk.encoder import fit_encoder
from models.trees.booster import Booster, TreeSettings, train_booster
from models.trees.matrix import Matrix
from pipelines.history.chronicle import Chronicle
from pipelines.training.frames import TrainingData

EQUAL = "equal weights"
INVERSE = "inverse propensity"
# What all unlabelled lines together count, as a share of the inspected ones.
UNLABELLED: Mapping[str, float] = {"unlabelled at 5%": 0.05, "unlabelled at 30%": 0.30}
RIVALS = (INVERSE, *UNLABELLED)
_FARTHEST = 20.0


@dataclass(frozen=True)
class LaterLines:
    """All lines of the later days: key, `seller_id`, the truth by label and what was done (`mechanism`); in
    the same order the features by risk.
    """

    truth: pl.DataFrame
    frames: Mapping[str, pl.DataFrame]


def later_lines(
    chronicle: Chronicle, data: TrainingData, risks: Sequence[RiskConfig], days: Sequence[date]
) -> LaterLines:
    """Features of every line of `days`, which follow those of `data`; each day knows what its eve knew."""
    history, config = data.history, chronicle.settings.pipeline
    truth: list[pl.DataFrame] = []
    frames: dict[str, list[pl.DataFrame]] = {risk.name: [] for risk in risks}
    for day in days:
        lines = chronicle.prepared(day)
        today = chronicle.tables(lines, day, history)
        context = DayContext(day, history, today, config.features)
        built = assemble(lines, context, chronicle.reference.on(day), risks)
        true = truth_of(chronicle.store, day).select(*LINE_KEY, *(risk.label for risk in risks), KIND)
        keys = built.lines.select(*LINE_KEY, "seller_id")
        truth.append(keys.join(true, on=LINE_KEY, how="left", validate="1:1", maintain_order="left"))
        for risk in risks:
            frames[risk.name].append(built.for_risk(risk))
        history = chronicle.step(history, day, today, chronicle.results(day))
    return LaterLines(pl.concat(truth), {name: pl.concat(parts) for name, parts in frames.items()})


def compared(
    risk: RiskConfig, data: TrainingData, later: LaterLines, config: PipelineConfig, seed: int
) -> dict[str, Any]:
    """Average precision of every way on all later lines, `(1 + draws)` numbers each: the figure, then what a
    bootstrap over sellers drew; beside it what was learned from.

    Raises TooFewFindings where the risk cannot be trained.
    """
    found = later.truth[risk.label].to_numpy()
    scores, learned = scores_of_ways(risk, data, later.frames[risk.name], config)
    draws = f.Draws.of(later.truth["seller_id"], later.truth["declaration_id"], seed)
    drawn = f.figures(draws, {way: f.average_precision(each, found) for way, each in scores.items()})
    return {
        **learned,
        "lines": len(found),
        "findings": int(found.sum()),
        "average_precision": {way: values.tolist() for way, values in drawn.items()},
    }


def scores_of_ways(
    risk: RiskConfig, data: TrainingData, later: pl.DataFrame, config: PipelineConfig
) -> tuple[dict[str, FloatArray], dict[str, int]]:
    """Probabilities of the later lines (lines,) by way, and counts of what was learned from.

    A probability is that of an examined line times the chance of being examined, as at night. All ways take
    the calibration of the first one, moved so that their probabilities add up to as much: weights move the
    log-odds of all lines alike, and lines of other headings must not change places for that.
    """
    frame, all_lines = data.frames[risk.name], data.all_lines[risk.name]
    # The ways differ in the risk's own trees alone.
    plain = risk.model_copy(update={"training_weights": "equal", "candidates": ()})
    training, keys = config.training, RateKeys.of(config)
    model = fit_risk(frame, plain, training, until=data.until, all_lines=all_lines, keys=keys).model
    lines = cross_fitted(known_lines(frame, plain, training), plain, keys)
    unlabelled = all_lines.join(frame.select(LINE_KEY), on=LINE_KEY, how="anti", maintain_order="left")
    rounds = int(model.metadata["rounds"])
    boosters, unseen = _trained(plain, lines, unlabelled, later, training, rounds)
    raw = {way: booster.predict_raw(unseen, threads=training.threads) for way, booster in boosters.items()}
    examined = model.examined(later)
    expected = float(model.calibrator(raw[EQUAL]) @ examined)
    scores = {
        way: _adding_up_to(expected, model.calibrator, each, examined)(each) * examined
        for way, each in raw.items()
    }
    return scores, {
        "rounds": rounds,
        "learned_lines": lines.height,
        "learned_findings": int(lines[risk.label].sum()),
        "unlabelled_lines": unlabelled.height,
    }


def _trained(
    risk: RiskConfig,
    lines: pl.DataFrame,
    unlabelled: pl.DataFrame,
    later: pl.DataFrame,
    training: TrainingConfig,
    rounds: int,
) -> tuple[dict[str, Booster], FloatArray]:
    """A booster a way, and the later lines as numbers (lines, columns)."""
    found, threads = lines[risk.label].to_numpy(), training.threads
    encoder, learned = fit_encoder(lines, found, risk, seed=training.seed, threads=threads)
    inspected = encoder.matrix(lines, learned)
    weak, unseen = (
        encoder.matrix(each, encoder.learned(each, threads=threads)) for each in (unlabelled, later)
    )
    both = Matrix(np.vstack([inspected.values, weak.values]), inspected.columns, inspected.categorical)
    none_found = np.concatenate([found, np.zeros(unlabelled.height, dtype=bool)])
    shown: dict[str, tuple[Matrix, BoolArray, FloatArray | None]] = {
        EQUAL: (inspected, found, None),
        INVERSE: (inspected, found, inverse_propensity_weights(lines)),
    }
    for way, share in UNLABELLED.items():
        each = share * lines.height / max(unlabelled.height, 1)
        weights = np.concatenate([np.ones(lines.height), np.full(unlabelled.height, each)])
        shown[way] = (both, none_found, weights)
    parameters = tree_parameters(risk, int(found.sum()), inspected.columns)
    start = start_of(risk, inspected, found)
    boosters = {
        way: train_booster(
            matrix,
            target,
            TreeSettings(rounds=rounds, seed=training.seed, threads=threads, parameters=parameters),
            start=start,
            weights=weights,
        ).booster
        for way, (matrix, target, weights) in shown.items()
    }
    return boosters, unseen.values


def _adding_up_to(
    expected: float, calibrator: Calibrator, raw: FloatArray, examined: FloatArray
) -> Calibrator:
    """The calibrator moved so that the probabilities of these lines add up to `expected`."""
    low, high = -_FARTHEST, _FARTHEST
    for _ in range(60):
        middle = (low + high) / 2.0
        moved = Calibrator(calibrator.a, calibrator.b, calibrator.c + middle)
        low, high = (middle, high) if float(moved(raw) @ examined) < expected else (low, middle)
    return Calibrator(calibrator.a, calibrator.b, calibrator.c + low)
