"""Whether goods are among those that may not be carried or posted into the country."""

from __future__ import annotations

from typing import Final

import polars as pl

from features.arrays.prefix_join import prefix_join
from features.check import NO_EXPORT, CheckedDay, as_findings, check_family
from features.contract.declarations import LINE_KEY
from features.text.disguise import undisguised
from features.text.goods_names import named_goods
from features.text.terms import compact, latin_words, patterns
from features.words.figures import listed, ready_for_words

_BONDED: Final = ("1210", "1239")


@check_family("prohibited_article")
def find(day: CheckedDay) -> pl.DataFrame:
    """Return imported lines whose heading or words are in the catalogue of the day, one row a line.

    A note where goods come out of bond, which is neither carried nor posted.
    """
    lines = day.lines.filter(NO_EXPORT).select(*LINE_KEY, "trade_mode", "hs_code", "item_name")
    items = day.reference["prohibited_items"].select("item", "name_en", "notice", since="valid_from")
    by_heading = _by_heading(lines, day.reference["prohibited_headings"])
    named = named_goods(
        lines["item_name"], day.reference["prohibited_words"], day.reference["name_words"]
    ).join(items.select("item"), on="item", how="semi")
    lines = (
        lines.join(by_heading, on=LINE_KEY, how="left")
        .join(named.rename({"name": "item_name", "item": "named_item"}), on="item_name", how="left")
        .with_columns(item=pl.coalesce("heading_item", "named_item"))
        .join(items, on="item")
    )
    bonded = pl.col("trade_mode").is_in(_BONDED).fill_null(False)
    rows = ready_for_words(lines).select(
        *LINE_KEY,
        outcome=pl.when(bonded).then(pl.lit("note")).otherwise(pl.lit("failed")),
        found=listed(
            pl.when(pl.col("heading_item").is_not_null()).then(pl.format("heading {}", "hs_prefix")),
            pl.when(pl.col("term").is_not_null()).then(pl.format("named {}", "term")),
        ),
        expected=pl.when(bonded)
        .then(pl.format("{}: out of bond, with its permit", "name_en"))
        .otherwise(pl.format("no {}", "name_en")),
        basis="notice",
        valid_from="since",
    )
    return as_findings(rows, "prohibited_article")


def _by_heading(lines: pl.DataFrame, headings: pl.DataFrame) -> pl.DataFrame:
    """The longest heading of the catalogue that a line's code is of, and its item."""
    codes = lines.select(pl.col("hs_code").drop_nulls().unique())
    of_codes = (
        prefix_join(codes, headings.rename({"item": "heading_item"}), "hs_prefix")
        .sort(pl.col("hs_prefix").str.len_bytes())
        .unique("hs_code", keep="last", maintain_order=True)
        .select("hs_code", "hs_prefix", "unless", "heading_item")
    )
    of_lines = lines.join(of_codes, on="hs_code").select(
        *LINE_KEY, "item_name", "hs_prefix", "unless", "heading_item"
    )
    return of_lines.join(_excepted(of_lines), on=LINE_KEY, how="anti").select(
        *LINE_KEY, "hs_prefix", "heading_item"
    )


def _excepted(lines: pl.DataFrame) -> pl.DataFrame:
    """Lines whose name has a word with which the goods of the heading are none of the catalogue's."""
    some = lines.filter(pl.col("unless").list.len() > 0)
    text = undisguised(some["item_name"])
    some = some.with_columns(words=latin_words(text), compact=compact(text)).explode("unless")
    searched = patterns(some["unless"]).select("position", "pattern")
    rows = some.with_row_index("position").with_columns(pl.col("position").cast(pl.Int64))
    is_there = pl.any_horizontal(
        pl.col(form).str.contains(pl.col("pattern"), literal=True) for form in ("words", "compact")
    )
    return rows.join(searched, on="position").filter(is_there).select(LINE_KEY).unique()
