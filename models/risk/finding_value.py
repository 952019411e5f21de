"""What a finding is worth: a sum of the service's own, and for undervaluation the tax it is expected to
bring.

Tax given a finding is learned from the amounts that findings brought in. The shortfall that the expected
price implies is only part of it: an order that was split, a cheaper heading, a quantity too small lose tax
while the price of a unit looks right. So the mean is a product of powers of declared value and tax rate and
of how far the price is from the expected one: a gamma regression with a logarithmic link.

Source: McCullagh and Nelder 1989, "Generalized Linear Models", chapter 8 (constant coefficient of variation).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from configs.schema.risk import ConstantValue, RiskConfig
from features.arrays.types import BoolArray, FloatArray
from models.trees.columns import number_column

_AMOUNT = "recovered_tax_cny"
_LEAST_AMOUNTS = 50
# A finding that brought nothing in counts as one that brought this: a gamma distribution has no zero.
_LEAST_CNY = 0.5
_RATE_OFFSET = 0.01
_FARTHEST_RATIO = 2.0
_PENALTY = 0.1


@dataclass(frozen=True)
class ExpectedTax:
    """Mean tax in CNY of a finding: exp(intercept + value · log total + rate · log(tax rate + 0.01) + ratio ·
    log price ratio). A rate that is unknown counts as `typical_rate`, a price ratio as 1.
    """

    intercept: float
    value: float
    rate: float
    ratio: float
    typical_rate: float

    @classmethod
    def fit(cls, frame: pl.DataFrame, found: BoolArray, log_ratio: FloatArray) -> ExpectedTax | None:
        """From the findings of inspected lines with an amount; None where fewer than 50 have one.

        `log_ratio` (lines,) is the log of declared over expected price, NaN where unknown.
        """
        from sklearn.linear_model import GammaRegressor

        amount, total = number_column(frame, _AMOUNT), number_column(frame, "price__total_cny")
        used = found & np.isfinite(amount) & (total > 0.0)
        if used.sum() < _LEAST_AMOUNTS:
            return None
        known = number_column(frame, "price__tax_rate")[used]
        typical = float(np.median(known[np.isfinite(known)])) if np.isfinite(known).any() else 0.0
        columns = np.column_stack(_columns(frame, log_ratio, typical))[used]
        model = GammaRegressor(alpha=_PENALTY, max_iter=2000)
        brought = np.maximum(amount[used], _LEAST_CNY)
        model.fit(columns, brought)
        value, rate, ratio = (float(weight) for weight in model.coef_)
        # The penalty pulls the mean down; all findings together bring what they brought.
        shift = float(np.log(brought.sum() / model.predict(columns).sum()))
        return cls(float(model.intercept_) + shift, value, rate, ratio, typical)

    def __call__(self, frame: pl.DataFrame, log_ratio: FloatArray) -> FloatArray:
        """CNY a line (lines,), given that there is a finding; 0 where the declared value is unknown."""
        total, rate, ratio = _columns(frame, log_ratio, self.typical_rate)
        exponent = pl.Series(self.intercept + self.value * total + self.rate * rate + self.ratio * ratio)
        return np.where(np.isfinite(total), exponent.exp().to_numpy(), 0.0)


@dataclass(frozen=True)
class FindingValue:
    """What a finding is worth: `floor_cny`, and where `by_tax` the expected tax on top of it."""

    floor_cny: float
    by_tax: bool
    tax: ExpectedTax | None = None

    @classmethod
    def of(
        cls, risk: RiskConfig, frame: pl.DataFrame, found: BoolArray, log_ratio: FloatArray | None
    ) -> FindingValue:
        """The value that a risk's configuration names, with what the inspected lines say about the tax."""
        value = risk.finding_value
        if isinstance(value, ConstantValue):
            return cls(value.cny, by_tax=False)
        ratio = np.full(frame.height, np.nan) if log_ratio is None else log_ratio
        return cls(value.floor_cny, by_tax=True, tax=ExpectedTax.fit(frame, found, ratio))

    def as_dict(self) -> dict[str, Any]:
        """The value as JSON can hold it."""
        tax = None if self.tax is None else dict(vars(self.tax))
        return {"floor_cny": self.floor_cny, "by_tax": self.by_tax, "tax": tax}

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> FindingValue:
        """The value that `as_dict` wrote."""
        tax = stored["tax"]
        return cls(float(stored["floor_cny"]), stored["by_tax"], None if tax is None else ExpectedTax(**tax))


def _columns(
    frame: pl.DataFrame, log_ratio: FloatArray, typical_rate: float
) -> tuple[FloatArray, FloatArray, FloatArray]:
    rate = number_column(frame, "price__tax_rate")
    # Polars takes logarithms one by one; numpy's vector code need not agree with itself at a batch's end.
    total = pl.Series(number_column(frame, "price__total_cny")).log().to_numpy()
    known = pl.Series(np.where(np.isfinite(rate), np.maximum(rate, 0.0), typical_rate) + _RATE_OFFSET)
    ratio = np.clip(np.nan_to_num(log_ratio), -_FARTHEST_RATIO, _FARTHEST_RATIO)
    return total, known.log().to_numpy(), ratio
