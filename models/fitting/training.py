"""Fit one risk: learn on the past, judge on later days, then learn once more on everything.

Each block of days is predicted by models of the days before it, minus the gap for late results. These
predictions choose the number of trees of each candidate, what each weighs in the blend, and the calibration;
the newest block is judged with what the earlier ones chose. The model in use is then fitted on all inspected
lines.
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
from features.arrays.types import Float32Array
from models.fitting.blending import Choice
from models.fitting.block import LEAST_LEARNABLE, DayBlock, out_of_time
from models.fitting.bounds import share_without_draws
from models.fitting.calibrating import calibrator_of
from models.fitting.candidates import Candidate, Grown, TrainingLines, candidates_of, grow
from models.fitting.choice import choose, for_more_findings
from models.fitting.cross_fitted_rates import RateKeys
from models.fitting.inspection_weights import equal_after_all
from models.fitting.prevalence import RecordedShare, adding_up_to, level_of, recorded_share
from models.fitting.splits import Split, last_due, lines_due, rolling_origin_splits, verify_split
from models.judging.evaluation import Evaluation, Prediction, evaluate
from models.judging.worst_lines import worst_lines
from models.risk.calibration import Calibrator
from models.risk.encoder import LOG_PRICE_RATIO, fit_encoder
from models.risk.examined import ExaminedShare
from models.risk.finding_value import FindingValue
from models.risk.risk_model import RiskModel
from models.stats.weekly_spread import weekly_spread
from models.trees.blend import Blend
from models.trees.errors import TooFewFindings


@dataclass(frozen=True)
class FittedRisk:
    """The model of all lines, its honest evaluation, and every prediction made ahead of time.

    `out_of_time`: declaration_id, line_no, declared_on, found, probability, fold. `price_residuals`: log of
    declared over expected price of each training line from models without its seller, and found; None
    without a price model. `split` is that of the evaluation, None where there is none; `candidates` are the
    names of all that the blend was chosen from.
    """

    model: RiskModel
    evaluation: Evaluation
    out_of_time: pl.DataFrame
    price_residuals: pl.DataFrame | None
    warnings: tuple[str, ...]
    split: Split | None = None
    candidates: tuple[str, ...] = ()


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
    not; on the newest `training.evaluation_days` of them the probabilities are made to add up to what draws
    found, or to what is known without any. `keys` are those of the hit rates, needed where the risk has
    `cross_fitted_rates`.

    Raises:
        TooFewFindings: the risk has less than `training.min_findings`.
        DataError: the frame lacks a column, or a split would look ahead.
    """
    lines = known_lines(frame, risk, training)
    candidates = candidates_of(risk, training)
    blocks = _rolling(lines, candidates, training, until, keys)
    earlier = [block for block in blocks if block.split.name != "evaluation"]
    evaluation = _evaluation(lines, candidates, training, blocks, earlier)
    choice = choose(blocks, candidates, training.threads)
    raw = [block.raw(choice, training.threads) for block in blocks]
    calibrator = calibrator_of(blocks, raw)
    larger = for_more_findings(choice, blocks, int(lines[risk.label].sum()))
    model, _, _, residuals = _fit(lines, larger.needed(), risk, training, keys)
    model = replace(
        model,
        calibrator=calibrator,
        metadata=_metadata(lines, risk, model.booster, until),
        examined=ExaminedShare.fit(lines_due(frame, until, risk.maturity_days), risk.label),
    )
    if all_lines is not None and not all_lines.is_empty():
        due = lines_due(lines, until, risk.maturity_days)
        recorded = recorded_share(due, risk.label, blocks, [calibrator(given) for given in raw])
        model = _levelled(model, due, recorded, all_lines, training)
    ahead = out_of_time(blocks, [calibrator(given) for given in raw])
    warnings = (*_warnings(blocks, earlier), *equal_after_all(risk, lines))
    split = next((block.split for block in blocks if block.split.name == "evaluation"), None)
    names = tuple(each.name for each in candidates)
    return FittedRisk(model, evaluation, ahead, residuals, warnings, split, names)


