"""Whether what a search found is better than what is configured, beyond luck and beyond its own days.

The best of forty sets looks better than the first even where none is: the inner blocks are asked how often
redrawn days alone would make the best look that good. The newest block, which the search has not seen, then
compares the best with the configured set and with LightGBM as it comes.

Source: White 2000, "A Reality Check for Data Snooping".
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from features.arrays.types import FloatArray, IntArray
from models.fitting.candidates import start_of
from models.search.blocks import (
    SearchBlock,
    SearchBlocks,
    average_precision,
    lines_by_day,
    log_losses,
    scores,
)
from models.search.parameters import LIGHTGBM, Trial, parameters_of_trees
from models.stats.intervals import Estimate, bootstrap_interval, bootstrap_weights, too_few
from models.stats.rankings import Areas
from models.trees.booster import TreeSettings, train_booster

_DRAWS = 2000
_BY_LUCK = 0.05
_LEAST_DAYS = 8


@dataclass(frozen=True)
class Comparison:
    """One set of parameters minus another on the same later lines: below zero the first has less loss,
    above zero the first has more average precision.
    """

    first: str
    second: str
    log_loss: Estimate
    average_precision: Estimate


@dataclass(frozen=True)
class OuterFigures:
    """What the newest block says: lines, findings, log loss and average precision by number of trial."""

    lines: int
    findings: int
    log_loss: Mapping[int, float]
    average_precision: Mapping[int, float]
    comparisons: tuple[Comparison, ...]


@dataclass(frozen=True)
class Verdict:
    """The best trial, and whether it should take the place of what is configured.

    `chance` is how often luck alone would make the best of so many trials look that good on the inner blocks.
    `outer` is None where the newest block holds no finding. The figures of the inner blocks rest on
    `inner_findings`; with fewer than `least_findings`, there or in the newest block, they are none.
    """

    best: Trial
    configured: Trial
    lightgbm: Trial
    chance: float
    outer: OuterFigures | None
    reasons: tuple[str, ...] = field(default=())
    recommended: bool = False
    inner_findings: int = 0
    least_findings: int = 1

    @property
    def inner_few(self) -> str | None:
        """What to say instead of the figures of the inner blocks, None where they have enough findings."""
        return too_few(self.inner_findings) if self.inner_findings < self.least_findings else None

    @property
    def outer_few(self) -> str | None:
        """The same of the newest block."""
        findings = 0 if self.outer is None else self.outer.findings
        return too_few(findings) if findings < self.least_findings else None


def judge(blocks: SearchBlocks, trials: Sequence[Trial], least_findings: int = 1) -> Verdict:
    """Choose the trial with the lowest inner log loss, and judge it on the newest block.

    LightGBM's own defaults are compared with but never chosen: a training caps the leaves of its trees. A set
    is recommended where luck explains its inner gain in less than 5% of draws and the newest block does not
    show it to be worse, and where both have `least_findings`.
    """
    configured, lightgbm = trials[0], trials[1]
    best = min((trial for trial in trials if trial is not lightgbm), key=lambda trial: trial.inner.log_loss)
    chance = luck(trials, lines_by_day(blocks), seed=blocks.training.seed)
    newest = blocks.outer()
    outer = None if newest is None else _outer(blocks, newest, best, configured, lightgbm)
    verdict = Verdict(
        best, configured, lightgbm, chance, outer,
        inner_findings=blocks.inner_findings, least_findings=least_findings,
    )  # fmt: skip
    reasons, recommended = _reasons(verdict)
    return replace(verdict, reasons=reasons, recommended=recommended)


def luck(trials: Sequence[Trial], lines: IntArray, *, seed: int) -> float:
    """How often redrawn days make the best of sets that are all alike gain as much as the best one did.

    Of `trials`, the first is what the others are compared with; `lines` (days,) are the lines of each day.
    1 where there are fewer than eight days or no set gains anything.
    """
    losses = np.array([trial.inner.day_losses for trial in trials if trial.name != LIGHTGBM])
    gained = losses[0] - losses[1:]
    gains = gained.sum(axis=1) / lines.sum()
    if len(lines) < _LEAST_DAYS or not len(gains) or gains.max() <= 0.0:
        return 1.0
    drawn = bootstrap_weights(np.arange(len(lines), dtype=np.int64), draws=_DRAWS, seed=seed)
    redrawn = (drawn @ gained.T) / (drawn @ lines)[:, None] - gains
    return float((1 + (redrawn.max(axis=1) >= gains.max()).sum()) / (_DRAWS + 1))


def _reasons(verdict: Verdict) -> tuple[tuple[str, ...], bool]:
    best, configured, chance, outer = verdict.best, verdict.configured, verdict.chance, verdict.outer
    if verdict.inner_few:
        return (f"inner blocks: {verdict.inner_few} to choose by",), False
    if best.number == configured.number:
        return ("no set that was tried has a lower loss on the inner blocks",), False
    gain = configured.inner.log_loss - best.inner.log_loss
    reasons = [
        f"inner blocks: log loss {best.inner.log_loss:.5f} instead of {configured.inner.log_loss:.5f}; luck "
        f"alone would make the best of so many trials gain {gain:.5f} in {chance:.0%} of redrawn days"
    ]
    if outer is None:
        return (*reasons, "the newest days hold no finding, so nothing that the search has not seen"), False
    if verdict.outer_few:
        return (*reasons, f"newest block: {verdict.outer_few} to judge what was chosen"), False
    against = outer.comparisons[0].log_loss
    worse = against.low > 0.0
    reasons.append(
        f"newest block: log loss {against.value:+.5f} ({against.low:+.5f} to {against.high:+.5f}), "
        f"{'worse' if worse else 'not worse'} than configured"
    )
    return tuple(reasons), chance < _BY_LUCK and not worse


def _outer(
    blocks: SearchBlocks, newest: SearchBlock, best: Trial, configured: Trial, lightgbm: Trial
) -> OuterFigures:
    rivals = {trial.number: trial for trial in (best, configured, lightgbm)}
    raw = {number: _predicted(blocks, newest, trial) for number, trial in rivals.items()}
    pairs = [(best, configured), (configured, lightgbm), (best, lightgbm)]
    weights = bootstrap_weights(newest.days, draws=_DRAWS // 4, seed=blocks.training.seed)
    return OuterFigures(
        len(newest.found),
        int(newest.found.sum()),
        {number: float(log_losses(values, newest.found).mean()) for number, values in raw.items()},
        {number: average_precision(values, newest.found) for number, values in raw.items()},
        tuple(
            _compared(first, second, raw, newest, weights)
            for first, second in pairs
            if first.number != second.number
        ),
    )


def _predicted(blocks: SearchBlocks, newest: SearchBlock, trial: Trial) -> FloatArray:
    """Log-odds of the newest block's lines (lines,), with as many trees as the inner blocks chose."""
    trained = train_booster(
        newest.train,
        newest.train_found,
        TreeSettings(
            rounds=trial.inner.rounds,
            seed=blocks.training.seed,
            threads=blocks.training.threads,
            parameters=parameters_of_trees(trial, blocks.risk, newest),
        ),
        start=start_of(blocks.risk, newest.train, newest.train_found),
        weights=newest.weights,
    )
    return scores(trained.booster, newest, trial.inner.rounds, blocks.training.threads)


def _compared(
    first: Trial, second: Trial, raw: Mapping[int, FloatArray], newest: SearchBlock, weights: FloatArray
) -> Comparison:
    one, other = raw[first.number], raw[second.number]
    loss = log_losses(one, newest.found) - log_losses(other, newest.found)
    areas = [Areas.of(values, newest.found) for values in (one, other)]
    once = np.ones(len(loss))
    precision = [float(area.average_precision(once)) for area in areas]
    precision_draws = areas[0].average_precision(weights) - areas[1].average_precision(weights)
    findings = int(newest.found.sum())
    drawn = weights.sum(axis=1)
    loss_draws = np.divide(weights @ loss, drawn, out=np.full(len(drawn), math.nan), where=drawn > 0)
    return Comparison(
        first.name,
        second.name,
        Estimate(float(loss.mean()), *bootstrap_interval(loss_draws), findings),
        Estimate(precision[0] - precision[1], *bootstrap_interval(precision_draws), findings),
    )
