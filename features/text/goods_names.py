"""Finds names that name certain goods themselves: not their likeness, their flavour, or another word.

Chinese and English put what a thing is last: a toy snake is told from a snake toy by a word for what it is
made as, a beetle jelly from a beetle by its end. So a term counts at the end of a name, without the words
that add nothing (pieces, colours, offers), and only where no word says that a likeness is meant. A name with
Chinese words is judged by them. Names in other scripts are not judged.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import polars as pl

from features.text.disguise import undisguised
from features.text.terms import compact, latin_words, patterns

_OTHER_SCRIPTS: Final = r"[\p{Hiragana}\p{Katakana}\p{Hangul}\p{Thai}\p{Cyrillic}\p{Arabic}]"
_CONTAINERS: Final = r"^ (?:[0-9]+ )?(?:pack|packet|box|bag|jar|tin|can|pair|set|lot|kg|pieces|pcs)s? of "
_REST_OF_PHRASE: Final = r" (?:for|from|with|without|in|by|of|and|on|to|at|or|like|as) .*$"
# A number with its unit, or a letter alone: a size, or of a word spelled out, which stands once more behind.
_NUMBER: Final = "(?:[a-z]*[0-9]+[a-z0-9]*|[a-z])"
_SPACED: Final = r"^(?:\p{Han} )+\p{Han}$"


def named_goods(names: pl.Series, words: pl.DataFrame, roles: pl.DataFrame) -> pl.DataFrame:
    """Return `name`, `item` and `term` of each distinct name that names goods of an item, one row a name.

    Args:
        names: what goods are called; nulls name nothing.
        words: terms with `item`, `named` and `unless`, as `prohibited_words` has them.
        roles: terms with `role` (life, fresh, made, plain), as `name_words` has them.

    >>> words = pl.DataFrame(
    ...     {"term": ["gecko", "守宫"], "item": "animal", "named": "last", "unless": [[], []]},
    ...     schema_overrides={"unless": pl.List(pl.String)},
    ... )
    >>> roles = pl.DataFrame({"term": ["toy", "玩具", "pet"], "role": ["made", "made", "plain"]})
    >>> names = pl.Series(["gecko, pet 2pcs", "toy gecko", "gecko tape", "守宫 2只", "玩具守宫"])
    >>> named_goods(names, words, roles.vstack(pl.DataFrame({"term": ["只"], "role": ["plain"]}))).rows()
    [('gecko, pet 2pcs', 'animal', 'gecko'), ('守宫 2只', 'animal', '守宫')]
    """
    table = _pattern_table(words)
    if table.is_empty():
        return pl.DataFrame(schema={"name": pl.String, "item": pl.String, "term": pl.String})
    plain = _Roles.of(roles)
    name = names.drop_nulls().unique().sort()
    text = undisguised(name)
    found = pl.DataFrame({"name": name, "words": latin_words(text), "compact": compact(text), "text": text})
    found = found.filter(_has_any(found, table["pattern"], table["latin"]))
    found = found.filter(~pl.col("text").str.contains(_OTHER_SCRIPTS))
    hits = pl.concat([_latin_tails(found, plain), _han_tails(found, plain)])
    hits = _at_the_end(hits, table)
    hits = hits.filter(_is_meant()).with_columns(rest=pl.concat_str("before", "other"))
    hits = hits.filter(~_contains(hits["rest"], plain.made)).with_row_index("row")
    return (
        hits.join(_excepted(hits), on="row", how="anti")
        .sort("name", pl.col("pattern").str.len_bytes(), "item")
        .unique("name", keep="last", maintain_order=True)
        .select("name", "item", "term")
    )


@dataclass(frozen=True)
class _Roles:
    """The words of each role: what to search for, and what is stripped, as parts of expressions."""

    made: tuple[str, ...]
    life: tuple[str, ...]
    fresh: tuple[str, ...]
    latin_plain: str
    latin_idle: str
    han_plain: tuple[str, str]
    han_idle: tuple[str, str]

    @staticmethod
    def of(roles: pl.DataFrame) -> _Roles:
        words = {
            role: _searched(tuple(roles.filter(pl.col("role") == role)["term"]))
            for role in ("made", "life", "fresh", "plain")
        }
        idle = [*words["plain"], *words["life"], *words["fresh"]]
        return _Roles(
            words["made"],
            words["life"],
            words["fresh"],
            _either([word.strip() for word in words["plain"] if word.startswith(" ")] + [_NUMBER]),
            _either([word.strip() for word in idle if word.startswith(" ")] + [_NUMBER]),
            _han_words(words["plain"]),
            _han_words(idle),
        )


@lru_cache(maxsize=16)
def _searched(terms: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(patterns(pl.Series("term", terms, dtype=pl.String))["pattern"])


def _either(words: list[str]) -> str:
    return "(?:" + "|".join(sorted(set(words), key=lambda word: (-len(word), word))) + ")"


def _han_words(words: tuple[str, ...] | list[str]) -> tuple[str, str]:
    """Those that stand for themselves alone, and those that are told within a longer word too."""
    han = [word for word in words if not word.startswith(" ")]
    return _either(han or ["$^"]), _either([word for word in han if len(word) > 1] or ["$^"])


def _pattern_table(words: pl.DataFrame) -> pl.DataFrame:
    """Each pattern to search for, with the term it is of."""
    positions = words.with_row_index("position").with_columns(pl.col("position").cast(pl.Int64))
    return patterns(words["term"]).join(positions, on="position", maintain_order="left").drop("position")


def _has_any(names: pl.DataFrame, pattern: pl.Series, latin: pl.Series) -> pl.Series:
    return _contains(names["words"], tuple(pattern.filter(latin))) | _contains(
        names["compact"], tuple(pattern.filter(~latin))
    )


def _contains(texts: pl.Series, searched: tuple[str, ...]) -> pl.Series:
    if not searched:
        return pl.Series("found", [False]).new_from_index(0, len(texts))
    return texts.str.contains_any(list(searched))


def _latin_tails(names: pl.DataFrame, roles: _Roles) -> pl.DataFrame:
    """What names without Chinese words end with, before and after life and freshness are stripped."""
    idle = names.filter(_stripped(_han_text(), roles.han_idle) == "")
    phrase = pl.col("words").str.replace(_CONTAINERS, " ").str.replace(_REST_OF_PHRASE, " ")
    kinds = (roles.latin_plain, roles.latin_idle)
    tails = [(phrase.str.replace(rf"(?: {kind})+ $", " "), rf"^(?: {kind})+ ") for kind in kinds]
    cut = pl.col("words").str.extract(f"({_REST_OF_PHRASE})").fill_null("")
    return _tails(idle, tails, " ", pl.concat_str(cut, "compact"), roles)


def _han_tails(names: pl.DataFrame, roles: _Roles) -> pl.DataFrame:
    """The same of names with Chinese words."""
    text = _han_text()
    kinds = (roles.han_plain, roles.han_idle)
    tails = [(_stripped(text, kind), rf"^(?:{kind[0]} *)+") for kind in kinds]
    return _tails(names.filter(text != ""), tails, "", pl.col("words"), roles)


def _han_text() -> pl.Expr:
    """The Chinese words of a text, with a blank between them; characters that all stand apart are joined."""
    text = pl.col("text").str.replace_all(r"\P{Han}+", " ").str.strip_chars(" ")
    together = text.str.replace_all(" ", "", literal=True)
    return pl.when(text.str.contains(_SPACED)).then(together).otherwise(text)


def _stripped(text: pl.Expr, idle: tuple[str, str]) -> pl.Expr:
    alone, within = idle
    return text.str.replace(rf"(?:(?:^| +){alone}+|{within}| +)+$", "")


def _tails(
    names: pl.DataFrame, tails: list[tuple[pl.Expr, str]], left: str, other: pl.Expr, roles: _Roles
) -> pl.DataFrame:
    """Each tail, and what is left of it without what adds nothing before it (`alone`)."""
    frames = [
        names.select(
            "name",
            tail=tail,
            alone=tail.str.replace(front, left),
            other=other,
            living=_contains(names["words"], roles.life) | _contains(names["compact"], roles.life),
            fresh=_contains(names["words"], roles.fresh) | _contains(names["compact"], roles.fresh),
        )
        for tail, front in tails
    ]
    return pl.concat(frames).unique(maintain_order=True)


def _at_the_end(tails: pl.DataFrame, table: pl.DataFrame) -> pl.DataFrame:
    """Each term that a tail ends with, with what stands before it."""
    searched = table["pattern"].unique().sort().to_list()
    end = pl.col("at") + pl.col("hit").str.len_bytes() == pl.col("tail").str.len_bytes()
    return (
        tails.with_columns(
            hit=pl.col("tail").str.extract_many(searched, overlapping=True),
            at=pl.col("tail").str.find_many(searched, overlapping=True),
        )
        .explode("hit", "at")
        .filter(end)
        .with_columns(before=pl.col("tail").str.head(-1 * pl.col("hit").str.len_chars().cast(pl.Int64)) + " ")
        .join(table, left_on="hit", right_on="pattern")
        .rename({"hit": "pattern"})
    )


def _is_meant() -> pl.Expr:
    """Whether a term names the goods where it stands."""
    named = pl.col("named")
    return (
        (named == "last")
        | ((named == "alone") & (pl.col("alone") == pl.col("pattern")))
        | ((named == "living") & pl.col("living"))
        | ((named == "fresh") & pl.col("fresh"))
    )


def _excepted(hits: pl.DataFrame) -> pl.DataFrame:
    """The rows of hits beside whose term a word stands with which it is something else."""
    words = hits.select("row", "rest", pl.col("unless").alias("word")).explode("word").drop_nulls("word")
    searched = patterns(words["word"]).select("position", "pattern")
    beside = words.with_row_index("position").with_columns(pl.col("position").cast(pl.Int64))
    is_there = pl.col("rest").str.contains(pl.col("pattern"), literal=True)
    return beside.join(searched, on="position").filter(is_there).select("row").unique()
