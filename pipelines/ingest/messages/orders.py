"""Orders: CEB311 (import) and CEB303 (export)."""

from __future__ import annotations

from typing import ClassVar

from features.contract.documents import ORDERS
from pipelines.ingest.reading.document_format import DocumentFormat
from pipelines.ingest.reading.message_format import Shape


class Orders(DocumentFormat):
    """One order, a goods line of it a row. What describes goods at length is not kept."""

    shapes: ClassVar = dict.fromkeys(
        ("CEB311Message", "CEB303Message"), Shape("Order", "OrderHead", "OrderList")
    )
    plural = "orders"
    of = ORDERS
    directions: ClassVar = {"CEB311Message": "import", "CEB303Message": "export"}
    head_fields: ClassVar = {
        "order_id": "orderNo",
        "platform_id": "ebpCode",
        "seller_id": "ebcCode",
        "goods_value": "goodsValue",
        "freight": "freight",
        "discount": "discount",
        "tax_total": "taxTotal",
        "paid_total": "acturalPaid",
        "paid_currency": "currency",
        "payment_company_id": "payCode",
        "transaction_id": "payTransactionId",
    }
    line_fields: ClassVar = {
        "line_no": "gnum",
        "item_no": "itemNo",
        "item_name": "itemName",
        "item_model": "gmodel",
        "barcode": "barCode",
        "unit": "unit",
        "quantity": "qty",
        "unit_price": "price",
        "total_price": "totalPrice",
        "currency": "currency",
        "origin_country": "country",
    }
    persons: ClassVar = {
        "buyer_id": "buyerIdNumber",
        "telephone_id": "buyerTelephone",
        "address_id": "consigneeAddress",
    }
    person_fields = (
        "buyerName",
        "buyerTelephone",
        "buyerIdNumber",
        "consignee",
        "consigneeTelephone",
        "consigneeAddress",
    )
