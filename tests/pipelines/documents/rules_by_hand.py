"""The checks of documents and returns once more, a parcel at a time, as the contract words them.

Independent of the simulation and of the checks: it takes tables as they are known at the close of a day.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import polars as pl

from features.contract.china_time import CHINA, china_date

Row = dict[str, Any]
Finding = tuple[str, int | None, str, str]
_RETAIL = {"9610", "1210", "1239"}
# Roughly what a unit is worth: no amount is wrong by about the tolerance.
_CNY = {
    "CNY": 1, "USD": 7, "EUR": 8, "JPY": 0.05, "KRW": 0.005, "GBP": 9, "AUD": 5, "HKD": 0.9, "TWD": 0.2,
    "THB": 0.2, "SGD": 5, "CAD": 5,
}  # fmt: skip
_IMPORT_DAYS, _EXPORT_DAYS = 30, 365


@dataclass(frozen=True)
class Known:
    """Tables as they are known at the close of a day; `rejected` are applications that customs refused."""

    inventories: list[Row]
    orders: list[Row]
    payments: list[Row]
    waybills: list[Row]
    returns: list[Row]
    receipts: list[Row]
    rejected: set[tuple[str, str]]


def latest(rows: pl.DataFrame, key: Iterable[str], before: datetime) -> list[Row]:
    """The last version of each document that was sent before a moment, without drafts and deleted ones."""
    found: dict[tuple[Any, ...], list[Row]] = defaultdict(list)
    for row in rows.iter_rows(named=True):
        if row["sent_at"] < before and row.get("app_status") != "1":
            found[tuple(row[name] for name in key)].append(row)
    kept = []
    for versions in found.values():
        last = max(row["sent_at"] for row in versions)
        kept += [row for row in versions if row["sent_at"] == last and row.get("app_type") != "3"]
    return kept


def findings(day: date, known: Known) -> set[Finding]:
    """What the checks of a day must say: number, line or None, check, outcome."""
    return {*_of_parcels(day, known), *_of_returns(day, known)}


def _grouped(rows: Iterable[Row], *key: str) -> Mapping[tuple[Any, ...], list[Row]]:
    found: dict[tuple[Any, ...], list[Row]] = defaultdict(list)
    for row in rows:
        values = tuple(row[name] for name in key)
        if None not in values:
            found[values].append(row)
    return found


def _of_parcels(day: date, known: Known) -> Iterator[Finding]:
    parcels = _grouped(known.inventories, "declaration_id")
    orders = _grouped(known.orders, "platform_id", "order_id")
    payments = _grouped(known.payments, "platform_id", "order_id")
    waybills = _grouped(known.waybills, "carrier_id", "waybill_id")
    by_order = {(lines[0]["platform_id"], lines[0]["order_id"]): lines[0] for lines in parcels.values()}
    by_waybill = _grouped((lines[0] for lines in parcels.values()), "carrier_id", "waybill_id")
    by_transaction = _grouped(known.payments, "payment_company_id", "transaction_id")
    for (number,), lines in parcels.items():
        head = lines[0]
        if china_date(head["declared_at"]) != day or head["trade_mode"] not in _RETAIL | {"9710", "9810"}:
            continue
        order = orders.get((head["platform_id"], head["order_id"]), [])
        paid = payments.get((head["platform_id"], head["order_id"]), [])
        waybill = waybills.get((head["carrier_id"], head["waybill_id"]), [])
        if head["direction"] == "import" and head["trade_mode"] in _RETAIL:
            for name, there in (("order", order), ("payment", paid), ("waybill", waybill)):
                if not there:
                    yield number, None, f"{name}_missing", "open"
        buyers = (head["buyer_id"], *_each(order, "buyer_id"), *_each(paid, "payer_id"))
        wrong = {
            "amount": _amounts_differ(lines, order, paid),
            "buyer": _differ(*buyers),
            "consignee": _differ(head["address_id"], *_each(order + waybill, "address_id")),
            "weight": _weights_differ(head, waybill),
            "paid_late": any(china_date(row["paid_at"]) > day for row in paid),
            "waybill_reused": _is_later(head, by_waybill.get(_waybill(head), []), day),
        }
        partners = [
            by_order.get((row["platform_id"], row["order_id"]))
            for one in paid
            for row in by_transaction[one["payment_company_id"], one["transaction_id"]]
        ]
        wrong["payment_reused"] = _is_later(head, partners, day)
        yield from ((number, None, check, "failed") for check, is_so in wrong.items() if is_so)
        yield from ((number, line, "goods", "failed") for line in _false_lines(lines, order))


def _waybill(head: Row) -> tuple[Any, Any]:
    return head["carrier_id"], head["waybill_id"]


def _is_later(head: Row, partners: Iterable[Row | None], day: date) -> bool:
    others = [row for row in partners if row and row["declaration_id"] != head["declaration_id"]]
    return any(china_date(row["declared_at"]) <= day for row in others)


def _each(rows: Iterable[Row], column: str) -> list[Any]:
    return [row[column] for row in rows]


def _differ(*values: Any) -> bool:
    return len({value for value in values if value is not None}) > 1


def _amounts_differ(lines: list[Row], order: list[Row], paid: list[Row]) -> bool:
    if not order:
        return False
    head = order[0]
    most = 1.0 / _CNY[head["paid_currency"]] + 1e-6
    if head["paid_total"] is not None:
        summed = head["goods_value"] + head["freight"] + head["tax_total"] - head["discount"]
        if abs(summed - head["paid_total"]) > most:
            return True
        if paid and abs(sum(row["amount"] for row in paid) - head["paid_total"]) > most:
            return True
    declared, ordered = (sum(row["total_price"] for row in rows) for rows in (lines, order))
    return bool(abs(declared - ordered) > most)


def _false_lines(lines: list[Row], order: list[Row]) -> Iterator[int]:
    ordered = {row["line_no"]: row for row in order}
    for line in lines:
        other = ordered.get(line["line_no"])
        if other and any(
            _differ(line.get(name), other.get(name)) for name in ("item_no", "quantity", "unit_price")
        ):
            yield line["line_no"]


def _weights_differ(head: Row, waybill: list[Row]) -> bool:
    one, other = head["gross_weight_kg"], waybill[0]["gross_weight_kg"] if waybill else None
    if one is None or other is None:
        return False
    return bool(abs(one - other) > max(0.1, max(one, other) / 10))


def _of_returns(day: date, known: Known) -> Iterator[Finding]:
    lines = {(row["declaration_id"], row["line_no"]): row for row in known.inventories}
    before: dict[tuple[str, int], float] = defaultdict(float)
    for row in sorted(known.returns, key=lambda one: one["sent_at"]):
        key = row["declaration_id"], row["line_no"]
        if (row["declaration_id"], row["own_number"]) in known.rejected:
            continue
        line, is_today = lines.get(key), china_date(row["sent_at"]) == day
        if line is None:
            if is_today:
                yield *key, "return_unknown", "failed"
            continue
        before[key] += row["quantity"]
        if is_today and before[key] > line["quantity"] + 1e-6:
            yield *key, "return_exceeds", "failed"
        days = _IMPORT_DAYS if line["direction"] == "import" else _EXPORT_DAYS
        if is_today and row["sent_at"] - _released(line, known) > timedelta(days=days):
            yield *key, "return_late", "failed"


def _released(line: Row, known: Known) -> datetime:
    """When a parcel was released, else declared; exports count from the declaration."""
    own = [
        row
        for row in known.receipts
        if row["declaration_id"] == line["declaration_id"]
        or (row["declaration_id"] is None and _own(row) == _own(line))
    ]
    for status in (800, 899):
        moments = [row["sent_at"] for row in own if row["status"] == status]
        if moments and line["direction"] == "import":
            return min(moments)
    declared: datetime = line["declared_at"]
    return declared


def _own(row: Row) -> tuple[Any, Any]:
    return row["seller_id"], row.get("own_number")


def close_of(day: date) -> datetime:
    """The end of a day in China."""
    return datetime(day.year, day.month, day.day, tzinfo=CHINA) + timedelta(days=1)
