"""What a line should cost: median and range of the log price of such goods, from lines that inspection left
standing.

The model sees what the goods are, weigh and say and what their peers cost, but not the declared price
itself. It learns the deviation from the peers' median, which trees reach in few steps. Where customs
established another price, that price is learned; an undervalued line without one teaches nothing.

Source: Koenker and Bassett 1978, "Regression Quantiles" (the median withstands the undervalued lines nobody
found).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import polars as pl

from features.arrays.hashing import hash_text
from features.arrays.types import BoolArray, FloatArray, IntArray
from models.trees.booster import Booster, Parameter, TreeSettings, train_booster
from models.trees.categories import CategoryMaps
from models.trees.columns import FeatureColumns, block_of, number_column
from models.trees.matrix import Matrix
from models.trees.number_columns import FrameNumbers, column_slices

Basis = Literal["unit", "kg"]

# Party and same-day columns hold sums of declared values, and with them the price that is in doubt.
_BLOCKS = frozenset({"goods", "route", "weight", "text", "extra"})
_PRICE = {"unit": "price__unit_price_cny", "kg": "price__cny_per_kg"}
_PEERS = {"unit": "price__peer_median_unit_cny", "kg": "price__peer_median_cny_per_kg"}
_OUT_OF_FOLD = 3
_MIN_LINES = 100
_MIDDLE, _LOW, _HIGH = 0.5, 0.1, 0.9
_ROUNDS = 120
_PARAMETERS: dict[str, Parameter] = {
    "objective": "quantile",
    "learning_rate": 0.1,
    "num_leaves": 31,
    "min_data_in_leaf": 20,
    "lambda_l2": 1.0,
    "feature_fraction": 0.7,
}
# The ends of the range say how sure the median is; a coarse answer will do.
_ROUNDS_OF_ENDS = 60
_PARAMETERS_OF_ENDS: dict[str, Parameter] = {**_PARAMETERS, "num_leaves": 15, "min_data_in_leaf": 40}
# A range narrower than this (about 5% to either side) would call rounding a deviation.
_NARROWEST = 0.05


@dataclass(frozen=True)
class LogPrices:
    """Log CNY per unit or kg a line (lines,): the median, and the range that 8 in 10 lines of such goods are
    in.
    """

    median: FloatArray
    low: FloatArray
    high: FloatArray

    def position(self, declared: FloatArray) -> FloatArray:
        """Where declared log prices stand (lines,): 0 at the median, -1 and 1 at the ends of the range."""
        below, above = self.median - self.low, self.high - self.median
        width = np.where(declared < self.median, below, above)
        return (declared - self.median) / np.maximum(width, _NARROWEST)


@dataclass(frozen=True)
class FairValue:
    """The fitted price model. `basis` says whether it knows prices by unit of quantity or by kg."""

    columns: FeatureColumns
    booster: Booster
    low: Booster
    high: Booster
    basis: Basis
    typical_log_price: float

    def expected_log_prices(
        self, frame: pl.DataFrame, *, threads: int = 1, numbers: FrameNumbers | None = None
    ) -> LogPrices:
        """What such goods cost, a line; `numbers` are those of the frame where somebody has them already."""
        boosters = (self.booster, self.low, self.high)
        given = numbers or FrameNumbers(frame)
        places = sorted({place for booster in boosters for place in booster.places})
        columns = [given.column(self.columns, self.columns.names[place]) for place in places]
        raw = np.empty((len(boosters), frame.height), dtype=np.float64)
        for lines, table in column_slices(columns, places, frame.height):
            for booster, out in zip(boosters, raw, strict=True):
                out[lines] = booster.predict_columns(table, threads=threads)
        offset = _offset(frame, self.basis, self.typical_log_price)
        return _in_order(*(each + offset for each in raw))

    def save(self, directory: Path) -> None:
        """Write `fair_value.txt`, `fair_value_low.txt`, `fair_value_high.txt` (trees) and
        `fair_value.json`.
        """
        self.booster.save(directory / "fair_value.txt")
        self.low.save(directory / "fair_value_low.txt")
        self.high.save(directory / "fair_value_high.txt")
        stored = {**self.columns.as_dict(), "basis": self.basis, "typical_log_price": self.typical_log_price}
        text = json.dumps(stored, ensure_ascii=False, indent=1, sort_keys=True)
        (directory / "fair_value.json").write_text(text + "\n", encoding="utf-8")

    @classmethod
    def load(cls, directory: Path) -> FairValue:
        """Read what `save` wrote."""
        stored = json.loads((directory / "fair_value.json").read_text(encoding="utf-8"))
        columns = FeatureColumns(tuple(stored["names"]), CategoryMaps.from_dict(stored["categories"]))
        ends = ("", "_low", "_high")
        median, low, high = (Booster.load(directory / f"fair_value{end}.txt") for end in ends)
        return cls(columns, median, low, high, stored["basis"], float(stored["typical_log_price"]))


def declared_log_price(frame: pl.DataFrame, basis: Basis) -> FloatArray:
    """Declared log CNY per unit or kg (lines,); NaN where it is missing or not above zero."""
    return _log(frame, _PRICE[basis])


def tax_shortfall_cny(frame: pl.DataFrame, expected_price: FloatArray, basis: Basis) -> FloatArray:
    """Tax that the expected price brings above the declared one, CNY a line (lines,); NaN where unknown.

    max(0, expected price - declared price) x quantity x tax rate on the value; by kg the quantity is the
    weight.
    """
    declared = number_column(frame, _PRICE[basis])
    shortfall = np.maximum(expected_price - declared, 0.0) * priced_quantity(frame, basis)
    return shortfall * number_column(frame, "price__tax_rate")


def priced_quantity(frame: pl.DataFrame, basis: Basis) -> FloatArray:
    """What a price times gives the line's value (lines,): units of quantity, or kg; NaN where unknown."""
    if basis == "unit":
        return number_column(frame, "price__quantity")
    return number_column(frame, "price__total_cny") / number_column(frame, _PRICE[basis])


