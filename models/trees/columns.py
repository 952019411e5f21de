"""Which columns of a feature frame a risk uses, and what a frame may hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from configs.schema.risk import RiskConfig
from features.arrays.types import Float32Array, FloatArray
from models.trees.categories import CategoryMaps
from models.trees.errors import FeatureColumnsError

# Columns of a source's own come and go with the source; all others are built for every line.
OPTIONAL_BLOCK = "extra"


def block_of(column: str) -> str | None:
    """The feature block that built a column, None for keys, texts, labels and hashes.

    >>> block_of("price__cny_per_kg"), block_of("seller_id"), block_of("_hash_tax__type")
    ('price', None, None)
    """
    block, mark, _ = column.partition("__")
    return block if mark and not column.startswith("_") else None


def feature_columns(frame: pl.DataFrame, risk: RiskConfig) -> tuple[str, ...]:
    """The columns of `frame` that the risk's blocks built, in alphabetical order.

    Sorted, because the order of columns decides between equal splits: it must not depend on who built the
    frame.
    """
    chosen = []
    for column in frame.columns:
        block = block_of(column)
        if block is None or block == "model" or not risk.uses_block(block):
            continue
        listed = risk.extra_columns == "auto" or column.removeprefix("extra__") in risk.extra_columns
        if block != OPTIONAL_BLOCK or listed:
            chosen.append(column)
    return tuple(sorted(chosen))


@dataclass(frozen=True)
class FeatureColumns:
    """Fitted columns: numbers as they are, text as codes of the frozen category maps."""

    names: tuple[str, ...]
    categories: CategoryMaps

    @classmethod
    def fit(cls, frame: pl.DataFrame, names: Sequence[str]) -> FeatureColumns:
        """Take the kinds of the columns from the frame and freeze the categories of its text columns."""
        text = [name for name in names if frame.schema[name] == pl.String]
        return cls(tuple(names), CategoryMaps.fit(frame, text))

    @property
    def categorical(self) -> tuple[int, ...]:
        """Places of the columns that hold codes."""
        return tuple(place for place, name in enumerate(self.names) if name in self.categories.values)

    @property
    def required(self) -> tuple[str, ...]:
        """The columns that a frame must have; a source's own columns may be absent."""
        return tuple(name for name in self.names if block_of(name) != OPTIONAL_BLOCK)

    def check(self, frame: pl.DataFrame, model: str) -> None:
        """Check that the fitted columns are there; further ones are welcome.

        Raises:
            FeatureColumnsError: a column is missing or of another type; the message names it.
        """
        # Polars makes the schema anew each time that it is asked for one.
        schema = frame.schema
        missing = [name for name in self.required if name not in schema]
        wrong = []
        for name in self.names:
            dtype = schema.get(name, pl.Null())
            text = name in self.categories.values
            fits = (
                dtype in (pl.String, pl.Null)
                if text
                else dtype.is_numeric() or dtype in (pl.Boolean, pl.Null)
            )
            if not fits:
                wrong.append(f"{name} is {dtype}, fitted as {'String' if text else 'Float64'}")
        if missing or wrong:
            raise FeatureColumnsError(model, missing, wrong, frame.columns)

    def numbers(self, frame: pl.DataFrame, *, spare: int = 0) -> Float32Array:
        """Values (lines, columns + spare) float32, NaN for null; the spare columns at the end are NaN."""
        values = np.full((frame.height, len(self.names) + spare), np.nan, dtype=np.float32)
        given = set(frame.columns)
        numbers = [
            place
            for place, name in enumerate(self.names)
            if name in given and name not in self.categories.values
        ]
        # All at once: three hundred calls take longer than the numbers of a small bucket.
        if numbers:
            wanted = frame.select(_as_number(self.names[place]) for place in numbers)
            values[:, numbers] = narrow(wanted.to_numpy())
        for place in self.categorical:
            if self.names[place] in given:
                values[:, place] = self.categories.encode(frame, self.names[place])
        return values

    def as_dict(self) -> dict[str, object]:
        """Names and category maps as JSON can hold them."""
        return {"names": list(self.names), "categories": self.categories.as_dict()}


def number_column(frame: pl.DataFrame, name: str) -> FloatArray:
    """A column as float64 (lines,), NaN for null and where the frame does not have it."""
    if name not in frame.columns:
        return np.full(frame.height, np.nan, dtype=np.float64)
    return frame.select(_as_number(name)).to_series().to_numpy()


def narrow(values: FloatArray) -> Float32Array:
    """Numbers of 32 bits; what is beyond the largest of them is an infinity."""
    with np.errstate(over="ignore"):
        return values.astype(np.float32)


def exponential(logarithms: FloatArray) -> FloatArray:
    """One by one: numpy's vector code need not agree with itself at the end of a batch."""
    return pl.Series(logarithms).exp().to_numpy()


def _as_number(name: str) -> pl.Expr:
    return pl.col(name).cast(pl.Float64).fill_null(float("nan"))
