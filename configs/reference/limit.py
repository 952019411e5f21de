"""An amount that a notice sets as a limit."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class Limit:
    """A limit as it holds on a day.

    Attributes:
        cny: the amount.
        valid_from: the day since which it holds.
        notice: which sets it; None where the table does not say.
        is_known: whether the table still knows it: its row has not ended.
    """

    cny: float
    valid_from: date
    notice: str | None
    is_known: bool = True


def or_nan(amount: float | None) -> float:
    """Return an amount as a number to reckon with: what is reckoned from one that there is not, is not known.

    >>> or_nan(5000.0), or_nan(None)
    (5000.0, nan)
    """
    return math.nan if amount is None else amount
