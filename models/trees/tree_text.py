"""The trees of a LightGBM model as flat arrays of node tests, in the form that bit vectors take.

A tree's leaves are numbered from left to right, one bit each. A node whose test sends a line to the right
rules out the leaves of its left subtree; whatever the order of the tests, the lowest bit that is left over is
the line's leaf.

Sources: Lucchese et al. 2015, "QuickScorer: A Fast Algorithm to Rank Documents with Additive Ensembles of
Regression Trees"; Leiserson, Prokop and Randall 1998, "Using de Bruijn Sequences to Index a 1 in a Computer
Word"; LightGBM 4, `src/io/tree.cpp` and `include/LightGBM/tree.h` for format and missing values.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from features.arrays.types import BoolArray, Float32Array, FloatArray, IntArray, UInt32Array, UInt64Array
from models.trees.forest import (
    CATEGORICAL,
    DEFAULT_LEFT,
    MISSING_NONE,
    MISSING_SHIFT,
    MISSING_ZERO,
    Forest,
    starts,
)

# No value is above it but the infinity that stands for a missing one.
HIGHEST = float(np.finfo(np.float32).max)
TESTS_AT_ONCE = 4
LeafArray = npt.NDArray[np.unsignedinteger[Any]]
NumberArray = npt.NDArray[np.floating[Any]]


_MARK = 1 << 32


@dataclass(frozen=True)
class Word:
    """An unsigned type with a bit for each leaf of a tree, and a constant whose multiples by the powers of
    two all have other bits left after a shift. `numbers` is as wide: one instruction tests as many numbers as
    it rules out leaves of lines.
    """

    dtype: type[np.unsignedinteger[Any]]
    numbers: type[np.floating[Any]]
    bits: int
    de_bruijn: int
    shift: int

    @property
    def every_leaf(self) -> int:
        """All bits."""
        return (1 << self.bits) - 1

    def slot_of(self, leaf: int) -> int:
        """Where a tree keeps the value of a leaf, given as its number from left to right: what a
        multiplication and a shift make of its bit.

        >>> sorted(NARROW.slot_of(leaf) for leaf in range(32)) == list(range(32))
        True
        """
        return (self.de_bruijn << leaf & self.every_leaf) >> self.shift


NARROW = Word(np.uint32, np.float32, 32, 0x077CB531, 27)
WIDE = Word(np.uint64, np.float64, 64, 0x03F79D71B4CB0A89, 58)


@dataclass(frozen=True)
class TreeArrays:
    """All trees of a model, one after the other.

    A view is a numeric column of the matrix (`view_place`) in which a missing value is `view_missing`: 0, or
    the infinity that goes where the node sends it; where `view_zero` is true a zero is missing too. All other
    values are at most `HIGHEST`. A line goes right at a test if its view is above the threshold, which is
    rounded down to 32 bits: no number of 32 bits lies between the two. `test_leaves` are the leaves that stay
    then. Tree t has the tests from `first_test[t]` to `first_test[t + 1]`, in fours: the last ones may be
    tests at which no line goes right.

    Tests of categories are kept alike: the leaves that stay, and instead of a threshold the categories that
    go left, 32 of them a word, from `first_word` on. Word `word_bits` is about the codes of slot `word_slot`:
    a column (`slot_place`) where the code, divided by 32, is `slot_number`.

    Sets of leaves and thresholds are as wide as `word`, narrow where all trees allow it. `leaf_value` (trees,
    bits) has the value of a leaf at `word.slot_of` it.
    """

    word: Word
    view_place: IntArray
    view_missing: Float32Array
    view_zero: BoolArray
    first_test: IntArray
    test_view: IntArray
    test_threshold: NumberArray
    test_leaves: LeafArray
    slot_place: IntArray
    slot_number: IntArray
    first_category_test: IntArray
    category_leaves: LeafArray
    first_word: IntArray
    word_slot: IntArray
    word_bits: UInt32Array
    leaf_value: FloatArray


def tree_arrays(forest: Forest) -> TreeArrays | None:
    """The tests of a forest; None where a threshold is beyond numbers of 32 bits."""
    is_number = (forest.kind & CATEGORICAL) == 0
    thresholds = forest.threshold[is_number]
    if (np.isnan(thresholds) | ((thresholds >= HIGHEST) & (thresholds < np.inf))).any():
        return None
    counts = np.diff(forest.first_leaf)
    word = NARROW if counts.max() <= NARROW.bits else WIDE
    order, kept = (
        np.empty_like(forest.leaf_value, dtype=np.int64),
        np.empty(len(forest.kind), dtype=np.uint64),
    )
    _number_leaves(forest.first_node, forest.first_leaf, forest.left, forest.right, order, kept)
    of_tree = np.repeat(np.arange(len(counts)), counts - 1)
    return TreeArrays(
        word=word,
        **_number_tests(forest, word, of_tree, kept, np.flatnonzero(is_number)),
        **_category_tests(forest, word, of_tree, kept, np.flatnonzero(~is_number)),
        leaf_value=_leaf_values(forest, word, order),
    )


def _number_tests(
    forest: Forest, word: Word, of_tree: IntArray, kept: UInt64Array, nodes: IntArray
) -> dict[str, Any]:
    """The fields of `TreeArrays` about numbers, of the nodes that test one."""
    kind = forest.kind[nodes]
    missing_type = kind >> MISSING_SHIFT & 3
    known = np.where(kind & DEFAULT_LEFT, -np.inf, np.inf)
    missing = np.where(missing_type == MISSING_NONE, 0.0, known)
    zero = missing_type == MISSING_ZERO
    place, threshold = forest.feature[nodes], forest.threshold[nodes]
    # Neighbours read the same column, while it is in the fastest cache.
    order = np.lexsort((threshold, zero, missing, place, of_tree[nodes]))
    views, view = np.unique(np.stack([place, missing, zero], axis=1)[order], axis=0, return_inverse=True)
    lengths = np.bincount(of_tree[nodes], minlength=len(forest.first_node) - 1)
    first_given = starts(lengths)[:-1]
    first = starts(-(-lengths // TESTS_AT_ONCE) * TESTS_AT_ONCE)
    # The last ones of a tree may be tests at which no line goes right, of its first view.
    test_view = view.ravel()[np.repeat(first_given, np.diff(first))]
    test_threshold = np.full(len(test_view), np.inf, dtype=np.float32)
    test_leaves = np.full(len(test_view), word.every_leaf, dtype=np.uint64)
    mine = np.arange(len(nodes)) + np.repeat(first[:-1] - first_given, lengths)
    test_view[mine] = view.ravel()
    test_threshold[mine] = _rounded_down(threshold[order])
    test_leaves[mine] = kept[nodes][order] & np.uint64(word.every_leaf)
    return {
        "view_place": views[:, 0].astype(np.int64),
        "view_missing": views[:, 1].astype(np.float32),
        "view_zero": views[:, 2] > 0.0,
        "first_test": first,
        "test_view": test_view.astype(np.int64),
        "test_threshold": np.minimum(test_threshold, np.float32(HIGHEST)).astype(word.numbers),
        "test_leaves": test_leaves.astype(word.dtype),
    }


def _category_tests(
    forest: Forest, word: Word, of_tree: IntArray, kept: UInt64Array, nodes: IntArray
) -> dict[str, Any]:
    """The fields of `TreeArrays` about categories, of the nodes that test one."""
    nodes = nodes[np.lexsort((forest.threshold[nodes], forest.feature[nodes], of_tree[nodes]))]
    lengths, slots, bits = [], [], []
    for node in nodes:
        words = forest.words[forest.first_word[node] : forest.first_word[node + 1]]
        # Those of which none goes left are left out; at least one.
        held = [(number, each) for number, each in enumerate(words.tolist()) if each] or [(0, 0)]
        lengths.append(len(held))
        slots += [(int(forest.feature[node]), number) for number, _ in held]
        bits += [each for _, each in held]
    known = sorted(set(slots))
    number_of = {slot: number for number, slot in enumerate(known)}
    trees = np.bincount(of_tree[nodes], minlength=len(forest.first_node) - 1)
    return {
        "slot_place": np.array([place for place, _ in known], dtype=np.int64),
        "slot_number": np.array([number for _, number in known], dtype=np.int64),
        "first_category_test": starts(trees),
        "category_leaves": (kept[nodes] & np.uint64(word.every_leaf)).astype(word.dtype),
        "first_word": starts(np.array(lengths, dtype=np.int64)),
        "word_slot": np.array([number_of[slot] for slot in slots], dtype=np.int64),
        "word_bits": np.array(bits, dtype=np.uint32),
    }


@numba.njit(cache=True, nogil=True)
def _number_leaves(
    first_node: IntArray, first_leaf: IntArray, left: IntArray, right: IntArray, order: IntArray,
    kept: UInt64Array,
) -> None:  # fmt: skip
    """Write the place of each leaf of its tree from left to right, and the leaves that a test of each node
    leaves over where a line goes right, as bits in that order.
    """
    one = np.uint64(1)
    for tree in range(first_node.shape[0] - 1):
        node, leaf = first_node[tree], first_leaf[tree]
        if first_node[tree + 1] == node:
            order[leaf] = 0
            continue
        stack = np.empty(2 * (first_node[tree + 1] - node) + 2, dtype=np.int64)
        began = np.empty(first_node[tree + 1] - node, dtype=np.int64)
        # A node is met twice: before its left subtree, and after it with a mark.
        stack[0], height, count = 0, 1, 0
        while height:
            height -= 1
            at = stack[height]
            if at < 0:
                order[leaf + ~at] = count
                count += 1
            elif at >= _MARK:
                at -= _MARK
                kept[node + at] = ~((one << np.uint64(count)) - (one << np.uint64(began[at])))
                stack[height] = right[node + at]
                height += 1
            else:
                began[at] = count
                stack[height], stack[height + 1] = at + _MARK, left[node + at]
                height += 2


def _rounded_down(exact: FloatArray) -> Float32Array:
    with np.errstate(over="ignore"):
        nearest = exact.astype(np.float32)
    return np.where(nearest > exact, np.nextafter(nearest, np.float32(-np.inf)), nearest)


def _leaf_values(forest: Forest, word: Word, order: IntArray) -> FloatArray:
    slots = np.array([word.slot_of(leaf) for leaf in range(word.bits)])
    counts = np.diff(forest.first_leaf)
    values = np.zeros((len(counts), word.bits), dtype=np.float64)
    values[np.repeat(np.arange(len(counts)), counts), slots[order]] = forest.leaf_value
    return values
