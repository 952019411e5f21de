"""With whom a day's parcels share payers, telephones, and goods to one address."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import polars as pl

from configs.schema.checks import ChecksConfig
from features.check import ORDER_KEY, RETAIL_IMPORT, CheckedDay
from features.contract.china_time import closing_moment
from features.contract.documents import ORDERS, PAYMENTS, DocumentTable
from features.pattern import Shared
from features.patterns.rings import foreign_payers
from pipelines.checks.known_declarations import days_between, known_over
from pipelines.documents.known import known_documents
from pipelines.store.store import Store

_GOODS: Final = ("hs_code", "item_name", "quantity")
_OF_PARCEL: Final = ("address_id", "buyer_id")


@dataclass(frozen=True)
class SharedLookUp:
    """Looks up what was known in a store at the close of a day.

    Like the matching of documents it reads the key columns of the days that count, and keeps what shares a
    key with the lines that it is asked for.
    """

    store: Store
    day: date
    config: ChecksConfig

    def of(self, day: CheckedDay) -> Shared:
        """Return what the lines and documents of a part of the day share with others."""
        return Shared(
            self._payers(foreign_payers(day)),
            self._telephones(day.orders.select("telephone_id").drop_nulls().unique()),
            self._baskets(day.lines.filter(RETAIL_IMPORT).select("address_id").drop_nulls().unique()),
        )

    def _payers(self, payers: pl.DataFrame) -> pl.DataFrame:
        paid = self._with(PAYMENTS, payers, ("payer_id", *ORDER_KEY))
        ordered = self._with(ORDERS, paid.select(ORDER_KEY).unique(), (*ORDER_KEY, "buyer_id"))
        return paid.join(ordered, on=ORDER_KEY).select("payer_id", "buyer_id").drop_nulls().unique()

    def _telephones(self, telephones: pl.DataFrame) -> pl.DataFrame:
        return self._with(ORDERS, telephones, ("telephone_id", "buyer_id")).drop_nulls()

    def _with(self, table: DocumentTable, keys: pl.DataFrame, columns: Sequence[str]) -> pl.DataFrame:
        """The columns of the documents of the last days that have one of the keys, each row once."""
        first = closing_moment(self.day - timedelta(days=self.config.rings_days))
        known = known_documents(self.store.layout, table, closing_moment(self.day))
        if keys.is_empty():
            return pl.DataFrame(schema={name: table.columns[name] for name in columns})
        rows = known.filter(pl.col("sent_at") >= first).select(columns)
        found = rows.join(keys.lazy(), on=keys.columns, how="semi").unique()
        return found.collect(engine="streaming")

    def _baskets(self, addresses: pl.DataFrame) -> pl.DataFrame:
        """The parcels to addresses, with what tells their goods apart: a sum of hashes of their lines."""
        first = self.day - timedelta(days=self.config.baskets_days - 1)
        lines = known_over(
            self.store, days_between(self.store, first, self.day), closing_moment(self.day)
        ).filter(RETAIL_IMPORT)
        parcels = (
            lines.select("declaration_id", *_OF_PARCEL, *_GOODS)
            .join(addresses.lazy(), on="address_id", how="semi")
            .group_by("declaration_id")
            .agg(pl.col(_OF_PARCEL).min(), pl.struct(_GOODS).hash().sum().alias("basket"))
        )
        return parcels.collect(engine="streaming")