def _levelled(
    model: RiskModel,
    due: pl.DataFrame,
    recorded: RecordedShare | None,
    all_lines: pl.DataFrame,
    training: TrainingConfig,
) -> RiskModel:
    """The model whose probabilities of all lines add up to what was recorded, or is known without draws."""
    raw = model.predict_raw(all_lines, threads=training.threads)
    examined = model.examined(all_lines)
    if recorded is None:
        recorded = share_without_draws(due, model.label, all_lines, model.calibrator(raw), examined)
    # The newest days are most like those to come.
    day, span = pl.col("declared_on"), timedelta(days=training.evaluation_days)
    newest = all_lines.select(day > day.max() - span).to_series().to_numpy()
    spread = f"{weekly_spread(due, model.label):.3f}"
    return replace(
        model,
        calibrator=adding_up_to(model.calibrator, raw[newest], examined[newest], recorded),
        metadata={**model.metadata, **level_of(recorded), "level_spread": spread},
    )


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
    candidates: Sequence[Candidate],
    training: TrainingConfig,
    until: date | None,
    keys: RateKeys | None,
) -> list[DayBlock]:
    risk = candidates[0].risk
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
            model, values, grown, _ = _fit(
                train, Choice.everything(candidates), risk, training, keys, test=test
            )
            blocks.append(DayBlock(split, train, test, model, values, grown))
    return blocks


def _fit(
    train: pl.DataFrame,
    choice: Choice,
    risk: RiskConfig,
    training: TrainingConfig,
    keys: RateKeys | None,
    *,
    test: pl.DataFrame | None = None,
) -> tuple[RiskModel, Float32Array, tuple[Grown, ...], pl.DataFrame | None]:
    """An uncalibrated model by a choice, the test lines as numbers, what was grown, price residuals."""
    found = train[risk.label].to_numpy()
    encoder, learned = fit_encoder(train, found, risk, seed=training.seed, threads=training.threads)
    lines = TrainingLines.of(train, choice.candidates, encoder, learned, keys)
    later, values = None, np.empty((0, len(encoder.names)), dtype=np.float32)
    if test is not None:
        unseen = encoder.matrix(test, encoder.learned(test, threads=training.threads))
        later, values = (unseen, test[risk.label].to_numpy()), unseen.values
    grown = tuple(
        grow(candidate, lines, training, rounds=rounds, later=later)
        for candidate, rounds in zip(choice.candidates, choice.rounds, strict=True)
    )
    residuals, ratio = None, None
    if LOG_PRICE_RATIO in encoder.names:
        ratio = lines.matrix.values[:, encoder.names.index(LOG_PRICE_RATIO)].astype(np.float64)
        residuals = pl.DataFrame({"log_price_ratio": ratio, "found": found})
    value = FindingValue.of(risk, train, found, ratio)
    blend = choice.blend(grown, len(encoder.names))
    return RiskModel(risk.name, risk.label, encoder, blend, Calibrator(), value), values, grown, residuals


def _evaluation(
    lines: pl.DataFrame,
    candidates: Sequence[Candidate],
    training: TrainingConfig,
    blocks: list[DayBlock],
    earlier: list[DayBlock],
) -> Evaluation:
    """The newest block, judged with trees, weights and calibration that only earlier blocks chose."""
    risk = candidates[0].risk
    newest = next((block for block in blocks if block.split.name == "evaluation"), None)
    if newest is None:
        return evaluate(risk, lines, lines.clear(), Prediction(np.empty(0), np.empty(0)), training)
    choice = choose(earlier, candidates, training.threads)
    calibrator = calibrator_of(earlier, [block.raw(choice, training.threads) for block in earlier])
    larger = for_more_findings(choice, earlier, int(newest.train[risk.label].sum()))
    probability = calibrator(newest.raw(larger, training.threads))
    model = newest.chosen(larger)
    predicted = Prediction(probability, model.value_cny(newest.test))
    evaluation = evaluate(risk, newest.train, newest.test, predicted, training)
    return replace(evaluation, examples=worst_lines(evaluation.lines, newest.test, model))


def _metadata(lines: pl.DataFrame, risk: RiskConfig, blend: Blend, until: date | None) -> dict[str, str]:
    told = (f"{member.name} {member.weight:.2f}" for member in blend.members)
    return {
        "blend": ", ".join(told),
        "declared_from": str(lines["declared_on"].min()),
        "declared_to": str(lines["declared_on"].max()),
        "until": str(until or ""),
        "lines": str(lines.height),
        "findings": str(int(lines[risk.label].sum())),
        "rounds": ", ".join(str(member.booster.rounds) for member in blend.members),
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
