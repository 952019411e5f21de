"""The groups of lines in which a model must not fall behind: office, trade mode, seller, script, twin."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl

from features.arrays.types import BoolArray
from models.judging.baselines import slices

PREFIX = "group__"
_UNKNOWN = "unknown"
# Slices of `models.judging.baselines` that are groups too: the name, and how lines in and out of it are
# called.
_NOVELTY = {
    "no_twin": ("twin", "no twin", "a twin"),
    "new_seller": ("seller", "new", "known"),
}


def line_groups(past: pl.DataFrame, later: pl.DataFrame) -> pl.DataFrame:
    """The groups of each later line (String columns `group__…`, a row a line).

    `office`, `trade_mode`, `script` (`han`, `latin`, `other`, `none`: what the declared name is written in; a
    name with a Chinese character is `han`), `seller` (`new` where `past` has no line of it) and `twin`.
    """
    columns = [
        _as_given(later, "customs_office", "office"),
        _as_given(later, "trade_mode", "trade_mode"),
        _script(later),
    ]
    masks = slices(past, later)
    for name, (group, inside, outside) in _NOVELTY.items():
        if name in masks:
            columns.append(pl.Series(PREFIX + group, np.where(masks[name], inside, outside), dtype=pl.String))
    return pl.DataFrame([column for column in columns if column is not None])


def each_group(lines: pl.DataFrame) -> Iterator[tuple[str, BoolArray]]:
    """The name (`office 4601`, `seller new`) and mask (lines,) of each group of a frame that has the columns
    of `line_groups`, sorted; a column with one value makes no groups.
    """
    for column in sorted(name for name in lines.columns if name.startswith(PREFIX)):
        values = sorted(lines[column].unique())
        for value in values if len(values) > 1 else ():
            yield f"{column.removeprefix(PREFIX)} {value}", (lines[column] == value).to_numpy()


def _as_given(later: pl.DataFrame, column: str, name: str) -> pl.Series | None:
    if column not in later.columns:
        return None
    return later[column].cast(pl.String).fill_null(_UNKNOWN).alias(PREFIX + name)


def _script(later: pl.DataFrame) -> pl.Series | None:
    if "item_name" not in later.columns:
        return None
    name = pl.col("item_name").fill_null("")
    script = (
        pl.when(name.str.contains(r"\p{Han}")).then(pl.lit("han"))
        .when(name.str.contains(r"\p{Latin}")).then(pl.lit("latin"))
        .when(name.str.contains(r"\p{L}")).then(pl.lit("other"))
        .otherwise(pl.lit("none"))
    )  # fmt: skip
    return later.select(script.alias(PREFIX + "script")).to_series()
