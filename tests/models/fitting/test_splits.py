from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from configs.errors import DataError
from models.fitting.splits import Split, lines_due, rolling_origin_splits, verify_split

FIRST = date(2026, 3, 1)


def lines(days: list[int], delays: list[int] | None = None) -> pl.DataFrame:
    frame = pl.DataFrame({"declared_on": [FIRST + timedelta(days=day) for day in days]})
    if delays is None:
        return frame
    reported = [FIRST + timedelta(days=day + delay) for day, delay in zip(days, delays, strict=True)]
    return frame.with_columns(pl.Series("reported_on", reported))


@given(
    span=st.integers(2, 500),
    blocks=st.integers(1, 8),
    evaluation_days=st.integers(1, 60),
    gap_days=st.integers(0, 90),
)
def test_blocks_follow_each_other_and_training_ends_before_the_gap(
    span: int, blocks: int, evaluation_days: int, gap_days: int
) -> None:
    last = FIRST + timedelta(days=span - 1)
    splits = rolling_origin_splits(
        FIRST, last, blocks=blocks, evaluation_days=evaluation_days, gap_days=gap_days
    )
    assert splits[-1].name == "evaluation"
    assert splits[-1].test_to == last
    assert len(splits) <= blocks + 1
    for earlier, later in pairwise(splits):
        assert earlier.test_to + timedelta(days=1) == later.test_from
        assert earlier.train_to < later.train_to
    for split in splits:
        assert split.test_from <= split.test_to
        assert 0 <= split.gap_days <= gap_days
        assert (split.test_from - split.train_to).days == split.gap_days + 1


@given(
    days=st.lists(st.integers(0, 120), min_size=2, unique=True), delay=st.integers(0, 40), seed=st.randoms()
)
def test_masks_never_overlap_and_pass_their_own_check(days: list[int], delay: int, seed: object) -> None:
    frame = lines(days, [delay + day % 7 for day in days])
    first, last = frame["declared_on"].min(), frame["declared_on"].max()
    assert isinstance(first, date)
    assert isinstance(last, date)
    for split in rolling_origin_splits(first, last, blocks=3, evaluation_days=14, gap_days=7):
        train, test = split.train_mask(frame), split.test_mask(frame)
        assert not (train & test).any()
        verify_split(frame, split)
        assert (frame.filter(train)["reported_on"] < split.test_from).all()


def test_a_long_history_keeps_the_configured_lengths() -> None:
    splits = rolling_origin_splits(
        FIRST, FIRST + timedelta(days=199), blocks=4, evaluation_days=14, gap_days=10
    )
    assert len(splits) == 5
    assert (splits[-1].test_to - splits[-1].test_from).days == 13
    assert all(split.gap_days == 10 for split in splits)


def test_one_day_cannot_be_split() -> None:
    with pytest.raises(DataError, match="at least 2 days, all known ones were declared on 2026-03-01"):
        rolling_origin_splits(FIRST, FIRST, blocks=2, evaluation_days=3, gap_days=0)


def test_a_split_whose_training_days_reach_into_the_gap_is_refused() -> None:
    class Careless(Split):
        def train_mask(self, frame: pl.DataFrame) -> pl.Series:
            return frame["declared_on"] < self.test_from

    split = Careless(
        "careless", FIRST + timedelta(days=4), FIRST + timedelta(days=10), FIRST + timedelta(days=12)
    )
    with pytest.raises(
        DataError, match="'careless' leaks: trained to 2026-03-10, tested from 2026-03-11, gap 5"
    ):
        verify_split(lines(list(range(13))), split)


def test_a_training_result_that_came_later_is_refused() -> None:
    class Careless(Split):
        def train_mask(self, frame: pl.DataFrame) -> pl.Series:
            return frame["declared_on"] <= self.train_to

    split = Careless(
        "careless", FIRST + timedelta(days=4), FIRST + timedelta(days=10), FIRST + timedelta(days=12)
    )
    with pytest.raises(DataError, match="a training result of 2026-03-24, tested from 2026-03-11"):
        verify_split(lines(list(range(13)), [0, 0, 0, 20, *[0] * 9]), split)


def test_a_result_after_the_training_date_is_refused() -> None:
    split = rolling_origin_splits(FIRST, FIRST + timedelta(days=12), blocks=1, evaluation_days=2, gap_days=1)[
        -1
    ]
    frame = lines(list(range(13)), [1] * 13)
    verify_split(frame, split, until=FIRST + timedelta(days=13))
    with pytest.raises(DataError, match="reported on 2026-03-14, after the training date 2026-03-13"):
        verify_split(frame, split, until=FIRST + timedelta(days=12))


def test_lines_are_due_by_the_day_of_training_and_not_by_the_newest_result() -> None:
    """The newest known line of a slow laboratory is ten days old: its age must not be counted twice."""
    first, until = date(2026, 6, 1), date(2026, 9, 30)
    days = [first + timedelta(days=day) for day in range((until - first).days - 9)]
    known = pl.DataFrame({"declared_on": days})
    assert lines_due(known, until, 30)["declared_on"].max() == until - timedelta(days=30)
    assert lines_due(known, None, 30)["declared_on"].max() == days[-1] - timedelta(days=30)
