"""Applications to withdraw inventories and to take goods back, and what customs answers."""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl

from features.contract.documents import CANCELLATIONS, RETURNS
from pipelines.simulation.documents.trade import as_seconds

_WHOLE: Final = ("return_whole", "export_return", "export_return_late", "return_late", "refund_circle")
_PART: Final = ("return_part", "return_unknown", "return_unknown_line")
_TWICE: Final = ("return_twice", "return_exceeds_together")
_TOO_MUCH: Final = ("return_exceeds", "return_rejected", "return_draft")
RETURN_KINDS: Final = (*_WHOLE, *_PART, *_TWICE, *_TOO_MUCH)
_LATE_DAYS: Final = {"return_late": (35, 60), "export_return_late": (375, 400)}
_USUAL_DAYS: Final = (2, 20)
# Just within the 30 days that the rules allow, and lighter than what was sold.
_CIRCLE_DAYS: Final = (24.5, 29.5)
_CIRCLE_WEIGHT: Final = 0.6
_REJECTED, _ACCEPTED = 100, 399


def cancellations_of(outcomes: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    """Return the applications to withdraw an inventory (623, 605), in the table's columns.

    `outcomes` are the parcels of `receipts.outcomes_of`. They are sent before the day closes or days later.
    """
    kind, days = pl.col("kind"), as_seconds(rng.integers(3600, 5 * 86_400, outcomes.height))
    late = pl.col("closes_at") + days
    rows = outcomes.with_columns(
        sent_at=pl.when(kind == "cancelled_before_close").then("early_at").otherwise(late).dt.truncate("1s")
    ).filter(kind.is_in(["cancelled", "cancelled_before_close"]))
    return _with_own_number(rows, "X").select(*CANCELLATIONS.stated)


def returns_of(lines: pl.DataFrame, outcomes: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    """Return the applications to take goods back (625, 213): a row a line, in the table's columns.

    `app_status` is 1 for drafts, `kind` is the parcel's, `is_second` marks the second of two applications.
    `outcomes` are the parcels of `receipts.outcomes_of`; a return follows their release.
    """
    kind, count = pl.col("kind"), outcomes.height
    usual = as_seconds(rng.integers(_USUAL_DAYS[0] * 86_400, _USUAL_DAYS[1] * 86_400, count))
    late = {
        name: as_seconds(rng.integers(first * 86_400, last * 86_400, count))
        for name, (first, last) in _LATE_DAYS.items()
    }
    released = pl.coalesce("released_at", "declared_at")
    at_noon = (released + usual).dt.truncate("1d").dt.offset_by("4h")
    sent_at = (
        pl.when(kind == "return_late").then(released + late["return_late"])
        .when(kind == "export_return_late").then(released + late["export_return_late"])
        .when(kind == "return_rejected").then(at_noon)
        .when(kind == "refund_circle").then(released + _within(usual))
        .otherwise(released + usual)
    )  # fmt: skip
    heads = outcomes.with_columns(sent_at=sent_at.dt.truncate("1s")).filter(kind.is_in(RETURN_KINDS))
    tallied = pl.when("is_export").then(pl.col("sent_at") + pl.duration(days=3))
    heads = _with_own_number(heads, "R").with_columns(
        tallied_at=tallied, app_status=pl.when(kind == "return_draft").then(pl.lit("1"))
    )
    goods = lines.select(
        "declaration_id", "line_no", "hs_code", "item_name", "item_model", "unit", "legal_unit", "quantity",
        "legal_quantity",
    )  # fmt: skip
    rows = heads.join(goods.drop_nulls("quantity"), on="declaration_id", maintain_order="left_right")
    rows = rows.filter(kind.is_in(_WHOLE) | (pl.col("line_no") == pl.col("goods_line")))
    rows = _applied_for(rows.drop("item_name").rename({"item_name_right": "item_name"}))
    return rows.select(*RETURNS.stated, "app_status", "kind", "is_second")


def _within(usual: pl.Series) -> pl.Series:
    """The usual time to a return, stretched to the last days of the period."""
    first, last = (days * 86_400_000_000 for days in _USUAL_DAYS)
    share = (usual.cast(pl.Int64) - first) / (last - first)
    micros = (_CIRCLE_DAYS[0] + share * (_CIRCLE_DAYS[1] - _CIRCLE_DAYS[0])) * 86_400_000_000
    return micros.cast(pl.Int64).cast(pl.Duration("us"))


def _applied_for(rows: pl.DataFrame) -> pl.DataFrame:
    """Set how much of each line goes back, and under which number; some come in two applications."""
    kind, bought = pl.col("kind"), pl.col("quantity")
    part = pl.min_horizontal(bought, (bought / 2).ceil())
    first = rows.with_columns(
        returned=pl.when(kind.is_in(_TOO_MUCH)).then(bought + 1)
        .when(kind.is_in(["return_part", "return_twice"])).then(part).otherwise(bought),
        is_second=pl.lit(value=False),
    )  # fmt: skip
    second = first.filter(kind.is_in(_TWICE)).with_columns(
        returned=pl.when(kind == "return_twice").then(bought - pl.col("returned")).otherwise(1.0),
        own_number=pl.col("own_number") + "2",
        sent_at=pl.col("sent_at") + pl.duration(days=2),
        is_second=pl.lit(value=True),
    )
    unknown = pl.concat_str(pl.lit("9"), pl.col("declaration_id").str.slice(1))
    both = pl.concat([first, second]).filter(pl.col("returned") > 0)
    return both.with_columns(
        declaration_id=pl.when(kind == "return_unknown").then(unknown).otherwise("declaration_id"),
        line_no=pl.when(kind == "return_unknown_line").then(pl.col("last_line") + 1).otherwise("line_no")
        .cast(pl.Int32),
        legal_quantity=(
            pl.col("legal_quantity").fill_null(1.0) * pl.col("returned") / bought
            * pl.when(kind == "refund_circle").then(_CIRCLE_WEIGHT).otherwise(1.0)
        ).round(4),
        legal_unit=pl.col("legal_unit").fill_null("011"),
        quantity=pl.col("returned").round(5),
    )  # fmt: skip


def states_of(applications: pl.DataFrame) -> pl.DataFrame:
    """Return what customs answers to applications (624, 606; 626, 214): accepted, or rejected at once."""
    kind = pl.col("kind") if "kind" in applications.columns else pl.lit("")
    heads = applications.unique(["declaration_id", "own_number"], maintain_order=True)
    if "app_status" in heads.columns:
        heads = heads.filter(pl.col("app_status").is_null())
    rejected = kind == "return_rejected"
    wait = pl.when(rejected).then(pl.duration(minutes=10)).otherwise(pl.duration(hours=6))
    return heads.with_columns(
        status=pl.when(rejected).then(_REJECTED).otherwise(_ACCEPTED).cast(pl.Int32),
        sent_at=pl.col("sent_at") + wait,
    ).drop("quantity", "legal_quantity", strict=False)


def _with_own_number(rows: pl.DataFrame, letter: str) -> pl.DataFrame:
    # At most 20 characters, and not the inventory's own.
    return rows.with_columns(own_number=pl.lit(letter) + pl.col("declaration_id"))
