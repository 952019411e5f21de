"""What earlier blocks of days choose for a later model: trees of each candidate, and what each weighs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import polars as pl

from features.arrays.types import FloatArray
from models.fitting.blending import Choice
from models.fitting.block import DayBlock
from models.fitting.candidates import Candidate
from models.fitting.inspection_weights import inverse_propensity_weights
from models.fitting.stacking import blend_weights, rescaled_loss

# Without an earlier block nothing says when to stop, so the model stays small.
_ROUNDS_UNSEEN = 100
_MOST_GROWTH = 1.5
_FEWEST_ROUNDS = 30
# Trees that make what later lines brought less than e^0.5 times as likely are not worth their time.
_AS_GOOD = 0.5


def choose(blocks: Sequence[DayBlock], candidates: Sequence[Candidate], threads: int) -> Choice:
    """Choose by the blocks, each of which holds all candidates, grown on the days before it.

    The lines of the blocks count so as to stand for all lines, as far as the chances of their inspection are
    known. A candidate has the fewest of the trees tried whose log-odds, brought to their scale, are as good
    as the best to these lines: too many learn few findings by heart, and how many that is differs from risk
    to risk. Without a block few trees of each weigh their shares.
    """
    if not blocks:
        rounds = tuple(min(each.risk.rounds, _ROUNDS_UNSEEN) for each in candidates)
        return replace(Choice.everything(candidates), rounds=rounds)
    found = np.concatenate([block.found() for block in blocks])
    lines = pl.concat([block.test.select(_channel(block.test)) for block in blocks], how="diagonal_relaxed")
    counts = inverse_propensity_weights(lines)

    def raw_of(place: int, rounds: int) -> FloatArray:
        return np.concatenate([block.raw_of(place, rounds, threads) for block in blocks])

    def enough(place: int, most: int) -> int:
        tried = rounds_tried(most)
        losses = np.array([rescaled_loss(raw_of(place, each), found, counts) for each in tried])
        return tried[int(np.flatnonzero(losses <= losses.min() + _AS_GOOD)[0])]

    rounds = tuple(
        _rounds_held(place, candidate, blocks) if candidate.held else enough(place, candidate.risk.rounds)
        for place, candidate in enumerate(candidates)
    )
    raw = np.vstack([raw_of(place, of_one) for place, of_one in enumerate(rounds)])
    weights = blend_weights(raw, found, counts)
    return Choice(tuple(candidates), rounds, tuple(float(weight) for weight in weights))


def for_more_findings(choice: Choice, blocks: Sequence[DayBlock], findings: int) -> Choice:
    """As many trees for models with more findings than those of the blocks that chose their number.

    More findings bear more trees before they are learned by heart: in proportion, up to half as many again.
    """
    learned = [int(block.train[block.model.label].sum()) for block in blocks]
    if not learned:
        return choice
    growth = min(max(findings * len(learned) / sum(learned), 1.0), _MOST_GROWTH)
    more = (
        min(candidate.risk.rounds, round(rounds * growth))
        for candidate, rounds in zip(choice.candidates, choice.rounds, strict=True)
    )
    return replace(choice, rounds=tuple(more))


def rounds_tried(most: int) -> tuple[int, ...]:
    """The numbers of trees that later lines choose among: each half as many again as the one before.

    >>> rounds_tried(100)
    (30, 45, 68, 100)
    """
    tried = [min(most, _FEWEST_ROUNDS)]
    while tried[-1] < most:
        tried.append(min(most, round(tried[-1] * 1.5)))
    # One that is hardly more than the one before is none of its own.
    return tuple(each for each in tried if each == most or each * 1.2 < most)


def best_rounds(curves: Sequence[tuple[FloatArray, int]], *, at_least: int = 20) -> int | None:
    """The number of trees with the lowest mean loss over blocks weighted by their lines; None without any.

    >>> best_rounds([(np.array([3.0, 2.0, 2.5]), 10), (np.array([3.0, 2.5, 1.0]), 1)], at_least=1)
    2
    """
    if not curves:
        return None
    length = min(len(curve) for curve, _ in curves)
    weights = np.array([lines for _, lines in curves], dtype=np.float64)
    mean = np.average(np.vstack([curve[:length] for curve, _ in curves]), axis=0, weights=weights)
    return min(length, max(at_least, int(np.argmin(mean)) + 1))


def _rounds_held(place: int, candidate: Candidate, blocks: Sequence[DayBlock]) -> int:
    curves = [(block.grown[place].curve, block.test.height) for block in blocks if block.found().any()]
    return best_rounds(curves) or min(candidate.risk.rounds, _ROUNDS_UNSEEN)


def _channel(lines: pl.DataFrame) -> list[str]:
    return [
        name for name in ("declaration_id", "selection", "inspection_probability") if name in lines.columns
    ]
