"""Whether a parcel is above a limit: of a retail order, of its buyer's year, of personal articles."""

from __future__ import annotations

import polars as pl

from configs.reference.limit import Limit
from configs.reference.regimes import ARTICLE_MODES, is_nearby
from features.check import FINDING_COLUMNS, RETAIL_IMPORT, CheckedDay, as_findings, check_family
from features.words.figures import money, ready_for_words

_OF_PARCEL = (
    *("direction", "trade_mode", "dispatch_country", "regime", "parcel_cny", "spent_cny", "one_article"),
    *("order_above", "over_year", "articles_above"),
)


@check_family("order_limit", "yearly_allowance", "articles_limit")
def find(day: CheckedDay) -> pl.DataFrame:
    """Return parcels above a limit: goods with freight and insurance, without tax.

    A parcel whose value is not known, or that does not say that it comes in, is above none.
    """
    parcels = day.assessed.group_by("declaration_id").agg(pl.col(_OF_PARCEL).first())
    retail = parcels.filter(RETAIL_IMPORT)
    articles = parcels.filter((pl.col("direction") == "import") & pl.col("trade_mode").is_in(ARTICLE_MODES))
    rows = [
        _orders(day, retail),
        _years(day, retail),
        _articles(day, articles, "articles_limit"),
        pl.DataFrame(schema=FINDING_COLUMNS),
    ]
    return pl.concat(rows)


def _orders(day: CheckedDay, parcels: pl.DataFrame) -> pl.DataFrame:
    """Above the limit of an order. One article within the year's allowance stays, and pays in full."""
    limit = day.reference.limit("order_limit_cny")
    if limit is None:
        # Retail imports came in as personal articles.
        return _articles(day, parcels, "order_limit")
    stays = pl.col("regime") == "retail_full"
    full = pl.lit("; one article above it, within the year's allowance, pays duty and tax in full")
    rows = ready_for_words(parcels.filter("order_above")).select(
        "declaration_id",
        outcome=_outcome(limit, pl.when(stays).then(pl.lit("note")).otherwise(pl.lit("failed"))),
        found=_with_costs(),
        expected=pl.concat_str(
            _at_most(limit), pl.lit(" an order"), pl.when(stays).then(full).otherwise(pl.lit(""))
        ),
        **_source(limit),
    )
    return as_findings(rows, "order_limit")


def _years(day: CheckedDay, parcels: pl.DataFrame) -> pl.DataFrame:
    """Above what a person may buy in a calendar year, with this parcel."""
    limit = day.reference.limit("yearly_allowance_cny")
    if limit is None:
        return pl.DataFrame(schema=FINDING_COLUMNS)
    spent = money(pl.max_horizontal("spent_cny", "parcel_cny"), pl.lit("CNY"))
    rows = ready_for_words(parcels.filter("over_year")).select(
        "declaration_id",
        outcome=_outcome(limit, pl.lit("failed")),
        found=pl.concat_str(spent, pl.lit(f" in {day.day.year} with this parcel")),
        expected=pl.concat_str(_at_most(limit), pl.lit(" a person and calendar year")),
        **_source(limit),
    )
    return as_findings(rows, "yearly_allowance")


def _articles(day: CheckedDay, parcels: pl.DataFrame, check: str) -> pl.DataFrame:
    """Above the limit of personal articles, and more than one article."""
    found = [pl.DataFrame(schema=FINDING_COLUMNS)]
    above = parcels.filter(pl.col("articles_above") & ~pl.col("one_article"))
    for name, is_from in (("articles_limit_cny", ~is_nearby()), ("articles_limit_nearby_cny", is_nearby())):
        limit = day.reference.limit(name)
        if limit is None:
            continue
        where = "" if name == "articles_limit_cny" else " from Hong Kong, Macao and Taiwan"
        rows = ready_for_words(above.filter(is_from)).select(
            "declaration_id",
            outcome=_outcome(limit, pl.lit("failed")),
            found=pl.concat_str(_with_costs(), pl.lit(", more than one article")),
            expected=pl.concat_str(_at_most(limit), pl.lit(f" a parcel of articles{where}")),
            **_source(limit),
        )
        found.append(as_findings(rows, check))
    return pl.concat(found)


def _with_costs() -> pl.Expr:
    return pl.concat_str(money(pl.col("parcel_cny"), pl.lit("CNY")), pl.lit(" with freight and insurance"))


def _at_most(limit: Limit) -> pl.Expr:
    return pl.concat_str(pl.lit("at most "), money(pl.lit(limit.cny), pl.lit("CNY")))


def _outcome(limit: Limit, outcome: pl.Expr) -> pl.Expr:
    """The outcome; none where nothing is known of the limit any more."""
    return outcome if limit.is_known else pl.lit(None, pl.String)


def _source(limit: Limit) -> dict[str, pl.Expr]:
    return {"basis": pl.lit(limit.notice or "table limits"), "valid_from": pl.lit(limit.valid_from)}
