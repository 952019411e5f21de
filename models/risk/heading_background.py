"""What each feature block usually adds to lines of a heading, so that reasons say what is special in one.

Contributions are relative to the mean of all lines. Many risks differ more by heading than within it: then a
block that says no more than "goods of this heading" comes first on every line of it, although other lines of
the heading would score as high by that block. Taken off, what is left compares a line with others of its
heading.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from features.arrays.hashing import drawn_lines
from features.arrays.types import FloatArray

# Lines that the mean of the chapter, and above it that of all lines, weigh as much as.
_SMOOTHING = 5.0
_MOST_LINES = 8_000
# What each column adds to a line takes as long as thousands of scores.
_MOST_EXPLAINED = 2_500
_COLUMN = "hs_code"
_ALL = ""


@dataclass(frozen=True)
class HeadingBackground:
    """Mean contribution of each block by heading of 4 digits, chapter of 2, and `""` for all lines.

    >>> usual = HeadingBackground(("goods", "price"), {"": (0.0, 0.0), "9503": (1.5, -0.5)})
    >>> usual(pl.DataFrame({"hs_code": ["95030021", "190110", None]})).tolist()
    [[1.5, -0.5], [0.0, 0.0], [0.0, 0.0]]
    """

    blocks: tuple[str, ...]
    means: Mapping[str, tuple[float, ...]]

    @classmethod
    def fit(cls, lines: pl.DataFrame, contributions: pl.DataFrame) -> HeadingBackground:
        """From lines with `hs_code` and their contributions, one column a block.

        The mean of a heading is smoothed towards that of its chapter, and of the chapter towards that of all.
        """
        values = contributions.to_numpy()
        means = {_ALL: values.mean(axis=0)}
        for digits in (2, 4):
            headings = headings_of(lines, digits)
            names, place = np.unique(headings.fill_null(_ALL).to_numpy(), return_inverse=True)
            count = np.bincount(place)
            sums = np.column_stack([np.bincount(place, weights=column) for column in values.T])
            for number, name in enumerate(names):
                if name != _ALL:
                    prior = means.get(name[:2] if digits == 4 else _ALL, means[_ALL])
                    means[str(name)] = (sums[number] + _SMOOTHING * prior) / (count[number] + _SMOOTHING)
        by_heading = {name: tuple(round(float(each), 6) for each in mean) for name, mean in means.items()}
        return cls(tuple(contributions.columns), by_heading)

    def __call__(self, frame: pl.DataFrame) -> FloatArray:
        """What the blocks usually add to each line, (lines, blocks)."""
        rows = [
            self.means.get(heading or _ALL) or self.means.get(chapter or _ALL) or self.means[_ALL]
            for heading, chapter in zip(headings_of(frame, 4), headings_of(frame, 2), strict=True)
        ]
        return np.array(rows, dtype=np.float64).reshape(frame.height, len(self.blocks))

    def as_dict(self) -> dict[str, Any]:
        """The means as JSON can hold them."""
        return {"blocks": list(self.blocks), "means": {name: list(mean) for name, mean in self.means.items()}}

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> HeadingBackground:
        """The means that `as_dict` wrote."""
        return cls(tuple(stored["blocks"]), {name: tuple(mean) for name, mean in stored["means"].items()})


def background_lines(lines: pl.DataFrame) -> pl.DataFrame:
    """As many of the lines as the peers of headings need."""
    return drawn_lines(lines, _MOST_LINES)


def explained_lines(lines: pl.DataFrame) -> pl.DataFrame:
    """As many of the lines as the means of headings need."""
    return drawn_lines(lines, _MOST_EXPLAINED)


def headings_of(frame: pl.DataFrame, digits: int) -> pl.Series:
    """The first digits of `hs_code` (lines,); null where it is, or where there is no such column."""
    if _COLUMN not in frame.columns:
        return pl.Series([None], dtype=pl.String).new_from_index(0, frame.height)
    return frame[_COLUMN].cast(pl.String).str.slice(0, digits)
