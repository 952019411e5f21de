"""What a search of parameters learns from and is judged on: blocks of days, each turned into numbers once.

The search is nested. Its own blocks roll over the lines that were known on the eve of the newest block; that
one is encoded only when the search is over, to judge what it chose.

Source: Varma and Simon 2006, "Bias in error estimation when using cross-validation for model selection".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import polars as pl

from configs.errors import DataError
from configs.schema.pipeline import TrainingConfig
from configs.schema.risk import RiskConfig
from features.arrays.types import BoolArray, FloatArray, IntArray
from models.fitting.block import LEAST_LEARNABLE
from models.fitting.candidates import start_of
from models.fitting.choice import best_rounds
from models.fitting.cross_fitted_rates import RateKeys, cross_fitted
from models.fitting.inspection_weights import training_weights
from models.fitting.splits import Split, last_due, rolling_origin_splits, verify_split
from models.fitting.training import known_lines
from models.risk.encoder import fit_encoder
from models.stats.rankings import Areas
from models.trees.booster import Booster, Parameter, TreeSettings, train_booster
from models.trees.matrix import Matrix


@dataclass(frozen=True)
class SearchBlock:
    """One block of days and the lines before it, as numbers; `days` (lines,) are those of the block's
    lines, `weights` those of the lines before it, None where these count alike.
    """

    train: Matrix
    train_found: BoolArray
    test: Matrix
    found: BoolArray
    days: IntArray
    weights: FloatArray | None = None

    @property
    def findings(self) -> int:
        """Findings to learn from."""
        return int(self.train_found.sum())


@dataclass(frozen=True)
class SearchBlocks:
    """The blocks that choose, and the lines of which the newest block is still to be encoded."""

    inner: tuple[SearchBlock, ...]
    lines: pl.DataFrame
    newest: Split
    risk: RiskConfig
    training: TrainingConfig
    keys: RateKeys | None = None

    @property
    def inner_findings(self) -> int:
        """Findings of all inner blocks."""
        return sum(int(block.found.sum()) for block in self.inner)

    def outer(self) -> SearchBlock | None:
        """The newest block, which judges; None where it holds no finding or nothing was known before it."""
        return _block(self.lines, self.newest, self.risk, self.training, self.keys)


@dataclass(frozen=True)
class InnerFigures:
    """How a set of parameters did on the inner blocks.

    `rounds` is the number of trees with the lowest mean loss. `log_loss` is the mean over all lines with so
    many trees, `average_precision` the mean over blocks, `day_losses` the sums of losses by day, in order.
    """

    rounds: int
    log_loss: float
    average_precision: float
    day_losses: tuple[float, ...]


def search_blocks(
    frame: pl.DataFrame,
    risk: RiskConfig,
    training: TrainingConfig,
    *,
    until: date | None = None,
    keys: RateKeys | None = None,
) -> SearchBlocks:
    """Encode the blocks that a search may look at; `frame` and `keys` are those that `fit_risk` takes.

    The inner blocks see only lines whose result was known before the newest block began.

    Raises TooFewFindings where training would, DataError where no inner block has findings to learn from and
    to be judged on.
    """
    lines = known_lines(frame, risk, training)
    newest = _splits(lines, risk, training, training.folds, until)[-1]
    verify_split(lines, newest, until=until)
    past = lines.filter(newest.train_mask(lines))
    inner = []
    eve = newest.test_from - timedelta(days=1)
    for split in _splits(past, risk, training, training.folds - 1, eve) if past.height else ():
        verify_split(past, split, until=until)
        block = _block(past, split, risk, training, keys)
        if block is not None:
            inner.append(block)
    if not inner:
        raise DataError(
            f"risk '{risk.name}' cannot be tuned: before {newest.test_from} no block of days has findings to "
            f"learn from (at least {LEAST_LEARNABLE}) and to be judged on. Ingest more results, or shorten "
            f"training.evaluation_days."
        )
    return SearchBlocks(tuple(inner), lines, newest, risk, training, keys)


def inner_figures(
    blocks: SearchBlocks, parameters: Sequence[Mapping[str, Parameter]], rounds: int
) -> InnerFigures:
    """Train on each inner block with its own parameters (blocks,), at most `rounds` trees, and judge."""
    trained = [
        train_booster(
            block.train,
            block.train_found,
            TreeSettings(
                rounds=rounds, seed=blocks.training.seed, threads=blocks.training.threads, parameters=given
            ),
            validation=(block.test, block.found),
            start=start_of(blocks.risk, block.train, block.train_found),
            weights=block.weights,
        )
        for block, given in zip(blocks.inner, parameters, strict=True)
    ]
    curves = [
        (found.curve, len(block.found))
        for block, found in zip(blocks.inner, trained, strict=True)
        if found.curve is not None
    ]
    kept = best_rounds(curves) or rounds
    raw = [
        scores(found.booster, block, kept, blocks.training.threads)
        for block, found in zip(blocks.inner, trained, strict=True)
    ]
    losses = np.concatenate(
        [log_losses(each, block.found) for each, block in zip(raw, blocks.inner, strict=True)]
    )
    areas = [average_precision(each, block.found) for each, block in zip(raw, blocks.inner, strict=True)]
    return InnerFigures(kept, float(losses.mean()), float(np.mean(areas)), _by_day(losses, blocks))


def lines_by_day(blocks: SearchBlocks) -> IntArray:
    """Lines of the inner blocks on each of their days, in the order of `day_losses`."""
    return np.unique(np.concatenate([block.days for block in blocks.inner]), return_counts=True)[1]


def scores(booster: Booster, block: SearchBlock, rounds: int, threads: int) -> FloatArray:
    """Log-odds of the block's lines (lines,) with the first `rounds` trees."""
    return booster.predict_raw(block.test.values, threads=threads, rounds=rounds)


