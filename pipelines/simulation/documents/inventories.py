"""Inventories as their messages state them: with a waybill that another has, or changed later."""

from __future__ import annotations

import polars as pl

from pipelines.simulation.documents.trade import SHARED_BY_WAYBILL

_CHANGED = {"inventory_corrected_before_close": "early_at", "inventory_corrected_after_close": "late_at"}
_NET_SHARE = 0.9


def inventories_of(lines: pl.DataFrame, parcels: pl.DataFrame) -> pl.DataFrame:
    """Return the lines of all versions of the inventories, with `sent_at` and `app_type` of each.

    Args:
        lines: `parcels.complete_declarations`.
        parcels: those of `documents.SimulatedDocuments`.
    """
    shared = parcels.filter(pl.col("kind") == "waybill_reused").select("declaration_id", *SHARED_BY_WAYBILL)
    first = lines.join(shared, on="declaration_id", how="left", suffix="_shared", maintain_order="left")
    first = first.with_columns(
        *(pl.coalesce(f"{name}_shared", name).alias(name) for name in SHARED_BY_WAYBILL),
        net_weight_kg=pl.coalesce((pl.col("gross_weight_kg_shared") * _NET_SHARE).round(3), "net_weight_kg"),
        app_type=pl.lit(None, pl.String),
    ).select(*lines.columns, "app_type")
    moments = parcels.select("declaration_id", "kind", "early_at", "late_at")
    known = first.join(moments, on="declaration_id", how="left", maintain_order="left")
    changed = pl.col("kind").is_in(list(_CHANGED)).fill_null(value=False)
    wrong = pl.col("gross_weight_kg") * 1.5 + 0.5
    versions = [
        known.with_columns(
            gross_weight_kg=pl.when(changed).then(wrong.round(3)).otherwise("gross_weight_kg")
        ),
        *(
            known.filter(pl.col("kind") == kind).with_columns(app_type=pl.lit("2"), sent_at=moment)
            for kind, moment in _CHANGED.items()
        ),
    ]
    return pl.concat([version.select(first.columns) for version in versions])
