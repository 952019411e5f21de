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
from typing import Any

import numba
import numpy as np

from features.arrays.types import BoolArray, Float32Array, FloatArray, IntArray, UInt32Array
from models.trees.forest import NO_CODE, ZERO, Forest
from models.trees.tree_text import HIGHEST, TESTS_AT_ONCE, LeafArray, NumberArray, TreeArrays, tree_arrays

BLOCK = 128
_NO_WORD = np.int64(NO_CODE)
_HIGHEST = np.float32(HIGHEST)


class BitVectorTrees:
    """The trees of a LightGBM model, ready to be evaluated."""

    def __init__(self, arrays: TreeArrays) -> None:
        self._arrays = arrays

    @classmethod
    def read(cls, text: str) -> BitVectorTrees | None:
        """From `Booster.model_to_string`; None where bit vectors cannot express the model."""
        forest = Forest.read(text)
        return None if forest is None else cls.of(forest)

    @classmethod
    def of(cls, forest: Forest) -> BitVectorTrees | None:
        """From the trees as LightGBM keeps them; None where bit vectors cannot express them."""
        arrays = tree_arrays(forest)
        return None if arrays is None else cls(arrays)

    @cached_property
    def places(self) -> tuple[int, ...]:
        """The matrix columns that some tree splits on, in ascending order."""
        arrays = self._arrays
        return tuple(np.union1d(arrays.view_place, arrays.slot_place).tolist())

    def __call__(self, values: Float32Array, rows: IntArray, rounds: int) -> FloatArray:
        """Raw score a line (lines,) of the first `rounds` trees.

        `values` (any, lines) holds a matrix column a row, `rows` (columns,) says where that of each of
        `places` is.
        """
        arrays, out = self._arrays, np.empty(values.shape[1], dtype=np.float64)
        view, slot = (np.searchsorted(self.places, each) for each in (arrays.view_place, arrays.slot_place))
        word = arrays.word
        _sum_leaves(
            np.ascontiguousarray(values, dtype=np.float32),
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
            (word.dtype(word.every_leaf), word.dtype(1), word.dtype(word.de_bruijn), word.dtype(word.shift)),
            arrays.leaf_value,
            out,
        )
        return out


@numba.njit(cache=True, nogil=True)
def _load(values: Float32Array, missing: float, zero_is_missing: bool, out: NumberArray) -> None:
    """Copy one column of a block as its tests see it."""
    zero = np.float32(np.nan) if zero_is_missing else np.float32(0.0)
    for line in range(values.shape[0]):
        value = values[line]
        value = zero if abs(value) <= ZERO else value
        value = value if value <= _HIGHEST or np.isnan(value) else _HIGHEST
        out[line] = missing if np.isnan(value) else value


@numba.njit(cache=True, nogil=True)
def _load_codes(values: Float32Array, number: int, out: UInt32Array) -> None:
    """The bit of each line's category in word `number` of 32, 0 where it is in another."""
    for line in range(values.shape[0]):
        value = values[line]
        # A code is cut to an integer, so that -0.5 is category 0.
        code = np.int64(value) if value > -1.0 and value < NO_CODE else _NO_WORD
        out[line] = np.uint32(1) << np.uint32(code & 31) if code >> 5 == number else np.uint32(0)


