"""Payments later than the day."""

from __future__ import annotations

from datetime import timedelta

import polars as pl

from features.words.figures import china_minute, ready_for_words
from tests.features.checked_days import CLOSE, LINE, PAYMENT, day_of, findings, found


def test_paid_after_the_close_of_the_day_in_china() -> None:
    at_last = PAYMENT | {"paid_at": CLOSE - timedelta(seconds=1)}
    assert found(day_of(payments=[at_last])) == []
    (row,) = findings(day_of(payments=[PAYMENT | {"paid_at": CLOSE}]))
    assert (row["check"], row["outcome"], row["line_no"]) == ("paid_late", "failed", None)
    assert (row["found"], row["expected"]) == (
        "paid at 2026-11-21 00:00",
        "paid by the close of 2026-11-20",
    )


def test_the_last_of_several_payments_counts() -> None:
    half = {"amount": 111.6}
    payments = [PAYMENT | half, PAYMENT | half | {"transaction_id": "T2", "paid_at": CLOSE + timedelta(1)}]
    assert found(day_of(payments=payments)) == [("INV1", None, "paid_late", "failed")]


def test_a_late_payment_in_another_piece_of_memory_than_the_others() -> None:
    """Polars 2.1 panics where words are put around a column whose first piece is empty."""
    early = pl.DataFrame([PAYMENT | {"order_id": f"O{number}"} for number in range(3)])
    late = pl.DataFrame([PAYMENT | {"order_id": f"L{number}", "paid_at": CLOSE} for number in range(2)])
    column = early["paid_at"].append(late["paid_at"]).filter(pl.Series([False] * 3 + [True] * 2))
    assert column.chunk_lengths() == [0, 2]
    rows = ready_for_words(pl.DataFrame([column]))
    text = rows.select(pl.format("paid at {}", china_minute(pl.col("paid_at")))).to_series()
    assert text.to_list() == ["paid at 2026-11-21 00:00"] * 2


def test_no_moment_and_exports() -> None:
    assert found(day_of(payments=[PAYMENT | {"paid_at": None}])) == []
    late = [PAYMENT | {"paid_at": CLOSE + timedelta(days=9)}]
    assert found(day_of([LINE | {"direction": "export"}], payments=late)) == []
