"""Under which regime a parcel comes in: retail import, personal articles, general trade, export."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import polars as pl

from configs.reference.limit import Limit
from configs.reference.taxable import PARCEL_LINES

RETAIL_MODES: Final = ("9610", "1210", "1239")
ARTICLE_MODES: Final = ("mail", "express")
EXPORT_MODES: Final = ("9710", "9810")
REGIMES: Final = ("retail", "retail_full", "articles", "general", "export")
_NEARBY: Final = ("HK", "MO", "TW")
# Half a fen: amounts are whole ones.
_ROUNDING: Final = 0.005


@dataclass(frozen=True)
class Regimes:
    """The limits and rates that decide on a day; a limit that there is not is not in `limits`.

    `taxes` says of each row whether it has `ended`. Expressions are over lines with direction, trade_mode,
    dispatch_country, quantity, `_parcel_lines`, `parcel_cny` and `spent_cny` (the year's retail imports of
    the buyer with this parcel, null where the parcel's own value is all that is known).
    """

    taxes: pl.DataFrame
    limits: Mapping[str, Limit]

    def regime(self) -> pl.Expr:
        """Return the regime of each line's parcel.

        Above the limit of an order: until 2018 general trade; since then one article within the year's
        allowance stays in the channel and pays in full. Before there was a retail regime such parcels came in
        as personal articles, of which one alone may be above the limit.
        """
        general = pl.lit("general")
        articles = pl.when(self.articles_above() & ~one_article()).then(general).otherwise(pl.lit("articles"))
        retail = (
            pl.when(self.over_year())
            .then(general)
            .when(~self.order_above())
            .then(pl.lit("retail"))
            .when(one_article())
            .then(pl.lit("retail_full" if self.full_share else "general"))
            .otherwise(general)
        )
        return (
            pl.when(is_export())
            .then(pl.lit("export"))
            .when(pl.col("trade_mode").is_in(RETAIL_MODES))
            .then(retail if self.has_retail else articles)
            .when(pl.col("trade_mode").is_in(ARTICLE_MODES))
            .then(articles)
            .otherwise(general)
        )

    @property
    def has_retail(self) -> bool:
        """Whether retail imports have a regime of their own."""
        return bool(self.share)

    @property
    def share(self) -> Mapping[str, Any]:
        """What retail imports within the limits pay of VAT and consumption tax; empty before they did."""
        return self._row("retail_share", "all")

    @property
    def full_share(self) -> Mapping[str, Any]:
        """What one article above the limit of an order pays of them; empty where it is general trade."""
        return self._row("retail_share", "one_article")

    @property
    def retail_duty(self) -> Mapping[str, Any]:
        """The duty of retail imports within the limits."""
        return self._row("retail_duty", "all")

    def order_above(self) -> pl.Expr:
        """Return whether a parcel is above the limit of a retail order."""
        return _is_above(pl.col("parcel_cny"), self._limit("order_limit_cny"))

    def over_year(self) -> pl.Expr:
        """Return whether the buyer's retail imports of the year are above the allowance with this parcel."""
        spent = pl.max_horizontal("spent_cny", "parcel_cny")
        return _is_above(spent, self._limit("yearly_allowance_cny"))

    def articles_above(self) -> pl.Expr:
        """Return whether a parcel is above the limit of personal articles from where it was sent."""
        return _is_above(pl.col("parcel_cny"), self.articles_limit())

    def articles_limit(self) -> pl.Expr:
        """Return the limit of personal articles from where a parcel was sent, null where there is none."""
        near, far = self._limit("articles_limit_nearby_cny"), self._limit("articles_limit_cny")
        return pl.when(is_nearby()).then(near).otherwise(far)

    def is_known(self) -> pl.Expr:
        """Return whether the tables still know what decides on the regime of a line."""
        articles = self._knows("articles_limit_cny", "articles_limit_nearby_cny")
        retail = self._knows("order_limit_cny", "yearly_allowance_cny")
        rows = (self.share, self.full_share, self.retail_duty)
        retail = retail and not any(row.get("ended") for row in rows)
        decided = pl.when(pl.col("trade_mode").is_in(RETAIL_MODES) & ~is_export())
        return (
            decided.then(pl.lit(retail if self.has_retail else articles))
            .when(pl.col("trade_mode").is_in(ARTICLE_MODES) & ~is_export())
            .then(pl.lit(articles))
            .otherwise(pl.lit(True))
        )

    def _knows(self, *names: str) -> bool:
        return all(self.limits[name].is_known for name in names if name in self.limits)

    def _limit(self, name: str) -> pl.Expr:
        limit = self.limits.get(name)
        return pl.lit(None if limit is None else limit.cny, pl.Float64)

    def _row(self, tax: str, band: str) -> Mapping[str, Any]:
        found = self.taxes.filter(pl.col("tax") == tax, pl.col("band") == band)
        return found.row(0, named=True) if found.height else {}


def one_article() -> pl.Expr:
    """Return whether a parcel is one article: one line of quantity 1."""
    return ((pl.col(PARCEL_LINES) == 1) & (pl.col("quantity") == 1.0)).fill_null(False)


def is_export() -> pl.Expr:
    """Return whether a line goes out; one without a direction comes in, unless its mode is an export's."""
    exported = (pl.col("direction") == "export") | pl.col("trade_mode").is_in(EXPORT_MODES)
    return exported.fill_null(False)


def is_nearby() -> pl.Expr:
    """Return whether a parcel was sent from Hong Kong, Macao or Taiwan."""
    return pl.col("dispatch_country").is_in(_NEARBY).fill_null(False)


def _is_above(amount: pl.Expr, limit: pl.Expr) -> pl.Expr:
    return (amount > limit + _ROUNDING).fill_null(False)
