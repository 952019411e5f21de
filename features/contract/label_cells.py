"""What a mapping makes of the cells of a result: true, false, null, or a cell that it does not cover."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import polars as pl

from configs.schema.source import LabelColumn
from features.contract.conversions import NO_WORDS, YES_WORDS, to_text, yes_no_code
from features.contract.result_words import FALSE_WORDS

_ANY_LENGTH: Final = 10**9
_COMPARES: Final = {"true_from": ">=", "true_above": ">", "true_up_to": "<=", "true_below": "<"}
TALLY: Final[dict[str, pl.DataType]] = {
    "word": pl.String(),
    "shown": pl.String(),
    "label": pl.Boolean(),
    "covered": pl.Boolean(),
    "count": pl.Int64(),
    "first": pl.Int64(),
}


@dataclass(frozen=True)
class LabelCells:
    """A column of results as read.

    Attributes:
        label: Boolean (rows,), null where a cell is empty, means nothing or is not covered.
        tally: a row a kind of cell (`TALLY`): the word as it is compared or, of numbers, on which side of the
            threshold they are; the word as it came; what it means; whether the mapping covers it; how many
            rows have it; the first of them.
    """

    label: pl.Series
    tally: pl.DataFrame


def plain_cells(values: pl.Series) -> pl.Series:
    """Cells as they are compared with the words of a mapping: without case, width and outer blanks; 1.0 is 1.

    >>> plain_cells(pl.Series([" Positive ", "１.0", "", None])).to_list()
    ['positive', '1', None, None]
    >>> plain_cells(pl.Series([1.0, 0.5])).to_list(), plain_cells(pl.Series([True])).to_list()
    (['1', '0.5'], ['true'])
    """
    text = to_text(values, _ANY_LENGTH).str.normalize("NFKC").str.to_lowercase()
    text = text.str.replace_all(r"\s+", " ").str.strip_chars()
    return text.str.replace(r"^([+-]?[0-9]+)\.0*$", "$1")


def plain_words(words: Iterable[str]) -> set[str]:
    """The words of a mapping as `plain_cells` has cells."""
    return set(plain_cells(pl.Series(list(words), dtype=pl.String)).drop_nulls())


def label_cells(values: pl.Series, rule: LabelColumn, numbers: pl.Series | None = None) -> LabelCells:
    """Read a column by the rule of a mapping.

    `numbers` are the cells as numbers (NaN where one is none), for a rule with a threshold. Lists go before
    the threshold, so that a code such as 999 can be kept out of it.

    >>> rule = LabelColumn(column="found", true_when=("1",))
    >>> found = label_cells(pl.Series(["1.0", "0", "Negative", "maybe", ""]), rule)
    >>> found.label.to_list()
    [True, False, False, None, None]
    >>> found.tally.filter(~pl.col("covered")).select("word", "count", "first").row(0)
    ('maybe', 1, 3)
    """
    words = plain_cells(values)
    listed = [plain_words(rule.true_when), plain_words(rule.false_when), plain_words(rule.null_when)]
    if values.dtype == pl.Boolean:
        listed = [_with_yes_or_no(each) for each in listed]
    code = pl.Series([None], dtype=pl.Int8).new_from_index(0, len(words))
    shown = words
    defaults = set() if rule.false_when else set(FALSE_WORDS) - set().union(*listed)
    code = code.set(words.is_in(sorted(defaults)).fill_null(False), 0)
    if rule.threshold is not None and numbers is not None:
        name, limit = rule.threshold
        known = numbers.is_not_null() & numbers.is_finite()
        beyond = {"true_from": numbers >= limit, "true_above": numbers > limit,
                  "true_up_to": numbers <= limit, "true_below": numbers < limit}[name]  # fmt: skip
        code = beyond.cast(pl.Int8).zip_with(known, code)
        sides = pl.Series([f"numbers {_COMPARES[name]} {limit:g}"]).new_from_index(0, len(words))
        shown = sides.zip_with(beyond, pl.Series(["other numbers"]).new_from_index(0, len(words)))
        shown = shown.zip_with(known, words)
    for meaning, each in zip((1, 0, 2), listed, strict=True):
        hit = words.is_in(sorted(each)).fill_null(False)
        code, shown = code.set(hit, meaning), words.zip_with(hit, shown)
    label = (code == 1).set(code == 2, None)
    covered = code.is_not_null() | words.is_null()
    return LabelCells(label, _tally(values, shown, label, covered))


def contract_cells(values: pl.Series) -> LabelCells:
    """Read a column that is a label of the contract already: yes or no, in the contract's words."""
    code = yes_no_code(values)
    label = (code == 1).set(code < 0, None)
    # What is neither is counted as a value that became null, by the contract's own check.
    covered = pl.Series([True]).new_from_index(0, len(values))
    return LabelCells(label, _tally(values, plain_cells(values), label, covered))


def _with_yes_or_no(words: set[str]) -> set[str]:
    """Words for a column of true and false, whose mapping may call them 1 and 0."""
    return words | {same[0] for same in (YES_WORDS, NO_WORDS) if words & set(same)}


def _tally(values: pl.Series, words: pl.Series, label: pl.Series, covered: pl.Series) -> pl.DataFrame:
    rows = pl.DataFrame([words.alias("word"), label.alias("label"), covered.alias("covered")])
    counted = (
        rows.with_row_index("first")
        .group_by("word", "label", "covered")
        .agg(pl.len().alias("count"), pl.col("first").min())
    )
    came = to_text(values.gather(counted["first"]), _ANY_LENGTH)
    # Numbers stand together, on one side of the threshold: that is no cell's word.
    shown = came.zip_with((plain_cells(came) == counted["word"]).fill_null(False), counted["word"])
    return counted.with_columns(shown.alias("shown")).select(
        pl.col(name).cast(kind) for name, kind in TALLY.items()
    )
