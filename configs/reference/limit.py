"""An amount that a notice sets as a limit."""

from __future__ import annotations

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
