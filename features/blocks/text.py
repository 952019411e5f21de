"""What the declared text says, and whether it agrees with the heading."""

from __future__ import annotations

import numpy as np
import polars as pl

from configs.reference.facts import ReferenceDay
from features.arrays.distinct import distinct_rows
from features.block import block
from features.history.view import HistoryView, share_of
from features.text.disguise import is_disguised, undisguised
from features.text.terms import compact, contains_any, keyword_table, latin_words, only_of

# Bytes: one ideograph, or three letters, may stand for anything.
_SHORT = 4
_KEYS = ("item_key", "item_key_hs4")
# All that is looked at but for the history: equal rows are worked out once.
_READ = ["item_name", "item_model", "hs_code"]


@block(keys=_KEYS)
def build(lines: pl.DataFrame, history: HistoryView, reference: ReferenceDay) -> pl.DataFrame:
    """Length, scripts, vagueness, disguises, watch terms by group, words of its own and of other headings,
    and how often this very name was declared before, and under this heading. All null where there is no
    text.
    """
    same = distinct_rows(lines, _READ)
    frame = same.spread(_of_text(lines.select(_READ)[same.firsts], reference))
    return frame.with_columns(_seen_before(history))


def _of_text(lines: pl.DataFrame, reference: ReferenceDay) -> pl.DataFrame:
    text = lines.select(
        pl.concat_str("item_name", "item_model", separator=" ", ignore_nulls=True).alias("text")
    ).to_series()
    text = pl.select(pl.when(text != "").then(text)).to_series().alias("text")
    plain = undisguised(text)
    words, compacted = latin_words(plain), compact(plain)
    name = pl.col("item_name")
    length = name.str.len_chars().cast(pl.Float64)
    flags = _watch(words, compacted, reference)
    own, other = _heading_words(lines["hs_code"], words, compacted, reference)
    frame = lines.select(
        length.alias("text__length"),
        (name.str.count_matches(r"\p{Han}") / length).alias("text__han_share"),
        (name.str.count_matches(r"[A-Za-z]") / length).alias("text__latin_share"),
        (name.str.count_matches(r"\d") / length).alias("text__digit_share"),
        pl.col("item_model").str.len_chars().cast(pl.Float64).alias("text__model_length"),
    ).with_columns(
        is_disguised(text).cast(pl.Float64).alias("text__disguised"),
        _vague(lines, reference).cast(pl.Float64).alias("text__vague"),
        own.alias("text__own_heading_words"),
        other.alias("text__other_heading_words"),
        pl.sum_horizontal(flags).alias("text__watch_terms"),
        *flags,
    )
    return frame.with_columns(
        pl.when(text.is_not_null()).then(pl.col(column)).alias(column) for column in frame.columns
    )


def _vague(lines: pl.DataFrame, reference: ReferenceDay) -> pl.Series:
    same = distinct_rows(lines, ["item_name"])
    given = lines["item_name"][same.firsts]
    names = undisguised(given)
    vague = only_of(latin_words(names), compact(names), reference["vague_terms"]["term"])
    return (vague | (given.str.len_bytes() < _SHORT)).gather(same.groups)


def _watch(words: pl.Series, compacted: pl.Series, reference: ReferenceDay) -> list[pl.Series]:
    """One search for the terms of all groups; only where it finds one, the groups are told apart."""
    terms = reference["watch_terms"]
    watched = contains_any(words, compacted, terms["term"]).arg_true()
    columns = []
    for group in reference.watch_groups:
        of_group = terms.filter(pl.col("group") == group)["term"]
        flags = np.zeros(len(words))
        flags[watched.to_numpy()] = contains_any(words.gather(watched), compacted.gather(watched), of_group)
        columns.append(pl.Series(f"text__watch_{group}", flags))
    return columns


def _heading_words(
    hs_code: pl.Series, words: pl.Series, compacted: pl.Series, reference: ReferenceDay
) -> tuple[pl.Series, pl.Series]:
    """1.0 where the text holds a keyword of its own heading, and of a heading of another chapter only."""
    keywords = keyword_table(reference["headings"])
    matched = pl.DataFrame(
        [hs_code.alias("hs_code"), words.alias("words"), compacted.alias("compacted")]
    ).with_row_index()
    latin, other = keywords.filter(pl.col("latin")), keywords.filter(~pl.col("latin"))
    hits = pl.concat(
        matched.select(
            "index",
            "hs_code",
            pl.col(column)
            .str.extract_many(table["pattern"].unique().sort().to_list(), overlapping=True)
            .alias("pattern"),
        )
        .explode("pattern", empty_as_null=False)
        .join(table, on="pattern", maintain_order="none")
        for column, table in (("words", latin), ("compacted", other))
        if not table.is_empty()
    )
    agreement = hits.group_by("index").agg(
        pl.col("hs_code").str.starts_with(pl.col("hs_prefix")).any().cast(pl.Float64).alias("own"),
        (pl.col("hs_code").str.slice(0, 2) != pl.col("hs_prefix").str.slice(0, 2))
        .all()
        .cast(pl.Float64)
        .alias("other"),
    )
    joined = matched.select("index").join(agreement, on="index", how="left", maintain_order="left")
    return joined["own"].fill_null(0.0), joined["other"].fill_null(0.0)


def _seen_before(history: HistoryView) -> list[pl.Series]:
    if not all(history.has(key) for key in _KEYS):
        return []
    seen = history.before("item_key")["lines"].cast(pl.Float64)
    here = history.before("item_key_hs4")["lines"].cast(pl.Float64)
    return [seen.alias("text__name_lines"), share_of(here, seen).alias("text__name_heading_share")]
