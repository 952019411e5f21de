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
