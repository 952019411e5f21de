"""LightGBM's text model as flat arrays, node by node as LightGBM keeps them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from configs.schema.tree_parameters import MOST_LEAVES
from features.arrays.types import FloatArray, IntArray, UInt32Array

CATEGORICAL, DEFAULT_LEFT = 1, 2
"""Bits of a node's `kind`."""
MISSING_SHIFT, MISSING_NONE, MISSING_ZERO, MISSING_NAN = 2, 0, 1, 2
"""The two bits of `kind` that say which values are missing, and what they say."""
ZERO = np.float32(1e-35)
"""LightGBM takes what is nearer to zero for zero, `kZeroThreshold`."""
NO_CODE = np.float32(2147483648.0)
"""From here on a code is no 32-bit integer."""
_VERSION = "v4"
_KEYS = (
    "num_leaves", "is_linear", "split_feature", "decision_type", "threshold", "left_child", "right_child",
    "internal_count", "leaf_value", "leaf_count", "cat_boundaries", "cat_threshold",
)  # fmt: skip


@dataclass(frozen=True)
class Forest:
    """All trees of a model, one after the other.

    Tree t has the nodes from `first_node[t]` and the leaves from `first_leaf[t]` to those of the next. A
    child is a node of its tree, or ~leaf below zero. A node's `kind` is LightGBM's `decision_type`; the
    categories of node n that go left are the bits of `words` from `first_word[n]` to `first_word[n + 1]`.
    Counts are lines of the training.
    """

    first_node: IntArray
    first_leaf: IntArray
    feature: IntArray
    kind: IntArray
    threshold: FloatArray
    left: IntArray
    right: IntArray
    node_count: FloatArray
    leaf_value: FloatArray
    leaf_count: FloatArray
    first_word: IntArray
    words: UInt32Array

    @classmethod
    def read(cls, text: str) -> Forest | None:
        """From `Booster.model_to_string`; None where it is of another kind: another version of the format,
        several classes, averages, linear leaves, or more than 64 leaves a tree. Also where the text is cut
        off, which LightGBM refuses.
        """
        head, *trees = text.split("\nTree=")
        lines = head.splitlines()
        alone = {"num_class=1", "num_tree_per_iteration=1", f"version={_VERSION}"}
        if not alone <= set(lines) or "average_output" in lines or not trees:
            return None
        if "\nend of trees" not in trees[-1]:
            return None
        fields = _fields(trees)
        leaves = _integers(fields["num_leaves"])
        if leaves.max() > MOST_LEAVES or _integers(fields["is_linear"]).any():
            return None
        first_node, kind = starts(leaves - 1), _integers(fields["decision_type"])
        threshold = _floats(fields["threshold"])
        read = cls(
            first_node,
            starts(leaves),
            _integers(fields["split_feature"]),
            kind,
            threshold,
            _integers(fields["left_child"]),
            _integers(fields["right_child"]),
            _floats(fields["internal_count"]),
            _floats(fields["leaf_value"]),
            # A tree of one leaf need not say how many lines it has.
            _floats([given or "0" for given in fields["leaf_count"]]),
            *_words(fields, first_node, kind, threshold),
        )
        whole = len(read.leaf_count) == len(read.leaf_value) == leaves.sum()
        return read if whole and len(read.node_count) == len(read.kind) == (leaves - 1).sum() else None


def _fields(trees: Sequence[str]) -> Mapping[str, list[str]]:
    """What stands behind each key, tree by tree; nothing where a tree does not have it."""
    fields: dict[str, list[str]] = {key: [""] * len(trees) for key in _KEYS}
    for number, tree in enumerate(trees):
        for line in tree.splitlines():
            key, _, value = line.partition("=")
            if key in fields:
                fields[key][number] = value
    return fields


def _words(
    fields: Mapping[str, list[str]], first_node: IntArray, kind: IntArray, threshold: FloatArray
) -> tuple[IntArray, UInt32Array]:
    """Where the words of each node begin, one more at the end, and the words."""
    lengths, kept = np.zeros(first_node[-1], dtype=np.int64), [np.zeros(0, dtype=np.uint32)]
    for tree, given in enumerate(fields["cat_boundaries"]):
        if not given:
            continue
        bounds, words = _integers([given]), _integers([fields["cat_threshold"][tree]]).astype(np.uint32)
        first, behind = first_node[tree : tree + 2]
        for node in first + np.flatnonzero(kind[first:behind] & CATEGORICAL):
            which = int(threshold[node])
            kept.append(words[bounds[which] : bounds[which + 1]])
            lengths[node] = len(kept[-1])
    return starts(lengths), np.concatenate(kept)


def _integers(given: Sequence[str]) -> IntArray:
    return np.array(list(map(int, " ".join(given).split())), dtype=np.int64)


def _floats(given: Sequence[str]) -> FloatArray:
    return np.array(list(map(float, " ".join(given).split())), dtype=np.float64)


def starts(counts: IntArray) -> IntArray:
    """Where each of some runs begins that follow one another, and where the last one ends."""
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
