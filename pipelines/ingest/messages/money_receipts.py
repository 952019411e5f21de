"""Receipts of money for exports: CEB403."""

from __future__ import annotations

from typing import ClassVar

from features.contract.documents import PAYMENTS
from pipelines.ingest.reading.document_format import DocumentFormat
from pipelines.ingest.reading.message_format import Shape


class MoneyReceipts(DocumentFormat):
    """One receipt of money for an order, a row; company and number of the payment may be missing."""

    shapes: ClassVar = {"CEB403Message": Shape("Receipts", "Receipts")}
    plural = "receipts of money"
    of = PAYMENTS
    directions: ClassVar = {"CEB403Message": "export"}
    head_fields: ClassVar = {
        "payment_company_id": "payCode",
        "transaction_id": "payNo",
        "order_id": "orderNo",
        "platform_id": "ebpCode",
        "seller_id": "ebcCode",
        "amount": "charge",
        "currency": "currency",
        "paid_at": "accountingDate",
    }
