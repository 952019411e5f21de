"""Which keys the history counts by, and their 64-bit hashes for a frame of lines.

A key is a list of columns: one party (`seller_id`), one commodity level (`hs6`) or a combination
(`hs6 × origin × dispatch`). All are treated alike, so a new one is a line in `configs/pipeline.yaml`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import polars as pl

from configs.schema import HistoryConfig
from features.hashing import combine, hash_numbers, hash_text

PRICE_DECIMALS = 4
_DERIVED = {"hs2": "_hs2", "hs4": "_hs4", "hs6": "_hs6", "item_key": "_item_key"}
_CONSTANT = pl.Series("all", [1], dtype=pl.UInt64)


@dataclass(frozen=True)
class KeySpec:
    """A key of the history: its name, its columns, and the shorter key its hit rate backs off to.

    A party (`seller` over `seller_id`) also has its activity counted.
    """

    name: str
    columns: tuple[str, ...]
    backoff: str | None
    party: bool


@cache
def key_specs(config: HistoryConfig) -> tuple[KeySpec, ...]:
    """Every key of the configuration, each after the one it backs off to."""
    return tuple(
        KeySpec(
            key.name,
            key.columns,
            key.backoff,
            party=len(key.columns) == 1 and key.columns[0] in config.parties,
        )
        for key in config.hit_rate_keys
    )


def key_column(name: str) -> str:
    """The column of a prepared frame that holds the hash of key `name`."""
    return f"_key_{name}"


def with_keys(prepared: pl.DataFrame, specs: Sequence[KeySpec]) -> pl.DataFrame:
    """The prepared lines with one UInt64 column `_key_<name>` per key; null where a part is missing.

    A key over a column that the source does not have is null in every row.
    """
    parts: dict[str, pl.Series] = {}
    for column in dict.fromkeys(column for spec in specs for column in spec.columns):
        parts[column] = _hashed(prepared, column)
    keys = []
    for spec in specs:
        if not spec.columns:
            keys.append(_CONSTANT.new_from_index(0, prepared.height).alias(key_column(spec.name)))
        elif len(spec.columns) == 1:
            keys.append(parts[spec.columns[0]].alias(key_column(spec.name)))
        else:
            keys.append(combine([parts[column] for column in spec.columns], key_column(spec.name)))
    return prepared.with_columns(keys)


def _hashed(prepared: pl.DataFrame, column: str) -> pl.Series:
    if column == "price_key":
        price = pl.coalesce("unit_price", pl.col("total_price") / pl.col("net_weight_kg"))
        return hash_numbers(prepared.select(price).to_series(), PRICE_DECIMALS)
    source = _DERIVED.get(column, column)
    if source not in prepared.columns:
        return pl.Series(column, [None], dtype=pl.UInt64).new_from_index(0, prepared.height)
    values = prepared[source]
    return hash_text(values) if values.dtype == pl.String else hash_numbers(values, PRICE_DECIMALS)
