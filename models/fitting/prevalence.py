"""How many of all lines an inspection would record a finding on, and probabilities that add up to it.

A calibration is fitted on blocks of days with models of fewer findings, and on lines that somebody chose. The
model in use learned more and is asked about all lines: its probabilities must add up to what draws say about
all of them. Draws are lines that were chosen by a known chance below one: the random share, exploration, the
rows of a sampling plan that name theirs. What a referral, an officer or a rule without a chance found says
nothing about the others.

Earlier models promised a probability for each draw before its result was known. Findings over promises, each
draw counting as the lines that it stands for, tell by how much the promises were wrong; the share of all
lines is their mean promise times this ratio, which with the random share alone is its own share of findings.
Only the random share reaches all lines. A sampling plan reaches some goods, and says how far promises hold
there: its findings over promises count as far as they agree with those of the random share, from not at all
to in full. So does the promise itself, which is never worth more than half of what the random share found.
Both may narrow what is known, and overrule nothing.

Sources: Hájek's ratio for shares; Hartley 1962, "Multiple Frame Surveys"; Särndal, Swensson and Wretman 1992,
"Model Assisted Survey Sampling"; a gamma prior of unknown power: Ibrahim and Chen 2000, "Power Prior
Distributions for Regression Models"; Duan, Ye and Smith 2006 (normalised).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy.special import gammainc, gammaln

from features.arrays.types import FloatArray
from models.fitting.block import DayBlock
from models.fitting.channels import draw_weights, drawn_from_all
from models.risk.calibration import Calibrator
from models.risk.level import LEVEL_HIGH, LEVEL_LOW

# A few dozen lines of the random share say more of all lines than the bounds without any do.
_LEAST_DRAWN = 50
# With fewer lines to add up nothing is known about the sum.
_LEAST_LINES = 200
# What a promise may be worth, as a share of what the draws found; one finding at least.
_MOST_OF_FINDINGS = 0.5
_LEAST_WORTH = 0.5
_WORTHS = 40
# How far the draws of plans may count.
_POWERS = np.linspace(0.0, 1.0, 11)
_FARTHEST = math.log(50.0)
_STEPS = 60
_RATIOS = np.exp(np.linspace(math.log(1e-3), math.log(1e3), 4_001))


@dataclass(frozen=True)
class RecordedShare:
    """Share of all examined lines on which an inspection would record a finding: what is expected of it (the
    mean: probabilities have to add up to that), what it lies between with a chance of 95%, and how many
    findings it rests on.
    """

    share: float
    findings: float
    low: float = 0.0
    high: float = 1.0


@dataclass(frozen=True)
class EffectiveDraws:
    """Draws as so many findings on so many lines that all stand for equally many."""

    findings: float
    inspected: float


@dataclass(frozen=True)
class _Drawn:
    """Draws of one kind: findings that count in full, and the findings promised for the same lines."""

    findings: float
    promised: float


def recorded_share(
    due: pl.DataFrame, label: str, blocks: Sequence[DayBlock], probability: Sequence[FloatArray]
) -> RecordedShare | None:
    """What draws say about all lines, beside what models promised for them.

    `due` are inspected lines with a known `label`; `probability` (lines,) by block is what a model of the
    days before gave to the block's lines. None where fewer than 50 lines of the random share are due or
    promised.
    """
    of_all = np.where(drawn_from_all(due), draw_weights(due), 0.0)
    promised = promised_share(blocks, probability)
    if (of_all > 0.0).sum() < _LEAST_DRAWN or not promised:
        return None
    drawn = effective_draws(due, label, of_all)
    plans = [_by_a_plan(block, said) for block, said in zip(blocks, probability, strict=True)]
    planned = _Drawn(sum(each.findings for each in plans), sum(each.promised for each in plans))
    return _of_ratio(_Drawn(drawn.findings, drawn.inspected * promised), planned, promised)


def effective_draws(lines: pl.DataFrame, label: str, weights: FloatArray) -> EffectiveDraws:
    """What draws with these weights (lines,; 0: no draw) are worth, the lines of a parcel together."""
    hits = _by_parcel(lines, weights * lines[label].to_numpy())
    if not len(hits):
        return EffectiveDraws(0.0, float((weights > 0.0).sum()))
    findings = float(hits.sum() ** 2 / (hits**2).sum())
    return EffectiveDraws(findings, findings * float(weights.sum() / hits.sum()))


def level_of(recorded: RecordedShare | None) -> dict[str, str]:
    """What a model's metadata say of the level of its probabilities: the findings that it rests on, and the
    interval of 95% over its middle.
    """
    if recorded is None:
        return {"level_findings": "0.0"}
    return {
        "level_findings": f"{recorded.findings:.1f}",
        LEVEL_LOW: f"{recorded.low / recorded.share:.3f}",
        LEVEL_HIGH: f"{recorded.high / recorded.share:.3f}",
    }


def promised_share(blocks: Sequence[DayBlock], probability: Sequence[FloatArray]) -> float | None:
    """The mean probability that models gave to later lines of the random share, weighted to stand for all
    lines; None where these are fewer than 50.
    """
    weights = [np.where(drawn_from_all(block.test), draw_weights(block.test), 0.0) for block in blocks]
    if sum(int((part > 0.0).sum()) for part in weights) < _LEAST_DRAWN:
        return None
    total = sum(float(part.sum()) for part in weights)
    return sum(float(part @ said) for part, said in zip(weights, probability, strict=True)) / total


def _by_a_plan(block: DayBlock, said: FloatArray) -> _Drawn:
    """Findings of a block's other draws as so many of equal weight, and the promise on the same scale."""
    weights = np.where(drawn_from_all(block.test), 0.0, draw_weights(block.test))
    expected = float(weights @ said)
    if not expected:
        return _Drawn(0.0, 0.0)
    hits = _by_parcel(block.test, weights * block.found())
    if len(hits):
        findings = float(hits.sum() ** 2 / (hits**2).sum())
        return _Drawn(findings, findings * expected / float(hits.sum()))
    # Without a finding the scale is that of the promises themselves.
    return _Drawn(0.0, expected**2 / float(weights**2 @ said))


