"""Trees evaluated with bit vectors over blocks of lines: the raw score of LightGBM to the last bit, faster.

LightGBM walks every tree for every line, and each step waits for a branch that cannot be foreseen. Here each
node's test is made for a whole block of lines at once, without a branch, so that one instruction compares
eight of them; see `models/trees/tree_text.py` for what a test leaves over. Leaf values are added in the order
of the trees, as LightGBM adds them.

Sources: Lucchese et al. 2015, "QuickScorer: A Fast Algorithm to Rank Documents with Additive Ensembles of
Regression Trees"; Lucchese et al. 2016, "Exploiting CPU SIMD Extensions to Speed-up Document Scoring with
Tree Ensembles".
"""

from __future__ import annotations

from functools import cached_property

import numba
import numpy as np

from configs.schema.tree_parameters import MOST_LEAVES
from features.arrays.types import BoolArray, FloatArray, IntArray, UInt64Array
from models.trees.tree_text import DE_BRUIJN, HIGHEST, TreeArrays, read_trees

BitArray = UInt64Array

BLOCK = 128
# LightGBM takes what is nearer to zero for zero, `kZeroThreshold`, a 32-bit number.
_ZERO = float(np.float32(1e-35))
_EVERY_LEAF = np.uint64(0xFFFFFFFFFFFFFFFF)
# From here on a code is no 32-bit integer.
_CODES = 2147483648.0
_NO_CODE = np.int64(_CODES)
_DE_BRUIJN, _SHIFT = np.uint64(DE_BRUIJN), np.uint64(58)
_MOST_TESTS = MOST_LEAVES + 3


class BitVectorTrees:
    """The trees of a LightGBM model, ready to be evaluated."""

    def __init__(self, arrays: TreeArrays) -> None:
        self._arrays = arrays

    @classmethod
    def read(cls, text: str) -> BitVectorTrees | None:
        """From `Booster.model_to_string`; None where bit vectors cannot express the model."""
        arrays = read_trees(text)
        return None if arrays is None else cls(arrays)

    @cached_property
    def places(self) -> tuple[int, ...]:
        """The matrix columns that some tree splits on, in ascending order."""
        arrays = self._arrays
        return tuple(np.union1d(arrays.view_place, arrays.slot_place).tolist())

    def __call__(self, values: FloatArray, rows: IntArray, rounds: int) -> FloatArray:
        """Raw score a line (lines,) of the first `rounds` trees.

        `values` (any, lines) holds a matrix column a row, `rows` (columns,) says where that of each of
        `places` is.
        """
        arrays, out = self._arrays, np.empty(values.shape[1], dtype=np.float64)
        view, slot = (np.searchsorted(self.places, each) for each in (arrays.view_place, arrays.slot_place))
        _sum_leaves(
            np.ascontiguousarray(values, dtype=np.float64),
            rows[view],
            arrays.view_missing,
            arrays.view_zero,
            arrays.first_test[: rounds + 1],
            arrays.test_view,
            arrays.test_threshold,
            arrays.test_leaves,
            rows[slot],
            arrays.slot_number,
            arrays.first_category_test,
            arrays.category_leaves,
            arrays.first_word,
            arrays.word_slot,
            arrays.word_bits,
            arrays.leaf_value,
            out,
        )
        return out


@numba.njit(cache=True, nogil=True)
def _load(values: FloatArray, missing: float, zero_is_missing: bool, out: FloatArray) -> float:
    """Copy one column of a block as its tests see it, and return its highest value."""
    highest = -np.inf
    for line in range(values.shape[0]):
        value = values[line]
        if abs(value) <= _ZERO:
            value = np.nan if zero_is_missing else 0.0
        value = missing if np.isnan(value) else min(value, HIGHEST)
        highest = max(highest, value)
        out[line] = value
    return highest


