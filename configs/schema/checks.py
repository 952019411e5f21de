"""The object behind `checks` in `pipeline.yaml`. What each key means is explained in that file."""

from __future__ import annotations

from typing import Final

from pydantic import Field

from configs.schema.frozen import Frozen, Share

DOCUMENT_CHECKS: Final = (
    *("order_missing", "payment_missing", "waybill_missing", "amount", "goods", "buyer", "consignee"),
    *("weight", "payment_reused", "waybill_reused", "paid_late"),
)
"""The checks that compare a declaration with its documents."""
RETURN_CHECKS: Final = ("return_unknown", "return_exceeds", "return_late")
"""The checks of applications to take goods back."""
LAW_CHECKS: Final = (
    *("mode_not_open", "order_limit", "yearly_allowance", "articles_limit"),
    *("not_listed", "quantity_limit", "banned_goods", "prohibited_article"),
)
"""The checks of what may come in, and in which way: they need no documents."""


class ChecksConfig(Frozen):
    """How far two documents may differ, and how much of the store a check looks at.

    >>> ChecksConfig().amount_tolerance_cny
    1.0
    """

    amount_tolerance_cny: float = Field(1.0, ge=0.0, le=1_000_000.0)
    weight_tolerance_share: Share = 0.1
    weight_tolerance_kg: float = Field(0.1, ge=0.0, le=1_000.0)
    lookback_days: int = Field(183, ge=1, le=3650)
    returns_days: int = Field(90, ge=1, le=3650)
    rings_days: int = Field(30, ge=1, le=3650)
    baskets_days: int = Field(7, ge=1, le=3650)
    lines_at_once: int = Field(1_000_000, ge=1_000, le=100_000_000)
