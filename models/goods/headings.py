"""Under which heading goods of such words go: a softmax over headings on a few numbers that words add up to.

A weight for every word and heading would be too many to keep and to read. The weights are a product of two
small tables, as in fastText, learned by stochastic gradients whose steps shrink by row.

Sources: Joulin et al. 2017, "Bag of Tricks for Efficient Text Classification"; Duchi et al. 2011, "Adaptive
Subgradient Methods".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numba
import numpy as np

from features.arrays.types import FloatArray, IntArray

WIDTH = 16
_AT_ONCE = 4
_EPOCHS = 3
_RATE = 0.5
_FIRST_SQUARES = 1e-3
_FARTHEST = -10.0


@dataclass(frozen=True)
class HeadingWeights:
    """`words` (columns, WIDTH), `headings` (WIDTH, headings), `intercepts` (headings,)."""

    words: FloatArray
    headings: FloatArray
    intercepts: FloatArray


def fit_headings(
    matrix: Any, classes: IntArray, count: int, weights: FloatArray, learned: IntArray, seed: int
) -> HeadingWeights:
    """The weights that tell which of `count` headings the lines `learned` of a scipy CSR matrix go under.

    `classes` (lines,) are the declared ones, `weights` (lines,) what a line counts.
    """
    random = np.random.default_rng(seed)
    words = np.zeros((matrix.shape[1], WIDTH))
    headings = random.normal(size=(WIDTH, count)) / np.sqrt(WIDTH)
    lines = np.bincount(classes[learned], weights=weights[learned], minlength=count) + 1.0
    intercepts = np.log(lines / lines.sum())
    squares = np.full(matrix.shape[1], _FIRST_SQUARES), np.full(count, _FIRST_SQUARES)
    rows, columns = matrix.indptr.astype(np.int64), matrix.indices.astype(np.int64)
    for epoch in range(_EPOCHS):
        order = learned[random.permutation(len(learned))]
        rate = _RATE * (1.0 - epoch / _EPOCHS)
        _learn(
            (rows, columns, matrix.data), (classes, weights, order), (words, headings, intercepts), squares,
            rate,
        )  # fmt: skip
    return HeadingWeights(words, headings, intercepts)


@numba.njit(cache=True, nogil=True)
def chances_of(inner: FloatArray, headings: FloatArray, intercepts: FloatArray, out: FloatArray) -> None:
    """Write the probability of each heading (headings,) for what the words add up to (WIDTH,).

    One that is less than e^-10 times as likely as the likeliest has none: most are, and exponentials take
    time.
    """
    highest, total = _log_odds(inner, headings, intercepts, out), 0.0
    for heading in range(len(out)):
        below = out[heading] - highest
        out[heading] = np.exp(below) if below > _FARTHEST else 0.0
        total += out[heading]
    share = 1.0 / total
    for heading in range(len(out)):
        out[heading] *= share


@numba.njit(cache=True, nogil=True)
def likely_headings(
    inner: FloatArray, headings: FloatArray, intercepts: FloatArray, least: float, out: FloatArray,
    which: IntArray,
) -> int:  # fmt: skip
    """`chances_of`; and write the headings whose probability is at least `least` to `which`, in ascending
    order, and return how many they are.
    """
    highest, total, many = _log_odds(inner, headings, intercepts, out), 0.0, 0
    for heading in range(len(out)):
        below = out[heading] - highest
        which[many] = heading
        many += below > _FARTHEST
        out[heading] = below if below > _FARTHEST else 0.0
    for heading in which[:many]:
        out[heading] = np.exp(out[heading])
        total += out[heading]
    share, kept = 1.0 / total, 0
    for heading in which[:many]:
        out[heading] *= share
        which[kept] = heading
        kept += out[heading] >= least
    return kept


@numba.njit(cache=True, nogil=True)
def _log_odds(inner: FloatArray, headings: FloatArray, intercepts: FloatArray, out: FloatArray) -> float:
    """Write the log-odds of each heading, up to what all have in common, and return the highest."""
    count = len(out)
    for heading in range(count):
        out[heading] = intercepts[heading]
    # Four a pass: what is written is read again less often.
    for place in range(0, WIDTH, _AT_ONCE):
        a, b, c, d = inner[place], inner[place + 1], inner[place + 2], inner[place + 3]
        of_a, of_b, of_c, of_d = (
            headings[place],
            headings[place + 1],
            headings[place + 2],
            headings[place + 3],
        )
        for heading in range(count):
            out[heading] = (
                ((out[heading] + a * of_a[heading]) + b * of_b[heading]) + c * of_c[heading]
            ) + d * of_d[heading]
    # As many at once: each comparison waits for the one before.
    e = f = g = h = out[0]
    behind = count - count % _AT_ONCE
    for heading in range(0, behind, _AT_ONCE):
        e, f = max(e, out[heading]), max(f, out[heading + 1])
        g, h = max(g, out[heading + 2]), max(h, out[heading + 3])
    for heading in range(behind, count):
        e = max(e, out[heading])
    return float(max(max(e, f), max(g, h)))


@numba.njit(cache=True, nogil=True)
def _learn(
    grams: tuple[IntArray, IntArray, FloatArray],
    lines: tuple[IntArray, FloatArray, IntArray],
    tables: tuple[FloatArray, FloatArray, FloatArray],
    squares: tuple[FloatArray, FloatArray],
    rate: float,
) -> None:
    rows, columns, values = grams
    classes, weights, order = lines
    words, headings, intercepts = tables
    of_words, of_headings = squares
    width, count = headings.shape
    inner, slope, error = np.empty(width), np.empty(width), np.empty(count)
    for line in order:
        inner[:] = 0.0
        for at in range(rows[line], rows[line + 1]):
            for place in range(width):
                inner[place] += values[at] * words[columns[at], place]
        chances_of(inner, headings, intercepts, error)
        error[classes[line]] -= 1.0
        for heading in range(count):
            error[heading] *= weights[line]
        length = 1.0
        for place in range(width):
            length += inner[place] * inner[place]
            slope[place] = 0.0
            for heading in range(count):
                slope[place] += error[heading] * headings[place, heading]
        for heading in range(count):
            of_headings[heading] += error[heading] * error[heading] * length
            error[heading] *= rate / np.sqrt(of_headings[heading])
            intercepts[heading] -= error[heading]
        steep = 0.0
        for place in range(width):
            steep += slope[place] * slope[place]
            for heading in range(count):
                headings[place, heading] -= inner[place] * error[heading]
        for at in range(rows[line], rows[line + 1]):
            word = columns[at]
            of_words[word] += values[at] * values[at] * steep
            step = rate * values[at] / np.sqrt(of_words[word])
            for place in range(width):
                words[word, place] -= step * slope[place]
