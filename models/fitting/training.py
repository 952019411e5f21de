"""Fit one risk: learn on the past, judge on later days, then learn once more on everything.

Each block of days is predicted by a model of the days before it, minus the gap for late results. These
predictions choose the number of trees and the calibration; the newest block is judged with what the earlier
ones chose. The model in use is then fitted on all inspected lines.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
import polars as pl

from configs.errors import DataError
from configs.schema.pipeline import TrainingConfig
from configs.schema.risk import RiskConfig
from features.arrays.types import BoolArray, FloatArray
from models.fitting.block import LEAST_LEARNABLE, DayBlock, calibrator_of, out_of_time
from models.fitting.cross_fitted_rates import RateKeys, cross_fitted
from models.fitting.inspection_weights import equal_after_all, training_weights
from models.fitting.prevalence import adding_up_to, promised_share, recorded_share
from models.fitting.splits import last_due, lines_due, rolling_origin_splits, verify_split
from models.judging.evaluation import Evaluation, Prediction, evaluate
from models.judging.worst_lines import worst_lines
from models.risk.calibration import Calibrator
from models.risk.encoder import LOG_PRICE_RATIO, fit_encoder
from models.risk.examined import ExaminedShare
from models.risk.finding_value import FindingValue
from models.risk.risk_model import RiskModel
from models.stats.weekly_spread import weekly_spread
from models.trees.booster import DEFAULTS, Matrix, Parameter, TreeSettings, best_rounds, train_booster
from models.trees.errors import TooFewFindings
from models.trees.linear_start import LinearStart, fit_start, says_how_often

_FINDINGS_OF_A_LEAF = 20
_LEAST_LEAVES = 3
# Without an earlier block nothing says when to stop, so the model stays small.
_ROUNDS_UNSEEN = 100
_MOST_GROWTH = 1.5


@dataclass(frozen=True)
class FittedRisk:
    """The model of all lines, its honest evaluation, and every prediction made ahead of time.

    `out_of_time`: declaration_id, line_no, declared_on, found, probability, fold. `price_residuals`: log of
    declared over expected price of each training line from models without its seller, and found; None
    without a price model.
    """

    model: RiskModel
    evaluation: Evaluation
    out_of_time: pl.DataFrame
    price_residuals: pl.DataFrame | None
    warnings: tuple[str, ...]


def fit_risk(
    frame: pl.DataFrame,
    risk: RiskConfig,
    training: TrainingConfig,
    *,
    until: date | None = None,
    all_lines: pl.DataFrame | None = None,
    keys: RateKeys | None = None,
) -> FittedRisk:
    """Fit and evaluate `risk` on inspected lines.

    `frame` is the assembled feature frame with `declared_on` (Date) and the label (Boolean, null = not
    examined: such lines are left out), and where known `reported_on`, `seller_id`, `selection`,
    `assessed_unit_price`, `recovered_tax_cny`. `all_lines` are features of some of all lines, inspected or
    not; on the newest `training.evaluation_days` of them the probabilities are made to add up to what the
    random share found. `keys` are those of the hit rates, needed where the risk has `cross_fitted_rates`.

    Raises:
        TooFewFindings: the risk has less than `training.min_findings`.
        DataError: the frame lacks a column, or a split would look ahead.
    """
    lines = known_lines(frame, risk, training)
    blocks = _rolling(lines, risk, training, until, keys)
    earlier = [block for block in blocks if block.split.name != "evaluation"]
    evaluation = _evaluation(lines, risk, training, blocks, earlier)
    rounds = _rounds(risk, blocks)
    pooled = [(block.raw(rounds, training.threads), block.found()) for block in blocks]
    calibrator = calibrator_of(blocks, [raw for raw, _ in pooled])
    trees = _grown(rounds, risk, blocks, int(lines[risk.label].sum()))
    model, _, _, residuals = _fit(lines, risk, training, trees, keys)
    model = replace(
        model,
        calibrator=calibrator,
        metadata=_metadata(lines, risk, trees, until),
        examined=ExaminedShare.fit(lines_due(frame, until, risk.maturity_days), risk.label),
    )
    if all_lines is not None and not all_lines.is_empty():
        promised = promised_share(blocks, [calibrator(raw) for raw, _ in pooled])
        due = lines_due(lines, until, risk.maturity_days)
        recorded = recorded_share(due, risk.label, promised)
        # The newest days are most like those to come.
        day, span = pl.col("declared_on"), timedelta(days=training.evaluation_days)
        asked = all_lines.filter(day > day.max() - span)
        raw = model.predict_raw(asked, threads=training.threads)
        model = replace(
            model,
            calibrator=adding_up_to(calibrator, raw, model.examined(asked), recorded),
            metadata={
                **model.metadata,
                "level_findings": f"{recorded.findings if recorded else 0.0:.1f}",
                "level_spread": f"{weekly_spread(due, risk.label):.3f}",
            },
        )
    ahead = out_of_time(blocks, [calibrator(raw) for raw, _ in pooled])
    warnings = (*_warnings(blocks, earlier), *equal_after_all(risk, lines))
    return FittedRisk(model, evaluation, ahead, residuals, warnings)


def known_lines(frame: pl.DataFrame, risk: RiskConfig, training: TrainingConfig) -> pl.DataFrame:
    """Lines with a known label, at most the `max_rows` newest, in an order of their own."""
    missing = [
        name for name in ("declaration_id", "line_no", "declared_on", risk.label) if name not in frame.columns
    ]
    if missing:
        raise DataError(
            f"risk '{risk.name}' cannot be trained: the training frame has no column {', '.join(missing)}; "
            f"the label is set in the risk's file, inspections have to hold a column of that name."
        )
    lines = frame.filter(pl.col(risk.label).is_not_null()).sort("declared_on", "declaration_id", "line_no")
    if training.max_rows is not None:
        lines = lines.tail(training.max_rows)
    findings = int(lines[risk.label].sum())
    if findings < training.min_findings or findings == lines.height:
        raise TooFewFindings(risk.name, risk.label, findings, lines.height, training.min_findings)
    return lines


def _rolling(
    lines: pl.DataFrame,
    risk: RiskConfig,
    training: TrainingConfig,
    until: date | None,
    keys: RateKeys | None,
) -> list[DayBlock]:
    first, last = lines["declared_on"].min(), lines["declared_on"].max()
    assert isinstance(first, date)
    assert isinstance(last, date)
    splits = rolling_origin_splits(
        first,
        last_due(first, last, until, risk.maturity_days),
        blocks=training.folds,
        evaluation_days=training.evaluation_days,
        gap_days=risk.maturity_days,
    )
    blocks = []
    for split in splits:
        verify_split(lines, split, until=until)
        train, test = lines.filter(split.train_mask(lines)), lines.filter(split.test_mask(lines))
        learnable = int(train[risk.label].sum())
        if test.height and LEAST_LEARNABLE <= learnable < train.height:
            model, values, curve, _ = _fit(train, risk, training, risk.rounds, keys, test)
            blocks.append(DayBlock(split, train, test, model, values, curve))
    return blocks


def _fit(
    train: pl.DataFrame,
    risk: RiskConfig,
    training: TrainingConfig,
    rounds: int,
    keys: RateKeys | None,
    test: pl.DataFrame | None = None,
) -> tuple[RiskModel, FloatArray, FloatArray, pl.DataFrame | None]:
    """An uncalibrated model, the test lines as numbers, the loss on them by rounds, price residuals."""
    train = cross_fitted(train, risk, keys)
    found = train[risk.label].to_numpy()
    encoder, learned = fit_encoder(train, found, risk, seed=training.seed, threads=training.threads)
    matrix = encoder.matrix(train, learned)
    validation = None
    if test is not None:
        unseen = encoder.matrix(test, encoder.learned(test, threads=training.threads))
        validation = (unseen, test[risk.label].to_numpy())
    trained = train_booster(
        matrix,
        found,
        TreeSettings(
            rounds=rounds,
            seed=training.seed,
            threads=training.threads,
            parameters=tree_parameters(risk, int(found.sum()), matrix.columns),
        ),
        validation=validation,
        start=start_of(risk, matrix, found),
        weights=training_weights(risk, train),
    )
    residuals, ratio = None, None
    if LOG_PRICE_RATIO in encoder.names:
        ratio = matrix.values[:, encoder.names.index(LOG_PRICE_RATIO)]
        residuals = pl.DataFrame({"log_price_ratio": ratio, "found": found})
    value = FindingValue.of(risk, train, found, ratio)
    model = RiskModel(risk.name, risk.label, encoder, trained.booster, Calibrator(), value)
    values = validation[0].values if validation else np.empty((0, len(encoder.names)))
    return model, values, np.empty(0) if trained.curve is None else trained.curve, residuals


def start_of(risk: RiskConfig, matrix: Matrix, found: BoolArray) -> LinearStart | None:
    """Where the risk's trees start, None at the share of findings."""
    return fit_start(matrix.values, matrix.columns, found) if risk.linear_start else None


