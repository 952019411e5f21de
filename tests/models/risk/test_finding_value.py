"""The expected tax of a finding: what it learns, what it does with gaps, and that it is kept as written."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest

from configs.schema.risk import ConstantValue, RiskConfig, TaxShortfallValue, Title
from models.risk.finding_value import ExpectedTax, FindingValue


def _frame(lines: int = 4000) -> tuple[pl.DataFrame, np.ndarray, np.ndarray]:
    """Tax follows value and rate with noise; every second line is a finding."""
    rng = np.random.default_rng(3)
    total = rng.lognormal(5.0, 1.0, lines)
    rate = rng.choice([0.1, 0.2], lines)
    found = np.arange(lines) % 2 == 0
    tax = total * rate * rng.gamma(4.0, 0.25, lines)
    frame = pl.DataFrame(
        {
            "price__total_cny": total,
            "price__tax_rate": rate,
            "recovered_tax_cny": np.where(found, tax, np.nan),
        }
    )
    return frame, found, np.zeros(lines)


def test_the_mean_follows_value_and_rate() -> None:
    frame, found, ratio = _frame()
    tax = ExpectedTax.fit(frame, found, ratio)
    assert tax is not None
    expected = tax(frame, ratio)
    truth = (frame["price__total_cny"] * frame["price__tax_rate"]).to_numpy()
    assert expected.sum() == pytest.approx(truth.sum(), rel=0.1)
    assert np.median(np.abs(np.log(expected / truth))) < 0.25


def test_gaps_are_filled_with_what_is_typical_and_an_unknown_value_brings_nothing() -> None:
    frame, found, ratio = _frame()
    tax = ExpectedTax.fit(frame, found, ratio)
    assert tax is not None
    asked = pl.DataFrame(
        {"price__total_cny": [100.0, 100.0, None], "price__tax_rate": [tax.typical_rate, None, 0.1]}
    )
    first, second, third = tax(asked, np.array([0.0, np.nan, 0.0]))
    assert first == second > 0.0
    assert third == 0.0


def test_fewer_than_fifty_amounts_teach_nothing() -> None:
    frame, found, ratio = _frame(98)
    assert ExpectedTax.fit(frame, found, ratio) is None
    more, found, ratio = _frame(100)
    assert ExpectedTax.fit(more, found, ratio) is not None


@pytest.mark.parametrize("kind", ["tax", "untaught", "constant"])
def test_a_value_is_what_was_written(kind: str) -> None:
    frame, found, ratio = _frame(400 if kind == "tax" else 40)
    if kind == "constant":
        value = FindingValue.of(_risk(constant=True), frame, found, ratio)
        assert value == FindingValue(700.0, by_tax=False)
    else:
        value = FindingValue.of(_risk(constant=False), frame, found, ratio)
        assert (value.tax is not None) == (kind == "tax")
    assert FindingValue.from_dict(json.loads(json.dumps(value.as_dict()))) == value


def _risk(*, constant: bool) -> RiskConfig:
    value = (
        ConstantValue(kind="constant", cny=700.0)
        if constant
        else TaxShortfallValue(kind="tax_shortfall", floor_cny=20.0)
    )
    return RiskConfig(name="demo", label="demo", title=Title(en="Demo"), fair_value=True, finding_value=value)
