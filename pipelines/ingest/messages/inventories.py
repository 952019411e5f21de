"""Inventories of cross-border e-commerce: CEB621 (import) and CEB603 (export), edition of May 2022.

Field names are those of import_202205.xsd and export_202205.xsd; docs/ceb.md has the table.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from pipelines.ingest.reading.message_format import (
    Fields,
    MessageFormat,
    Shape,
    Values,
    is_marked,
    spelled_moment,
)


@dataclass(frozen=True)
class _Direction:
    """Where imports and exports differ: columns of the two countries, fields of the two currencies."""

    name: str
    head_country: str
    line_country: str
    freight_currency: str
    insurance_currency: str


_DIRECTION_OF_ROOT: Mapping[str, _Direction] = {
    # CEB621 has one currency for both.
    "CEB621Message": _Direction("import", "dispatch_country", "origin_country", "currency", "currency"),
    "CEB603Message": _Direction(
        "export", "destination_country", "destination_country", "fCurrency", "iCurrency"
    ),
}
# Column of the contract -> field, for what is taken over as it stands.
_HEAD_COLUMNS: Mapping[str, str] = {
    "customs_office": "customsCode",
    "port": "portCode",
    "transport_mode": "trafMode",
    "platform_id": "ebpCode",
    "seller_id": "ebcCode",
    "agent_id": "agentCode",
    "carrier_id": "logisticsCode",
    "order_id": "orderNo",
    "waybill_id": "logisticsNo",
    "gross_weight_kg": "grossWeight",
    "net_weight_kg": "netWeight",
    "package_count": "packNo",
}
_LINE_COLUMNS: Mapping[str, str] = {
    "line_no": "gnum",
    "item_model": "gmodel",
    "quantity": "qty",
    "unit": "unit",
    "legal_quantity": "qty1",
    "legal_unit": "unit1",
    "unit_price": "price",
    "total_price": "totalPrice",
}
_TRADE_MODES = frozenset({"9610", "1210", "1239", "9710", "9810"})
_DIRECTION_OF_FLAG = {"I": "import", "E": "export"}
_AMOUNT_FLAG = "3"
_NO_BARCODE = "无"
_HEADING_ONLY = re.compile(r"\d{4}", re.ASCII)


class Inventories(MessageFormat):
    """One inventory is one parcel, a goods line of it a row."""

    shapes: ClassVar = dict.fromkeys(_DIRECTION_OF_ROOT, Shape("Inventory", "InventoryHead", "InventoryList"))
    plural = "inventories"
    # fmt: off
    clear_head_fields = frozenset(
        {
            "guid", "appType", "appTime", "appStatus", "orderNo", "ebpCode", "ebcCode", "logisticsNo",
            "logisticsCode", "copNo", "preNo", "assureCode", "emsNo", "invtNo", "ieFlag", "declTime",
            "customsCode", "portCode", "ieDate", "buyerIdType", "agentCode", "areaCode", "tradeMode",
            "trafMode", "trafNo", "voyageNo", "billNo", "loctNo", "licenseNo", "country", "freight",
            "insuredFee", "currency", "wrapType", "packNo", "grossWeight", "netWeight", "statisticsFlag",
            "ownerCode", "iacCode", "totalPackageNo", "POD", "fCurrency", "fFlag", "iCurrency", "iFlag",
        }
    )
    clear_line_fields = frozenset(
        {
            "gnum", "itemRecordNo", "itemNo", "itemName", "gcode", "gname", "gmodel", "barCode", "country",
            "tradeCountry", "currency", "qty", "unit", "qty1", "unit1", "qty2", "unit2", "price",
            "totalPrice",
        }
    )
    naming_fields = frozenset(
        {
            "invtNo", "copNo", "orderNo", "logisticsNo", "ebpCode", "ebcCode", "agentCode", "logisticsCode",
            "customsCode", "portCode", "buyerIdNumber", "buyerName", "buyerTelephone", "consigneeAddress",
        }
    )
    # fmt: on
    hashed_as: ClassVar[Mapping[str, str]] = {
        "buyerIdNumber": "buyer_id",
        "consigneeAddress": "address_id",
        "invtNo": "declaration_id",
        "barCode": "barcode",
        **{field: column for column, field in _HEAD_COLUMNS.items()},
    }
    word_fields = frozenset({"itemName", "gname", "gmodel"})
    person_fields = (
        "buyerName",
        "buyerTelephone",
        "buyerIdNumber",
        "consignee",
        "consigneeTelephone",
        "consigneeAddress",
    )

    @property
    def _direction(self) -> _Direction:
        return _DIRECTION_OF_ROOT[self.root]

    def head_columns(self, head: Fields) -> Values:
        """The columns that an inventory's head decides."""
        direction, trade_mode = self._direction, head.get("tradeMode")
        flag = head.get("ieFlag", "").upper()
        if trade_mode is not None and trade_mode not in _TRADE_MODES and not is_marked(trade_mode):
            trade_mode = "other"
        return {column: head.get(field) for column, field in _HEAD_COLUMNS.items()} | {
            "declaration_id": self._declaration_id(head),
            "_seller": head.get("ebcCode"),
            "_own_number": head.get("copNo"),
            "_buyer_named_by": self.buyer_named_by(head),
            "declared_at": _declared_at(head, direction),
            "direction": flag if is_marked(flag) else _DIRECTION_OF_FLAG.get(flag, direction.name),
            "trade_mode": trade_mode,
            "buyer_id": self.buyer(head),
            "address_id": self.hashed(head.get("consigneeAddress", ""), "address_id"),
            direction.head_country: self.codes.country(head.get("country")),
        }

    def line_columns(self, of_head: Values, head: Fields, line: Fields) -> Values:
        """The columns that a goods line decides; freight and insurance depend on its currency."""
        direction, barcode = self._direction, line.get("barCode")
        currency, country = self.codes.currency(line.get("currency")), self.codes.country(line.get("country"))
        columns: Values = {column: line.get(field) for column, field in _LINE_COLUMNS.items()} | {
            "hs_code": _hs_code(line.get("gcode"), head.get("statisticsFlag")),
            "item_name": line.get("gname") or line.get("itemName"),
            "barcode": None if barcode == _NO_BARCODE else barcode,
            "currency": currency,
            direction.line_country: country or of_head.get(direction.line_country),
        }
        columns["_item_no"] = line.get("itemNo")
        nulled: list[str] = []
        for column, field, currency_field, flag_field in (
            ("freight", "freight", direction.freight_currency, "fFlag"),
            ("insurance", "insuredFee", direction.insurance_currency, "iFlag"),
        ):
            amount = head.get(field)
            reason = self._not_comparable(amount, head.get(currency_field), head.get(flag_field), currency)
            if reason:
                nulled.append(f"{column}:{reason}")
            columns[column] = None if reason else amount
        columns["_nulled"] = ";".join(nulled) or None
        return columns

    def _declaration_id(self, head: Fields) -> str | None:
        return (
            head.get("invtNo")
            or self.hashed_key([head.get("ebcCode"), head.get("copNo")], "declaration_id")
            or self.hashed_key(
                [head.get("ebpCode"), head.get("orderNo"), head.get("logisticsNo")], "declaration_id"
            )
        )

    def _not_comparable(
        self, amount: str | None, currency: str | None, flag: str | None, line_currency: str | None
    ) -> str | None:
        """Why an amount of the head cannot stand beside the prices of the line, None where it can."""
        if amount is None or not amount.strip("0."):
            # Nothing is nothing in every currency.
            return None
        if flag not in (None, _AMOUNT_FLAG):
            return "not_an_amount"
        if currency is not None and self.codes.currency(currency) != line_currency:
            return "other_currency"
        return None


def _declared_at(head: Fields, direction: _Direction) -> str | None:
    """The moment of declaration as it stands there; CEB603 has no field for it, so that of sending counts."""
    at = head.get("declTime")
    at = head.get("appTime") if at is None and direction.name == "export" else at
    return at if at is None else spelled_moment(at)


def _hs_code(code: str | None, statistics_flag: str | None) -> str | None:
    # Simplified exports state the heading only; filled up with zeros it is a code as the schema wants it.
    if code is not None and statistics_flag == "A" and _HEADING_ONLY.fullmatch(code):
        return f"{code}000000"
    return code
