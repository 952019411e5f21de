"""The tax on a parcel's lines: under which regime they come in, at which rates, and how much it is.

Sources: joint notices on cross-border retail import of the Ministry of Finance, customs and the tax
administration (2016 no. 18, 2018 no. 49), the tariff of personal articles and customs' notice 2010 no. 43,
and the composite assessable price of the consumption-tax rules. Rates and limits themselves are in
`reference/taxes.csv`, `tax_bands.csv` and `limits.csv`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import polars as pl

from configs.reference.content import CONTENT, with_content
from configs.reference.limit import Limit
from configs.reference.regimes import Regimes, one_article
from configs.reference.tax_rates import TAXES, TaxRates, band_facts
from configs.reference.taxable import (
    CNY_PER_FEN,
    COSTS_FEN,
    GOODS_FEN,
    PARCEL_LINES,
    VALUE_INPUTS,
    in_fen,
    taxable_cny,
    with_parcel_fen,
)

PRICES: Final = ("cny_rate", "kg_factor", "legal_kg_factor", "pieces_factor")
_INPUTS: Final[dict[str, pl.DataType]] = {
    "declaration_id": pl.String(),
    **VALUE_INPUTS,
    **{name: pl.String() for name in ("hs_code", "direction", "trade_mode", "dispatch_country", "unit")},
    **{name: pl.String() for name in ("item_name", "item_model")},
    **{name: pl.Float64() for name in ("quantity", "legal_quantity", "net_weight_kg")},
}
ASSESSED: Final = (
    *("regime", "duty_rate", "consumption_rate", "vat_rate", "share", "tax_rate", "taxable_cny", "tax_cny"),
    *("exempt", "basis", "parcel_cny", "spent_cny", "one_article", "order_above", "over_year"),
    *("articles_above", "articles_limit", "is_known"),
)
"""The columns of what is due on a line; see `TaxRules.assess`."""
_SPENT: Final = {"declaration_id": pl.String(), "spent_cny": pl.Float64()}
_OF_PARCEL: Final = (GOODS_FEN, COSTS_FEN, PARCEL_LINES)
_ROW, _PARCEL, _TAX_FEN = "_row", "_parcel", "_tax_fen"
_FREE: Final = "articles_free_tax_cny"


@dataclass(frozen=True)
class TaxRules:
    """Rates, bands and limits as they hold on a day.

    `taxes` says of each row whether it has `ended`; a limit that there is not is not in `limits`.
    """

    taxes: pl.DataFrame
    tax_bands: pl.DataFrame
    limits: Mapping[str, Limit]

    def assess(
        self, lines: pl.DataFrame, prices: pl.DataFrame, spent: pl.DataFrame | None = None
    ) -> pl.DataFrame:
        """Return what is due on each line, in the order of `lines`.

        With duty d, consumption tax c, VAT v and share s the tax is the taxable value x (d + s (c + v)(1 + d)
        / (1 - c)). The one rate of personal articles stands as duty, beside 0 and 0.

        Columns are `ASSESSED`, among them `tax_rate` (of the taxable value), `tax_cny` (before an exemption),
        `basis` (the notices), and `is_known`: false where the table of what decides has ended.

        Args:
            lines: needs hs_code; without declaration_id each line is a parcel, without direction an import.
                They hold whole parcels, or `_goods_fen`, `_costs_fen` and `_parcel_lines` of these.
            prices: for the same lines `PRICES`.
            spent: `declaration_id` and `spent_cny`, the year's retail imports of a parcel's buyer with this
                one, for parcels where that may be above the allowance; others count for themselves.
        """
        regimes = Regimes(self.taxes, self.limits)
        prepared = set(_OF_PARCEL) <= set(lines.columns)
        valued = _valued(_inputs(lines, prices, spent), prepared=prepared).with_columns(
            regime=regimes.regime(),
            one_article=one_article(),
            order_above=regimes.order_above(),
            over_year=regimes.over_year(),
            articles_above=regimes.articles_above(),
            articles_limit=regimes.articles_limit(),
            is_known=regimes.is_known(),
        )
        rated = self._rated(valued.collect()).with_columns(self._by_regime(regimes))
        taxed = rated.with_columns(tax_rate=_tax_rate()).with_columns(
            tax_cny=pl.col("taxable_cny") * pl.col("tax_rate")
        )
        told = taxed.with_columns(in_fen(pl.col("tax_cny")).alias(_TAX_FEN)).with_columns(
            exempt=self._exempt()
        )
        return told.select(ASSESSED).collect()

    def _rated(self, lines: pl.DataFrame) -> pl.LazyFrame:
        """The lines with `<tax>_rate`, `_notice` and `_ended` of every tax."""
        rates = TaxRates(self.taxes, self.tax_bands)
        codes = rates.of_codes(lines.select(pl.col("hs_code").drop_nulls().unique()))
        by_price = codes.filter(pl.any_horizontal(f"{tax}_by_price" for tax in TAXES))
        content = with_content(lines.lazy().join(by_price.lazy(), on="hs_code", how="semi"))
        # What no code has no line has: millions of nulls are joined slower than written.
        absent = [name for name in codes.columns if name != "hs_code" and codes[name].is_null().all()]
        nulls = [pl.lit(None, codes.schema[name]).alias(name) for name in absent]
        pieces = pl.col("quantity") * pl.col("pieces_factor")
        return (
            lines.lazy()
            .join(codes.drop(absent).lazy(), on="hs_code", how="left", maintain_order="left")
            .with_columns(nulls)
            .join(content.select(_ROW, *CONTENT), on=_ROW, how="left", maintain_order="left")
            .with_columns(
                cny_per_kg=pl.col("taxable_cny") / pl.col("content_kg"),
                cny_per_sheet=pl.col("taxable_cny") / pl.col("content_sheets"),
                cny_per_piece=pl.col("taxable_cny") / pieces,
            )
            .with_columns(fact for tax in TAXES for fact in band_facts(tax))
        )

    def _by_regime(self, regimes: Regimes) -> list[pl.Expr]:
        """The rates that each line pays, the notices, and whether all of it is known."""
        share, full, none = regimes.share, regimes.full_share, pl.lit(0.0)
        free = ("articles", "export")
        duty = _each(
            retail=pl.lit(regimes.retail_duty.get("rate"), pl.Float64),
            articles=pl.col("mail_rate"),
            export=none,
            otherwise=pl.col("duty_rate"),
        )
        shares = _each(
            retail=pl.lit(share.get("rate"), pl.Float64),
            retail_full=pl.lit(full.get("rate"), pl.Float64),
            otherwise=pl.lit(1.0),
        )
        unknown = pl.any_horizontal(pl.col("consumption_ended", "vat_ended").fill_null(False))
        ended = _each(
            retail=unknown,
            articles=pl.col("mail_ended").fill_null(False),
            export=pl.lit(False),
            otherwise=unknown | pl.col("duty_ended").fill_null(False),
        )
        is_free = pl.col("regime").is_in(free)
        return [
            duty.alias("duty_rate"),
            pl.when(is_free).then(none).otherwise("consumption_rate").alias("consumption_rate"),
            pl.when(is_free).then(none).otherwise("vat_rate").alias("vat_rate"),
            shares.alias("share"),
            (pl.col("is_known") & ~ended).alias("is_known"),
            self._basis(share.get("notice"), full.get("notice")).alias("basis"),
        ]

    def _basis(self, share: str | None, full: str | None) -> pl.Expr:
        limit = self.limits.get("articles_limit_cny")
        head = _each(
            retail=pl.lit(share, pl.String),
            retail_full=pl.lit(full, pl.String),
            articles=pl.lit(limit.notice if limit else None, pl.String),
            export=pl.lit("no import tax on exports"),
            otherwise=pl.lit(None, pl.String),
        )
        is_free = pl.col("regime").is_in(("articles", "export"))
        pays_duty = pl.col("regime").is_in(("retail_full", "general"))
        return pl.concat_str(
            [
                head,
                pl.when(pl.col("regime") == "articles").then("mail_notice"),
                pl.when(pays_duty).then("duty_notice"),
                pl.when(~is_free & (pl.col("consumption_rate") > 0)).then("consumption_notice"),
                pl.when(~is_free).then("vat_notice"),
            ],
            separator="; ",
            ignore_nulls=True,
        )

    def _exempt(self) -> pl.Expr:
        """Whether the articles of a parcel are due no more tax than is not charged; null where not known."""
        limit = self.limits.get(_FREE)
        most = pl.lit(limit.cny if limit and limit.is_known else None, pl.Float64)
        tax = pl.col(_TAX_FEN)
        above = tax.sum().over(_PARCEL) * pl.lit(CNY_PER_FEN) > most
        all_known = tax.count().over(_PARCEL) == pl.len().over(_PARCEL)
        within = pl.when(above).then(pl.lit(False)).when(all_known & ~above).then(pl.lit(True))
        return pl.when(pl.col("regime") == "articles").then(within).otherwise(pl.lit(False))


def _inputs(lines: pl.DataFrame, prices: pl.DataFrame, spent: pl.DataFrame | None) -> pl.LazyFrame:
    """The columns that the rules look at, null where a source does not have them."""
    absent = [pl.lit(None).alias(name) for name in _INPUTS if name not in lines.columns]
    known = [name for name in _OF_PARCEL if name in lines.columns]
    wanted = lines.with_columns(absent).select(
        *(pl.col(name).cast(dtype) for name, dtype in _INPUTS.items()), *known
    )
    frame = pl.concat([wanted, prices.select(PRICES)], how="horizontal").with_row_index(_ROW)
    own = pl.concat_str(pl.lit("\x00"), pl.col(_ROW).cast(pl.String))
    counted = pl.DataFrame(schema=_SPENT) if spent is None else spent.select(*_SPENT)
    keyed = frame.lazy().with_columns(pl.coalesce("declaration_id", own).alias(_PARCEL))
    return keyed.join(counted.lazy(), on="declaration_id", how="left", maintain_order="left")


def _valued(lines: pl.LazyFrame, *, prepared: bool) -> pl.LazyFrame:
    """The lines with the values of line and parcel, unless they came with those of their parcel."""
    if not prepared:
        lines = with_parcel_fen(lines, (_PARCEL,)).with_columns(
            pl.len().over(_PARCEL).cast(pl.Int64).alias(PARCEL_LINES)
        )
    return lines.with_columns(
        parcel_cny=(pl.col(GOODS_FEN) + pl.col(COSTS_FEN)) * pl.lit(CNY_PER_FEN), taxable_cny=taxable_cny()
    )


def _each(otherwise: pl.Expr, **values: pl.Expr) -> pl.Expr:
    """The value of each line's regime."""
    chosen = otherwise
    for regime, value in values.items():
        chosen = pl.when(pl.col("regime") == regime).then(value).otherwise(chosen)
    return chosen


def _tax_rate() -> pl.Expr:
    duty, consumption = pl.col("duty_rate"), pl.col("consumption_rate")
    indirect = (consumption + pl.col("vat_rate")) * (1.0 + duty) / (1.0 - consumption)
    return duty + pl.col("share") * indirect
