"""What the contract accepts is in part configured, and in part a matter of where a table comes from."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final

from features.contract.bounds import Bounds
from features.contract.moments import UTC_ZONE
from features.contract.null_words import NullWords


@dataclass(frozen=True)
class ContractRules:
    """How strict the contract is with a table.

    Attributes:
        oldest: what was declared or reported before this day is rejected; None accepts any.
        latest: likewise what is dated after this moment.
        max_text_chars: longer text becomes null.
        bounds: what numbers may be.
        null_words: what means nothing in keys and for parties.
        zone: of times that do not name one.
        china_offices: whether codes of offices and ports are China's, of four digits.
    """

    oldest: date | None = None
    latest: datetime | None = None
    max_text_chars: int = 2_000
    bounds: Bounds = field(default_factory=Bounds)
    null_words: NullWords = field(default_factory=NullWords)
    zone: str = UTC_ZONE
    china_offices: bool = False


ANY_VALUES: Final = ContractRules()
"""The types and words of the contract alone: no bounds, no latest moment, every word a name."""