def log_losses(raw: FloatArray, found: BoolArray) -> FloatArray:
    """Minus the log of the probability that each line's outcome was given (lines,), from log-odds.

    >>> log_losses(np.array([0.0, 2.0]), np.array([True, False])).round(3)
    array([0.693, 2.127])
    """
    return np.logaddexp(0.0, np.where(found, -raw, raw))


def average_precision(raw: FloatArray, found: BoolArray) -> float:
    """Average precision of a ranking by log-odds."""
    return float(Areas.of(raw, found).average_precision(np.ones(len(raw))))


def _by_day(losses: FloatArray, blocks: SearchBlocks) -> tuple[float, ...]:
    days = np.concatenate([block.days for block in blocks.inner])
    _, place = np.unique(days, return_inverse=True)
    return tuple(np.bincount(place, weights=losses).tolist())


def _splits(
    lines: pl.DataFrame, risk: RiskConfig, training: TrainingConfig, count: int, known: date | None
) -> tuple[Split, ...]:
    """Blocks of days whose results were due by the close of the day `known`."""
    first, last = lines["declared_on"].min(), lines["declared_on"].max()
    assert isinstance(first, date)
    assert isinstance(last, date)
    return rolling_origin_splits(
        first,
        last_due(first, last, known, risk.maturity_days),
        blocks=count,
        evaluation_days=training.evaluation_days,
        gap_days=risk.maturity_days,
    )


def _block(
    lines: pl.DataFrame, split: Split, risk: RiskConfig, training: TrainingConfig, keys: RateKeys | None
) -> SearchBlock | None:
    train, test = lines.filter(split.train_mask(lines)), lines.filter(split.test_mask(lines))
    learnable = int(train[risk.label].sum())
    if not LEAST_LEARNABLE <= learnable < train.height or not test[risk.label].any():
        return None
    train = cross_fitted(train, risk, keys)
    found = train[risk.label].to_numpy()
    encoder, learned = fit_encoder(train, found, risk, seed=training.seed, threads=training.threads)
    return SearchBlock(
        encoder.matrix(train, learned),
        found,
        encoder.matrix(test, encoder.learned(test, threads=training.threads)),
        test[risk.label].to_numpy(),
        test["declared_on"].to_physical().to_numpy().astype(np.int64),
        training_weights(risk, train),
    )
