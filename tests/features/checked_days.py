"""A day to check, made of a few rows of its tables: one honest import, and what a test changes of it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl

from configs.language import language
from configs.reference.facts import Reference, ReferenceDay, load_reference
from configs.reference.table_names import table_names
from configs.schema.checks import ChecksConfig
from features.check import BOUGHT_COLUMNS, SPENT_COLUMNS, CheckedDay
from features.contract.declarations import DECLARATION_COLUMNS
from features.contract.documents import ORDERS, PAYMENTS, RETURNS, WAYBILLS
from features.verdicts import found_checks, run_checks
from features.words.finding_figures import figures_in_words

CHINESE, NAMES = language("zh-CN"), table_names("zh-CN")
DAY = date(2026, 11, 20)
CLOSE = datetime(2026, 11, 20, 16, tzinfo=UTC)
Row = Mapping[str, Any]

LINE: Row = {
    "declaration_id": "INV1",
    "line_no": 1,
    "declared_at": CLOSE - timedelta(hours=8),
    "direction": "import",
    "trade_mode": "9610",
    "platform_id": "EBP1",
    "order_id": "O1",
    "carrier_id": "C1",
    "waybill_id": "W1",
    "buyer_id": "ann",
    "address_id": "lane 1",
    "item_no": "SKU1",
    "hs_code": "3304990000",
    "quantity": 2.0,
    "unit": "011",
    "unit_price": 100.0,
    "total_price": 200.0,
    "currency": "CNY",
    "gross_weight_kg": 1.0,
}
ORDER: Row = {
    "platform_id": "EBP1",
    "order_id": "O1",
    "line_no": 1,
    "direction": "import",
    "buyer_id": "ann",
    "address_id": "lane 1",
    "payment_company_id": "PAY1",
    "transaction_id": "T1",
    "goods_value": 200.0,
    "freight": 10.0,
    "discount": 5.0,
    "tax_total": 18.2,
    "paid_total": 223.2,
    "paid_currency": "CNY",
    "item_no": "SKU1",
    "quantity": 2.0,
    "unit_price": 100.0,
    "total_price": 200.0,
    "currency": "CNY",
    "sent_at": CLOSE - timedelta(days=1),
}
PAYMENT: Row = {
    "platform_id": "EBP1",
    "order_id": "O1",
    "payment_company_id": "PAY1",
    "transaction_id": "T1",
    "payer_id": "ann",
    "amount": 223.2,
    "currency": "CNY",
    "paid_at": CLOSE - timedelta(days=1),
    "sent_at": CLOSE - timedelta(days=1),
}
WAYBILL: Row = {
    "carrier_id": "C1",
    "waybill_id": "W1",
    "address_id": "lane 1",
    "gross_weight_kg": 1.0,
    "sent_at": CLOSE - timedelta(days=1),
}
RETURN: Row = {
    "declaration_id": "OLD1",
    "own_number": "R1",
    "line_no": 1,
    "direction": "import",
    "quantity": 1.0,
    "unit": "011",
    "sent_at": CLOSE - timedelta(hours=6),
}
RETURNED_LINE: Row = LINE | {
    "declaration_id": "OLD1",
    "declared_at": CLOSE - timedelta(days=12),
    "released_at": CLOSE - timedelta(days=10),
}

_MOMENT = pl.Datetime("us", "UTC")
_LINES = DECLARATION_COLUMNS | dict.fromkeys(("item_no", "buyer_named_by"), pl.String())
_USES = {name: pl.String() for name in ("payment_company_id", "transaction_id", "platform_id", "order_id")}
_INVENTORIES = {
    "declaration_id": pl.String(),
    "declared_on": pl.Date(),
    **{name: pl.String() for name in ("platform_id", "order_id", "carrier_id", "waybill_id")},
    "total": pl.Float64(),
    "currency": pl.String(),
}
_RETURNS = RETURNS.columns | {"applied_at": _MOMENT, "is_new": pl.Boolean()}


def frame(rows: Sequence[Row], schema: Mapping[str, Any]) -> pl.DataFrame:
    return pl.DataFrame([{name: row.get(name) for name in schema} for row in rows], schema=schema)


def day_of(
    lines: Sequence[Row] = (LINE,),
    orders: Sequence[Row] = (ORDER,),
    payments: Sequence[Row] = (PAYMENT,),
    waybills: Sequence[Row] = (WAYBILL,),
    **further: Any,
) -> CheckedDay:
    """A day of these rows.

    `further` has returns, returned_lines, earlier (lines of other days), other_uses (of transactions), day,
    config, reference, spent (by declaration) and bought (of the year).
    """
    day = further.get("day", DAY)
    declared = frame([*lines, *further.get("earlier", ())], _LINES)
    paid = [*payments, *orders, *further.get("other_uses", ())]
    returns = [
        {"applied_at": row["sent_at"], "is_new": _on(row["sent_at"]) == day} | dict(row)
        for row in further.get("returns", ())
    ]
    inventories = declared.group_by("declaration_id").agg(
        pl.col("declared_at").min().dt.convert_time_zone("Asia/Shanghai").dt.date().alias("declared_on"),
        pl.col("platform_id", "order_id", "carrier_id", "waybill_id").first(),
        pl.col("total_price").sum().alias("total"),
        pl.col("currency").first(),
    )
    return CheckedDay(
        day=day,
        closes_at=CLOSE + (day - DAY),
        lines=frame(lines, _LINES),
        orders=frame(orders, ORDERS.columns),
        payments=frame(payments, PAYMENTS.columns),
        waybills=frame(waybills, WAYBILLS.columns),
        transactions=frame(paid, _USES).unique(),
        inventories=inventories.select(*_INVENTORIES),
        returns=frame(returns, _RETURNS),
        returned_lines=frame(further.get("returned_lines", ()), _LINES | {"released_at": _MOMENT}),
        config=further.get("config", ChecksConfig()),
        reference=_reference_of(further.get("reference") or load_reference(), day),
        spent=pl.DataFrame(list(further.get("spent", {}).items()), SPENT_COLUMNS, orient="row"),
        bought=frame(further.get("bought", ()), BOUGHT_COLUMNS),
    )


def findings(day: CheckedDay, *checks: str) -> list[dict[str, Any]]:
    """What is found, or what is found by these checks; each text of it has a form that can be translated."""
    rows = run_checks(day).findings
    assert not list(untranslated(rows))
    wanted = checks or tuple(name for family in found_checks().values() for name in family.checks)
    return rows.filter(pl.col("check").is_in(wanted)).to_dicts()


def untranslated(rows: pl.DataFrame) -> Iterator[tuple[str, str]]:
    """Checks, and parts of what they found or expected that no form of `finding_figures` fits."""
    texts = rows.select("check", text=pl.concat_list("found", "expected")).explode("text").unique()
    parts = texts.with_columns(pl.col("text").str.split("; ")).explode("text").drop_nulls()
    for check, part in parts.iter_rows():
        # A figure alone is the same in every language.
        is_figure = re.fullmatch("-?[0-9.]+", part)
        if not is_figure and figures_in_words(check, part, CHINESE, NAMES) == part:
            yield check, part


def found(day: CheckedDay) -> list[tuple[str, int | None, str, str]]:
    """Declaration, line, check and outcome of everything that is found."""
    return [(row["declaration_id"], row["line_no"], row["check"], row["outcome"]) for row in findings(day)]


def _on(moment: datetime) -> date:
    return (moment + timedelta(hours=8)).date()


def _reference_of(reference: Reference | ReferenceDay, day: date) -> ReferenceDay:
    return reference.on(day) if isinstance(reference, Reference) else reference
