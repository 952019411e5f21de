"""Builds small messages about documents for tests; every name and number in them is made up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from xml.sax.saxutils import escape

from tests.pipelines.ceb_documents import IMPORT_HEAD, IMPORT_LINE, NAMESPACE

Fields = Mapping[str, object]
PERSON: dict[str, object] = {
    "buyerIdType": "1",
    "buyerIdNumber": "11010519491231002X",
    "buyerName": "欧阳测试",
    "buyerTelephone": "13900001111",
}
APPLIED: dict[str, object] = {"guid": "G", "appType": 1, "appTime": "20261120080000", "appStatus": 2}
ORDER = APPLIED | {
    "orderType": "I", "orderNo": "ORDER1", "ebpCode": "PLATFORM1", "ebcCode": "SELLER1",
    "goodsValue": 301, "freight": "12.5", "discount": 0, "taxTotal": "28.5", "acturalPaid": 342,
    "currency": 142, **PERSON, "buyerRegNo": "REG13900001111", "payCode": "PAY1",
    "payTransactionId": "TRANSACTION1", "consignee": "欧阳测试", "consigneeTelephone": "13900001111",
    "consigneeAddress": "浙江省杭州市，示例路　７号", "note": "欧阳测试 13900001111",
}  # fmt: skip
ORDER_LINE: dict[str, object] = {
    "gnum": 1, "itemNo": "ITEM-1", "itemName": "面霜", "gmodel": "50 g", "barCode": "4901234567894",
    "unit": "007", "qty": 2, "price": "150.5", "totalPrice": 301, "currency": 142, "country": 133,
}  # fmt: skip
PAYMENT = APPLIED | {
    "payCode": "PAY1", "payTransactionId": "TRANSACTION1", "orderNo": "ORDER1", "ebpCode": "PLATFORM1",
    "payerIdType": 1, "payerIdNumber": "11010519491231002x", "payerName": "欧阳测试",
    "telephone": "13900001111", "amountPaid": 342, "currency": 142, "payTime": "20261120075900",
}  # fmt: skip
WAYBILL = APPLIED | {
    "logisticsCode": "CARRIER1", "logisticsNo": "WAYBILL1", "orderNo": "ORDER1", "freight": "12.5",
    "insuredFee": 0, "currency": 142, "weight": "1.2", "packNo": 1, "goodsInfo": "面霜",
    "consignee": "欧阳测试", "consigneeAddress": "浙江省 杭州市示例路7号",
    "consigneeTelephone": "13900001111",
}  # fmt: skip
STATUS = APPLIED | {
    "logisticsCode": "CARRIER1", "logisticsNo": "WAYBILL1", "logisticsStatus": "S",
    "logisticsTime": "20261121100000", "appTime": "20261121100100",
}  # fmt: skip
CANCELLATION = APPLIED | {
    "appTime": "20261122090000", "customsCode": 2991, "orderNo": "ORDER1", "ebpCode": "PLATFORM1",
    "ebcCode": "SELLER1", "logisticsNo": "WAYBILL1", "logisticsCode": "CARRIER1", "copNo": "CANCEL1",
    "invtNo": "INVENTORY1", **PERSON, "agentCode": "AGENT1", "reason": "欧阳测试不要了",
}  # fmt: skip
RETURN = CANCELLATION | {"copNo": "RETURN1", "appTime": "20261128090000"}
RETURN_LINE: dict[str, object] = {"gnum": 1, "gcode": "3304990039", "gname": "面霜", "qty": 1, "unit": "007"}
EXPORT_RETURN = APPLIED | {
    "customsCode": 2991, "ebpCode": "PLATFORM1", "ebcCode": "SELLER1", "logisticsNo": "BACK1",
    "logisticsCode": "CARRIER1", "coElNo": "RETURN9", "invtNo": "INVENTORY9", "tradeMode": "9610",
}  # fmt: skip
TALLY = APPLIED | {
    "operatorCode": "OPERATOR1", "logisticsCode": "CARRIER1", "logisticsNo": "BACK1", "coElNo": "RETURN9",
    "invtNo": "INVENTORY9", "appTime": "20261125120000", "note": "欧阳测试",
}  # fmt: skip
STATE: dict[str, object] = {
    "guid": "G", "customsCode": 2991, "copNo": "CANCEL1", "preNo": "B1", "invtNo": "INVENTORY1",
    "returnStatus": 100, "returnTime": "20261123100000000", "returnInfo": "欧阳测试 13900001111",
}  # fmt: skip
TAX: dict[str, object] = {
    "guid": "G", "returnTime": "20261121180000000", "invtNo": "INVENTORY1", "taxNo": "TAX1",
    "customsTax": 0, "valueAddedTax": "36.7", "consumptionTax": 0, "status": 1,
}  # fmt: skip
TAX_LINE: dict[str, object] = {
    "gnum": 1, "gcode": "3304990039", "taxPrice": "404.5", "customsTax": 0, "valueAddedTax": "36.7",
    "consumptionTax": 0,
}  # fmt: skip
INVENTORY: Fields = IMPORT_HEAD | {"invtNo": "INVENTORY1", "appTime": "20261120093000"}
INVENTORY_LINE: Fields = IMPORT_LINE | {"itemNo": "ITEM-1"}
SEQUENCES = [(0, 1, 2), (2, 1, 0), (1, 2, 0)]
"""Some of the orders in which three files can come."""


def at(day: int, hour: int = 12) -> datetime:
    """A moment in the month of the messages."""
    return datetime(2026, 11, day, hour, tzinfo=UTC)


def element(name: str, fields: Fields) -> str:
    """An element with these fields, those that are None left out."""
    inside = "".join(
        f"<ceb:{field}>{escape(str(value))}</ceb:{field}>"
        for field, value in fields.items()
        if value is not None
    )
    return f"<ceb:{name}>{inside}</ceb:{name}>"


def order(head: Fields, *lines: Fields) -> str:
    """One order."""
    inside = element("OrderHead", head) + "".join(element("OrderList", line) for line in lines)
    return f"<ceb:Order>{inside}</ceb:Order>"


def returned(head: Fields, *lines: Fields) -> str:
    """One application to take goods back."""
    inside = element("InvtRefundHead", head) + "".join(element("InvtRefundList", line) for line in lines)
    return f"<ceb:InvtRefund>{inside}</ceb:InvtRefund>"


def tax_bill(head: Fields, *lines: Fields) -> str:
    """One tax bill."""
    inside = element("TaxHeadRd", head) + "".join(element("TaxListRd", line) for line in lines)
    return f"<ceb:Tax>{inside}</ceb:Tax>"


def written(folder: Path, number: str, documents: Sequence[str], name: str = "") -> Path:
    """The file of a message of this number."""
    path = folder / f"{name or number}.xml"
    path.write_text(
        f'<?xml version="1.0" encoding="UTF-8"?>\n<ceb:CEB{number}Message guid="G" version="1.0" '
        f'xmlns:ceb="{NAMESPACE}">{"".join(documents)}</ceb:CEB{number}Message>',
        encoding="utf-8",
    )
    return path
