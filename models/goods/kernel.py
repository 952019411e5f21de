"""Scores lines of goods, compiled: each line alone and in a fixed order, so that no batch matters.

Lines with the same text and part share the sums of its grams, those with the same categories as well share
the headings: names repeat themselves within a day.
"""

from __future__ import annotations

import numba
import numpy as np
import numpy.typing as npt

from features.arrays.types import FloatArray, IntArray
from models.goods.headings import WIDTH, likely_headings
from models.goods.lines import CATEGORY_VALUE, MEASURES

TOP = 3
_MEASURES = len(MEASURES)
NUMBERS = _MEASURES + WIDTH
STORED = 32
"""Numbers of a row of the table that is read, zeros behind `NUMBERS`: 64 bytes come from memory at once."""
_ROWS_AT_ONCE = 4
# Rarer headings add nothing that a model of so few words could tell.
LEAST_CHANCE = 1e-4


@numba.njit(cache=True, nogil=True)
def score_goods(
    lines: tuple[IntArray, IntArray, IntArray, IntArray],
    grams: tuple[IntArray, IntArray],
    words: tuple[npt.NDArray[np.int32], npt.NDArray[np.int16], FloatArray, FloatArray],
    headings: tuple[FloatArray, FloatArray, FloatArray],
    known: tuple[IntArray, FloatArray],
    out: tuple[FloatArray, FloatArray, IntArray, FloatArray],
) -> None:
    """Write what is expected of each line.

    Args:
        lines: text, categories and part of each line, and the declared heading's number.
        grams: where the grams of each text begin and end, and their places.
        words: the row of each place, the table of the rows (parts, rows, STORED) in whole steps, how large
            a step of each number is (NUMBERS,), and the intercepts of the measures (parts, measures).
        headings: weights (parts, WIDTH, headings), intercepts (parts, headings), and what each heading adds
            to the measures (parts, headings, measures).
        known: which headings share four digits (headings,), and their tax rates (headings,).
        out: expected measures with the declared heading and with the likely ones (lines, 2, measures);
            probability of the declared six digits, of its four digits, and how much higher the rate of the
            likely headings is (lines, 3); the likeliest headings (lines, TOP), -1 where there is none, and
            their probabilities.
    """
    texts, categories, parts, declared = lines
    rows, columns = grams
    (row_of, table, steps, middles), (weights, intercepts, effects) = words, headings
    expected, chances, top, top_chances = out
    inner, plain, likely = np.empty(WIDTH), np.empty(_MEASURES), np.empty(_MEASURES)
    chance, which = np.empty(weights.shape[2]), np.empty(weights.shape[2] + 1, dtype=np.int64)
    of_grams, of_categories = np.empty(STORED, dtype=np.int32), np.empty(STORED, dtype=np.int32)
    found = np.empty(max(_longest(rows), categories.shape[1]), dtype=np.int64)
    best, best_chances = np.empty(TOP, dtype=np.int64), np.empty(TOP)
    before, many = -1, 0
    for line in _in_order(texts, categories, parts, len(rows)):
        text, part, own = texts[line], parts[line], declared[line]
        count = rows[text + 1] - rows[text]
        if count == 0:
            expected[line], chances[line], top[line], top_chances[line] = np.nan, np.nan, -1, np.nan
            continue
        same_text = before >= 0 and texts[before] == text and parts[before] == part
        if not same_text:
            _sum_rows(columns[rows[text] : rows[text + 1]], row_of, table[part], found, of_grams)
        if not (same_text and np.all(categories[before] == categories[line])):
            _sum_rows(categories[line], row_of, table[part], found, of_categories)
            share = 1.0 / np.sqrt(count)
            for place in range(WIDTH):
                at = _MEASURES + place
                inner[place] = (of_grams[at] * share + of_categories[at] * CATEGORY_VALUE) * steps[at]
            for measure in range(_MEASURES):
                value = of_grams[measure] * share + of_categories[measure] * CATEGORY_VALUE
                plain[measure] = middles[part, measure] + value * steps[measure]
            many = likely_headings(inner, weights[part], intercepts[part], LEAST_CHANCE, chance, which)
            _add_effects(chance, which[:many], effects[part], likely)
            _keep_highest(chance, which[:many], best, best_chances)
        top[line], top_chances[line] = best, best_chances
        _compare(own, (chance, which[:many]), known, chances[line])
        for measure in range(_MEASURES):
            expected[line, 0, measure] = plain[measure] + effects[part, own, measure]
            expected[line, 1, measure] = plain[measure] + likely[measure]
        before = line


