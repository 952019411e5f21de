"""Out-of-time splits with a growing training window and a gap for results that come late.

A random split would put lines of one seller, one lot and one day on both sides and would show a model that
does not exist. Training ends `gap` days before the test block begins, because on the eve of the block the
newest inspections have only their fast results, and fast results are not like slow ones.

Source: Hyndman and Athanasopoulos, "Forecasting: Principles and Practice", section 5.10 (rolling origin).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

import polars as pl

from configs.errors import DataError

_WARM_UP_SHARE = 0.4


@dataclass(frozen=True)
class Split:
    """Train on lines declared up to `train_to`, test on those from `test_from` to `test_to` (inclusive)."""

    name: str
    train_to: date
    test_from: date
    test_to: date

    @property
    def gap_days(self) -> int:
        """Whole days between the newest training day and the first test day."""
        return (self.test_from - self.train_to).days - 1

    def train_mask(self, frame: pl.DataFrame) -> pl.Series:
        """True where a line may be trained on: old enough, and its result known before the test block."""
        rule = pl.col("declared_on") <= self.train_to
        if "reported_on" in frame.columns:
            rule &= pl.col("reported_on") < self.test_from
        return frame.select(rule.fill_null(False).alias("train")).to_series()

    def test_mask(self, frame: pl.DataFrame) -> pl.Series:
        """True where a line belongs to the test block."""
        inside = pl.col("declared_on").is_between(self.test_from, self.test_to)
        return frame.select(inside.fill_null(False).alias("test")).to_series()


def last_due(first: date, last: date, until: date | None, maturity_days: int) -> date:
    """The newest day whose lines may be judged: their results were due by the close of `until`.

    On the days after it only the fast results are in, and fast results are not like slow ones. Without
    `until` all results are taken to be in. On a history that is shorter than three times the wait, the wait
    shrinks to a third of it.

    >>> last_due(date(2026, 1, 1), date(2026, 3, 31), date(2026, 3, 31), 14)
    datetime.date(2026, 3, 17)
    >>> last_due(date(2026, 1, 1), date(2026, 1, 9), date(2026, 1, 9), 14)
    datetime.date(2026, 1, 6)
    """
    if until is None:
        return last
    wait = min(maturity_days, ((until - first).days + 1) // 3)
    return max(first, min(last, until - timedelta(days=wait)))


def lines_due(frame: pl.DataFrame, until: date | None, maturity_days: int) -> pl.DataFrame:
    """Inspected lines (at least one) whose results were due by the close of `until` (see `last_due`).

    Counted from `until`, because the newest line with a result is itself as old as the fastest result;
    without `until` from the newest line.
    """
    oldest, newest = frame["declared_on"].min(), frame["declared_on"].max()
    assert isinstance(oldest, date)
    assert isinstance(newest, date)
    due = last_due(oldest, newest, until or newest, maturity_days)
    return frame.filter(pl.col("declared_on") <= due)


def rolling_origin_splits(
    first: date, last: date, *, blocks: int, evaluation_days: int, gap_days: int
) -> tuple[Split, ...]:
    """At most so many `blocks` that follow each other, then the block `evaluation` that ends on `last`.

    On a short history everything shrinks: the evaluation block to a quarter of the span, the gap to a sixth,
    and blocks that would have less than one day are left out. A single day cannot be split: DataError.

    >>> first, last = date(2026, 1, 1), date(2026, 2, 9)
    >>> for split in rolling_origin_splits(first, last, blocks=2, evaluation_days=14, gap_days=3):
    ...     print(split.name, split.train_to, split.test_from, split.test_to)
    fold_1 2026-01-09 2026-01-13 2026-01-21
    fold_2 2026-01-18 2026-01-22 2026-01-30
    evaluation 2026-01-27 2026-01-31 2026-02-09
    """
    span = (last - first).days + 1
    if span < 2:
        raise DataError(
            f"training needs inspected lines of at least 2 days, all known ones were declared on {first}; "
            f"ingest more days, or train until a later date."
        )
    evaluation = max(1, min(evaluation_days, span // 4))
    gap = max(0, min(gap_days, span // 6))
    evaluation_from = last - timedelta(days=evaluation - 1)
    splits = [
        _split(f"fold_{number}", gap, start, end)
        for number, (start, end) in enumerate(_blocks(first, evaluation_from, blocks, gap), start=1)
    ]
    return (*splits, _split("evaluation", gap, evaluation_from, last))


def verify_split(frame: pl.DataFrame, split: Split, *, until: date | None = None) -> None:
    """Check the rows themselves before a model is trained on them; a split that leaks raises DataError.

    Returns nothing where no test day is within the gap of the newest training day, no training result was
    reported on or after the first test day, and no result at all was reported after `until`.
    """
    train, test = frame.filter(split.train_mask(frame)), frame.filter(split.test_mask(frame))
    newest, oldest = train["declared_on"].max(), test["declared_on"].min()
    if isinstance(newest, date) and isinstance(oldest, date) and (oldest - newest).days <= split.gap_days:
        raise DataError(
            f"split '{split.name}' leaks: trained to {newest}, tested from {oldest}, gap {split.gap_days} d."
        )
    if "reported_on" not in frame.columns:
        return
    reported = train["reported_on"].max()
    if isinstance(reported, date) and reported >= split.test_from:
        raise DataError(
            f"split '{split.name}' leaks: a training result of {reported}, tested from {split.test_from}."
        )
    latest = frame["reported_on"].max()
    if until is not None and isinstance(latest, date) and latest > until:
        raise DataError(
            f"split '{split.name}' leaks: a result reported on {latest}, after the training date {until}."
        )


def _split(name: str, gap: int, start: date, end: date) -> Split:
    return Split(name, start - timedelta(days=gap + 1), start, end)


def _blocks(first: date, end: date, most: int, gap: int) -> list[tuple[date, date]]:
    """Consecutive blocks that fill the time between the warm-up and `end` (exclusive)."""
    days = (end - first).days
    warm_up = max(gap + 1, round(days * _WARM_UP_SHARE))
    count = min(most, days - warm_up)
    if count < 1:
        return []
    edges = [
        first + timedelta(days=warm_up + round((days - warm_up) * part / count)) for part in range(count + 1)
    ]
    return [(start, stop - timedelta(days=1)) for start, stop in pairwise(edges)]
