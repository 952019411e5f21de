"""Which field of a CEB621 or CEB603 inventory is which column, and which fields may be kept as they came."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

NAMESPACE = "http://www.chinaport.gov.cn/ceb"


@dataclass(frozen=True)
class Message:
    """One message type of the specification of May 2022 (import_202205.xsd, export_202205.xsd)."""

    name: str
    direction: str
    head_country: str
    line_country: str
    freight_currency: str
    insurance_currency: str


IMPORT_INVENTORY = Message(
    name="CEB621Message",
    direction="import",
    head_country="dispatch_country",
    line_country="origin_country",
    # CEB621 has one currency for both.
    freight_currency="currency",
    insurance_currency="currency",
)
EXPORT_INVENTORY = Message(
    name="CEB603Message",
    direction="export",
    head_country="destination_country",
    line_country="destination_country",
    freight_currency="fCurrency",
    insurance_currency="iCurrency",
)
MESSAGES: Mapping[str, Message] = {message.name: message for message in (IMPORT_INVENTORY, EXPORT_INVENTORY)}

# Column of the contract -> field, for what is taken over as it stands.
HEAD_COLUMNS: Mapping[str, str] = {
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
LINE_COLUMNS: Mapping[str, str] = {
    "line_no": "gnum",
    "item_model": "gmodel",
    "quantity": "qty",
    "unit": "unit",
    "legal_quantity": "qty1",
    "legal_unit": "unit1",
    "unit_price": "price",
    "total_price": "totalPrice",
}
TRADE_MODES = frozenset({"9610", "1210", "1239", "9710", "9810"})

# fmt: off
# A list of what is harmless, not of what is not: a field that the next version of the specification adds, or
# that somebody misspells, is hashed until it stands here. So is each company's name: it may be a person's.
CLEAR_HEAD_FIELDS = frozenset(
    {
        "guid", "appType", "appTime", "appStatus", "orderNo", "ebpCode", "ebcCode", "logisticsNo",
        "logisticsCode", "copNo", "preNo", "assureCode", "emsNo", "invtNo", "ieFlag", "declTime",
        "customsCode", "portCode", "ieDate", "buyerIdType", "agentCode", "areaCode", "tradeMode",
        "trafMode", "trafNo", "voyageNo", "billNo", "loctNo", "licenseNo", "country", "freight",
        "insuredFee", "currency", "wrapType", "packNo", "grossWeight", "netWeight", "statisticsFlag",
        "ownerCode", "iacCode", "totalPackageNo", "POD", "fCurrency", "fFlag", "iCurrency", "iFlag",
    }
)
CLEAR_LINE_FIELDS = frozenset(
    {
        "gnum", "itemRecordNo", "itemNo", "itemName", "gcode", "gname", "gmodel", "barCode", "country",
        "tradeCountry", "currency", "qty", "unit", "qty1", "unit1", "qty2", "unit2", "price",
        "totalPrice",
    }
)
# fmt: on
# In a kept record these have the hash of their column, so that the two can be told to be the same buyer.
HASHED_AS: Mapping[str, str] = {"buyerIdNumber": "buyer_id", "consigneeAddress": "address_id"}