@numba.njit(cache=True, nogil=True)
def _in_order(texts: IntArray, categories: IntArray, parts: IntArray, count: int) -> IntArray:
    """The lines part by part, so that the tables of one stay near the processor, equal ones together."""
    keys = np.empty(len(texts), dtype=np.int64)
    for line in range(len(texts)):
        mixed = np.int64(0)
        for category in categories[line]:
            mixed = mixed * 31 + category
        keys[line] = (parts[line] * count + texts[line]) << 16 | (mixed & 0xFFFF)
    return np.argsort(keys, kind="mergesort")


@numba.njit(cache=True, nogil=True)
def _longest(rows: IntArray) -> int:
    longest = 0
    for text in range(len(rows) - 1):
        longest = max(longest, rows[text + 1] - rows[text])
    return longest


@numba.njit(cache=True, nogil=True)
def _sum_rows(
    places: IntArray,
    row_of: npt.NDArray[np.int32],
    table: npt.NDArray[np.int16],
    found: IntArray,
    out: npt.NDArray[np.int32],
) -> None:
    """Write the sum of the table's rows of these places, of which some may be unknown."""
    many = 0
    for place in places:
        row = row_of[place] if place >= 0 else np.int32(-1)
        found[many] = row
        many += 1 if row >= 0 else 0
    out[:] = 0
    behind = many - many % _ROWS_AT_ONCE
    for at in range(0, behind, _ROWS_AT_ONCE):
        a, b, c, d = table[found[at]], table[found[at + 1]], table[found[at + 2]], table[found[at + 3]]
        for number in range(STORED):
            out[number] += (
                np.int32(a[number]) + np.int32(b[number]) + np.int32(c[number]) + np.int32(d[number])
            )
    for at in range(behind, many):
        a = table[found[at]]
        for number in range(STORED):
            out[number] += a[number]


@numba.njit(cache=True, nogil=True)
def _add_effects(chance: FloatArray, which: IntArray, effects: FloatArray, likely: FloatArray) -> None:
    likely[:] = 0.0
    for heading in which:
        for measure in range(_MEASURES):
            likely[measure] += chance[heading] * effects[heading, measure]


@numba.njit(cache=True, nogil=True)
def _compare(
    own: int, likely: tuple[FloatArray, IntArray], known: tuple[IntArray, FloatArray], out: FloatArray
) -> None:
    """Write the chances of the declared heading and of its four digits, and how much higher rates may be."""
    (chance, which), (four_digits, rates) = likely, known
    alike, above = 0.0, 0.0
    for heading in which:
        above += chance[heading] * (rates[heading] - rates[own])
        if four_digits[heading] == four_digits[own]:
            alike += chance[heading]
    out[0], out[1], out[2] = chance[own], alike, above


@numba.njit(cache=True, nogil=True)
def _keep_highest(chance: FloatArray, which: IntArray, top: IntArray, top_chances: FloatArray) -> None:
    top[:], top_chances[:] = -1, 0.0
    for heading in which:
        likelihood, other = chance[heading], heading
        if likelihood <= top_chances[TOP - 1]:
            continue
        for place in range(TOP):
            if likelihood > top_chances[place]:
                top_chances[place], likelihood = likelihood, top_chances[place]
                top[place], other = other, top[place]
