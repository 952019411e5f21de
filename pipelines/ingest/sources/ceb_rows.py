"""Turns the head and the lines of one inventory into rows in the columns of the contract."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from features.contract.china_time import CHINA
from pipelines.ingest.sources.ceb_fields import (
    CLEAR_HEAD_FIELDS,
    CLEAR_LINE_FIELDS,
    HASHED_AS,
    HEAD_COLUMNS,
    LINE_COLUMNS,
    TRADE_MODES,
    Message,
)
from pipelines.privacy.pseudonyms import Pseudonymiser, normalise

Fields = Mapping[str, str]
Row = dict[str, Any]

_MOMENT = re.compile(r"\d{14}(\d{3})?", re.ASCII)
_DAY = re.compile(r"\d{8}", re.ASCII)
_ACTIONS = {"1": "new", "2": "change", "3": "delete"}
_DIRECTIONS = {"I": "import", "E": "export"}
_DRAFT_STATUS = "1"
_AMOUNT_FLAG = "3"
_HEADING_ONLY = re.compile(r"\d{4}", re.ASCII)
_NO_BARCODE = "无"
_KEPT_HASHES = 2**16
_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


class RowMaker:
    """Makes the rows of one file. It keeps the hashes of names that come again, so take a new one a file."""

    def __init__(
        self,
        message: Message,
        pseudonymiser: Pseudonymiser,
        countries: Mapping[str, str],
        currencies: Mapping[str, str],
    ) -> None:
        self._message = message
        self._names = pseudonymiser
        self._countries = countries
        self._currencies = currencies
        self._hash: Callable[[str, str], str | None] = lru_cache(_KEPT_HASHES)(pseudonymiser.hash_value)

    def head(self, head: Fields | None) -> Row:
        """The columns that an inventory's head decides, the same for all of its lines."""
        if head is None:
            return {"_reject": "no_inventory_head", "_head_record": "null"}
        message = self._message
        row: Row = {column: head.get(field) for column, field in HEAD_COLUMNS.items()}
        action, reject = _action(head)
        trade_mode = head.get("tradeMode")
        row |= {
            "declaration_id": self._declaration_id(head),
            "declared_at": _declared_at(head, message),
            "direction": _DIRECTIONS.get(head.get("ieFlag", "").upper(), message.direction),
            "trade_mode": trade_mode if trade_mode is None or trade_mode in TRADE_MODES else "other",
            "buyer_id": self._buyer_id(head),
            "address_id": self._hash(head.get("consigneeAddress", ""), "address_id"),
            message.head_country: _iso(head.get("country"), self._countries),
            "_message_at": _message_at(head.get("appTime")),
            "_action": action,
            "_reject": reject,
            "_head_record": self._record(head, CLEAR_HEAD_FIELDS),
        }
        return row

    def line(self, of_head: Row, head: Fields | None, line: Fields | None) -> Row:
        """A whole row: the columns of the head (from `head`) and those of the line."""
        row = dict(of_head)
        record = row.pop("_head_record")
        head = head or {}
        if line is None:
            if row.get("_action") != "delete":
                row["_reject"] = row["_reject"] or "no_goods_lines"
            line, line_record = {}, "null"
        else:
            line_record = self._record(line, CLEAR_LINE_FIELDS)
        row["_record"] = f'{{"message":"{self._message.name}","head":{record},"line":{line_record}}}'
        row |= {column: line.get(field) for column, field in LINE_COLUMNS.items()}
        barcode = line.get("barCode")
        currency = _iso(line.get("currency"), self._currencies)
        country = _iso(line.get("country"), self._countries)
        row |= {
            "hs_code": _hs_code(line.get("gcode"), head.get("statisticsFlag")),
            "item_name": line.get("gname") or line.get("itemName"),
            "barcode": None if barcode == _NO_BARCODE else barcode,
            "currency": currency,
            self._message.line_country: country or row.get(self._message.line_country),
        }
        nulled: list[str] = []
        message = self._message
        for column, field, currency_field, flag_field in (
            ("freight", "freight", message.freight_currency, "fFlag"),
            ("insurance", "insuredFee", message.insurance_currency, "iFlag"),
        ):
            amount = head.get(field)
            reason = self._not_comparable(amount, head.get(currency_field), head.get(flag_field), currency)
            if reason:
                nulled.append(f"{column}:{reason}")
            row[column] = None if reason else amount
        row["_nulled"] = ";".join(nulled) or None
        return row

    def _declaration_id(self, head: Fields) -> str | None:
        return (
            head.get("invtNo")
            or self._names.hash_key([head.get("ebcCode"), head.get("copNo")], "declaration_id")
            or self._names.hash_key(
                [head.get("ebpCode"), head.get("orderNo"), head.get("logisticsNo")], "declaration_id"
            )
        )

    def _buyer_id(self, head: Fields) -> str | None:
        by_number = self._hash(head.get("buyerIdNumber", ""), "buyer_id")
        if by_number:
            return by_number
        name, telephone = normalise(head.get("buyerName", "")), normalise(head.get("buyerTelephone", ""))
        return self._names.hash_key([name, telephone], "buyer_id")

    def _record(self, fields: Fields, clear: frozenset[str]) -> str:
        kept = {
            field: value if field in clear else f"hashed:{self._hash(value, HASHED_AS.get(field, field))}"
            for field, value in fields.items()
        }
        return _JSON.encode(kept)

    def _not_comparable(
        self, amount: str | None, currency: str | None, flag: str | None, line_currency: str | None
    ) -> str | None:
        """Why an amount of the head cannot stand beside the prices of the line, None where it can."""
        if amount is None or not amount.strip("0."):
            # Nothing is nothing in every currency.
            return None
        if flag not in (None, _AMOUNT_FLAG):
            return "not_an_amount"
        if currency is not None and _iso(currency, self._currencies) != line_currency:
            return "other_currency"
        return None


