"""What parcels brought: findings by label, recovered tax, and what these are worth by the configuration."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from configs.schema.risk import ConstantValue, RiskConfig
from features.contract.declarations import LINE_KEY
from features.contract.inspections import INSPECTION_KEY

FOUND_PREFIX = "found__"


def outcomes(shown: pl.DataFrame, risks: Mapping[str, RiskConfig]) -> pl.DataFrame:
    """One row a parcel with results, sorted by `declaration_id`.

    `shown` are all results of whole parcels (`pipelines.backtest.oracle`). Columns: `found__<risk>` for each
    risk (Boolean: confirmed on any line by the last result of each), `found` (any of them),
    `recovered_tax_cny`, and `value_cny`: for each risk found what its configuration says a finding is worth,
    with the tax that was recovered in place of the tax that was expected.
    """
    labels = sorted({risk.label for risk in risks.values()})
    known = [name for name in labels if name in shown.columns]
    tax = pl.col("recovered_tax_cny")
    lines = (
        shown.sort(*INSPECTION_KEY)
        .group_by(*LINE_KEY, maintain_order=True)
        .agg(*(pl.col(name).drop_nulls().last() for name in known), tax.drop_nulls().last())
    )
    parcels = (
        lines.group_by("declaration_id", maintain_order=True)
        .agg(*(pl.col(name).fill_null(False).any() for name in known), tax.fill_null(0.0).sum())
        .with_columns(
            (pl.col(risk.label) if risk.label in known else pl.lit(False)).alias(f"{FOUND_PREFIX}{name}")
            for name, risk in risks.items()
        )
    )
    flags = [f"{FOUND_PREFIX}{name}" for name in risks]
    worth = [
        pl.when(pl.col(f"{FOUND_PREFIX}{name}")).then(_worth(risk)).otherwise(0.0)
        for name, risk in risks.items()
    ]
    return parcels.select(
        "declaration_id",
        *flags,
        pl.any_horizontal(flags).alias("found"),
        tax,
        pl.sum_horizontal(worth).alias("value_cny"),
    )


def _worth(risk: RiskConfig) -> pl.Expr:
    value = risk.finding_value
    if isinstance(value, ConstantValue):
        return pl.lit(float(value.cny))
    return pl.lit(float(value.floor_cny)) + pl.col("recovered_tax_cny")
