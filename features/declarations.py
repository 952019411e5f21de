"""The data contract of declarations: one row a goods line."""

from __future__ import annotations

import polars as pl

DECLARATION_KEY = ("declaration_id", "line_no")

DECLARATION_COLUMNS: dict[str, pl.DataType] = {
    "declaration_id": pl.String(),
    "line_no": pl.Int32(),
    "declared_at": pl.Datetime("us", "UTC"),
    "direction": pl.String(),
    "trade_mode": pl.String(),
    "customs_office": pl.String(),
    "port": pl.String(),
    "transport_mode": pl.String(),
    "platform_id": pl.String(),
    "seller_id": pl.String(),
    "agent_id": pl.String(),
    "carrier_id": pl.String(),
    "order_id": pl.String(),
    "waybill_id": pl.String(),
    "buyer_id": pl.String(),
    "address_id": pl.String(),
    "origin_country": pl.String(),
    "dispatch_country": pl.String(),
    "destination_country": pl.String(),
    "hs_code": pl.String(),
    "item_name": pl.String(),
    "item_model": pl.String(),
    "barcode": pl.String(),
    "quantity": pl.Float64(),
    "unit": pl.String(),
    "legal_quantity": pl.Float64(),
    "legal_unit": pl.String(),
    "unit_price": pl.Float64(),
    "total_price": pl.Float64(),
    "currency": pl.String(),
    "gross_weight_kg": pl.Float64(),
    "net_weight_kg": pl.Float64(),
    "freight": pl.Float64(),
    "insurance": pl.Float64(),
    "package_count": pl.Int32(),
}
