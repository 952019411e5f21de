"""Numbers as foreign tables write them, with separators, made plain."""

from __future__ import annotations

from typing import Final

import polars as pl

from configs.schema.source import NumberFormat
from features.contract.conversions import to_number

# The separator of thousands and the decimal mark, as patterns.
_MARKS: Final[dict[NumberFormat, tuple[str, str]]] = {
    "1,234.50": (",", r"\."),
    "1.234,50": (r"\.", ","),
    "1 234,50": ("[ \u00a0\u202f\u2009]", ","),
    "1'234.50": ("['\u2019]", r"\."),
}


def plain_numbers(values: pl.Series, written: NumberFormat | None) -> pl.Series:
    """Text without separators of thousands and with a decimal point, for `to_number`.

    What is not written so keeps its text, with a remark that no reader of numbers takes for one: 12.50 among
    `1.234,50` would be read a hundredfold or not, and nobody could tell.

    >>> plain_numbers(pl.Series(["1,234.50", "7", "0,125", None]), "1,234.50").to_list()
    ['1234.50', '7', '0,125 (not as 1,234.50)', None]
    >>> plain_numbers(pl.Series(["1.234,5", "12.50"]), "1.234,50").to_list()
    ['1234.5', '12.50 (not as 1.234,50)']
    """
    if written is None or values.dtype != pl.String:
        return values
    text = values.str.strip_chars()
    group, mark = _MARKS[written]
    fits = text.str.contains(rf"^[+-]?(?:[1-9][0-9]{{0,2}}(?:{group}[0-9]{{3}})+|[0-9]+)(?:{mark}[0-9]*)?$")
    plain = text.str.replace_all(group, "").str.replace(mark, ".")
    kept = (text == "") | text.is_null()
    return plain.zip_with(fits.fill_null(False), text.zip_with(kept, text + f" (not as {written})"))


def format_of(value: str) -> NumberFormat | None:
    """The one format in which a value that is no plain number would be one, None where there is none.

    >>> format_of("1,234.50"), format_of("1.234,50"), format_of("$5"), format_of("1,234")
    ('1,234.50', '1.234,50', None, '1,234.50')
    """
    cell = pl.Series([value])
    return next((each for each in _MARKS if to_number(plain_numbers(cell, each)).is_finite()[0]), None)