def fit_fair_value(
    frame: pl.DataFrame, names: Sequence[str], found: BoolArray, *, seed: int, threads: int
) -> tuple[FairValue, LogPrices] | None:
    """The model on all trusted lines, and the expected log prices of each line from models without its
    seller.

    `names` are the risk's feature columns, of which those that do not hold the price are used. Returns None
    where fewer than 100 trusted lines have a price.
    """
    basis = _basis(frame)
    target = _trusted_log_price(frame, found, basis)
    trusted = np.isfinite(target)
    if trusted.sum() < _MIN_LINES:
        return None
    used = [name for name in names if block_of(name) in _BLOCKS or "peer_median" in name]
    columns = FeatureColumns.fit(frame, used)
    matrix = Matrix(columns.numbers(frame), columns.names, columns.categorical)
    typical = float(np.median(target[trusted]))
    offset = _offset(frame, basis, typical)

    def fit(rows: BoolArray) -> list[Booster]:
        return [
            train_booster(
                matrix.rows(rows),
                (target - offset)[rows],
                TreeSettings(
                    rounds=_ROUNDS if alpha == _MIDDLE else _ROUNDS_OF_ENDS,
                    seed=seed,
                    threads=threads,
                    parameters={**(_PARAMETERS if alpha == _MIDDLE else _PARAMETERS_OF_ENDS), "alpha": alpha},
                ),
            ).booster
            for alpha in (_MIDDLE, _LOW, _HIGH)
        ]

    folds = _folds(frame)
    expected = np.full((3, frame.height), np.nan)
    for fold in range(_OUT_OF_FOLD):
        mine, others = folds == fold, trusted & (folds != fold)
        if mine.any():
            for place, model in enumerate(fit(others if others.any() else trusted)):
                raw = model.predict_raw(matrix.values[mine], threads=threads)
                expected[place, mine] = raw + offset[mine]
    median, low, high = fit(trusted)
    return FairValue(columns, median, low, high, basis, typical), _in_order(*expected)


def _in_order(median: FloatArray, low: FloatArray, high: FloatArray) -> LogPrices:
    """Three models that know nothing of each other may cross; the median keeps its place."""
    return LogPrices(median, np.minimum(low, median), np.maximum(high, median))


def _basis(frame: pl.DataFrame) -> Basis:
    by_unit = np.isfinite(declared_log_price(frame, "unit")).sum()
    by_kg = np.isfinite(declared_log_price(frame, "kg")).sum()
    return "unit" if 2 * by_unit >= by_kg else "kg"


def _trusted_log_price(frame: pl.DataFrame, found: BoolArray, basis: Basis) -> FloatArray:
    declared = declared_log_price(frame, basis)
    # Assessed and declared price are in one currency, so their ratio carries over to CNY and to the kg.
    established = declared + _log(frame, "assessed_unit_price") - _log(frame, "unit_price")
    if basis == "unit":
        in_cny = _log(frame, "assessed_unit_price") + _log(frame, "price__cny_rate")
        established = np.where(np.isfinite(in_cny), in_cny, established)
    return np.where(found, established, declared)


def _folds(frame: pl.DataFrame) -> IntArray:
    """A seller is in one fold, so that no line is judged by the prices of its own seller."""
    keys = [pl.col(name) for name in ("seller_id", "declaration_id") if name in frame.columns]
    if not keys:
        return np.arange(frame.height, dtype=np.int64) % _OUT_OF_FOLD
    hashed = hash_text(frame.select(pl.coalesce(keys).alias("key")).to_series())
    return (hashed.fill_null(0).to_numpy() % np.uint64(_OUT_OF_FOLD)).astype(np.int64)


def _offset(frame: pl.DataFrame, basis: Basis, typical: float) -> FloatArray:
    peers = _log(frame, _PEERS[basis])
    return np.where(np.isfinite(peers), peers, typical)


def _log(frame: pl.DataFrame, name: str) -> FloatArray:
    """Natural logarithm of a column (lines,), NaN where it is missing or not above zero."""
    values = pl.Series(number_column(frame, name))
    # Polars takes logarithms one by one; numpy's vector code need not agree with itself at the end of a
    # batch.
    return np.where((values > 0.0).to_numpy(), values.log().to_numpy(), np.nan)
