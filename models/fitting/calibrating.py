"""The calibration that blocks of days choose: one that makes later lines no likelier is not used."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
from scipy.optimize import brentq

from features.arrays.types import BoolArray, FloatArray
from models.fitting.block import LEAST_LEARNABLE, DayBlock
from models.fitting.inspection_weights import inverse_propensity_weights
from models.risk.calibration import Calibrator, fit_calibrator

_WIDEST_SHIFT = 20.0


def calibrator_of(blocks: Sequence[DayBlock], raw: Sequence[FloatArray]) -> Calibrator:
    """A calibrator fitted on the blocks' lines, given their log-odds (lines,) by block.

    It learns from lines that chance or a score chose, where these hold enough findings. Its slopes are kept
    only if those that the earlier blocks alone would have had lower the log loss on the newest, all of whose
    lines count as to stand for all; otherwise the log-odds are shifted alone. Without a block it changes
    nothing.
    """
    if not blocks:
        return Calibrator()
    independent = [block.independent() for block in blocks]
    found = [block.found() for block in blocks]
    if sum(part[chosen].sum() for part, chosen in zip(found, independent, strict=True)) < LEAST_LEARNABLE:
        independent = [np.ones(len(part), dtype=bool) for part in found]
    scores = [part[chosen] for part, chosen in zip(raw, independent, strict=True)]
    hits = [part[chosen] for part, chosen in zip(found, independent, strict=True)]
    lines = [block.test.filter(chosen) for block, chosen in zip(blocks, independent, strict=True)]
    every, known = np.concatenate(scores), np.concatenate(hits)
    if len(blocks) > 1 and not _helps(scores, hits, lines):
        return shifted(every, known)
    return fit_calibrator(every, known)


def _helps(scores: Sequence[FloatArray], hits: Sequence[BoolArray], lines: Sequence[pl.DataFrame]) -> bool:
    """Whether slopes learned on the earlier blocks lower the log loss on the newest that has findings."""
    newest = max((place for place, part in enumerate(hits) if part.any()), default=0)
    if newest == 0:
        return True
    earlier, known = np.concatenate(scores[:newest]), np.concatenate(hits[:newest])
    weights = inverse_propensity_weights(lines[newest])
    losses = [
        _log_loss(calibrator(scores[newest]), hits[newest], weights)
        for calibrator in (fit_calibrator(earlier, known), shifted(earlier, known))
    ]
    return losses[0] <= losses[1]


def shifted(raw: FloatArray, found: BoolArray) -> Calibrator:
    """The calibrator that adds to the log-odds what makes the probabilities add up to the findings."""
    if not found.any() or found.all():
        return Calibrator()

    def beyond(by: float) -> float:
        return float(Calibrator(1.0, 1.0, by)(raw).sum() - found.sum())

    return Calibrator(1.0, 1.0, float(brentq(beyond, -_WIDEST_SHIFT, _WIDEST_SHIFT)))


def _log_loss(probability: FloatArray, found: BoolArray, weights: FloatArray) -> float:
    likely = np.clip(np.where(found, probability, 1.0 - probability), 1e-12, 1.0)
    return float(-(weights @ np.log(likely)) / weights.sum())
