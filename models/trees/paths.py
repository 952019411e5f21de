"""Paths down a tree for many lines side by side: what is known of a line with and without each column.

Sources: Lundberg, Erion and Lee 2018, "Consistent Individualized Feature Attribution for Tree Ensembles",
algorithm 2; LightGBM 4, `src/io/tree.cpp`, whose order of every product and sum is kept.
"""

from __future__ import annotations

import numba
import numpy as np

from features.arrays.types import ByteArray, FloatArray, IntArray

Paths = tuple[
    tuple[IntArray, FloatArray, FloatArray, FloatArray],
    tuple[FloatArray, FloatArray],
    tuple[IntArray, IntArray, IntArray],
    tuple[FloatArray, IntArray, IntArray, FloatArray, FloatArray],
]
"""The paths to the nodes above a node, each at its level, of groups of lines that take the same side of each.

A path is a list of columns (levels, columns) with two shares and a weight each: the lines of the training
that go on there though the column is not known (levels, columns), whether those of a group do (levels,
columns, groups), and the weights of algorithm 2 (levels, columns, groups). Then the two shares that the next
column begins with; the group of each line (levels, lines), and how many columns and groups there are; and
room to work in.
"""
LeafParts = tuple[FloatArray, IntArray, IntArray, IntArray]
"""What each leaf adds (leaves, groups, columns), the group of each line (leaves, lines), and the columns."""


@numba.njit(cache=True, nogil=True)
def room_for_paths(levels: int, lines: int) -> Paths:
    """Arrays for so many levels and lines, with nothing written."""
    return (
        (
            np.empty((levels, levels), dtype=np.int64), np.empty((levels, levels)),
            np.empty((levels, levels, lines)), np.empty((levels, levels, lines)),
        ),
        (np.empty(levels), np.empty((levels, lines))),
        (
            np.empty((levels, lines), dtype=np.int64), np.empty(levels, dtype=np.int64),
            np.empty(levels, dtype=np.int64),
        ),
        (
            np.empty(lines), np.empty(lines, dtype=np.int64), np.empty(2 * lines, dtype=np.int64),
            np.empty(lines), np.empty(lines),
        ),
    )  # fmt: skip


@numba.njit(cache=True, nogil=True)
def levels_down(left: IntArray, right: IntArray) -> int:
    """How many nodes, the leaf included, the longest way down has."""
    depth, most = np.zeros(left.shape[0], dtype=np.int64), 1
    # A child has a higher number than its parent.
    for node in range(left.shape[0]):
        for child in (left[node], right[node]):
            if child >= 0:
                depth[child] = depth[node] + 1
        most = max(most, depth[node] + 2)
    return most


@numba.njit(cache=True, nogil=True, error_model="numpy")
def go_down(feature: int, share: float, goes_left: ByteArray, is_left: int, level: int, kept: Paths) -> None:
    """Write the path to a child, at which `share` of the lines of the training go on."""
    (column, zero, one, weight), (given_zero, given_one), (group, length, groups), spare = kept
    taken, source, number_of, _, _ = spare
    before = level - 1
    many = _split(
        group[before], groups[before], goes_left, is_left == 1, number_of, source, taken, group[level]
    )
    last = length[before] + 1
    groups[level], length[level] = many, last
    for at in range(last):
        column[level, at], zero[level, at] = column[before, at], zero[before, at]
        for each in range(many):
            one[level, at, each] = one[before, at, source[each]]
            weight[level, at, each] = weight[before, at, source[each]]
    column[level, last], zero[level, last] = feature, share * given_zero[before]
    for each in range(many):
        one[level, last, each] = given_one[before, source[each]] if taken[each] else 0.0
    _extend(zero[level, last], one[level, last], weight[level], last, many)


