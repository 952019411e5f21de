"""The value by which strategies without a model sort the parcels of a night."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import polars as pl

from configs.reference.facts import ReferenceDay
from configs.reference.regimes import is_export
from features.contract.declarations import LINE_KEY
from features.history.results import known_labels
from models.estimates.parcel_table import parcel_table

_PARCEL_COLUMNS = ("declaration_id", "line_no", "customs_office", "trade_mode", "seller_id", "buyer_id")
_HEADING = pl.col("hs_code").str.slice(0, 4).alias("_heading")
_PRIOR = 0.01


def unsorted_parcels(lines: pl.DataFrame) -> pl.DataFrame:
    """The parcels of a night (`models.estimates.parcel_table.parcel_table`), none worth more than another."""
    return parcel_table(lines.select(*_PARCEL_COLUMNS, is_export().alias("is_export")), [])


def parcels_by_price(lines: pl.DataFrame, reference: ReferenceDay) -> pl.DataFrame:
    """Parcels by declared value in CNY: where most tax may be lost, as inspectors without other means choose.

    A line in a currency without exchange rate counts nothing.
    """
    total = (pl.col("total_price") * reference.cny_rate(lines["currency"])).fill_null(0.0)
    return _with_value(lines, lines.select("declaration_id", total.alias("_value")), pl.Expr.sum)


def parcels_by_hit_rate(lines: pl.DataFrame, rates: PastHitRates) -> pl.DataFrame:
    """Parcels by the highest past hit rate of their lines."""
    value = lines.select("declaration_id", rates.of(lines).alias("_value"))
    return _with_value(lines, value, pl.Expr.max)


class PastHitRates:
    """Hit rates of sellers and headings by what was known on a day.

    A line's rate is that of its seller with its heading, smoothed towards that of the seller, which is
    smoothed towards that of the heading, and that towards the rate of all: (findings + a x rate of the wider
    key) / (inspected + a). A line is a finding where any label was confirmed.

    Args:
        inspected: a row an inspected line with `seller_id`, `hs_code` and `found` (Boolean).
        smoothing: a, inspections that the wider key weighs as much as.
    """

    def __init__(self, inspected: pl.DataFrame, smoothing: float) -> None:
        self._smoothing = smoothing
        lines, findings = inspected.height, int(inspected["found"].sum()) if inspected.height else 0
        self._all = (findings + smoothing * _PRIOR) / (lines + smoothing)
        keyed = inspected.with_columns(_HEADING)
        counts = [pl.len().alias("n"), pl.col("found").sum().cast(pl.Int64).alias("f")]
        self._tables = {
            keys: keyed.drop_nulls(keys).group_by(keys).agg(counts)
            for keys in (("_heading",), ("seller_id",), ("seller_id", "_heading"))
        }

    def of(self, lines: pl.DataFrame) -> pl.Series:
        """The rate of each line (lines,), from 0 to 1."""
        rate = pl.Series("rate", [self._all]).new_from_index(0, lines.height)
        keyed = lines.with_columns(_HEADING)
        for keys, table in self._tables.items():
            counts = keyed.select(keys).join(table, on=keys, how="left", maintain_order="left")
            n, f = counts["n"].fill_null(0), counts["f"].fill_null(0)
            rate = (f + self._smoothing * rate) / (n + self._smoothing)
        return rate


def known_findings(reports: pl.DataFrame, until: date, attributes: pl.DataFrame) -> pl.DataFrame:
    """Inspected lines with what `reports` tell of them at the close of `until`, as `PastHitRates` takes them.

    `attributes` has the key, `seller_id` and `hs_code` of every line that was inspected by then.
    """
    known = known_labels(reports, until)
    labels = [name for name, dtype in known.schema.items() if dtype == pl.Boolean]
    findings = known.select(*LINE_KEY, pl.any_horizontal(pl.col(labels).fill_null(False)).alias("found"))
    return findings.join(attributes, on=LINE_KEY).sort(LINE_KEY)


def _with_value(lines: pl.DataFrame, value: pl.DataFrame, how: Callable[[pl.Expr], pl.Expr]) -> pl.DataFrame:
    worth = value.group_by("declaration_id").agg(how(pl.col("_value")))
    parcels = unsorted_parcels(lines).join(worth, on="declaration_id", how="left", maintain_order="left")
    return parcels.with_columns(expected_value_cny="_value").drop("_value")
