"""Payments of imports: CEB411."""

from __future__ import annotations

from typing import ClassVar

from features.contract.documents import PAYMENTS
from pipelines.ingest.reading.document_format import DocumentFormat
from pipelines.ingest.reading.message_format import Shape


class Payments(DocumentFormat):
    """One payment of an order, a row."""

    shapes: ClassVar = {"CEB411Message": Shape("Payment", "PaymentHead")}
    plural = "payments"
    of = PAYMENTS
    required = ("platform_id", "order_id", "transaction_id", "sent_at")
    directions: ClassVar = {"CEB411Message": "import"}
    head_fields: ClassVar = {
        "payment_company_id": "payCode",
        "transaction_id": "payTransactionId",
        "order_id": "orderNo",
        "platform_id": "ebpCode",
        "amount": "amountPaid",
        "currency": "currency",
        "paid_at": "payTime",
    }
    persons: ClassVar = {"payer_id": "payerIdNumber", "telephone_id": "telephone"}
    person_fields = ("payerName", "telephone", "payerIdNumber")
