"""Codes and numbers of documents as text, with what a spreadsheet program did to them undone.

Such a program takes a code for a number: a leading zero goes, and of more than eleven digits it shows the
first few. What a value needs is seen in the value, so tables of texts and of numbers give the same codes.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl

from features.contract.conversions import to_text
from features.contract.text_screen import may_be_decimal

ROUNDED: Final = "\x00rounded"
CHINA_OFFICE_DIGITS: Final = 4
"""Digits of the code of an office or port in China."""
_EXPONENT: Final = r"^[0-9](?:[.,][0-9]+)?[eE]\+[0-9]{1,3}$"
_DECIMALS: Final = r"^([0-9]+)\.0+$"
# Beyond it a float no longer tells neighbouring whole numbers apart.
_MOST_EXACT: Final = 2.0**53


def to_code(values: pl.Series, max_chars: int) -> pl.Series:
    """A code as text: without decimals, and `ROUNDED` where only the first of its digits are left.

    >>> to_code(pl.Series(["109.0", "1.0123E+17", "A-1"]), 20).to_list()
    ['109', '\\x00rounded', 'A-1']
    >>> to_code(pl.Series([109.0, 1.0123e17]), 20).to_list()
    ['109', '\\x00rounded']
    """
    text = to_text(values, max_chars)
    if values.dtype.is_float():
        return text.set((values.abs() >= _MOST_EXACT).fill_null(False), ROUNDED)
    rows = np.flatnonzero(may_be_decimal(text))
    if not len(rows):
        return text
    found = text.gather(rows).str.replace(_DECIMALS, "${1}")
    found = found.set(found.str.contains(_EXPONENT).fill_null(False), ROUNDED)
    return text.clone().scatter(rows, found)


def with_zero(code: pl.Series, digits: int) -> pl.Series:
    """Codes of fewer than so many digits with the zeros that they have lost.

    >>> with_zero(pl.Series(["35", "035", "kg", None]), 3).to_list()
    ['035', '035', 'kg', None]
    """
    short = (code.str.len_bytes() < digits).fill_null(False)
    if not short.any():
        return code
    short &= code.str.contains("^[0-9]+$")
    return code.str.zfill(digits).zip_with(short, code)


def with_even_digits(code: pl.Series) -> pl.Series:
    """Headings with the zero that they have lost: they have an even number of digits.

    >>> with_even_digits(pl.Series(["302110000", "0302110000", None])).to_list()
    ['0302110000', '0302110000', None]
    """
    odd = (code.str.len_bytes() % 2 == 1).fill_null(False)
    if not odd.any():
        return code
    odd &= code.str.contains("^[0-9]+$")
    return ("0" + code).zip_with(odd, code)


def with_office_zero(code: pl.Series) -> pl.Series:
    """Codes of offices and ports in China, of four digits, of which the first is a zero that was lost.

    >>> with_office_zero(pl.Series(["109", "0109", "46", "PVG"])).to_list()
    ['0109', '0109', '46', 'PVG']
    """
    lost = (code.str.len_bytes() == CHINA_OFFICE_DIGITS - 1).fill_null(False)
    return with_zero(code.set(~lost, None), CHINA_OFFICE_DIGITS).zip_with(lost, code) if lost.any() else code
