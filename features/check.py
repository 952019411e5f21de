"""What a family of checks is: a function of what is known of a day that returns findings."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from typing import Final

import polars as pl

from configs.reference import regimes
from configs.reference.facts import ReferenceDay
from configs.schema.checks import ChecksConfig

ORDER_KEY: Final = ("platform_id", "order_id")
WAYBILL_KEY: Final = ("carrier_id", "waybill_id")
TRANSACTION_KEY: Final = ("payment_company_id", "transaction_id")
RETAIL_MODES: Final = regimes.RETAIL_MODES
EXPORT_MODES: Final = regimes.EXPORT_MODES
FINDING_COLUMNS: Final[dict[str, pl.DataType]] = {
    "declaration_id": pl.String(),
    "line_no": pl.Int32(),
    "check": pl.String(),
    "outcome": pl.String(),
    "found": pl.String(),
    "expected": pl.String(),
    "basis": pl.String(),
    "valid_from": pl.Date(),
}
"""A finding: `line_no` is null for the whole parcel, `valid_from` where no dated rule is behind it."""
SPENT_COLUMNS: Final[dict[str, pl.DataType]] = {"declaration_id": pl.String(), "spent_cny": pl.Float64()}
BOUGHT_COLUMNS: Final[dict[str, pl.DataType]] = {
    "declaration_id": pl.String(),
    "line_no": pl.Int32(),
    "declared_at": pl.Datetime("us", "UTC"),
    "buyer_id": pl.String(),
    "hs_code": pl.String(),
    "quantity": pl.Float64(),
    "unit": pl.String(),
    "legal_quantity": pl.Float64(),
    "legal_unit": pl.String(),
    "returned": pl.Float64(),
    "is_late": pl.Boolean(),
}
"""A line that a buyer bought: `returned` is what of its quantity goes back; `is_late` where it was sent after
the close of its day, which knew nothing of it."""
FINDINGS: Final = "_findings"
"""The column with the names of the checks that a line's parcel has findings of."""
OUTCOMES: Final = ("failed", "open", "note")
RETAIL_IMPORT: Final = (pl.col("direction") == "import") & pl.col("trade_mode").is_in(RETAIL_MODES)
NO_EXPORT: Final = (pl.col("direction").fill_null("import") == "import") & ~pl.col("trade_mode").fill_null(
    ""
).is_in(EXPORT_MODES)


@dataclass(frozen=True)
class CheckedDay:
    """What is known at the close of a day of its declarations, and of the returns applied for on it.

    Every frame may be empty. The columns of documents are those of their tables.

    Attributes:
        day: the day in China.
        closes_at: the moment at which it ends.
        lines: the day's lines: the contract's columns, `item_no` and `buyer_named_by`.
        orders: the lines of the orders that they name.
        payments: what was paid for these orders.
        waybills: the waybills that they name.
        transactions: transaction and order of every payment and order that shares a transaction with them.
        inventories: one row an inventory that holds, of this day or before, and shares an order, a waybill or
            a transaction with them, themselves included: declaration_id, declared_on, the keys of order and
            waybill, `total` of its lines and `currency` (null where they have several).
        returns: every application for lines of the inventories that an application of the day names, with
            `applied_at`, when it was first sent, and `is_new`: of the day.
        returned_lines: the lines of these inventories, as far as there are any, with `released_at`.
        config: how far two documents may differ.
        reference: the reference tables of the day.
        spent: what buyers spent on retail imports in the calendar year up to a parcel and with it, without
            what they gave back, in `SPENT_COLUMNS`: of parcels where it is above the year's allowance.
        bought: what buyers of the day bought in its year of headings of which a person may buy so much.
    """

    day: date
    closes_at: datetime
    lines: pl.DataFrame
    orders: pl.DataFrame
    payments: pl.DataFrame
    waybills: pl.DataFrame
    transactions: pl.DataFrame
    inventories: pl.DataFrame
    returns: pl.DataFrame
    returned_lines: pl.DataFrame
    config: ChecksConfig
    reference: ReferenceDay
    spent: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=SPENT_COLUMNS))
    bought: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=BOUGHT_COLUMNS))

    @cached_property
    def assessed(self) -> pl.DataFrame:
        """The day's lines, sorted by key, with what is due on each (`configs.reference.tax_rules`)."""
        lines = self.lines.sort("declaration_id", "line_no")
        return lines.hstack(self.reference.assess(lines, self.spent))

    @cached_property
    def parcels(self) -> pl.DataFrame:
        """One row a declaration: the first value that a line has of what lines repeat."""
        repeated = (
            *("direction", "trade_mode", "customs_office", "dispatch_country"),
            *(*ORDER_KEY, *WAYBILL_KEY, "buyer_id", "buyer_named_by", "address_id"),
        )
        values = (pl.col(name).drop_nulls().first() for name in (*repeated, "gross_weight_kg"))
        return self.lines.sort("declaration_id", "line_no").group_by("declaration_id").agg(*values)

    @cached_property
    def order_heads(self) -> pl.DataFrame:
        """One row an order: its first line, which says what is of the whole order."""
        return self.orders.sort("line_no").unique(ORDER_KEY, keep="first")


Find = Callable[[CheckedDay], pl.DataFrame]


@dataclass(frozen=True)
class CheckFamily:
    """Checks that look at the same facts, and the function that finds what contradicts them.

    Raises:
        TypeError: the function does not take one `day`.
    """

    find: Find
    checks: tuple[str, ...]

    def __post_init__(self) -> None:
        given = tuple(inspect.signature(self.find).parameters)
        if given != ("day",):
            raise TypeError(f"find: expected the parameter day; came {given}")

    def __call__(self, day: CheckedDay) -> pl.DataFrame:
        """Return the findings of the day, in `FINDING_COLUMNS` and no order.

        A null `outcome` says that the rules do not tell.

        Raises:
            ValueError: a finding is of another check, or of an unknown outcome.
        """
        found = self.find(day)
        stray = sorted(set(found["check"]) - set(self.checks))
        stray += sorted(set(found["outcome"].drop_nulls()) - set(OUTCOMES))
        if stray:
            raise ValueError(
                f"expected findings of {', '.join(self.checks)} that are {', '.join(OUTCOMES)}; "
                f"came {', '.join(stray[:5])}"
            )
        return found


def check_family(*checks: str) -> Callable[[Find], CheckFamily]:
    """Declare the function `find` of a module in `features/checks` to be what finds these checks' findings.

    >>> @check_family("weight")
    ... def find(day):
    ...     return pl.DataFrame(schema=FINDING_COLUMNS)
    >>> find.checks
    ('weight',)
    """
    return lambda find: CheckFamily(find, checks)


def as_findings(rows: pl.DataFrame, check: str, outcome: str = "failed") -> pl.DataFrame:
    """Return findings of rows that say at least whose they are.

    What the rows do not have of `FINDING_COLUMNS` is null, but for `check` and `outcome`, which are as given.
    """
    given = {"check": check, "outcome": outcome}
    return rows.select(
        (pl.col(name) if name in rows.columns else pl.lit(given.get(name))).cast(dtype).alias(name)
        for name, dtype in FINDING_COLUMNS.items()
    )
