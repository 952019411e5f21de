"""What the Korean table is scored with for comparison: LightGBM and CatBoost as they come, and lookups.

The two models get every column of the table but its key, its day and its labels; text is a native category.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import polars as pl

from features.arrays.types import FloatArray
from models.judging.rivals import catboost_as_it_comes, lightgbm_as_it_comes

Rival = Callable[[pl.DataFrame, pl.DataFrame, int], FloatArray]

KOREA = Path(__file__).resolve().parents[3] / "shared" / "korea"
TWIN = ["HS6 Code", "Country of Origin", "price"]
SAME_VALUE = ["HS6 Code", "Country of Origin", "Item Price"]
LABELS = ["Fraud", "Critical Fraud"]
_NUMBERS = dict.fromkeys(("Tax Rate", "Net Mass", "Item Price"), pl.Float64)
_NO_FEATURE = {"Declaration ID", "Date", *LABELS, "price", "found", "day"}


def read(name: str) -> pl.DataFrame:
    """A file of the table with the unit price to 4 decimals, the fraud flag, and the day as a number."""
    text = pl.read_csv(KOREA / name, infer_schema=False)
    price = pl.col("Item Price").cast(pl.Float64) / pl.col("Net Mass").cast(pl.Float64)
    return text.with_columns(
        price.round(4).alias("price"),
        (pl.col("Fraud") == "1").alias("found"),
        pl.col("Date").str.to_date().to_physical().alias("day"),
    )


def twins(past: pl.DataFrame, later: pl.DataFrame, key: Sequence[str]) -> pl.Series:
    """Whether a later row has a past one with the same `key` (lines,)."""
    known = past.select(key).unique().with_columns(pl.lit(value=True).alias("twin"))
    return later.join(known, on=key, how="left", maintain_order="left")["twin"].fill_null(value=False)


def lookup(key: Sequence[str]) -> Rival:
    """The past fraud rate of the rows with the same `key`, or of all rows where there is none; no seed
    changes it.
    """

    def looked_up(past: pl.DataFrame, later: pl.DataFrame, seed: int) -> FloatArray:
        del seed
        rates = past.group_by(key).agg(pl.col("found").mean().alias("lookup"))
        joined = later.join(rates, on=key, how="left", maintain_order="left")
        return joined["lookup"].fill_null(past["found"].mean()).to_numpy()

    return looked_up


def rivals() -> dict[str, Rival]:
    """Those that can run here, by name: CatBoost is an extra (`pip install 'parcel-risk[bench]'`)."""
    from importlib.util import find_spec

    found: dict[str, Rival] = {"LightGBM as it comes": _as_it_comes(lightgbm_as_it_comes)}
    if find_spec("catboost") is not None:
        found["CatBoost as it comes"] = _as_it_comes(catboost_as_it_comes)
    return found | {
        "lookup of (heading, origin, unit price)": lookup(TWIN),
        "lookup of (heading, origin, total value)": lookup(SAME_VALUE),
    }


def _as_it_comes(learner: Callable[..., FloatArray | None]) -> Rival:
    """A learner that gets every column of the table but its key, its day and its labels."""

    def scored(past: pl.DataFrame, later: pl.DataFrame, seed: int) -> FloatArray:
        threads = int(os.environ.get("OMP_NUM_THREADS", "-1"))
        x, z = (frame.select(_features(past)).cast(_NUMBERS) for frame in (past, later))
        scores = learner(x, past["found"].to_numpy(), z, seed=seed, threads=threads)
        assert scores is not None  # only those that are installed are asked
        return scores

    return scored


def _features(past: pl.DataFrame) -> list[str]:
    return [name for name in past.columns if name not in _NO_FEATURE]
