"""Hashed n-grams of declared text, compiled: Chinese by characters, Latin by runs of letters and by words.

A Chinese word has one to three characters and no blanks around it; a Latin word has blanks, endings and
typos. So a gram that begins with an ideograph is 1 to 3 characters long, any other 3 to 5, and whole words
count as well. The bytes of the grams are hashed into `BUCKETS` columns (Weinberger et al. 2009, "Feature
Hashing for Large Scale Multitask Learning"); no vocabulary has to be kept, and a batch never changes what a
text becomes.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numba
import numpy as np
import numpy.typing as npt
import polars as pl

from features.arrays.distinct import distinct_rows
from features.arrays.hashing import FNV_OFFSET, FNV_PRIME, utf8_buffers
from features.arrays.types import FloatArray, IntArray, UInt64Array
from features.contract.declarations import TEXT_COLUMNS
from features.text.disguise import undisguised

BUCKETS = 1 << 18
MAX_CHARACTERS = 256

_MASK = np.uint64(BUCKETS - 1)
_MIX = np.uint64(0xFF51AFD7ED558CCD)
_WORD = np.uint64(0x57)
_BLANK = np.uint64(32)
# The first three-byte character after the symbols: kana, ideographs, hangul and all that follow.
_FIRST_IDEOGRAPH = np.uint64(0xE38000)
# Three lengths that begin with it, and a word that ends at it.
_GRAMS_OF_CHARACTER = 4


def clean_text(frame: pl.DataFrame) -> pl.Series:
    """Item name and model as one text a line: lower case, without disguises, blanks around it; null where
    there is none.

    >>> clean_text(pl.DataFrame({"item_name": ["Ｔoy  Car", None], "item_model": ["A1", None]})).to_list()
    [' toy  car a1 ', None]
    """
    joined = (
        declared_text(frame)
        .select(pl.concat_str(pl.all(), separator=" ", ignore_nulls=True).alias("text"))
        .to_series()
    )
    text = undisguised(joined).str.strip_chars()
    return pl.select(pl.when(text != "").then(pl.lit(" ") + text + pl.lit(" "))).to_series().alias("text")


def declared_text(frame: pl.DataFrame) -> pl.DataFrame:
    """`item_name` and `item_model` of a frame that may lack either, as String."""
    absent = [pl.lit(None, dtype=pl.String).alias(name) for name in TEXT_COLUMNS if name not in frame.columns]
    return frame.with_columns(absent).select(pl.col(TEXT_COLUMNS).cast(pl.String))


@numba.njit(cache=True, nogil=True)
def _characters(data: npt.NDArray[np.uint8], start: int, stop: int, codes: UInt64Array) -> int:
    """Write one number a character to `codes` and return how many; a run of other signs is one blank."""
    count = 0
    position = start
    while position < stop and count < codes.shape[0]:
        byte = data[position]
        position += 1
        if byte < 0x80:
            if 48 <= byte <= 57 or 97 <= byte <= 122:
                codes[count] = byte
                count += 1
            elif count == 0 or codes[count - 1] != _BLANK:
                codes[count] = _BLANK
                count += 1
            continue
        code = np.uint64(byte)
        while position < stop and data[position] & 0xC0 == 0x80:
            code = (code << np.uint64(8)) | np.uint64(data[position])
            position += 1
        codes[count] = code
        count += 1
    return count


@numba.njit(cache=True, nogil=True)
def _grams(codes: UInt64Array, characters: int, out: IntArray) -> int:
    """Write the buckets of one text's grams to `out`, in the order of the text, and return how many."""
    count = 0
    word = FNV_OFFSET ^ _WORD
    letters = 0
    for first in range(characters):
        code = codes[first]
        shortest, longest = (1, 3) if code >= _FIRST_IDEOGRAPH else (3, 5)
        state = FNV_OFFSET
        for length in range(1, min(longest, characters - first) + 1):
            state = (state ^ codes[first + length - 1]) * FNV_PRIME
            if length >= shortest:
                out[count] = _bucket(state)
                count += 1
        if code != _BLANK:
            word = (word ^ code) * FNV_PRIME
            letters += 1
        elif letters:
            out[count] = _bucket(word)
            count += 1
            word = FNV_OFFSET ^ _WORD
            letters = 0
    return count


