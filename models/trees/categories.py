"""Category maps that are frozen with the model: the same text has the same code in every batch, for ever."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from features.arrays.types import FloatArray


@dataclass(frozen=True)
class CategoryMaps:
    """Codes of the values of string columns, by column; a value's code is its place in the list.

    A value seen fewer than `minimum` times in training has no code and becomes NaN, as does one that was
    never seen: so the model learns from rare values what to do with new ones.
    """

    values: Mapping[str, tuple[str, ...]]

    @classmethod
    def fit(cls, frame: pl.DataFrame, columns: Sequence[str], minimum: int = 5) -> CategoryMaps:
        """Codes in order of the value itself, so that the order of the rows plays no part.

        >>> CategoryMaps.fit(pl.DataFrame({"x": ["b", "a", "b", None, "c", "a"]}), ["x"], minimum=2).values
        {'x': ('a', 'b')}
        """
        fitted = {}
        for column in columns:
            counts = frame[column].drop_nulls().value_counts(name="lines")
            fitted[column] = tuple(sorted(counts.filter(pl.col("lines") >= minimum)[column].to_list()))
        return cls(fitted)

    def encode(self, frame: pl.DataFrame, column: str) -> FloatArray:
        """Codes as float64 (lines,), NaN for null, rare and unseen values.

        >>> CategoryMaps({"x": ("a", "b")}).encode(pl.DataFrame({"x": ["b", "new", None]}), "x")
        array([ 1., nan, nan])
        """
        known = list(self.values[column])
        codes = pl.Series(range(len(known)), dtype=pl.Float64)
        encoded = (
            frame[column]
            .cast(pl.String)
            .replace_strict(pl.Series(known, dtype=pl.String), codes, default=None)
        )
        return encoded.cast(pl.Float64).fill_null(float("nan")).to_numpy()

    def as_dict(self) -> dict[str, list[str]]:
        """The maps as JSON can hold them; `from_dict` reads them back."""
        return {column: list(values) for column, values in self.values.items()}

    @classmethod
    def from_dict(cls, maps: Mapping[str, Sequence[str]]) -> CategoryMaps:
        """The maps that `as_dict` wrote.

        >>> CategoryMaps.from_dict({"x": ["a"]}).as_dict()
        {'x': ['a']}
        """
        return cls({column: tuple(values) for column, values in maps.items()})
