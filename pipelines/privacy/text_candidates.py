"""Finds, among very many texts, the few in which a person's number or a repeated name may stand.

Each byte is looked at once. What is found here is looked at again; elsewhere there is surely nothing.
"""

from __future__ import annotations

from typing import Final

import numba
import numpy as np
import numpy.typing as npt
import polars as pl

from features.arrays.hashing import utf8_buffers
from features.arrays.types import BoolArray, IntArray
from features.contract.text_screen import flagged
from pipelines.privacy.person_numbers import PROVINCES

Bytes = npt.NDArray[np.uint8]

_FEWEST_DIGITS: Final = 6
_GAP: Final = -1
_LETTER: Final = -2
_MAY_BE_WIDE: Final = -3
# Bytes between two digits of one number: three characters of up to three bytes.
_LONGEST_GAP: Final = 9
_OLD_DIGITS: Final = 15
# A county and a day with its year.
_FEWEST_OF_BIRTHDAY: Final = 14
_RING: Final = 16  # a power of two
_IS_PROVINCE: Final = np.array([number in PROVINCES for number in range(100)])
# What a byte is: a digit, a gap, a letter, or what a wide digit may begin with.
_KIND: Final = np.full(256, _GAP, dtype=np.int64)
_KIND[ord("0") : ord("9") + 1] = range(10)
_KIND[ord("A") : ord("Z") + 1] = _KIND[ord("a") : ord("z") + 1] = _LETTER
_KIND[[0xD9, 0xDB, 0xE2, 0xEF, 0xF0]] = _MAY_BE_WIDE


@numba.njit(cache=True, nogil=True)
def _wide_digit(data: Bytes, position: int, end: int) -> tuple[int, int]:
    """The digit whose first byte is here, which is of no plain one, and how many bytes it has."""
    byte = data[position]
    if position + 1 < end:
        second = data[position + 1]
        if (byte == 0xD9 and 0xA0 <= second <= 0xA9) or (byte == 0xDB and 0xB0 <= second <= 0xB9):
            return second & 0x0F, 2  # Arabic
        if position + 2 < end:
            third = data[position + 2]
            if byte == 0xEF and second == 0xBC and 0x90 <= third <= 0x99:
                return third - 0x90, 3  # full width
            if byte == 0xE2 and second == 0x91 and 0xA0 <= third <= 0xA8:
                return third - 0x9F, 3  # in a circle
            if byte == 0xF0 and second == 0x9D and third == 0x9F and position + 3 < end:
                return (data[position + 3] - 0x8E) % 10, 4  # mathematical
    return _GAP, 1


@numba.njit(cache=True, nogil=True)
def _digit_runs(offsets: IntArray, data: Bytes, fewest: int, alone: bool, out: BoolArray) -> None:
    for row in range(out.shape[0]):
        position, end = offsets[row], offsets[row + 1]
        digits = gap = 0
        found = is_part = False
        if end - position < fewest:
            position = end
        while position < end and not found:
            digit, size = _KIND[data[position]], 1
            if digit == _MAY_BE_WIDE:
                digit, size = _wide_digit(data, position, end)
            position += size
            if digit >= 0:
                # Of what has letters between its digits a wide one is looked at nevertheless.
                is_part &= size == 1
                digits += not is_part
                gap = 0
                found = digits >= fewest
            elif digit == _LETTER:
                is_part = alone and (is_part or (digits > 0 and gap == 0))
                digits = 0
            else:
                is_part = False
                gap += 1
                if gap > _LONGEST_GAP:
                    digits = 0
        out[row] = found


@numba.njit(cache=True, nogil=True)
def _birthdays(offsets: IntArray, data: Bytes, provinces: BoolArray, old_form: bool, out: BoolArray) -> None:
    ring = np.zeros(_RING, dtype=np.int64)
    for row in range(out.shape[0]):
        position, end = offsets[row], offsets[row + 1]
        digits = gap = 0
        found = False
        if end - position < _FEWEST_OF_BIRTHDAY:
            position = end + 1
        while position <= end and not found:
            digit, size = _LETTER if position == end else _KIND[data[position]], 1
            if digit == _MAY_BE_WIDE:
                digit, size = _wide_digit(data, position, end)
            position += size
            if digit >= 0:
                ring[digits & (_RING - 1)] = digit
                digits += 1
                gap = 0
                if digits >= _FEWEST_OF_BIRTHDAY:
                    found = _ends_a_birthday(ring, digits, 4, provinces)
                continue
            gap += 1
            if digit == _LETTER or gap > _LONGEST_GAP:
                if old_form and digits == _OLD_DIGITS:
                    found = _ends_a_birthday(ring, _OLD_DIGITS - 3, 2, provinces)
                digits = 0
        out[row] = found