def tree_parameters(risk: RiskConfig, findings: int, columns: Sequence[str]) -> dict[str, Parameter]:
    """The risk's parameters, with trees of no more than one leaf for every 20 findings (and at least three).

    A risk may have twenty findings or ten thousand, and what is configured is meant for many. Where the risk
    has `monotone_hit_rates`, no tree over these `columns` of a matrix says less where past findings or the
    text say more.
    """
    leaves = int(risk.model.get("num_leaves", DEFAULTS["num_leaves"]))
    limited = {**risk.model, "num_leaves": min(leaves, max(_LEAST_LEAVES, findings // _FINDINGS_OF_A_LEAF))}
    if not risk.monotone_hit_rates:
        return limited
    rising = ",".join(str(int(says_how_often(name))) for name in columns)
    return {**limited, "monotone_constraints": rising, "monotone_constraints_method": "advanced"}


def _rounds(risk: RiskConfig, blocks: list[DayBlock]) -> int:
    curves = [(block.curve, block.test.height) for block in blocks if block.found().any()]
    return best_rounds(curves) or min(risk.rounds, _ROUNDS_UNSEEN)


def _grown(rounds: int, risk: RiskConfig, blocks: list[DayBlock], findings: int) -> int:
    """As many trees for a model with more findings than those of the blocks that chose `rounds`.

    More findings bear more trees before they are learned by heart: in proportion, up to half as many again.
    """
    learned = [int(block.train[risk.label].sum()) for block in blocks]
    if not learned:
        return rounds
    growth = min(max(findings * len(learned) / sum(learned), 1.0), _MOST_GROWTH)
    return min(risk.rounds, round(rounds * growth))


def _evaluation(
    lines: pl.DataFrame,
    risk: RiskConfig,
    training: TrainingConfig,
    blocks: list[DayBlock],
    earlier: list[DayBlock],
) -> Evaluation:
    """The newest block, judged with trees and calibration that only earlier blocks chose."""
    newest = next((block for block in blocks if block.split.name == "evaluation"), None)
    if newest is None:
        return evaluate(risk, lines, lines.clear(), Prediction(np.empty(0), np.empty(0)), training)
    rounds = _rounds(risk, earlier)
    calibrator = calibrator_of(earlier, [block.raw(rounds, training.threads) for block in earlier])
    trees = _grown(rounds, risk, earlier, int(newest.train[risk.label].sum()))
    probability = calibrator(newest.raw(trees, training.threads))
    predicted = Prediction(probability, newest.model.value_cny(newest.test))
    evaluation = evaluate(risk, newest.train, newest.test, predicted, training)
    return replace(evaluation, examples=worst_lines(evaluation.lines, newest.test, newest.model))


def _metadata(lines: pl.DataFrame, risk: RiskConfig, rounds: int, until: date | None) -> dict[str, str]:
    return {
        "declared_from": str(lines["declared_on"].min()),
        "declared_to": str(lines["declared_on"].max()),
        "until": str(until or ""),
        "lines": str(lines.height),
        "findings": str(int(lines[risk.label].sum())),
        "rounds": str(rounds),
    }


def _warnings(blocks: list[DayBlock], earlier: list[DayBlock]) -> tuple[str, ...]:
    warnings = []
    if len(blocks) == len(earlier):
        warnings.append("the history is too short for an evaluation: no figure says how good this model is")
    elif not next(block for block in blocks if block not in earlier).found().any():
        warnings.append("the newest days hold no finding: the evaluation has no figures")
    if not earlier:
        warnings.append(
            "no earlier block to choose the number of trees and the calibration from; defaults were used"
        )
    return tuple(warnings)
