"""From whatever type a source has to the type of the contract, a column at a time.

A value that cannot be converted becomes a marker of its type instead of null, so that the contract's checks
can tell a wrong value from a missing one.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl

from features.contract.text_screen import may_be_unclean

NOT_TEXT: Final = "\x00not text"
TOO_LONG: Final = "\x00too long"
ROUNDED: Final = "\x00rounded"
NOT_A_NUMBER: Final = float("nan")
NOT_WHOLE: Final = -(2**31)
YES_WORDS: Final = ("true", "1", "1.0", "yes", "y", "t")
NO_WORDS: Final = ("false", "0", "0.0", "no", "n", "f")
_TOP_WHOLE: Final = 2**31 - 1
_CONTROL: Final = r"[\x00-\x1f\x7f]+"
_EXPONENT: Final = r"^[0-9](?:[.,][0-9]+)?[eE]\+[0-9]{1,3}$"
_DECIMALS: Final = r"^([0-9]+)\.0+$"
# Beyond it a float no longer tells neighbouring whole numbers apart.
_MOST_EXACT: Final = 2.0**53


def to_text(values: pl.Series, max_chars: int) -> pl.Series:
    """Text without control characters and outer blanks; blank text is null.

    A whole number stored as a float loses its `.0`: that is how a table with gaps stores codes.

    >>> to_text(pl.Series([" a\\x00b ", "", None, "long!"]), 4).to_list()
    ['ab', None, None, '\\x00too long']
    >>> to_text(pl.Series([30.0, 1.5, float("nan")]), 9).to_list()
    ['30', '1.5', None]
    """
    text = _as_string(values)
    rows = np.flatnonzero(may_be_unclean(text, max_chars))
    if not len(rows):
        return text
    return text.clone().scatter(rows, _cleaned(text.gather(rows), max_chars))


def to_code(values: pl.Series, max_chars: int) -> pl.Series:
    """A code as text: without decimals, and `ROUNDED` where only the first of its digits are left.

    A spreadsheet program shows so what it takes for a number of more than eleven digits.

    >>> to_code(pl.Series(["109.0", "1.0123E+17", "A-1"]), 20).to_list()
    ['109', '\\x00rounded', 'A-1']
    >>> to_code(pl.Series([109.0, 1.0123e17]), 20).to_list()
    ['109', '\\x00rounded']
    """
    text = _as_string(values)
    if values.dtype.is_float():
        text = text.set((values.abs() >= _MOST_EXACT).fill_null(False), ROUNDED)
    rows = np.flatnonzero(may_be_unclean(text, max_chars, are_codes=True))
    if not len(rows):
        return text
    found = _cleaned(text.gather(rows), max_chars).str.replace(_DECIMALS, "${1}")
    found = found.set(found.str.contains(_EXPONENT).fill_null(False), ROUNDED)
    return text.clone().scatter(rows, found)


def _cleaned(text: pl.Series, max_chars: int) -> pl.Series:
    text = text.str.strip_chars()
    # Checked before the rest, so that a name of 100 MB is looked at once and never copied.
    lengths = text.str.len_bytes()
    if (lengths.max() or 0) > max_chars:  # type: ignore[operator]
        text = text.set((lengths > max_chars) & (text.str.len_chars() > max_chars), TOO_LONG)
    dirty = text.str.contains(_CONTROL) & ~text.is_in([NOT_TEXT, TOO_LONG, ROUNDED])
    if dirty.any():
        cleaned = text.str.replace_all(r"[\t\r\n]+", " ").str.replace_all(_CONTROL, "")
        text = cleaned.zip_with(dirty.fill_null(False), text)
    text = text.str.strip_chars()
    return text.set(text == "", None)


def to_number(values: pl.Series) -> pl.Series:
    """Float64, NaN where there is a value that is no number.

    >>> to_number(pl.Series(["1.5", " 2 ", "", "x", None])).to_list()
    [1.5, 2.0, None, nan, None]
    """
    if values.dtype.is_numeric():
        return values.cast(pl.Float64)
    if not is_textual(values):
        return marked(values, NOT_A_NUMBER, pl.Float64())
    text = values.cast(pl.String)
    number = text.cast(pl.Float64, strict=False)
    if number.null_count() == text.null_count():
        return number
    text = text.str.strip_chars()
    number = text.cast(pl.Float64, strict=False)
    wrong = number.is_null() & text.is_not_null() & (text != "")
    return number.set(wrong, NOT_A_NUMBER)


def to_whole(values: pl.Series) -> pl.Series:
    """Int32, `NOT_WHOLE` where there is a value that is no whole number, 0 beyond the type's range.

    >>> to_whole(pl.Series(["1", "2.0", "2.5", "", "99999999999"])).to_list()
    [1, 2, -2147483648, None, 0]
    """
    number = to_number(values)
    inside = number.abs() <= _TOP_WHOLE
    wrong = (number.is_nan() | ((number != number.round(0)) & inside)).fill_null(False)
    kept = number.set((~inside).fill_null(False), 0.0)
    return kept.set(wrong, float(NOT_WHOLE)).cast(pl.Int32)


def yes_no_code(values: pl.Series) -> pl.Series:
    """1 for yes, 0 for no, -1 for anything else, null where missing (Int8).

    >>> yes_no_code(pl.Series(["TRUE", "0", "maybe", None])).to_list()
    [1, 0, -1, None]
    """
    if values.dtype == pl.Boolean:
        return values.cast(pl.Int8)
    text = _as_string(values).str.strip_chars().str.to_lowercase()
    text = text.set(text == "", None)
    code = pl.Series(values.name, [-1], dtype=pl.Int8).new_from_index(0, len(text))
    code = code.set(text.is_in(YES_WORDS).fill_null(False), 1).set(text.is_in(NO_WORDS).fill_null(False), 0)
    return code.set(text.is_null(), None)


def _as_string(values: pl.Series) -> pl.Series:
    kind = values.dtype
    if kind.is_float():
        gone = (values.is_nan() | values.is_infinite()).fill_null(False)
        values = values.set(gone, None)
        whole = ((values == values.round(0)) & (values.abs() < _MOST_EXACT)).fill_null(False)
        return values.cast(pl.Int64, strict=False).cast(pl.String).zip_with(whole, values.cast(pl.String))
    if kind.is_nested() or kind in (pl.Binary, pl.Object):
        return marked(values, NOT_TEXT, pl.String())
    return values.cast(pl.String)


def is_textual(values: pl.Series) -> bool:
    """Whether a column holds text, or nothing."""
    return values.dtype in (pl.String, pl.Categorical, pl.Enum, pl.Null)


def marked(values: pl.Series, marker: object, kind: pl.DataType) -> pl.Series:
    """The marker wherever a value of a type that cannot be converted stands."""
    marked = pl.Series(values.name, [marker], dtype=kind).new_from_index(0, len(values))
    return marked.set(values.is_null(), None)