@numba.njit(cache=True, nogil=True)
def _load_codes(values: FloatArray, number: int, out: BitArray) -> None:
    """The bit of each line's category in word `number` of 64, 0 where it is in another."""
    for line in range(values.shape[0]):
        value = values[line]
        # A code is cut to an integer, so that -0.5 is category 0.
        code = np.int64(value) if value > -1.0 and value < _CODES else _NO_CODE
        out[line] = np.uint64(1) << np.uint64(code & 63) if code >> 6 == number else np.uint64(0)


@numba.njit(cache=True, nogil=True)
def _sum_leaves(
    values: FloatArray,
    view_row: IntArray,
    view_missing: FloatArray,
    view_zero: BoolArray,
    first_test: IntArray,
    test_view: IntArray,
    test_threshold: FloatArray,
    test_leaves: BitArray,
    slot_row: IntArray,
    slot_number: IntArray,
    first_category_test: IntArray,
    category_leaves: BitArray,
    first_word: IntArray,
    word_slot: IntArray,
    word_bits: BitArray,
    leaf_value: FloatArray,
    out: FloatArray,
) -> None:
    views = np.zeros((view_row.shape[0], BLOCK), dtype=np.float64)
    codes = np.zeros((slot_row.shape[0], BLOCK), dtype=np.uint64)
    found = np.empty(BLOCK, dtype=np.uint64)
    highest = np.empty(view_row.shape[0], dtype=np.float64)
    undecided = np.empty(_MOST_TESTS, dtype=np.int64)
    left = np.empty(BLOCK, dtype=np.uint64)
    total = np.empty(BLOCK, dtype=np.float64)
    nobody = test_view.shape[0] - 1
    for start in range(0, out.shape[0], BLOCK):
        size = min(BLOCK, out.shape[0] - start)
        for view in range(view_row.shape[0]):
            given = values[view_row[view], start : start + size]
            highest[view] = _load(given, view_missing[view], view_zero[view], views[view])
        for slot in range(slot_row.shape[0]):
            _load_codes(values[slot_row[slot], start : start + size], slot_number[slot], codes[slot])
        total[:] = 0.0
        for tree in range(first_test.shape[0] - 1):
            left[:] = _EVERY_LEAF
            count = 0
            for test in range(first_test[tree], first_test[tree + 1]):
                if highest[test_view[test]] > test_threshold[test]:
                    undecided[count] = test
                    count += 1
            undecided[count : count + 3] = nobody
            # Four tests a pass: what is left of a line is read and written once for all of them.
            for place in range(0, count, 4):
                a, b, c, d = undecided[place : place + 4]
                column_a, threshold_a, leaves_a = views[test_view[a]], test_threshold[a], test_leaves[a]
                column_b, threshold_b, leaves_b = views[test_view[b]], test_threshold[b], test_leaves[b]
                column_c, threshold_c, leaves_c = views[test_view[c]], test_threshold[c], test_leaves[c]
                column_d, threshold_d, leaves_d = views[test_view[d]], test_threshold[d], test_leaves[d]
                for line in range(BLOCK):
                    left[line] &= (
                        (leaves_a if column_a[line] > threshold_a else _EVERY_LEAF)
                        & (leaves_b if column_b[line] > threshold_b else _EVERY_LEAF)
                        & (leaves_c if column_c[line] > threshold_c else _EVERY_LEAF)
                        & (leaves_d if column_d[line] > threshold_d else _EVERY_LEAF)
                    )
            for test in range(first_category_test[tree], first_category_test[tree + 1]):
                found[:] = np.uint64(0)
                for word in range(first_word[test], first_word[test + 1]):
                    of_word, bits = codes[word_slot[word]], word_bits[word]
                    for line in range(BLOCK):
                        found[line] |= of_word[line] & bits
                leaves = category_leaves[test]
                for line in range(BLOCK):
                    left[line] &= leaves if found[line] == np.uint64(0) else _EVERY_LEAF
            of_tree = leaf_value[tree]
            for line in range(BLOCK):
                lowest = left[line] & (~left[line] + np.uint64(1))
                total[line] += of_tree[(lowest * _DE_BRUIJN) >> _SHIFT]
        out[start : start + size] = total[:size]
