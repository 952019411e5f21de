"""The one price that the row of a listed line compares the declared one with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from configs.language import Language
from configs.language_codes import LanguageCode
from features.contract.declarations import LINE_KEY
from features.words.reasons import NOTHING_STANDS_OUT, PRICE_PLACE, PRICE_SOURCE
from features.words.reference_price import ESTIMATED, reference_prices
from pipelines.lists.fields import in_language

PRICE, BASIS = "expected_price_cny", "expected_price_basis"


def priced_reasons(
    worded: pl.DataFrame, reasons: pl.DataFrame, spoken: Mapping[LanguageCode, Language]
) -> pl.DataFrame:
    """The reasons with the reference price of their lines, and what it rests on in each language; the first
    language has the plain names.
    """
    found = {code: reference_prices(worded, reasons[PRICE_SOURCE], words) for code, words in spoken.items()}
    first = next(iter(spoken))
    return reasons.with_columns(
        found[first]["total_cny"].alias(PRICE),
        *(each["basis"].alias(_basis(code, first)) for code, each in found.items()),
    )


def one_price(told: pl.DataFrame, listed: pl.DataFrame) -> pl.DataFrame:
    """A row a line with its `PRICE_SOURCE`, `PRICE` and `BASIS`.

    It is the price of which the reasons of the listed risk speak, else those of another, else that of the
    same goods.
    """
    own = listed.with_columns(pl.lit(0).alias("_other"))
    ordered = told.join(own, on=listed.columns, how="left", maintain_order="left").sort(
        *LINE_KEY, pl.col(PRICE_SOURCE).is_null(), pl.col("_other").is_null(), "risk"
    )
    kept = [
        *LINE_KEY,
        PRICE_SOURCE,
        *(name for name in told.columns if name.partition("@")[0] in (PRICE, BASIS)),
    ]
    return ordered.unique(LINE_KEY, keep="first", maintain_order=True).select(kept)


def agreeing(
    told: pl.DataFrame,
    prices: pl.DataFrame,
    names: Mapping[LanguageCode, Sequence[str]],
    spoken: Mapping[LanguageCode, Language],
) -> pl.DataFrame:
    """What is told without first reasons that speak of another price than the row does; where nothing is
    left, the sentence that says so.

    `names` are the columns of the reasons.
    """
    lead = prices.select(*LINE_KEY, pl.col(PRICE_SOURCE).alias("_lead"))
    joined = told.join(lead, on=LINE_KEY, how="left", maintain_order="left")
    other = (pl.col(PRICE_PLACE) == 1) & (pl.col(PRICE_SOURCE) != pl.col("_lead"))
    moved = []
    for code, of_language in names.items():
        _, second, *others = of_language
        following = [pl.coalesce(second, pl.lit(spoken[code](NOTHING_STANDS_OUT))), *others, None]
        moved += [
            pl.when(other).then(then).otherwise(name).alias(name)
            for name, then in zip(of_language, following, strict=True)
        ]
    key = [*LINE_KEY, "risk"]
    return joined.with_columns(moved).select(
        *key, *(name for of_language in names.values() for name in of_language)
    )


def with_price(
    shown: pl.DataFrame, prices: pl.DataFrame, spoken: Mapping[LanguageCode, Language]
) -> pl.DataFrame:
    """The shown lines with their reference; where there is none, what the model expects stays."""
    renamed = prices.drop(PRICE_SOURCE).rename({PRICE: "_reference"})
    joined = shown.join(renamed, on=LINE_KEY, how="left", maintain_order="left")
    estimated = pl.col("_reference").is_null() & pl.col(PRICE).is_not_null()
    first = next(iter(spoken))
    bases = [
        pl.when(estimated).then(pl.lit(words(ESTIMATED))).otherwise(name).alias(name)
        for name, words in ((_basis(code, first), words) for code, words in spoken.items())
    ]
    return joined.with_columns(pl.coalesce("_reference", PRICE).alias(PRICE), *bases).drop("_reference")


def untold(
    listed: pl.DataFrame,
    names: Mapping[LanguageCode, Sequence[str]],
    spoken: Mapping[LanguageCode, Language],
) -> pl.DataFrame:
    """No line, with the columns of what is told; `names` are those of the reasons."""
    first, *others = names
    texts = [*names[first], PRICE_SOURCE]
    bases = [_basis(code, first) for code in spoken]
    return pl.DataFrame(
        schema=listed.schema
        | dict.fromkeys(texts, pl.String())
        | {PRICE_PLACE: pl.Int32(), PRICE: pl.Float64()}
        | dict.fromkeys([*bases, *(name for code in others for name in names[code])], pl.String())
    )


def _basis(code: LanguageCode, first: LanguageCode) -> str:
    return BASIS if code == first else in_language(BASIS, code)
