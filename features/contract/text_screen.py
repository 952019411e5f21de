"""Finds the few values of a text column that need cleaning, so that the many others are looked at once."""

from __future__ import annotations

import numba
import numpy as np
import numpy.typing as npt
import polars as pl

from features.arrays.hashing import utf8_buffers
from features.arrays.types import BoolArray, IntArray

_SPACE = 0x20
_DELETE = 0x7F
_PLUS, _POINT, _ZERO, _E = 0x2B, 0x2E, 0x30, 0x65
_TO_LOWER = 0x20
# First bytes of the blanks of Unicode: U+0085 and U+00A0; U+1680; U+2000 to U+205F; U+3000. Other characters
# begin with them too: what is found here is looked at again.
_BLANKS = (0xC2, 0xE1, 0xE2, 0xE3)
_LONGEST_BLANK = 3


@numba.njit(cache=True, nogil=True)
def _screen(offsets: IntArray, data: npt.NDArray[np.uint8], most: int, out: BoolArray) -> None:
    for row in range(out.shape[0]):
        first, end = offsets[row], offsets[row + 1]
        found = end == first or end - first > most
        if not found:
            head, tail = data[first], data[end - 1]
            found = head == _SPACE or tail == _SPACE
            found |= head in _BLANKS
            if tail > _DELETE:
                for position in range(max(first, end - _LONGEST_BLANK), end):
                    found |= data[position] in _BLANKS
            for position in range(first, end):
                found |= data[position] < _SPACE or data[position] == _DELETE
        out[row] = found


@numba.njit(cache=True, nogil=True)
def _screen_numbers(offsets: IntArray, data: npt.NDArray[np.uint8], out: BoolArray) -> None:
    for row in range(out.shape[0]):
        first, end = offsets[row], offsets[row + 1]
        if end - first > 2:
            found = data[end - 1] == _ZERO and (
                data[end - 2] == _POINT or (data[end - 2] == _ZERO and data[end - 3] == _POINT)
            )
            # An exponent has one to three digits.
            for position in range(max(first, end - 4), end - 1):
                found |= data[position] == _PLUS and (data[position - 1] | _TO_LOWER) == _E
            out[row] = found


def may_be_unclean(text: pl.Series, max_chars: int) -> BoolArray:
    """Where a text may be empty, longer than `max_chars`, begin or end with a blank, or hold a control
    character; elsewhere it surely is none of it. Null is False.

    >>> may_be_unclean(pl.Series(["ok", " x", "a\\tb", "", None, "long!", "茶"]), 4).tolist()
    [False, True, True, True, False, True, False]
    """
    out = np.empty(len(text), dtype=np.bool_)
    if len(text):
        _screen(*utf8_buffers(text), max_chars, out)
    if text.null_count():
        out &= text.is_not_null().to_numpy()
    return out


def may_be_decimal(text: pl.Series) -> BoolArray:
    """Where a text may end in `.0`, `.00` or in an exponent such as `E+17`; elsewhere it surely does not.

    >>> may_be_decimal(pl.Series(["109.0", "1.0123E+17", "2320", None])).tolist()
    [True, True, False, False]
    """
    out = np.zeros(len(text), dtype=np.bool_)
    if len(text):
        _screen_numbers(*utf8_buffers(text), out)
    return out


@numba.njit(cache=True, nogil=True)
def _screen_ends(
    offsets: IntArray,
    data: npt.NDArray[np.uint8],
    heads: BoolArray,
    tails: BoolArray,
    most: int,
    out: BoolArray,
) -> None:
    for row in range(out.shape[0]):
        first, end = offsets[row], offsets[row + 1]
        found = end > first and heads[data[first]] and tails[data[end - 1]]
        if found and end - first > most:
            position = first + 1
            while position < end and data[position] == data[first]:
                position += 1
            found = position == end
        out[row] = found


def has_ends(text: pl.Series, heads: BoolArray, tails: BoolArray, most: int) -> BoolArray:
    """Where a text's first byte is one of `heads` and its last one of `tails` (256 flags each), and it has at
    most so many bytes or is one sign all through.
    """
    out = np.zeros(len(text), dtype=np.bool_)
    if len(text):
        _screen_ends(*utf8_buffers(text), heads, tails, most, out)
    return out
