"""Finds reference terms in declared text, whatever the script.

Latin-script terms match whole words (`ant` is not in `elegant`), with a plural `s`; terms in other scripts,
which are written without spaces, match anywhere. Matching is a multi-pattern search (Aho and Corasick, CACM
18(6), 1975).
"""

from __future__ import annotations

from functools import lru_cache

import polars as pl

from features.text.disguise import undisguised

_LATIN = r"[^a-z0-9À-ɏ]+"
_SPACE = r"[\s\p{P}\p{S}]+"


def latin_words(text: pl.Series) -> pl.Series:
    """Latin words of an undisguised text, each between single spaces, all else dropped.

    >>> latin_words(undisguised(pl.Series(["Live-ANT 活体"]))).to_list()
    [' live ant ']
    """
    words = text.str.replace_all(_LATIN, " ").str.strip_chars(" ")
    return pl.select(" " + words.fill_null("") + " ").to_series().alias(text.name)


def compact(text: pl.Series) -> pl.Series:
    """An undisguised text without spaces, punctuation and symbols.

    >>> compact(undisguised(pl.Series(["活 体-蚂蚁 A"]))).to_list()
    ['活体蚂蚁a']
    """
    return text.str.replace_all(_SPACE, "").fill_null("")


def contains_any(words: pl.Series, compacted: pl.Series, terms: pl.Series) -> pl.Series:
    """Whether a term occurs, a Boolean a row; `words` and `compacted` are the two forms of the text."""
    contains = pl.Series("found", [False]).new_from_index(0, len(words))
    latin, other = _pattern_lists(tuple(terms))
    if latin:
        contains = contains | words.str.contains_any(latin)
    if other:
        contains = contains | compacted.str.contains_any(other)
    return contains


def only_of(words: pl.Series, compacted: pl.Series, terms: pl.Series) -> pl.Series:
    """Whether nothing is left of the text without the terms: "toy" and "gift toy", but not "wooden toy".

    >>> text = pl.Series(["gift, toy", "wooden toy", "样品 toy"])
    >>> only_of(latin_words(text), compact(text), pl.Series(["toy", "gift", "样品"])).to_list()
    [True, False, True]
    """
    latin, other = _pattern_lists(tuple(terms))
    left = words
    for _ in range(2):  # neighbours share a space, so every second one is left by the first pass
        left = left.str.replace_many(latin, [" "] * len(latin))
    foreign = compacted.str.replace_all(r"[\x00-\x{24f}]", "").str.replace_many(other, [""] * len(other))
    return (left.str.strip_chars(" ") == "") & (foreign == "")


@lru_cache(maxsize=64)
def _pattern_lists(terms: tuple[str, ...]) -> tuple[list[str], list[str]]:
    table = patterns(pl.Series("term", terms, dtype=pl.String))
    latin, other = (table.filter(latin=kind)["pattern"].unique().sort().to_list() for kind in (True, False))
    return latin, other


def patterns(terms: pl.Series) -> pl.DataFrame:
    """What to search for: `position` of the term, `pattern`, and `latin` (against words, else against the
    compact text). A term of which nothing is left has no pattern; a Latin one also has its plural.

    >>> patterns(pl.Series(["Ant", "蚂蚁"])).rows()
    [(0, ' ant ', True), (0, ' ants ', True), (1, '蚂蚁', False)]
    """
    latin = ~terms.str.contains(r"[^\x00-\x{24f}]")
    plain = undisguised(terms)
    word = latin_words(plain).str.strip_chars(" ")
    position = pl.Series("position", range(len(terms)), dtype=pl.Int64)
    is_word = latin & (word != "")
    kinds = ((" " + word + " ", is_word), (" " + word + "s ", is_word), (compact(plain), ~latin))
    return (
        pl.concat(
            pl.DataFrame([position, pattern.alias("pattern"), latin.alias("latin")]).filter(rows)
            for pattern, rows in kinds
        )
        .filter(pl.col("pattern") != "")
        .sort("position", maintain_order=True)
    )


def keyword_table(headings: pl.DataFrame) -> pl.DataFrame:
    """The keywords of headings as patterns: `pattern`, `hs_prefix`, `latin`.

    `headings` has `hs_prefix`, `keywords_en` and `keywords_zh` (lists).
    """
    keywords = pl.concat(
        headings.select("hs_prefix", pl.col(column).alias("keyword")).explode("keyword").drop_nulls()
        for column in ("keywords_en", "keywords_zh")
    ).with_row_index("position")
    return (
        patterns(keywords["keyword"])
        .join(
            keywords.select(pl.col("position").cast(pl.Int64), "hs_prefix"),
            on="position",
            maintain_order="left",
        )
        .select("pattern", "hs_prefix", "latin")
        .unique(maintain_order=True)
    )
