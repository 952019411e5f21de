"""Scores lines of goods, compiled: each line alone and in a fixed order, so that no batch matters."""

from __future__ import annotations

import numba
import numpy as np
import numpy.typing as npt

from features.arrays.types import FloatArray, IntArray
from models.goods.headings import WIDTH, chances_of
from models.goods.lines import CATEGORY_VALUE, MEASURES

TOP = 3
_MEASURES = len(MEASURES)
NUMBERS = _MEASURES + WIDTH
# Rarer headings add nothing that a model of so few words could tell.
LEAST_CHANCE = 1e-4


@numba.njit(cache=True, nogil=True)
def score_goods(
    lines: tuple[IntArray, IntArray, IntArray, IntArray, IntArray],
    words: tuple[npt.NDArray[np.int32], npt.NDArray[np.int16], FloatArray, FloatArray],
    headings: tuple[FloatArray, FloatArray, FloatArray],
    known: tuple[IntArray, FloatArray],
    out: tuple[FloatArray, FloatArray, IntArray, FloatArray],
) -> None:
    """Write what is expected of each line.

    Args:
        lines: rows, columns, categories and parts of `GoodsLines`, and the declared heading's number.
        words: the row of each place, the table of the rows (parts, rows, NUMBERS) in whole steps, how large
            a step of each number is (NUMBERS,), and the intercepts of the measures (parts, measures).
        headings: weights (parts, WIDTH, headings), intercepts (parts, headings), and what each heading adds
            to the measures (parts, headings, measures).
        known: which headings share four digits (headings,), and their tax rates (headings,).
        out: expected measures with the declared heading and with the likely ones (lines, 2, measures);
            probability of the declared six digits, of its four digits, and how much higher the rate of the
            likely headings is (lines, 3); the likeliest headings (lines, TOP), -1 where there is none, and
            their probabilities.
    """
    rows, columns, categories, parts, declared = lines
    row_of, table, steps, middles = words
    weights, intercepts, effects = headings
    four_digits, rates = known
    expected, chances, top, top_chances = out
    inner, chance = np.empty(WIDTH), np.empty(weights.shape[2])
    likely = np.empty(_MEASURES)
    of_grams, of_categories = np.empty(NUMBERS, dtype=np.int32), np.empty(NUMBERS, dtype=np.int32)
    # Part by part: the tables of one stay near the processor.
    for line in np.argsort(parts, kind="mergesort"):
        part, own = parts[line], declared[line]
        count = rows[line + 1] - rows[line]
        expected[line], chances[line], top[line], top_chances[line] = np.nan, np.nan, -1, np.nan
        if count == 0:
            continue
        of_grams[:] = 0
        of_categories[:] = 0
        for at in range(rows[line], rows[line + 1]):
            row = row_of[columns[at]]
            if row >= 0:
                steps_of = table[part, row]
                for place in range(NUMBERS):
                    of_grams[place] += steps_of[place]
        for at in range(categories.shape[1]):
            row = row_of[categories[line, at]] if categories[line, at] >= 0 else -1
            if row >= 0:
                for place in range(NUMBERS):
                    of_categories[place] += table[part, row, place]
        share = 1.0 / np.sqrt(count)
        for place in range(WIDTH):
            at = _MEASURES + place
            inner[place] = (of_grams[at] * share + of_categories[at] * CATEGORY_VALUE) * steps[at]
        chances_of(inner, weights[part], intercepts[part], chance)
        likely[:] = 0.0
        top_chances[line] = 0.0
        alike, above = 0.0, 0.0
        for heading in range(len(chance)):
            likelihood = chance[heading]
            if likelihood < LEAST_CHANCE:
                continue
            for measure in range(_MEASURES):
                likely[measure] += likelihood * effects[part, heading, measure]
            above += likelihood * (rates[heading] - rates[own])
            if four_digits[heading] == four_digits[own]:
                alike += likelihood
            place, other = 0, heading
            while place < TOP:
                if likelihood > top_chances[line, place]:
                    top_chances[line, place], likelihood = likelihood, top_chances[line, place]
                    top[line, place], other = other, top[line, place]
                place += 1
        for measure in range(_MEASURES):
            plain = of_grams[measure] * share + of_categories[measure] * CATEGORY_VALUE
            plain = middles[part, measure] + plain * steps[measure]
            expected[line, 0, measure] = plain + effects[part, own, measure]
            expected[line, 1, measure] = plain + likely[measure]
        chances[line, 0], chances[line, 1], chances[line, 2] = chance[own], alike, above