@numba.njit(cache=True, nogil=True)
def _test_numbers(
    first: int,
    behind: int,
    views: NumberArray,
    test_view: IntArray,
    test_threshold: NumberArray,
    test_leaves: LeafArray,
    every_leaf: Any,
    left: LeafArray,
) -> None:
    """Take from what is `left` of each line of a block what these tests rule out."""
    # Four tests a pass: what is left of a line is read and written once for all of them.
    for a in range(first, behind, TESTS_AT_ONCE):
        b, c, d = a + 1, a + 2, a + 3
        column_a, threshold_a, leaves_a = views[test_view[a]], test_threshold[a], test_leaves[a]
        column_b, threshold_b, leaves_b = views[test_view[b]], test_threshold[b], test_leaves[b]
        column_c, threshold_c, leaves_c = views[test_view[c]], test_threshold[c], test_leaves[c]
        column_d, threshold_d, leaves_d = views[test_view[d]], test_threshold[d], test_leaves[d]
        for line in range(BLOCK):
            left[line] = (
                left[line]
                & (leaves_a if column_a[line] > threshold_a else every_leaf)
                & (leaves_b if column_b[line] > threshold_b else every_leaf)
                & (leaves_c if column_c[line] > threshold_c else every_leaf)
                & (leaves_d if column_d[line] > threshold_d else every_leaf)
            )


@numba.njit(cache=True, nogil=True)
def _add_leaves(
    left: LeafArray, slot_of: tuple[Any, Any, Any], leaf_value: FloatArray, total: FloatArray
) -> None:
    """Add to the `total` of each line of a block the value of its leaf, the lowest that is left."""
    one, de_bruijn, shift = slot_of
    for line in range(BLOCK):
        # What is stored keeps as many bits of the product as the word has.
        left[line] = (left[line] & (~left[line] + one)) * de_bruijn
    for line in range(BLOCK):
        total[line] += leaf_value[left[line] >> shift]


@numba.njit(cache=True, nogil=True)
def _sum_leaves(
    values: Float32Array,
    view_row: IntArray,
    view_missing: Float32Array,
    view_zero: BoolArray,
    first_test: IntArray,
    test_view: IntArray,
    test_threshold: NumberArray,
    test_leaves: LeafArray,
    slot_row: IntArray,
    slot_number: IntArray,
    first_category_test: IntArray,
    category_leaves: LeafArray,
    first_word: IntArray,
    word_slot: IntArray,
    word_bits: UInt32Array,
    word: tuple[Any, Any, Any, Any],
    leaf_value: FloatArray,
    out: FloatArray,
) -> None:
    views = np.zeros((view_row.shape[0], BLOCK), dtype=test_threshold.dtype)
    codes = np.zeros((slot_row.shape[0], BLOCK), dtype=np.uint32)
    found = np.empty(BLOCK, dtype=np.uint32)
    left = np.empty(BLOCK, dtype=test_leaves.dtype)
    total = np.empty(BLOCK, dtype=np.float64)
    every_leaf, slot_of = word[0], word[1:]
    for start in range(0, out.shape[0], BLOCK):
        size = min(BLOCK, out.shape[0] - start)
        for view in range(view_row.shape[0]):
            given = values[view_row[view], start : start + size]
            _load(given, view_missing[view], view_zero[view], views[view])
        for slot in range(slot_row.shape[0]):
            _load_codes(values[slot_row[slot], start : start + size], slot_number[slot], codes[slot])
        total[:] = 0.0
        for tree in range(first_test.shape[0] - 1):
            left[:] = every_leaf
            _test_numbers(
                first_test[tree],
                first_test[tree + 1],
                views,
                test_view,
                test_threshold,
                test_leaves,
                every_leaf,
                left,
            )
            for test in range(first_category_test[tree], first_category_test[tree + 1]):
                begin, end = first_word[test], first_word[test + 1]
                of_word, bits, leaves = codes[word_slot[begin]], word_bits[begin], category_leaves[test]
                if end - begin == 1:
                    for line in range(BLOCK):
                        left[line] &= every_leaf if of_word[line] & bits else leaves
                    continue
                for line in range(BLOCK):
                    found[line] = of_word[line] & bits
                for at in range(begin + 1, end):
                    of_word, bits = codes[word_slot[at]], word_bits[at]
                    for line in range(BLOCK):
                        found[line] |= of_word[line] & bits
                for line in range(BLOCK):
                    left[line] &= every_leaf if found[line] else leaves
            _add_leaves(left, slot_of, leaf_value[tree], total)
        out[start : start + size] = total[:size]
