"""Which keys the history counts by, and their 64-bit hashes for a frame of lines.

A key is a list of columns: one party (`seller_id`), one commodity level (`hs6`) or a combination
(`hs6 × origin × dispatch`). All are treated alike, so a new one is a line in `configs/pipeline.yaml`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import polars as pl

from configs.schema.pipeline import HistoryConfig
from features.arrays.hashing import as_series, combined_hashes, number_hashes, text_hashes
from features.arrays.types import UInt64Array

PRICE_DECIMALS = 4
_DERIVED = {"hs2": "_hs2", "hs4": "_hs4", "hs6": "_hs6", "item_key": "_item_key"}


@dataclass(frozen=True)
class KeySpec:
    """A key of the history: its name, its columns, and the shorter key its hit rate backs off to.

    A party (`seller` over `seller_id`) also has its activity counted; with `same_day` that of today only.
    """

    name: str
    columns: tuple[str, ...]
    backoff: str | None
    party: bool
    same_day: bool = False


@cache
def key_specs(config: HistoryConfig) -> tuple[KeySpec, ...]:
    """Every key of the configuration, each after the one it backs off to."""
    return tuple(
        KeySpec(
            key.name,
            key.columns,
            key.backoff,
            party=len(key.columns) == 1 and key.columns[0] in config.parties,
            same_day=key.same_day,
        )
        for key in config.hit_rate_keys
    )


def key_column(name: str) -> str:
    """The column of a prepared frame that holds the hash of key `name`."""
    return f"_key_{name}"


def with_keys(
    prepared: pl.DataFrame, specs: Sequence[KeySpec], hashed: Mapping[str, UInt64Array] | None = None
) -> pl.DataFrame:
    """The prepared lines with one UInt64 column `_key_<name>` per key; null where a part is missing.

    A key over a column that the source does not have is null in every row. `hashed` are the hashes of columns
    that are known already.
    """
    parts = hashed_columns(prepared, [column for spec in specs for column in spec.columns], hashed)
    constant = np.ones(prepared.height, dtype=np.uint64)
    return prepared.with_columns(
        as_series(
            key_column(spec.name),
            _joined([parts[column] for column in spec.columns]) if spec.columns else constant,
        )
        for spec in specs
    )


def hashed_columns(
    prepared: pl.DataFrame, columns: Sequence[str], known: Mapping[str, UInt64Array] | None = None
) -> dict[str, UInt64Array]:
    """`hashed_column` of each of the columns, those that are `known` taken from there."""
    hashes = dict(known or {})
    for column in columns:
        if column not in hashes:
            hashes[column] = hashed_column(prepared, column)
    return hashes


def hashed_column(prepared: pl.DataFrame, column: str) -> UInt64Array:
    """The hashes of a column of the contract, a derived or an extra one; 0 where it is null or not there."""
    if column == "price_key":
        price = pl.coalesce("unit_price", pl.col("total_price") / pl.col("net_weight_kg"))
        return number_hashes(prepared.select(price).to_series(), PRICE_DECIMALS)
    source = _DERIVED.get(column, column)
    if source not in prepared.columns:
        return np.zeros(prepared.height, dtype=np.uint64)
    values = prepared[source]
    return text_hashes(values) if values.dtype == pl.String else number_hashes(values, PRICE_DECIMALS)


def _joined(parts: Sequence[UInt64Array]) -> UInt64Array:
    return parts[0] if len(parts) == 1 else combined_hashes(parts)
