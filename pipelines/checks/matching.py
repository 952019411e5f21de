"""The documents of some of a day's lines, and who else uses their numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

import polars as pl

from features.check import ORDER_KEY, TRANSACTION_KEY, WAYBILL_KEY
from features.contract.china_time import china_day, closing_moment
from features.contract.documents import ORDERS, PAYMENTS, WAYBILLS, DocumentTable
from pipelines.checks.known_declarations import days_between, known_over
from pipelines.documents.known import known_documents
from pipelines.keys.key_index import Sought
from pipelines.store.store import Store

# What checks look at, and no more: a day's documents are held in memory.
_WANTED: Final[Mapping[str, Sequence[str]]] = {
    ORDERS.name: (
        *ORDER_KEY,
        *TRANSACTION_KEY,
        *("line_no", "buyer_id", "buyer_named_by", "telephone_id", "address_id", "item_no"),
        *("quantity", "unit_price", "total_price"),
        *("currency", "goods_value", "freight", "discount", "tax_total", "paid_total", "paid_currency"),
    ),
    PAYMENTS.name: (*ORDER_KEY, *TRANSACTION_KEY, "payer_id", "amount", "currency", "paid_at"),
    WAYBILLS.name: (*WAYBILL_KEY, "address_id", "gross_weight_kg"),
}
_USES: Final = (*TRANSACTION_KEY, *ORDER_KEY)


@dataclass(frozen=True)
class Match:
    """What was known of some lines, as `features.check.CheckedDay` has it."""

    orders: pl.DataFrame
    payments: pl.DataFrame
    waybills: pl.DataFrame
    transactions: pl.DataFrame
    inventories: pl.DataFrame


@dataclass(frozen=True)
class Matcher:
    """Looks up what was known in a store at the close of a day, of so many days before it.

    Every look-up reads the key columns of these days' files, but for those of which the index says that they
    hold none of its keys, and of the rest only what it returns.
    """

    store: Store
    day: date
    lookback_days: int

    @property
    def _before(self) -> datetime:
        return closing_moment(self.day)

    @property
    def _first(self) -> date:
        return self.day - timedelta(days=self.lookback_days)

    def match(self, lines: pl.DataFrame) -> Match:
        """Return the documents of lines, the transactions of their orders, and the inventories that share
        an order, a transaction or a waybill with them.
        """
        orders, waybills = _keys(lines, ORDER_KEY), _keys(lines, WAYBILL_KEY)
        ordered, paid, carried = pl.collect_all(
            [
                self._known(table, keys).select(_WANTED[table.name])
                for table, keys in ((ORDERS, orders), (PAYMENTS, orders), (WAYBILLS, waybills))
            ],
            engine="streaming",
        )
        transactions = self._transactions(_keys(pl.concat([ordered[_USES], paid[_USES]]), TRANSACTION_KEY))
        related = pl.concat([orders, _keys(transactions, ORDER_KEY)]).unique()
        return Match(ordered, paid, carried, transactions, self._inventories(related, waybills))

    def _known(self, table: DocumentTable, keys: pl.DataFrame) -> pl.LazyFrame:
        """The documents with some keys."""
        earliest = closing_moment(self._first - timedelta(days=1))
        known = known_documents(self.store.layout, table, self._before, Sought.of(keys), self._first)
        return _with_keys(known.filter(pl.col("sent_at") >= earliest), keys)

    def _transactions(self, transactions: pl.DataFrame) -> pl.DataFrame:
        """Transaction and order wherever one of these transactions stands in a payment or an order."""
        uses = [self._known(table, transactions).select(_USES) for table in (PAYMENTS, ORDERS)]
        return pl.concat(pl.collect_all(uses, engine="streaming")).unique()

    def _inventories(self, orders: pl.DataFrame, waybills: pl.DataFrame) -> pl.DataFrame:
        """One row an inventory with one of these orders or waybills, of this day or before."""
        days = days_between(self.store, self._first, self.day)
        columns = ("declaration_id", "declared_at", *ORDER_KEY, *WAYBILL_KEY, "total_price", "currency")
        of_orders, of_waybills = (
            _with_keys(known_over(self.store, days, self._before, Sought.of(keys)).select(columns), keys)
            for keys in (orders, waybills)
        )
        found = pl.collect_all(
            [of_orders, of_waybills.join(orders.lazy(), on=ORDER_KEY, how="anti")],
            engine="streaming",
        )
        currency = pl.col("currency").drop_nulls()
        # Not the first: the order in which lines come is not the same in each run.
        numbers = (pl.col(name).min() for name in (*ORDER_KEY, *WAYBILL_KEY))
        return (
            pl.concat(found)
            .group_by("declaration_id")
            .agg(
                china_day(pl.col("declared_at").min()).alias("declared_on"),
                *numbers,
                total=pl.when(currency.n_unique() <= 1).then(pl.col("total_price").sum()),
                currency=pl.when(currency.n_unique() <= 1).then(currency.min()),
            )
        )


def _keys(rows: pl.DataFrame, key: Sequence[str]) -> pl.DataFrame:
    return rows.select(key).drop_nulls().unique()


def _with_keys(rows: pl.LazyFrame, keys: pl.DataFrame) -> pl.LazyFrame:
    return rows.join(keys.lazy(), on=keys.columns, how="semi")
