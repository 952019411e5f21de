"""The rates of each tax that goods have by their heading and price, with the notices that set them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import polars as pl

TAXES: Final = ("duty", "consumption", "vat", "mail")
_MEASURES: Final = ("kg", "sheet", "piece")
_THRESHOLDS: Final = tuple(f"min_cny_per_{each}" for each in _MEASURES)
# A price is a quotient of doubles: 1,500 for 3 x 50 ml is 10 a millilitre.
_NEARLY: Final = 1.0 - 1e-9
_FACTS: Final = ("rate", "notice", "ended")


@dataclass(frozen=True)
class TaxRates:
    """Rates by band, and which goods fall into which band, as they hold on a day.

    Attributes:
        taxes: rates; `ended` says whether nothing is known of a row any more.
        tax_bands: headings and thresholds of bands.
    """

    taxes: pl.DataFrame
    tax_bands: pl.DataFrame

    def of_codes(self, codes: pl.DataFrame) -> pl.DataFrame:
        """Return for each `hs_code` and tax the rate of its band, and that of dear goods with thresholds.

        The longest prefix decides, of one prefix the newest row. Columns are `<tax>_<fact>` and
        `<tax>_dear_<fact>`, for `rate`, `notice` and `ended`, and of the latter also the thresholds.
        """
        bands = (
            self.tax_bands.lazy()
            .select("tax", "band", "hs_prefix", "valid_from", *_THRESHOLDS)
            .join(self.taxes.lazy().select("tax", "band", *_FACTS), on=["tax", "band"])
            .with_columns(
                pl.col("hs_prefix").fill_null(""), dear=pl.any_horizontal(pl.col(_THRESHOLDS).is_not_null())
            )
        )
        return (
            codes.lazy()
            .join(bands, how="cross")
            .filter(pl.col("hs_code").str.starts_with(pl.col("hs_prefix")))
            .sort(pl.col("hs_prefix").str.len_bytes(), "valid_from", "rate", "band")
            .group_by("hs_code")
            .agg(
                *(_last(fact, tax, dear=False).alias(f"{tax}_{fact}") for tax in TAXES for fact in _FACTS),
                *(
                    _last(fact, tax, dear=True).alias(f"{tax}_dear_{fact}")
                    for tax in TAXES
                    for fact in (*_FACTS, *_THRESHOLDS)
                ),
                *((pl.col("dear") & (pl.col("tax") == tax)).any().alias(f"{tax}_by_price") for tax in TAXES),
            )
            .collect()
        )


def band_facts(tax: str) -> list[pl.Expr]:
    """Return rate, notice and `ended` of a tax, of the dear band where a line's price reaches a threshold.

    Where the line does not tell any price that has a threshold, the rate is null. Of a frame with the columns
    of `TaxRates.of_codes` and `cny_per_kg`, `cny_per_sheet` and `cny_per_piece`.
    """
    prices = [pl.col(f"cny_per_{each}") for each in _MEASURES]
    least = [pl.col(f"{tax}_dear_{each}") for each in _THRESHOLDS]
    pairs = list(zip(prices, least, strict=True))
    is_dear = pl.any_horizontal((price >= limit * _NEARLY).fill_null(False) for price, limit in pairs)
    is_told = pl.any_horizontal(price.is_not_null() & limit.is_not_null() for price, limit in pairs)
    decided = ~pl.col(f"{tax}_by_price").fill_null(False) | is_told
    return [
        pl.when(is_dear)
        .then(pl.col(f"{tax}_dear_{fact}"))
        .when(decided if fact == "rate" else pl.lit(True))
        .then(pl.col(f"{tax}_{fact}"))
        .alias(f"{tax}_{fact}")
        for fact in _FACTS
    ]


def _last(value: str, tax: str, *, dear: bool) -> pl.Expr:
    """The value of the last row of a tax among rows with or without a price threshold; null where none is."""
    return pl.col(value).filter((pl.col("tax") == tax) & (pl.col("dear") == dear)).last()
