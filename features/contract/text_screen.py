"""Finds the few values of a text column that need cleaning, so that the many others are looked at once."""

from __future__ import annotations

from collections.abc import Callable

import numba
import numpy as np
import numpy.typing as npt
import polars as pl

from features.arrays.hashing import utf8_buffers
from features.arrays.types import BoolArray, IntArray

_SPACE = 0x20
_DELETE = 0x7F
_PLUS, _POINT, _ZERO = 0x2B, 0x2E, 0x30
_LONGEST_END = 4
# First bytes of the blanks of Unicode: U+0085 and U+00A0; U+1680; U+2000 to U+205F; U+3000. Other characters
# begin with them too: what is found here is looked at again.
_BLANKS = (0xC2, 0xE1, 0xE2, 0xE3)
_LONGEST_BLANK = 3
_MOST_BYTES_IN_CHARACTER = 4


def flagged(text: pl.Series, kernel: Callable[..., None], *settings: object) -> BoolArray:
    """Where a kernel, called with a column's offsets and bytes, `settings` and what to fill, finds something;
    null is False.
    """
    out = np.zeros(len(text), dtype=np.bool_)
    if len(text):
        kernel(*utf8_buffers(text, nulls_are_empty=False), *settings, out)
    if text.null_count():
        out &= text.is_not_null().to_numpy()
    return out


@numba.njit(cache=True, nogil=True)
def _screen(
    offsets: IntArray, data: npt.NDArray[np.uint8], most: int, are_codes: bool, out: BoolArray
) -> None:
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
            if are_codes and end - first > _LONGEST_END - 1:
                found |= tail == _ZERO and (data[end - 2] == _POINT or data[end - 3] == _POINT)
                # An exponent has one to three digits.
                for position in range(end - _LONGEST_END + 1, end - 1):
                    found |= data[position] == _PLUS
        out[row] = found


def may_be_unclean(text: pl.Series, max_chars: int, are_codes: bool = False) -> BoolArray:
    """Where a text may be empty, longer than `max_chars`, begin or end with a blank, or hold a control
    character; among codes also where it may end in `.0`, `.00` or an exponent such as `E+17`. Elsewhere it
    surely does not. Null is False.

    >>> may_be_unclean(pl.Series(["ok", " x", "a\\tb", "", None, "long!", "茶"]), 4).tolist()
    [False, True, True, True, False, True, False]
    >>> may_be_unclean(pl.Series(["109.0", "1.0123E+17", "2320", None]), 20, are_codes=True).tolist()
    [True, True, False, False]
    """
    return flagged(text, _screen, max_chars, are_codes)


@numba.njit(cache=True, nogil=True)
def _screen_ends(
    offsets: IntArray,
    data: npt.NDArray[np.uint8],
    heads: BoolArray,
    tails: BoolArray,
    runs: BoolArray,
    most: int,
    out: BoolArray,
) -> None:
    for row in range(out.shape[0]):
        first, end = offsets[row], offsets[row + 1]
        found = end > first and heads[data[first]] and tails[data[end - 1]]
        if found:
            plain = data[first] <= _DELETE and data[end - 1] <= _DELETE
            if runs[data[first]] or end - first > (most if plain else _MOST_BYTES_IN_CHARACTER * most):
                position = first + 1
                while position < end and data[position] == data[first]:
                    position += 1
                found = position == end
        out[row] = found


def has_ends(text: pl.Series, heads: BoolArray, tails: BoolArray, runs: BoolArray, most: int) -> BoolArray:
    """Where a text's first byte is one of `heads` and its last one of `tails` (256 flags each), and it is one
    sign all through, or has at most so many characters and begins with none of `runs`.
    """
    return flagged(text, _screen_ends, heads, tails, runs, most)
