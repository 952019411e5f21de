"""Which extra columns of a source are worth a hit rate, and the keys that they make.

A source's own columns are often what the people who look at parcels go by: a project, a kind of product, a
tax treatment. Nobody lists them beforehand. Results play no part in the choice, so that it cannot look ahead.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from configs.schema.pipeline import Combination, HistoryConfig

SAMPLED_COLUMNS = ("declaration_id", "hs_code", "seller_id")
_GOODS, _NAME = "hs6", "item_key"
# A value that stands on fewer parcels of the sample says little of the next one.
_LEAST_PARCELS = 5
_LEAST_LINES = 0.5
_MOST_DATES = 0.5
# As a `Name` of the configuration may be.
_LONGEST = 60
_DATE = r"^\s*(\d{4}[-/.]?\d{2}[-/.]?\d{2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4})([T\s].*)?$"


def telling_columns(sample: pl.DataFrame, names: Sequence[str], most: int) -> dict[str, str]:
    """At most so many of the text columns `names` of some lines, each with the column that says what goods
    are.

    Left out is what has one value, what hardly ever repeats itself in another parcel (numbers of documents,
    free text), what holds days, and what divides lines as the seller or another column does. Those with the
    most varied values come first.
    """
    goods = _GOODS if sample["hs_code"].str.slice(0, 6).n_unique() > 1 else _NAME
    spread = {name: _entropy(sample[name]) for name in names if _repeats(sample, name)}
    ranked = sorted(spread, key=lambda name: (-spread[name], name))
    chosen: list[str] = []
    for name in ranked:
        if len(chosen) < most and not any(_alike(sample, name, other) for other in ("seller_id", *chosen)):
            chosen.append(name)
    return dict.fromkeys(sorted(chosen), goods)


def with_extra_keys(config: HistoryConfig, columns: Mapping[str, str]) -> HistoryConfig:
    """The keys of the configuration, then those of extra columns: alone, with goods, with the seller.

    `columns` are those of `telling_columns`. What is configured already is not added.
    """
    listed = {frozenset(key.columns) for key in config.hit_rate_keys}
    names = {key.name: key for key in config.hit_rate_keys}
    root = next((key.name for key in config.hit_rate_keys if not key.columns), None)
    added = []
    for column, goods in columns.items():
        alone = f"extra_{column}"
        for name, parts, backoff in (
            (alone, (column,), root),
            (f"{alone}_goods", (column, goods), alone),
            (f"{alone}_seller", (column, "seller_id"), "seller"),
        ):
            if frozenset(parts) in listed or name in names or len(name) > _LONGEST:
                continue
            known = backoff if backoff in names else root
            names[name] = Combination(name=name, columns=parts, backoff=known)
            added.append(names[name])
    return config.model_copy(update={"combinations": (*config.combinations, *added)})


def _repeats(sample: pl.DataFrame, name: str) -> bool:
    """Whether most values of a column come again in other parcels, and no days."""
    values = sample.select(pl.col(name).alias("value"), "declaration_id").drop_nulls()
    if values["value"].n_unique() < 2:
        return False
    parcels = values.group_by("value").agg(pl.len(), pl.col("declaration_id").n_unique().alias("parcels"))
    often = parcels.filter(pl.col("parcels") >= _LEAST_PARCELS)["len"].sum()
    dated = parcels["value"].str.contains(_DATE).mean()
    return often >= _LEAST_LINES * values.height and isinstance(dated, float) and dated < _MOST_DATES


def _entropy(values: pl.Series) -> float:
    """How varied the values are; null is one of them."""
    share = values.value_counts(name="lines")["lines"].to_numpy() / len(values)
    return round(float(-(share @ np.log(share))), 9)


def _alike(sample: pl.DataFrame, one: str, other: str) -> bool:
    """Whether two columns divide the lines in the same way."""
    pairs = sample.select(one, other).n_unique()
    return bool(sample[one].n_unique() == pairs == sample[other].n_unique())