@numba.njit(cache=True, nogil=True, error_model="numpy")
def undo_split(feature: int, level: int, kept: Paths) -> None:
    """Undo an earlier split on a column, which is then done anew with the next one."""
    (column, zero, one, weight), (given_zero, given_one), (_, length, groups), spare = kept
    last, many = length[level], groups[level]
    given_zero[level] = 1.0
    for each in range(many):
        given_one[level, each] = 1.0
    for at in range(last + 1):
        if column[level, at] != feature:
            continue
        given_zero[level] = zero[level, at]
        for each in range(many):
            given_one[level, each] = one[level, at, each]
        _unwind(zero[level, at], one[level, at], weight[level], last, many, spare[3])
        for behind in range(at, last):
            column[level, behind], zero[level, behind] = column[level, behind + 1], zero[level, behind + 1]
            for each in range(many):
                one[level, behind, each] = one[level, behind + 1, each]
        length[level] = last - 1
        break


@numba.njit(cache=True, nogil=True, error_model="numpy")
def write_leaf(leaf: int, value: float, level: int, kept: Paths, out: LeafParts) -> None:
    """Write what a leaf adds."""
    (column, zero, one, weight), _, (group, length, groups), (_, _, _, rest, total) = kept
    added, of_line, leaf_columns, leaf_length = out
    last, many = length[level], groups[level]
    leaf_length[leaf] = last
    for line in range(group.shape[1]):
        of_line[leaf, line] = group[level, line]
    for at in range(1, last + 1):
        leaf_columns[leaf, at - 1] = column[level, at]
        _unwound(zero[level, at], one[level, at], weight[level], last, many, rest, total)
        for each in range(many):
            added[leaf, each, at - 1] = total[each] * (one[level, at, each] - zero[level, at]) * value


@numba.njit(cache=True, nogil=True)
def _split(
    before: IntArray, groups: int, goes_left: ByteArray, is_left: bool, number_of: IntArray, source: IntArray,
    taken: FloatArray, out: IntArray,
) -> int:  # fmt: skip
    """Write the groups of lines at a child, and for each the one at its parent and whether it goes there."""
    many = 0
    for at in range(2 * groups):
        number_of[at] = -1
    for line in range(out.shape[0]):
        goes = (goes_left[line] == 1) == is_left
        at = 2 * before[line] + (1 if goes else 0)
        if number_of[at] < 0:
            number_of[at] = many
            source[many], taken[many] = before[line], 1.0 if goes else 0.0
            many += 1
        out[line] = number_of[at]
    return many


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _extend(zero: float, one: FloatArray, weight: FloatArray, last: int, many: int) -> None:
    for each in range(many):
        weight[last, each] = 0.0
    parts = np.float64(last + 1)
    for at in range(last - 1, -1, -1):
        here, next_one = weight[at], weight[at + 1]
        for each in range(many):
            value = here[each]
            next_one[each] += one[each] * value * (at + 1) / parts
            here[each] = zero * value * (last - at) / parts


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _unwind(zero: float, one: FloatArray, weight: FloatArray, last: int, many: int, rest: FloatArray) -> None:
    for each in range(many):
        rest[each] = weight[last, each]
    parts = np.float64(last + 1)
    for at in range(last - 1, -1, -1):
        here, ahead, share = weight[at], np.float64(at + 1), zero * (last - at)
        for each in range(many):
            value = here[each]
            known = rest[each] * parts / ahead
            unknown = value * parts / share
            here[each] = known if one[each] != 0.0 else unknown
            rest[each] = value - known * zero * (last - at) / parts


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _unwound(
    zero: float,
    one: FloatArray,
    weight: FloatArray,
    last: int,
    many: int,
    rest: FloatArray,
    total: FloatArray,
) -> None:
    """Write the sum of the weights without one column."""
    for each in range(many):
        rest[each], total[each] = weight[last, each], 0.0
    parts = np.float64(last + 1)
    for at in range(last - 1, -1, -1):
        here, ahead, share = weight[at], np.float64(at + 1), (last - at) / parts
        for each in range(many):
            known = rest[each] * parts / ahead
            unknown = here[each] / zero / share
            total[each] += known if one[each] != 0.0 else unknown
            rest[each] = here[each] - known * zero * share