def _action(head: Fields) -> tuple[str | None, str | None]:
    """What the message does (new, change, delete, draft), or why that cannot be told."""
    status = head.get("appStatus")
    if status is None:
        # The specification demands it; to take silence for a draft or a declaration would be a guess.
        return None, "missing_app_status"
    if status == _DRAFT_STATUS:
        return "draft", None
    action = _ACTIONS.get(head.get("appType", "1"))
    return action, None if action else "bad_app_type"


def _declared_at(head: Fields, message: Message) -> str | None:
    """The day of declaration as YYYY-MM-DD, or a moment of ISO 8601 with its offset; else what stands there.

    CEB603 has no field for it: there the moment of sending counts.
    """
    text = head.get("declTime")
    if text is None and message.direction == "export":
        text = head.get("appTime")
    if text is None:
        return None
    if _DAY.fullmatch(text):
        return f"{text[:4]}-{text[4:6]}-{text[6:]}"
    moment = _message_at(text)
    return moment.astimezone(CHINA).isoformat() if moment else text


@lru_cache(1024)
def _message_at(text: str | None) -> datetime | None:
    """A moment YYYYMMDDhhmmss in China (no summer time since 1992), with or without milliseconds, as UTC."""
    if text is None or not _MOMENT.fullmatch(text):
        return None
    try:
        moment = datetime.strptime(text[:14], "%Y%m%d%H%M%S").replace(tzinfo=CHINA)
        return moment.astimezone(UTC) + timedelta(milliseconds=int(text[14:] or 0))
    except (ValueError, OverflowError):
        return None


def _iso(code: str | None, codes: Mapping[str, str]) -> str | None:
    """The ISO code for customs' numeric one; another is left as it is for the contract to judge."""
    return None if code is None else codes.get(code) or code.upper()


def _hs_code(code: str | None, statistics_flag: str | None) -> str | None:
    # Simplified exports state the heading only; filled up with zeros it is a code as the schema wants it.
    if code is not None and statistics_flag == "A" and _HEADING_ONLY.fullmatch(code):
        return f"{code}000000"
    return code
