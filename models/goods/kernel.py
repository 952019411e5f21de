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


def score_goods(
    lines: tuple[IntArray, IntArray, IntArray, IntArray],
    grams: tuple[IntArray, IntArray],
    words: tuple[npt.NDArray[np.int32], npt.NDArray[np.int16], FloatArray, FloatArray],
    headings: tuple[FloatArray, FloatArray, FloatArray],
    known: tuple[IntArray, FloatArray],
) -> tuple[FloatArray, FloatArray, IntArray, FloatArray]:
    """What is expected of each line; NaN and -1 where it has no text.

    Args:
        lines: text, categories and part of each line, and the declared heading's number.
        grams: where the grams of each text begin and end, and their places.
        words: the row of each place, the table of the rows (parts, rows, STORED) in whole steps, how large
            a step of each number is (NUMBERS,), and the intercepts of the measures (parts, measures).
        headings: weights (parts, WIDTH, headings), intercepts (parts, headings), and what each heading adds
            to the measures (parts, headings, measures).
        known: which headings share four digits (headings,), and their tax rates (headings,).

    Returns:
        Expected measures with the declared heading and with the likely ones (lines, 2, measures);
        probability of the declared six digits, of its four digits, and how much higher the rate of the
        likely headings is (lines, 3); the likeliest headings (lines, TOP), -1 where there is none, and
        their probabilities.
    """
    texts, categories, parts, _ = lines
    count, rows = len(texts), grams[0]
    out = (
        np.full((count, 2, _MEASURES), np.nan), np.full((count, 3), np.nan),
        np.full((count, TOP), -1, dtype=np.int64), np.full((count, TOP), np.nan),
    )  # fmt: skip
    keys = np.empty(count, dtype=np.int64)
    _write_keys(texts, categories, parts, len(rows), keys)
    found = np.empty(max(int(np.diff(rows).max(initial=0)), categories.shape[1]), dtype=np.int64)
    _score(np.argsort(keys, kind="stable"), lines, (*grams, found), words, headings, known, out)
    return out


@numba.njit(cache=True, nogil=True)
def _write_keys(texts: IntArray, categories: IntArray, parts: IntArray, count: int, keys: IntArray) -> None:
    """Numbers that rise part by part, so that the tables of one stay near the processor, and are the same for
    equal lines.
    """
    for line in range(len(texts)):
        mixed = np.int64(0)
        for category in categories[line]:
            mixed = mixed * 31 + category
        keys[line] = (parts[line] * count + texts[line]) << 16 | (mixed & 0xFFFF)


@numba.njit(cache=True, nogil=True)
def _score(
    order: IntArray,
    lines: tuple[IntArray, IntArray, IntArray, IntArray],
    grams: tuple[IntArray, IntArray, IntArray],
    words: tuple[npt.NDArray[np.int32], npt.NDArray[np.int16], FloatArray, FloatArray],
    headings: tuple[FloatArray, FloatArray, FloatArray],
    known: tuple[IntArray, FloatArray],
    out: tuple[FloatArray, FloatArray, IntArray, FloatArray],
) -> None:
    (texts, categories, parts, declared), (rows, columns, found) = lines, grams
    (row_of, table, steps, middles), (weights, intercepts, effects) = words, headings
    expected, chances, top, top_chances = out
    inner, plain, likely = np.empty(WIDTH), np.empty(_MEASURES), np.empty(_MEASURES)
    chance, which = np.empty(weights.shape[2]), np.empty(weights.shape[2], dtype=np.int64)
    of_grams, of_categories = np.empty(STORED, dtype=np.int32), np.empty(STORED, dtype=np.int32)
    best, best_chances = np.empty(TOP, dtype=np.int64), np.empty(TOP)
    before, many = -1, 0
    for line in order:
        text, part, own = texts[line], parts[line], declared[line]
        count = rows[text + 1] - rows[text]
        if count == 0:
            continue
        same_text = before >= 0 and texts[before] == text and parts[before] == part
        if not same_text:
            _sum_rows(columns[rows[text] : rows[text + 1]], row_of, table[part], found, of_grams)
        if not (same_text and _equal(categories[before], categories[line])):
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
        for place in range(TOP):
            top[line, place], top_chances[line, place] = best[place], best_chances[place]
        _compare(own, (chance, which[:many]), known, chances[line])
        for measure in range(_MEASURES):
            expected[line, 0, measure] = plain[measure] + effects[part, own, measure]
            expected[line, 1, measure] = plain[measure] + likely[measure]
        before = line


@numba.njit(cache=True, nogil=True)
def _equal(some: IntArray, others: IntArray) -> bool:
    same = True
    for place in range(len(some)):
        same &= some[place] == others[place]
    return same


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
    for number in range(STORED):
        out[number] = 0
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
    for measure in range(_MEASURES):
        likely[measure] = 0.0
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
    for place in range(TOP):
        top[place], top_chances[place] = -1, 0.0
    for heading in which:
        likelihood, other = chance[heading], heading
        if likelihood <= top_chances[TOP - 1]:
            continue
        for place in range(TOP):
            if likelihood > top_chances[place]:
                top_chances[place], likelihood = likelihood, top_chances[place]
                top[place], other = other, top[place]