@numba.njit(cache=True, nogil=True)
def _ends_a_birthday(ring: npt.NDArray[np.int64], upto: int, year: int, provinces: BoolArray) -> bool:
    """Whether the digits before `upto` are a county and a date with a year of so many digits."""
    month = _two_digits(ring, upto - 4)
    if month < 1 or month > 12:
        return False
    day, first = _two_digits(ring, upto - 2), upto - 10 - year
    century = 19 if year == 2 else _two_digits(ring, upto - 8)
    of_a_century = century == 19 or century == 20
    return bool(1 <= day <= 31 and of_a_century and provinces[_two_digits(ring, first)])


@numba.njit(cache=True, nogil=True)
def _two_digits(ring: npt.NDArray[np.int64], first: int) -> int:
    return int(ring[first & (_RING - 1)] * 10 + ring[(first + 1) & (_RING - 1)])


@numba.njit(cache=True, nogil=True)
def _upper(byte: int) -> int:
    """A letter in upper case or a digit, 0 for any other sign."""
    if 0x61 <= byte <= 0x7A:
        byte -= 0x20
    return byte if 0x30 <= byte <= 0x39 or 0x41 <= byte <= 0x5A else 0


@numba.njit(cache=True, nogil=True)
def _fold(offsets: IntArray, data: Bytes, folded: Bytes, ends: IntArray) -> None:
    """Texts without blanks and punctuation, in upper case and plain width, one behind the other."""
    place = 0
    for row in range(offsets.shape[0] - 1):
        position, end = offsets[row], offsets[row + 1]
        while position < end:
            byte = data[position]
            if byte < 0x80:
                plain = _upper(byte)
                folded[place] = plain
                place += plain > 0
                position += 1
                continue
            third = data[position + 2] if position + 2 < end else 0
            if byte == 0xEF and (data[position + 1] == 0xBC or data[position + 1] == 0xBD):
                plain = _upper(third - 0x80 + (0x20 if data[position + 1] == 0xBC else 0x60))
                folded[place] = plain
                place += plain > 0
                position += 3
            elif (byte == 0xE2 and data[position + 1] == 0x80) or (
                byte == 0xE3 and data[position + 1] == 0x80
            ):
                position += 3  # blanks, hyphens, quotes and dots, of the East, too
            elif byte == 0xC2:
                position += 2  # likewise, and signs
            else:
                folded[place] = byte
                place += 1
                position += 1
        ends[row + 1] = place


@numba.njit(cache=True, nogil=True)
def _contain(
    texts: IntArray, data: Bytes, parts: IntArray, of_parts: Bytes, fewest: int, out: BoolArray
) -> None:
    for row in range(out.shape[0]):
        first, length = parts[row], parts[row + 1] - parts[row]
        if length < fewest:
            continue
        for start in range(texts[row], texts[row + 1] - length + 1):
            if data[start] == of_parts[first]:
                place = 1
                while place < length and data[start + place] == of_parts[first + place]:
                    place += 1
                if place == length:
                    out[row] = True
                    break


class FoldedTexts:
    """A column of texts as they are compared: without blanks and punctuation, in upper case and plain width.

    >>> goods = FoldedTexts(pl.Series(["tea for Wang Li", "tea", None]))
    >>> goods.contain(FoldedTexts(pl.Series(["WANG  LI", "wang li", "x"])), 2).tolist()
    [True, False, False]
    """

    def __init__(self, texts: pl.Series) -> None:
        offsets, data = utf8_buffers(texts)
        self._data = np.empty(len(data), dtype=np.uint8)
        self._offsets = np.zeros(len(offsets), dtype=np.int64)
        _fold(offsets, data, self._data, self._offsets)

    def contain(self, parts: FoldedTexts, fewest: int) -> BoolArray:
        """Whether each holds the other text of its row, where that has `fewest` bytes or more (rows,)."""
        out = np.zeros(len(self._offsets) - 1, dtype=np.bool_)
        _contain(self._offsets, self._data, parts._offsets, parts._data, fewest, out)
        return out


def may_hold_numbers(texts: pl.Series, *, alone: bool = False) -> BoolArray:
    """Where six digits or more stand together, in any width and spacing (rows,); `alone`: not as a part of
    what has letters between its digits, such as a hash.

    >>> may_hold_numbers(pl.Series(["13-80 01", "500 g x 12", None])).tolist()
    [True, False, False]
    >>> may_hold_numbers(pl.Series(["3cfcb3de421a437900", "tel138001"]), alone=True).tolist()
    [False, True]
    """
    return flagged(texts, _digit_runs, _FEWEST_DIGITS, alone)


def may_hold_birthdays(texts: pl.Series, *, old_form: bool) -> BoolArray:
    """Where a province, a county and a date stand as in a resident's number; `old_form`: of 15 digits, too.

    >>> may_hold_birthdays(pl.Series(["X11010519491231002X", "310120261120000001"]), old_form=False).tolist()
    [True, False]
    """
    if (texts.str.len_bytes().max() or 0) < _FEWEST_OF_BIRTHDAY:  # type: ignore[operator]
        return np.zeros(len(texts), dtype=np.bool_)
    return flagged(texts, _birthdays, _IS_PROVINCE, old_form)
