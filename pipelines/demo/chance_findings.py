"""What the same number of parcels would find if each office drew them at random, exactly."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy.stats import hypergeom

from features.arrays.types import FloatArray

_LOW, _HIGH = 0.025, 0.975
_NEGLIGIBLE = 1e-9


@dataclass(frozen=True)
class ChanceFindings:
    """Findings that a random draw makes: on average, and from `low` to `high` in 95 of 100 draws."""

    expected: float
    low: int
    high: int


def chance_findings(strata: pl.DataFrame) -> ChanceFindings:
    """The findings of a draw without replacement from every stratum, for instance an office's parcels of a
    night.

    `strata` has one row a stratum and the whole numbers `parcels`, `with_risk` (of them) and `listed` (how
    many are drawn). Each stratum's findings follow the hypergeometric distribution; that of their sum is
    their convolution, so the range holds also where findings are few and no bell curve fits.

    >>> night = pl.DataFrame({"parcels": [100, 10], "with_risk": [5, 10], "listed": [20, 2]})
    >>> chance_findings(night)
    ChanceFindings(expected=3.0, low=2, high=5)

    Source: Feller 1968, "An Introduction to Probability Theory and Its Applications", volume 1, section II.6.
    """
    total: FloatArray = np.ones(1)
    expected = 0.0
    for parcels, with_risk, listed in strata.select("parcels", "with_risk", "listed").iter_rows():
        if not with_risk or not listed:
            continue
        expected += listed * with_risk / parcels
        chance = hypergeom.pmf(np.arange(min(with_risk, listed) + 1), parcels, with_risk, listed)
        total = np.convolve(total, chance)
    # Rounding leaves a sum of 0.97499999 where 0.975 was meant.
    up_to = np.cumsum(total) / total.sum() + _NEGLIGIBLE
    return ChanceFindings(expected, int(np.argmax(up_to >= _LOW)), int(np.argmax(up_to >= _HIGH)))