@numba.njit(cache=True, nogil=True, inline="always")
def _bucket(state: np.uint64) -> np.int64:
    mixed = (state ^ (state >> np.uint64(33))) * _MIX
    return np.int64((mixed >> np.uint64(29)) & _MASK)


@numba.njit(cache=True, nogil=True)
def _fill(offsets: IntArray, data: npt.NDArray[np.uint8], ends: IntArray, out: IntArray) -> None:
    codes = np.empty(MAX_CHARACTERS, dtype=np.uint64)
    total = 0
    for row in range(ends.shape[0]):
        total += _grams(codes, _characters(data, offsets[row], offsets[row + 1], codes), out[total:])
        ends[row] = total


@numba.njit(cache=True, nogil=True)
def _score(
    rows: IntArray,
    columns: IntArray,
    weights: npt.NDArray[np.float32],
    intercepts: FloatArray,
    out: FloatArray,
) -> None:
    models = weights.shape[1]
    totals = np.empty(models)
    for row in range(out.shape[0]):
        count = rows[row + 1] - rows[row]
        if count == 0:
            out[row] = np.nan
            continue
        totals[:] = 0.0
        for at in range(rows[row], rows[row + 1]):
            for model in range(models):
                totals[model] += weights[columns[at], model]
        for model in range(models):
            out[row, model] = intercepts[model] + totals[model] / np.sqrt(count)


def gram_rows(text: pl.Series) -> tuple[IntArray, IntArray]:
    """Where the grams of each text begin and end (lines + 1,), and their buckets in the order of the text."""
    offsets, data = utf8_buffers(text)
    rows = np.zeros(len(text) + 1, dtype=np.int64)
    # Room for the most that there can be; what is not written to takes no memory.
    columns = np.empty(_GRAMS_OF_CHARACTER * len(data), dtype=np.int64)
    _fill(offsets, data, rows[1:], columns)
    return rows, columns[: rows[-1]]


@dataclass(frozen=True)
class Grams:
    """The grams of the names and models of some lines, hashed once for lines that have the same.

    Attributes:
        texts: the number of each line's text (lines,).
        rows: where the grams of each text begin and end in `columns` (texts + 1,).
        columns: buckets of the grams, in the order of the text.
    """

    texts: IntArray
    rows: IntArray
    columns: IntArray

    @classmethod
    def of(cls, frame: pl.DataFrame) -> Grams:
        """Those of a frame with item names and models."""
        given = declared_text(frame)
        same = distinct_rows(given, given.columns)
        return cls(same.groups, *gram_rows(clean_text(given[same.firsts])))

    @cached_property
    def counts(self) -> IntArray:
        """How many grams each line has (lines,)."""
        return np.diff(self.rows)[self.texts]

    def linear_scores(self, weights: npt.NDArray[np.float32], intercepts: FloatArray) -> FloatArray:
        """Linear scores a line (lines, models), summed in the order of the text so no batch matters; NaN for
        a line without text.

        `weights` are (BUCKETS, models), `intercepts` (models,).
        """
        out = np.empty((len(self.rows) - 1, len(intercepts)), dtype=np.float64)
        _score(self.rows, self.columns, np.ascontiguousarray(weights), intercepts, out)
        return out[self.texts]


def gram_matrix(text: pl.Series) -> Any:
    """Scipy CSR matrix (lines, BUCKETS): every gram counts 1 / sqrt(number of grams of the line)."""
    from scipy import sparse

    rows, columns = gram_rows(text)
    counts = np.diff(rows)
    values = np.repeat(1.0 / np.sqrt(np.maximum(counts, 1)), counts)
    matrix = sparse.csr_matrix((values, columns, rows), shape=(len(text), BUCKETS))
    matrix.sum_duplicates()
    return matrix


def linear_score(text: pl.Series, weights: npt.NDArray[np.float32], intercept: float) -> FloatArray:
    """`Grams.linear_scores` of one model for cleaned texts (lines,); NaN for null."""
    grams = Grams(np.arange(len(text)), *gram_rows(text))
    return grams.linear_scores(weights[:, np.newaxis], np.array([intercept]))[:, 0]
