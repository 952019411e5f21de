"""Which of the versions of a document a store holds, and which it held before."""

from __future__ import annotations

from datetime import UTC, datetime

import polars as pl

from features.contract.documents import PAYMENTS, WAYBILLS
from pipelines.simulation.documents.versions import stored_versions

END = datetime(2026, 11, 20, 16, tzinfo=UTC)


def at(hour: int) -> datetime:
    return datetime(2026, 11, 20, hour, tzinfo=UTC)


def payments(*versions: tuple[str, int, str | None, str | None]) -> pl.DataFrame:
    """By order: when it was sent, for what, and whether as a draft."""
    empty = pl.DataFrame(schema=PAYMENTS.columns | {"app_type": pl.String(), "app_status": pl.String()})
    rows = [
        {"platform_id": "P", "order_id": order, "sent_at": at(hour), "app_type": kind, "app_status": status}
        for order, hour, kind, status in versions
    ]
    return pl.DataFrame(rows, schema=empty.schema)


def test_the_last_version_holds_and_those_before_it_until_the_next() -> None:
    rows = payments(("a", 3, None, None), ("a", 5, "2", None), ("a", 6, None, "1"), ("a", 17, "2", None))
    current, past = stored_versions(rows, PAYMENTS, END)
    assert current["sent_at"].to_list() == [at(5)]
    assert past.select("action", "sent_at", "held_until").rows() == [("new", at(3), at(5))]


def test_a_deletion_is_no_document_and_holds_for_good() -> None:
    rows = payments(("a", 3, None, None), ("a", 5, "3", None), ("b", 4, None, None))
    current, past = stored_versions(rows, PAYMENTS, END)
    assert current["order_id"].to_list() == ["b"]
    assert past.select("action", "held_until").sort("action").rows() == [("delete", None), ("new", at(5))]


def test_a_status_that_comes_later_is_not_known() -> None:
    rows = pl.DataFrame(
        {
            "carrier_id": "C", "waybill_id": ["1", "2"], "sent_at": at(1), "status": "S", "status_at": at(2),
            "status_sent_at": [at(3), at(17)],
        }
    )  # fmt: skip
    missing = [pl.lit(None, kind).alias(name) for name, kind in WAYBILLS.columns.items() if name not in rows]
    current, past = stored_versions(rows.with_columns(missing), WAYBILLS, END)
    assert past.is_empty()
    assert current.sort("waybill_id").select("status", "status_at").rows() == [("S", at(2)), (None, None)]
