"""What each column adds to the answer of trees: LightGBM's `pred_contrib` to the last bit, some lines at a
time.

LightGBM walks every tree for every line. What a leaf adds depends on a line only by which nodes above the
leaf send it there, so lines that agree in that are one, and the others are worked out side by side. The order
of each sum is LightGBM's: of the two sides of a node, the one that the line goes to comes first.

Sources: Lundberg, Erion and Lee 2018, "Consistent Individualized Feature Attribution for Tree Ensembles",
algorithm 2; LightGBM 4, `src/io/tree.cpp`, `Tree::TreeSHAP`.
"""

from __future__ import annotations

import numba
import numpy as np

from features.arrays.types import ByteArray, Float32Array, FloatArray, IntArray, UInt32Array
from models.trees.forest import (
    CATEGORICAL,
    DEFAULT_LEFT,
    MISSING_NAN,
    MISSING_SHIFT,
    MISSING_ZERO,
    NO_CODE,
    ZERO,
    Forest,
)
from models.trees.paths import LeafParts, Paths, go_down, levels_down, room_for_paths, undo_split, write_leaf

_LINES_AT_ONCE = 1024


def contributions(forest: Forest, values: Float32Array, rounds: int) -> FloatArray:
    """What each column of a matrix (lines, columns) adds by the first `rounds` trees, (lines, columns + 1);
    the last is the mean of all lines.
    """
    out = np.zeros((len(values), values.shape[1] + 1), dtype=np.float64)
    for begin in range(0, len(values), _LINES_AT_ONCE):
        _add_trees(
            np.ascontiguousarray(values[begin : begin + _LINES_AT_ONCE].T, dtype=np.float32),
            (forest.first_node[: rounds + 1], forest.first_leaf),
            (forest.feature, forest.kind, forest.threshold, forest.first_word, forest.words),
            (forest.left, forest.right, forest.node_count, forest.leaf_count),
            forest.leaf_value,
            out[begin : begin + _LINES_AT_ONCE],
        )
    return out


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _add_trees(
    columns: Float32Array,
    first: tuple[IntArray, IntArray],
    tests: tuple[IntArray, IntArray, FloatArray, IntArray, UInt32Array],
    children: tuple[IntArray, IntArray, FloatArray, FloatArray],
    leaf_value: FloatArray,
    out: FloatArray,
) -> None:
    first_node, first_leaf = first
    feature, kind, threshold, first_word, words = tests
    left, right, node_count, leaf_count = children
    lines, most, levels = columns.shape[1], 1, 1
    for tree in range(first_node.shape[0] - 1):
        most = max(most, first_leaf[tree + 1] - first_leaf[tree])
        begin, end = first_node[tree], first_node[tree + 1]
        levels = max(levels, levels_down(left[begin:end], right[begin:end]))
    goes_left = np.empty((most, lines), dtype=np.uint8)
    # Made once: what is fresh from the system costs more than what is worked out in it.
    added = (
        np.empty((most, lines, levels)), np.empty((most, lines), dtype=np.int64),
        np.empty((most, levels), dtype=np.int64), np.empty(most, dtype=np.int64),
    )  # fmt: skip
    kept = room_for_paths(levels, lines)
    for tree in range(first_node.shape[0] - 1):
        begin, end, leaf = first_node[tree], first_node[tree + 1], first_leaf[tree]
        behind = first_leaf[tree + 1]
        mean = leaf_value[leaf]
        if end > begin:
            mean = 0.0
            for at in range(leaf, behind):
                mean += (leaf_count[at] / node_count[begin]) * leaf_value[at]
        for line in range(lines):
            out[line, -1] += mean
        if end == begin:
            continue
        for node in range(begin, end):
            _decide(
                columns[feature[node]], int(kind[node]), float(threshold[node]),
                words[first_word[node] : first_word[node + 1]], goes_left[node - begin],
            )  # fmt: skip
        _add_leaves(
            goes_left,
            (feature[begin:end], left[begin:end], right[begin:end], node_count[begin:end]),
            (leaf_count[leaf:behind], leaf_value[leaf:behind]),
            kept,
            added,
        )
        _add_up(goes_left, (left[begin:end], right[begin:end]), added, out)


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _decide(values: Float32Array, kind: int, threshold: float, words: UInt32Array, out: ByteArray) -> None:
    """Whether a node sends each line to the left."""
    missing = kind >> MISSING_SHIFT & 3
    default = kind & DEFAULT_LEFT > 0
    for line in range(values.shape[0]):
        value = np.float32(0.0) if abs(values[line]) <= ZERO else values[line]
        if kind & CATEGORICAL:
            # A code is cut to an integer, so that -0.5 is category 0.
            code = np.int64(value) if value > -1.0 and value < NO_CODE else np.int64(-1)
            held = code >= 0 and code >> 5 < words.shape[0]
            out[line] = (words[code >> 5] >> np.uint32(code & 31)) & 1 if held else 0
            continue
        if np.isnan(value) and missing != MISSING_NAN:
            value = np.float32(0.0)
        unknown = (missing == MISSING_NAN and np.isnan(value)) or (missing == MISSING_ZERO and value == 0.0)
        out[line] = default if unknown else np.float64(value) <= threshold


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _add_leaves(
    goes_left: ByteArray,
    nodes: tuple[IntArray, IntArray, IntArray, FloatArray],
    leaves: tuple[FloatArray, FloatArray],
    kept: Paths,
    out: LeafParts,
) -> None:
    """Write what each leaf adds to each group of lines, which group a line is in, and the columns."""
    feature, left, right, node_count = nodes
    leaf_count, leaf_value = leaves
    (column, zero, one, weight), _, (group, length, groups), _ = kept
    column[0, 0], zero[0, 0], one[0, 0, 0], weight[0, 0, 0] = -1, 1.0, 1.0, 1.0
    length[0], groups[0] = 0, 1
    for line in range(group.shape[1]):
        group[0, line] = 0
    # Node, its level, its parent, and whether it is on the left.
    stack, height = np.zeros((group.shape[0] + 1, 4), dtype=np.int64), 1
    while height:
        height -= 1
        node, level, parent, is_left = stack[height, 0], stack[height, 1], stack[height, 2], stack[height, 3]
        if level:
            count = node_count[node] if node >= 0 else leaf_count[~node]
            share = count / node_count[parent]
            go_down(feature[parent], share, goes_left[parent], is_left, level, kept)
        if node < 0:
            write_leaf(~node, leaf_value[~node], level, kept, out)
            continue
        undo_split(feature[node], level, kept)
        for child, side in ((right[node], 0), (left[node], 1)):
            stack[height, 0], stack[height, 1], stack[height, 2], stack[height, 3] = (
                child,
                level + 1,
                node,
                side,
            )
            height += 1


@numba.njit(cache=True, nogil=True)
def _add_up(
    goes_left: ByteArray,
    children: tuple[IntArray, IntArray],
    leaves: tuple[FloatArray, IntArray, IntArray, IntArray],
    out: FloatArray,
) -> None:
    """Add what the leaves add to each line, the side of a node that it goes to before the other."""
    left, right = children
    added, of_line, leaf_columns, leaf_length = leaves
    stack = np.empty(left.shape[0] + 1, dtype=np.int64)
    for line in range(out.shape[0]):
        stack[0], height = 0, 1
        while height:
            height -= 1
            node = stack[height]
            if node < 0:
                leaf = ~node
                parts = added[leaf, of_line[leaf, line]]
                for at in range(leaf_length[leaf]):
                    out[line, leaf_columns[leaf, at]] += parts[at]
                continue
            goes = goes_left[node, line] == 1
            stack[height] = right[node] if goes else left[node]
            stack[height + 1] = left[node] if goes else right[node]
            height += 2
