"""Some lines of each heading, to put in a line's place a block at a time: which block is it that counts?

What LightGBM adds up for a column shares out what columns say together. A block that says little alone may
carry a score with another, and one of two that say the same may be had for nothing. So of the blocks that add
most to a listed line, the order is settled by trying: the columns of a block are replaced by those of other
lines of the heading, which nobody selected, and the block whose replacement lowers the score most is first.

Source: Breiman 2001, "Random Forests", 10 (importance by replacing a variable's values), here for one line at
a time.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from features.arrays.types import BoolArray, Float32Array, FloatArray, IntArray
from models.trees.blend import Blend
from models.trees.matrix import Columns

_PEERS = 20
_FEWEST = 5
_CONTENDERS = 3
_LINES_AT_ONCE = 2_000


@dataclass(frozen=True)
class HeadingPeers:
    """Lines by heading of 4 digits: `headings`, sorted, the row behind the last one of each (`ends`), and of
    every line the columns that the booster reads (rows, places).
    """

    headings: tuple[str, ...]
    ends: IntArray
    values: Float32Array

    @classmethod
    def fit(cls, headings: pl.Series, values: Float32Array) -> HeadingPeers:
        """From lines (lines,) and (lines, places): the last 20 of each heading that has at least five."""
        rows = pl.DataFrame({"heading": headings}).with_row_index("row").drop_nulls()
        from_the_end = pl.int_range(pl.len(), 0, -1).over("heading")
        enough = pl.len().over("heading") >= _FEWEST
        kept = rows.filter((from_the_end <= _PEERS) & enough).sort("heading", "row")
        counts = kept.group_by("heading", maintain_order=True).len()
        chosen = values[kept["row"].to_numpy()]
        return cls(tuple(counts["heading"]), counts["len"].cum_sum().to_numpy().astype(np.int64), chosen)

    def settled(
        self, pushes: pl.DataFrame, headings: pl.Series, values: Float32Array, places: IntArray, *,
        blocks: npt.NDArray[np.str_], booster: Blend,
    ) -> pl.DataFrame:  # fmt: skip
        """`pushes` (lines, blocks) with those of the three blocks that add most handed out among them by how
        far their replacement lowers the score.

        `values` (lines, places) are the columns that the booster reads, `places` those of the matrix,
        `blocks` (places,) the block of each. A line whose heading has no peers stays as it is.
        """
        peers = self._peers(headings)
        known = np.flatnonzero(peers[:, 0] >= 0)
        given = pushes.to_numpy().copy()
        # Stable, so that equal blocks stay in the order of their names.
        first = np.argsort(-given, axis=1, kind="stable")[:, :_CONTENDERS]
        left = np.full(first.shape, np.inf)
        for number, block in enumerate(pushes.columns):
            line, rank = np.nonzero(first[known] == number)
            mine = blocks == block
            left[known[line], rank] = self._without(values, peers, known[line], mine, places, booster)
        for row in known:
            order = np.argsort(left[row], kind="stable")
            given[row, first[row][order]] = given[row, first[row]]
        return pl.DataFrame(given, schema=pushes.columns)

    def _peers(self, headings: pl.Series) -> IntArray:
        """Rows of the peers of each line (lines, 20), again from the first where there are fewer; -1 where
        the heading has none.
        """
        place = {name: number for number, name in enumerate(self.headings)}
        starts = np.concatenate([[0], self.ends])
        rows = np.full((len(headings), _PEERS), -1, dtype=np.int64)
        for line, heading in enumerate(headings):
            if heading in place:
                number = place[heading]
                rows[line, :] = np.resize(np.arange(starts[number], starts[number + 1]), _PEERS)
        return rows

    def _without(
        self, values: Float32Array, peers: IntArray, lines: IntArray, mine: BoolArray,
        places: IntArray, booster: Blend,
    ) -> FloatArray:  # fmt: skip
        """The mean score that each of the `lines` is left with when the columns `mine` are its peers'."""
        out = np.empty(len(lines), dtype=np.float64)
        for begin in range(0, len(lines), _LINES_AT_ONCE):
            some = lines[begin : begin + _LINES_AT_ONCE]
            replaced = np.repeat(values[some], _PEERS, axis=0)
            replaced[:, mine] = self.values[peers[some].ravel()][:, mine]
            scores = booster.predict_columns(Columns(np.ascontiguousarray(replaced.T), places))
            out[begin : begin + len(some)] = scores.reshape(len(some), _PEERS).mean(axis=1)
        return out

    def save(self, path: Path) -> None:
        """Write the lines to an `.npz` file."""
        with path.open("wb") as file:
            np.savez_compressed(
                file, headings=np.array(self.headings, dtype=np.str_), ends=self.ends,
                values=self.values,
            )  # fmt: skip

    @classmethod
    def load(cls, path: Path) -> HeadingPeers:
        """Read what `save` wrote; arrays only, nothing is unpickled."""
        with np.load(path, allow_pickle=False) as stored:
            return cls(
                tuple(str(name) for name in stored["headings"]),
                stored["ends"],
                stored["values"],
            )
