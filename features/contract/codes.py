"""Codes with the zeros that they have lost where a program took them for numbers.

What a value needs is seen in the value, so tables of texts and of numbers give the same codes.
"""

from __future__ import annotations

from typing import Final

import polars as pl

_OFFICE_DIGITS: Final = 4


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
    return _with_zero_where(code.str.len_bytes() % 2 == 1, code)


def with_office_zero(code: pl.Series) -> pl.Series:
    """Codes of offices and ports in China, of four digits, of which the first is a zero that was lost.

    >>> with_office_zero(pl.Series(["109", "0109", "46", "PVG"])).to_list()
    ['0109', '0109', '46', 'PVG']
    """
    return _with_zero_where(code.str.len_bytes() == _OFFICE_DIGITS - 1, code)


def _with_zero_where(lost: pl.Series, code: pl.Series) -> pl.Series:
    lost = lost.fill_null(False)
    if not lost.any():
        return code
    lost &= code.str.contains("^[0-9]+$")
    return ("0" + code).alias(code.name).zip_with(lost, code)
