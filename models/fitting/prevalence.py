"""How many of all lines an inspection would record a finding on, and probabilities that add up to it.

A calibration is fitted on blocks of days with models of fewer findings, and on lines that somebody chose. The
model in use learned more and is asked about all lines: its probabilities must add up to what the random share
says about all of them. Where the random share holds few findings, what earlier models promised for it counts
as well, and the findings that a tip or an X-ray image gave away are added, because a random draw would have
found them too.

A promise is made by a calibration that rests mostly on lines that officers chose, who may find more, or less,
than features explain. How far it holds for lines that nobody chose only the random share can say, so the
promise is worth the less the further the two are apart.

Sources: Hájek's ratio for the random share; a gamma prior worth at most thirty findings for the promise, with
an unknown power: Ibrahim and Chen 2000, "Power Prior Distributions for Regression Models"; Duan, Ye and Smith
2006, "Evaluating Water Quality Using Power Priors to Incorporate Historical Information" (normalised).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy.special import gammaln

from features.arrays.types import FloatArray
from models.fitting.block import DayBlock, chosen_by_outcome
from models.risk.calibration import Calibrator
from models.trees.columns import number_column

# What a promise may be worth, in findings: one as likely as another before the random share is seen.
_PRIOR_FINDINGS = np.linspace(0.5, 30.0, 60)
# With fewer random lines nothing is known about all lines, with fewer lines to add up nothing about the sum.
_LEAST_LINES = 200
_FARTHEST = math.log(4.0)
_STEPS = 60


@dataclass(frozen=True)
class RecordedShare:
    """Share of all examined lines on which an inspection would record a finding, and how many findings it
    rests on: those of the random share, and those that the promise turned out to be worth.
    """

    share: float
    findings: float


def recorded_share(lines: pl.DataFrame, label: str, promised: float | None) -> RecordedShare | None:
    """What the random share and earlier models say about all lines.

    `lines` are inspected ones with a known `label`; `promised` is the share that earlier models promised for
    lines like the random ones. None where fewer than 200 were drawn at random, or neither they nor `promised`
    say anything.
    """
    weights = _random_weights(lines)
    drawn = weights > 0.0
    if drawn.sum() < _LEAST_LINES:
        return None
    found = lines[label].to_numpy()
    every, hits = float(weights.sum()), _by_parcel(lines, weights * found)
    findings = float(hits.sum() ** 2 / (hits**2).sum()) if len(hits) else 0.0
    inspected = findings * every / float(hits.sum()) if len(hits) else float(drawn.sum())
    if promised is None:
        return RecordedShare(findings / inspected, findings) if findings else None
    referred = float((found & chosen_by_outcome(lines)).sum()) / every
    return _with_prior(findings, inspected, max(promised + referred, 1e-9))


def _with_prior(findings: float, inspected: float, prior: float) -> RecordedShare:
    """Mean of the posterior of a share, and the findings that a gamma distribution as wide rests on.

    The share has a gamma prior of mean `prior`; the findings that it is worth are unknown. Each possible
    number weighs as much as it makes the observed `findings` among `inspected` lines likely (negative
    binomial).
    """
    worth = _PRIOR_FINDINGS
    lines = worth / prior
    share = (findings + worth) / (inspected + lines)
    log_weight = (
        gammaln(findings + worth) - gammaln(worth)
        + worth * np.log(lines / (lines + inspected)) + findings * np.log(inspected / (lines + inspected))
    )  # fmt: skip
    weight = np.exp(log_weight - log_weight.max())
    weight /= weight.sum()
    mean = float(weight @ share)
    variance = float(weight @ (share**2 * (1.0 + 1.0 / (findings + worth)))) - mean**2
    return RecordedShare(mean, mean**2 / variance)


def _by_parcel(lines: pl.DataFrame, hits: FloatArray) -> FloatArray:
    """What the findings of each parcel stand for: its lines are inspected, and guilty, together.

    Parcels, and not sellers, are what was drawn: of one seller's parcels each has its own chance.
    """
    parcels = lines.select("declaration_id", hits=pl.Series(hits)).filter(pl.col("hits") > 0.0)
    summed = parcels.group_by("declaration_id", maintain_order=True).agg(pl.col("hits").sum())
    return summed["hits"].to_numpy()


def promised_share(blocks: Sequence[DayBlock], probability: Sequence[FloatArray]) -> float | None:
    """The mean probability that models gave to later lines drawn at random, weighted to stand for all lines;
    None where these are fewer than 200.
    """
    weights = [_random_weights(block.test) for block in blocks]
    if sum(int((part > 0.0).sum()) for part in weights) < _LEAST_LINES:
        return None
    total = sum(float(part.sum()) for part in weights)
    return sum(float(part @ said) for part, said in zip(weights, probability, strict=True)) / total


def adding_up_to(
    calibrator: Calibrator, raw: FloatArray, examined: FloatArray, recorded: RecordedShare | None
) -> Calibrator:
    """The calibrator moved so that the probabilities of lines with log-odds `raw` (lines,) have the mean
    that was `recorded`.

    `examined` (lines,) is how far each line would be examined at all. Moved by a factor of four in the odds
    at most; left alone where there are fewer than 200 lines, or nothing was recorded.
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


def _random_weights(lines: pl.DataFrame) -> FloatArray:
    """How many lines each one drawn at random stands for (lines,); 0 for all others."""
    if "selection" not in lines.columns:
        return np.zeros(lines.height)
    chance = number_column(lines, "inspection_probability")
    drawn = (lines["selection"] == "random").fill_null(False).to_numpy() & (chance > 0.0)
    return np.where(drawn, 1.0 / np.where(drawn, chance, 1.0), 0.0)
