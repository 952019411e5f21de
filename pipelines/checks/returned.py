"""The applications of a day to take goods back, and the inventories that they name."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

import polars as pl

from features.contract.china_time import china_day, closing_moment
from features.contract.documents import RECEIPTS, RETURNS
from pipelines.checks.known_declarations import days_between, known_over
from pipelines.documents.known import VERSION_COLUMNS, known_documents, scan_until
from pipelines.store.day_table import DayTable
from pipelines.store.store import Store

_RELEASED: Final = (800, 899)
# Most goods go back within weeks: so many days of inventories are looked through at once, newest first.
_DAYS_AT_ONCE: Final = 40
_RETURN_COLUMNS: Final = (
    *(*RETURNS.row_key, "direction", "seller_id", "buyer_id", "hs_code", "quantity", "unit"),
    *("legal_quantity", "legal_unit", "sent_at"),
)
_LINE_COLUMNS: Final = (
    *("declaration_id", "line_no", "direction", "trade_mode", "seller_id", "buyer_id", "address_id"),
    *("hs_code", "quantity", "unit", "legal_quantity", "legal_unit", "total_price", "currency"),
    *("declared_at", "released_at"),
)


@dataclass(frozen=True)
class Returned:
    """What was known of returns, as `features.check.CheckedDay` has it."""

    returns: pl.DataFrame
    returned_lines: pl.DataFrame

    def without_rows(self) -> Returned:
        """Return the same columns without any row."""
        return Returned(self.returns.clear(), self.returned_lines.clear())


def returned_on(store: Store, day: date) -> Returned:
    """Return the applications for lines of every inventory that one of the day names, and these lines.

    An application that was changed on the day is one of the day; `applied_at` is when it was first sent.
    """
    before = closing_moment(day)
    known = known_documents(store.layout, RETURNS, before).select(_RETURN_COLUMNS)
    is_new = china_day(pl.col("sent_at")) == day
    inventories = known.filter(is_new).select("declaration_id").unique().collect()
    returns = (
        known.join(inventories.lazy(), on="declaration_id", how="semi")
        .collect(engine="streaming")
        .join(_first_sent(store, inventories, day), on=RETURNS.key, how="left", nulls_equal=True)
        .with_columns(pl.col("applied_at").fill_null(pl.col("sent_at")), is_new=is_new)
    )
    return Returned(returns, _with_release(store, _lines(store, inventories, day), before))


def _first_sent(store: Store, inventories: pl.DataFrame, day: date) -> pl.DataFrame:
    """When each application was first sent; one that was deleted and sent again is a new one."""
    schema, tables = RETURNS.columns | VERSION_COLUMNS, (DayTable.RETURNS, DayTable.RETURNS.changed)
    versions = pl.concat([scan_until(store.layout, table, day, schema) for table in tables])
    is_end = pl.col("action") == "delete"
    return (
        versions.select(*RETURNS.key, "sent_at", "action")
        .filter(pl.col("sent_at") < closing_moment(day))
        .join(inventories.lazy(), on="declaration_id", how="semi")
        .with_columns(ended=pl.col("sent_at").filter(is_end).max().over(RETURNS.key))
        .filter(~is_end.fill_null(False), (pl.col("sent_at") >= pl.col("ended")).fill_null(True))
        .group_by(RETURNS.key)
        .agg(applied_at=pl.col("sent_at").min())
        .collect()
    )


def _lines(store: Store, inventories: pl.DataFrame, day: date) -> pl.DataFrame:
    """The lines of inventories, of any day up to this one."""
    before, days = closing_moment(day), days_between(store, date.min, day)
    found = [known_over(store, [], before).collect()]
    missing = inventories
    for end in range(len(days), 0, -_DAYS_AT_ONCE):
        if missing.is_empty():
            break
        known = known_over(store, days[max(0, end - _DAYS_AT_ONCE) : end], before)
        lines = known.join(missing.lazy(), on="declaration_id", how="semi").collect(engine="streaming")
        missing = missing.join(lines, on="declaration_id", how="anti")
        found.append(lines)
    return pl.concat(found)


def _with_release(store: Store, lines: pl.DataFrame, before: datetime) -> pl.DataFrame:
    """The lines with `released_at`: the first receipt 800, else the first 899, known before a moment.

    A receipt without the inventory's number is told by the declarant's own.
    """
    own_key = ["seller_id", "own_number"]
    named = pl.col("declaration_id").is_not_null()
    receipts = known_documents(store.layout, RECEIPTS, before).filter(pl.col("status").is_in(_RELEASED))
    parcels = lines.group_by("declaration_id").agg(pl.col(own_key).min())
    inventories = parcels.lazy()
    by_number = receipts.filter(named).join(inventories.select("declaration_id"), on="declaration_id")
    by_own = receipts.filter(~named).drop("declaration_id").join(inventories, on=own_key)
    columns = ("declaration_id", "status", "sent_at")
    releases = (
        pl.concat([by_number.select(columns), by_own.select(columns)])
        .group_by("declaration_id")
        .agg(
            pl.coalesce(
                *(pl.col("sent_at").filter(pl.col("status") == each).min() for each in _RELEASED)
            ).alias("released_at")
        )
        .collect(engine="streaming")
    )
    return lines.join(releases, on="declaration_id", how="left").select(_LINE_COLUMNS)
