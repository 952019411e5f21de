"""The tax on a parcel's line as a share of its declared value.

Sources: joint notices on cross-border retail import of the Ministry of Finance, customs and the tax
administration (2016 no. 18, 2018 no. 49), the tariff of personal articles by mail, and the composite
assessable price of the consumption-tax rules. The rates themselves are in `reference/taxes.csv`.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

_RETAIL_MODES = ("9610", "1210", "1239")
_ARTICLE_MODES = ("mail", "express")
_EXPORT_MODES = ("9710", "9810")
_SHEET_UNITS = ("010", "020")  # customs units for sheets, in which facial masks are counted
_CODE_TAXES = ("vat", "consumption", "duty", "mail")
_THRESHOLDS = ("min_cny_per_kg", "min_cny_per_sheet", "min_cny_per_piece")
_INPUTS: dict[str, type[pl.DataType]] = {
    "hs_code": pl.String,
    "direction": pl.String,
    "trade_mode": pl.String,
    "unit": pl.String,
    "total_price": pl.Float64,
    "quantity": pl.Float64,
    "legal_quantity": pl.Float64,
}


@dataclass(frozen=True)
class TaxRules:
    """Rates by band, and which goods fall into which band, as they hold on a day."""

    taxes: pl.DataFrame
    tax_bands: pl.DataFrame

    def rate(self, lines: pl.DataFrame, prices: pl.DataFrame) -> pl.Series:
        """Tax as a share of the declared value, one a line; null where no rate is known.

        Exports: 0. Retail import (9610, 1210, 1239): `retail_share` of VAT and consumption tax, no duty.
        Mail and express: the rate for personal articles. Anything else: general trade. With duty d,
        consumption tax c and VAT v on the composite price (1 + d) / (1 - c), the tax is
        d + (c + v)(1 + d) / (1 - c).

        Args:
            lines: needs hs_code; uses direction, trade_mode, currency, total_price, quantity, unit,
                legal_quantity where present. A line without direction counts as an import.
            prices: for the same lines cny_rate, kg_factor, legal_kg_factor and pieces_factor.
        """
        inputs = pl.concat([_inputs(lines), prices], how="horizontal")
        codes = self._rates_of_codes(inputs.select(pl.col("hs_code").drop_nulls().unique()))
        frame = (
            inputs.lazy()
            .join(codes, on="hs_code", how="left", maintain_order="left")
            .with_columns(**_unit_values())
        )
        rate = {tax: _banded(tax) for tax in _CODE_TAXES}
        duty, consumption, vat = (rate[tax].fill_null(0.0) for tax in ("duty", "consumption", "vat"))
        indirect = (consumption + vat) / (1.0 - consumption)
        general = duty + indirect * (1.0 + duty)
        share = self._retail_share()
        # Before there was a retail regime, such parcels were taxed as personal articles.
        retail = rate["mail"] if share is None else indirect * share
        exported = (pl.col("direction") == "export") | pl.col("trade_mode").is_in(_EXPORT_MODES)
        tax = (
            pl.when(exported.fill_null(False))
            .then(0.0)
            .when(pl.col("trade_mode").is_in(_RETAIL_MODES))
            .then(retail)
            .when(pl.col("trade_mode").is_in(_ARTICLE_MODES))
            .then(rate["mail"])
            .otherwise(general)
        )
        return frame.select(tax.cast(pl.Float64).alias("tax_rate")).collect().to_series()

    def _retail_share(self) -> float | None:
        rates = self.taxes.filter(pl.col("tax") == "retail_share")["rate"]
        return None if rates.is_empty() else float(rates[0])

    def _rates_of_codes(self, codes: pl.DataFrame) -> pl.LazyFrame:
        """For each code and tax the rate of its most specific band, with and without a price threshold."""
        dear = pl.any_horizontal(pl.col(_THRESHOLDS).is_not_null())
        bands = (
            self.tax_bands.lazy()
            .join(self.taxes.lazy().select("tax", "band", "rate"), on=["tax", "band"])
            .with_columns(pl.col("hs_prefix").fill_null(""), dear=dear)
        )
        return (
            codes.lazy()
            .join(bands, how="cross")
            .filter(pl.col("hs_code").str.starts_with(pl.col("hs_prefix")))
            # The longest prefix comes last; the rate decides between bands of one prefix.
            .sort(pl.col("hs_prefix").str.len_bytes(), "rate")
            .group_by("hs_code")
            .agg(
                *(_last("rate", tax, dear=False).alias(f"{tax}_rate") for tax in _CODE_TAXES),
                *(
                    _last(value, tax, dear=True).alias(f"{tax}_dear_{value}")
                    for tax in _CODE_TAXES
                    for value in ("rate", *_THRESHOLDS)
                ),
            )
        )


def _last(value: str, tax: str, *, dear: bool) -> pl.Expr:
    """The value of the last row of a tax among rows with or without a price threshold; null where none is."""
    return pl.col(value).filter((pl.col("tax") == tax) & (pl.col("dear") == dear)).last()


def _inputs(lines: pl.DataFrame) -> pl.DataFrame:
    """The columns that the rules look at, null where a source does not have them."""
    absent = [pl.lit(None).alias(name) for name in _INPUTS if name not in lines.columns]
    return lines.with_columns(absent).select(pl.col(name).cast(dtype) for name, dtype in _INPUTS.items())


def _unit_values() -> dict[str, pl.Expr]:
    """CNY a kilogram, a sheet and a piece, null where the line does not say."""
    total = pl.col("total_price") * pl.col("cny_rate")
    kilograms = pl.coalesce(
        pl.col("quantity") * pl.col("kg_factor"), pl.col("legal_quantity") * pl.col("legal_kg_factor")
    )
    pieces = pl.col("quantity") * pl.col("pieces_factor")
    return {
        "cny_per_kg": total / kilograms,
        "cny_per_sheet": pl.when(pl.col("unit").is_in(_SHEET_UNITS)).then(total / pl.col("quantity")),
        "cny_per_piece": total / pieces,
    }


def _banded(tax: str) -> pl.Expr:
    """The rate of the dear band where the line's price reaches its threshold, else of the plain band."""
    dear = pl.any_horizontal(
        (pl.col(f"cny_per_{per}") >= pl.col(f"{tax}_dear_min_cny_per_{per}")).fill_null(False)
        for per in ("kg", "sheet", "piece")
    )
    return pl.when(dear).then(pl.col(f"{tax}_dear_rate")).otherwise(pl.col(f"{tax}_rate"))