def _of_ratio(drawn: _Drawn, planned: _Drawn, promised: float) -> RecordedShare:
    """Mean and 95% of the share, with what the promise and the draws of plans are worth as unknown.

    Each worth of the promise, and each power of the plans, gives a gamma prior for the ratio of findings to
    promises, and weighs as much as it makes the findings of the random share likely (negative binomial).
    """
    most = max(_MOST_OF_FINDINGS * drawn.findings, 1.0)
    worths = np.linspace(_LEAST_WORTH, most, _WORTHS)
    powers = _POWERS if planned.promised else _POWERS[:1]
    worth, power = (each.ravel() for each in np.meshgrid(worths, powers))
    found, told = worth + power * planned.findings, worth + power * planned.promised
    findings, expected = drawn.findings, drawn.promised
    log_weight = (
        gammaln(findings + found) - gammaln(found)
        + found * np.log(told / (told + expected)) + findings * np.log(expected / (told + expected))
    )  # fmt: skip
    weight = np.exp(log_weight - log_weight.max())
    weight /= weight.sum()
    below = weight @ gammainc((findings + found)[:, None], (expected + told)[:, None] * _RATIOS[None, :])
    low, high = (float(np.interp(part, below, _RATIOS)) for part in (0.025, 0.975))
    mean = float(weight @ ((findings + found) / (expected + told)))
    return RecordedShare(
        min(promised * mean, 1.0), findings + float(weight @ found), promised * low, min(promised * high, 1.0)
    )


def _by_parcel(lines: pl.DataFrame, hits: FloatArray) -> FloatArray:
    """What the findings of each parcel stand for: its lines are inspected, and guilty, together.

    Parcels, and not sellers, are what was drawn: of one seller's parcels each has its own chance.
    """
    parcels = lines.select("declaration_id", hits=pl.Series(hits)).filter(pl.col("hits") > 0.0)
    summed = parcels.group_by("declaration_id", maintain_order=True).agg(pl.col("hits").sum())
    return summed["hits"].to_numpy()


def adding_up_to(
    calibrator: Calibrator, raw: FloatArray, examined: FloatArray, recorded: RecordedShare | None
) -> Calibrator:
    """The calibrator moved so that the probabilities of lines with log-odds `raw` (lines,) have the mean
    that was `recorded`.

    `examined` (lines,) is how far each line would be examined at all. Moved by a factor of 50 in the odds at
    most; left alone where there are fewer than 200 lines, or nothing was recorded.
    """
    if recorded is None or len(raw) < _LEAST_LINES or not examined.sum():
        return calibrator
    low, high = -_FARTHEST, _FARTHEST
    for _ in range(_STEPS):
        middle = (low + high) / 2.0
        mean = float(_moved(calibrator, middle)(raw) @ examined / examined.sum())
        low, high = (middle, high) if mean < recorded.share else (low, middle)
    return _moved(calibrator, low)


def _moved(calibrator: Calibrator, by: float) -> Calibrator:
    return Calibrator(calibrator.a, calibrator.b, calibrator.c + by)
