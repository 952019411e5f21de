"""What is known of a day when it closes: its lines with their documents, returns and sums, part by part."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Final

import polars as pl

from configs.reference.facts import Reference
from configs.schema.checks import ChecksConfig
from features.check import CheckedDay
from features.contract.china_time import closing_moment
from pipelines.checks.allowance import spent_above_allowance
from pipelines.checks.bought_in_year import bought_in_year
from pipelines.checks.known_declarations import known_declarations
from pipelines.checks.matching import Matcher
from pipelines.checks.returned import returned_on
from pipelines.store.day_table import DayTable
from pipelines.store.files import row_count
from pipelines.store.manifest import ManifestBuilder
from pipelines.store.store import Store

_LINES: Final = (
    *("declaration_id", "line_no", "direction", "trade_mode", "platform_id", "order_id", "carrier_id"),
    *("waybill_id", "buyer_id", "address_id", "quantity", "unit_price", "total_price", "currency"),
    *("gross_weight_kg", "item_no", "buyer_named_by"),
    *("customs_office", "dispatch_country", "origin_country", "declared_at"),
    *("hs_code", "item_name", "item_model", "unit"),
    *("legal_quantity", "legal_unit", "net_weight_kg", "freight", "insurance"),
)
_READ: Final = (
    *(DayTable.DECLARATIONS, DayTable.ORDERS, DayTable.PAYMENTS, DayTable.WAYBILLS),
    *(DayTable.RETURNS, DayTable.RECEIPTS),
)


def day_facts(
    store: Store,
    day: date,
    config: ChecksConfig,
    reference: Reference,
    manifest: ManifestBuilder,
    *,
    law_only: bool,
) -> Iterator[CheckedDay]:
    """What is known of a day, part by part; returns stand with the first."""
    with damage_named(store):
        with manifest.step("returns"):
            returned = returned_on(store, day)
        with manifest.step("allowance"):
            spent = spent_above_allowance(store, day, reference)
        matcher = Matcher(store, day, config.lookback_days)
        for part in _parts(store, day, config.lines_at_once):
            with manifest.step("match"):
                match = matcher.match(part.clear() if law_only else part)
                bought = bought_in_year(store, day, part, reference.on(day))
            yield CheckedDay(
                day,
                closing_moment(day),
                part,
                **vars(match),
                **vars(returned),
                config=config,
                reference=reference.on(day),
                spent=spent,
                bought=bought,
            )
            returned = returned.without_rows()


@contextmanager
def damage_named(store: Store) -> Iterator[None]:
    """Name the file at which a scan of many failed: Polars does not.

    Raises:
        StoreError: one of the files cannot be read, or is damaged.
    """
    try:
        yield
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError):
        for table in (*_READ, *(each.changed for each in _READ)):
            for day in store.days(table):
                for file in store.layout.files(table, day):
                    row_count(file)
        raise


def _parts(store: Store, day: date, most: int) -> Iterator[pl.DataFrame]:
    """The day's lines, about so many at once and whole declarations; one empty part where it has none."""
    known = known_declarations(store, day, closing_moment(day))
    count = max(1, math.ceil(known.select(pl.len()).collect(engine="streaming").item() / most))
    part = pl.col("declaration_id").hash() % count
    for number in range(count):
        yield known.filter(part == number).select(_LINES).collect(engine="streaming")
