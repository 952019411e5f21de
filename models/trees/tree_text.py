"""LightGBM's text model as flat arrays of node tests, in the form that bit vectors take.

A tree's leaves are numbered from left to right, one bit each. A node whose test sends a line to the right
rules out the leaves of its left subtree; whatever the order of the tests, the lowest bit that is left over is
the line's leaf.

Sources: Lucchese et al. 2015, "QuickScorer: A Fast Algorithm to Rank Documents with Additive Ensembles of
Regression Trees"; Leiserson, Prokop and Randall 1998, "Using de Bruijn Sequences to Index a 1 in a Computer
Word"; LightGBM 4, `src/io/tree.cpp` and `include/LightGBM/tree.h` for format and missing values.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from configs.schema.tree_parameters import MOST_LEAVES
from features.arrays.types import BoolArray, Float32Array, FloatArray, IntArray, UInt32Array

# No value is above it but the infinity that stands for a missing one.
HIGHEST = float(np.finfo(np.float32).max)
TESTS_AT_ONCE = 4
LeafArray = npt.NDArray[np.unsignedinteger[Any]]
NumberArray = npt.NDArray[np.floating[Any]]


_VERSION = "v4"
# The bits of a node's `decision_type`.
_CATEGORICAL, _DEFAULT_LEFT, _MISSING_SHIFT = 1, 2, 2
_MISSING_NONE, _MISSING_ZERO = 0, 1


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


# Matrix column, what a missing value counts as, and whether a zero is missing.
_View = tuple[int, float, bool]


@dataclass(frozen=True)
class _Test:
    view: _View
    threshold: float
    leaves: int
    # By number, those of 32 categories of which none goes left are left out; at least one.
    words: tuple[tuple[int, int], ...] = ()
    is_category: bool = False


@dataclass(frozen=True)
class _Tree:
    numbers: list[_Test]
    categories: list[_Test]
    leaves: list[float]


def read_trees(text: str) -> TreeArrays | None:
    """The trees of `Booster.model_to_string`; None where bit vectors cannot express them: another version of
    the format, several classes, averages, linear leaves, or more than 64 leaves a tree.
    """
    head, *blocks = text.split("\nTree=")
    lines = head.splitlines()
    alone = {"num_class=1", "num_tree_per_iteration=1", f"version={_VERSION}"}
    if not alone <= set(lines) or "average_output" in lines:
        return None
    trees = []
    for block in blocks:
        fields = dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
        if int(fields["num_leaves"]) > MOST_LEAVES or fields.get("is_linear", "0") != "0":
            return None
        trees.append(_tree(fields))
    thresholds = [test.threshold for tree in trees for test in tree.numbers]
    if any(math.isnan(threshold) or HIGHEST <= threshold < math.inf for threshold in thresholds):
        return None
    return _flat(trees)


def _tree(fields: Mapping[str, str]) -> _Tree:
    values = [float(value) for value in fields["leaf_value"].split()]
    if len(values) == 1:
        return _Tree([], [], values)
    order, left_leaves = _from_left_to_right(_split(fields["left_child"]), _split(fields["right_child"]))
    tests = list(_tests(fields, left_leaves))
    # Neighbours read the same column, while it is in the fastest cache.
    tests.sort(key=lambda test: (test.view, test.threshold))
    return _Tree(
        [test for test in tests if not test.is_category],
        [test for test in tests if test.is_category],
        [values[leaf] for leaf in order],
    )


def _from_left_to_right(left: Sequence[int], right: Sequence[int]) -> tuple[list[int], list[int]]:
    """The leaves in order, and the set of leaves (bits, in that order) in the left subtree of each node. A
    child below zero is a leaf, ~number.
    """
    order: list[int] = []
    began, left_leaves = [0] * len(left), [0] * len(left)
    # A node is met twice: before its left subtree and after it.
    stack = [(0, False)]
    while stack:
        node, left_is_done = stack.pop()
        if node < 0:
            order.append(~node)
        elif left_is_done:
            left_leaves[node] = (1 << len(order)) - (1 << began[node])
            stack.append((right[node], False))
        else:
            began[node] = len(order)
            stack += [(node, True), (left[node], False)]
    return order, left_leaves


def _tests(fields: Mapping[str, str], left_leaves: Sequence[int]) -> Iterator[_Test]:
    boundaries = _split(fields.get("cat_boundaries", ""))
    words = _split(fields.get("cat_threshold", ""))
    for column, kind, written, leaves in zip(
        _split(fields["split_feature"]),
        _split(fields["decision_type"]),
        fields["threshold"].split(),
        left_leaves,
        strict=True,
    ):
        stay, threshold = WIDE.every_leaf ^ leaves, float(written)
        if kind & _CATEGORICAL:
            which = int(threshold)
            numbered = enumerate(words[boundaries[which] : boundaries[which + 1]])
            held = tuple((number, bits) for number, bits in numbered if bits) or ((0, 0),)
            yield _Test((column, 0.0, False), threshold, stay, held, is_category=True)
            continue
        missing_type = kind >> _MISSING_SHIFT & 3
        missing = 0.0
        if missing_type != _MISSING_NONE:
            missing = -math.inf if kind & _DEFAULT_LEFT else math.inf
        yield _Test((column, missing, missing_type == _MISSING_ZERO), threshold, stay)


def _flat(trees: Sequence[_Tree]) -> TreeArrays:
    word = NARROW if all(len(tree.leaves) <= NARROW.bits for tree in trees) else WIDE
    every_leaf = word.every_leaf
    numbers = [_in_fours(tree.numbers, every_leaf) for tree in trees]
    tests = [test for of_tree in numbers for test in of_tree]
    lookups = [test for tree in trees for test in tree.categories]
    views = sorted({test.view for test in tests})
    view_of = {view: number for number, view in enumerate(views)}
    words = [(test.view[0], *numbered) for test in lookups for numbered in test.words]
    slots = sorted({(place, number) for place, number, _ in words})
    slot_of = {slot: number for number, slot in enumerate(slots)}
    return TreeArrays(
        word=word,
        view_place=_integers([place for place, _, _ in views]),
        view_missing=np.array([missing for _, missing, _ in views], dtype=np.float32),
        view_zero=np.array([zero for _, _, zero in views], dtype=np.bool_),
        first_test=_starts([len(of_tree) for of_tree in numbers]),
        test_view=_integers([view_of[test.view] for test in tests]),
        test_threshold=_rounded_down([min(test.threshold, HIGHEST) for test in tests]).astype(word.numbers),
        test_leaves=np.array([test.leaves & every_leaf for test in tests], dtype=word.dtype),
        slot_place=_integers([place for place, _ in slots]),
        slot_number=_integers([number for _, number in slots]),
        first_category_test=_starts([len(tree.categories) for tree in trees]),
        category_leaves=np.array([test.leaves & every_leaf for test in lookups], dtype=word.dtype),
        first_word=_starts([len(test.words) for test in lookups]),
        word_slot=_integers([slot_of[place, number] for place, number, _ in words]),
        word_bits=np.array([bits for _, _, bits in words], dtype=np.uint32),
        leaf_value=_leaf_values(trees, word),
    )


def _in_fours(tests: Sequence[_Test], every_leaf: int) -> list[_Test]:
    spare = [_Test(test.view, math.inf, every_leaf) for test in tests[:1]]
    return [*tests, *spare * (-len(tests) % TESTS_AT_ONCE)]


def _rounded_down(thresholds: Sequence[float]) -> Float32Array:
    exact = np.array(thresholds, dtype=np.float64)
    nearest = exact.astype(np.float32)
    return np.where(nearest > exact, np.nextafter(nearest, np.float32(-np.inf)), nearest)


def _leaf_values(trees: Sequence[_Tree], word: Word) -> FloatArray:
    values = np.zeros((len(trees), word.bits), dtype=np.float64)
    for row, tree in zip(values, trees, strict=True):
        row[[word.slot_of(leaf) for leaf in range(len(tree.leaves))]] = tree.leaves
    return values


def _split(text: str) -> list[int]:
    return [int(word) for word in text.split()]


def _integers(numbers: Sequence[int]) -> IntArray:
    return np.array(numbers, dtype=np.int64)


def _starts(counts: Sequence[int]) -> IntArray:
    return np.cumsum([0, *counts], dtype=np.int64)
