"""Orders of parcels, with their lines, and what is wrong about some."""

from __future__ import annotations

import polars as pl

from features.contract.documents import ORDERS

_VERSION = ("app_type", "app_status", "spelling")
# What is sent first, what later, and when that is.
_TWO_VERSIONS = {
    "corrected_before_close": ("wrong", "right", "early_at"),
    "corrected_after_close": ("wrong", "right", "late_at"),
    "spoiled_before_close": ("right", "wrong", "early_at"),
    "spoiled_after_close": ("right", "wrong", "late_at"),
}
_DELETED = {"order_deleted": "early_at", "order_deleted_after_close": "late_at"}
_SPELLINGS = {
    "order_address_width": "width",
    "order_address_punctuation": "punctuation",
    "item_number_in_small_letters": "case",
}
_OF_LINE = (
    "line_no", "item_name", "item_model", "barcode", "unit", "origin_country", "quantity", "unit_price",
    "total_price", "currency",
)  # fmt: skip


def orders_of(lines: pl.DataFrame, parcels: pl.DataFrame) -> pl.DataFrame:
    """Return the orders: a row a line and version, in the table's columns and those of a version.

    `parcels` are those of `trade_terms`. `app_type` and `app_status` are null for what is new and declared.
    """
    kind = pl.col("kind").fill_null("")
    heads = parcels.filter(pl.col("is_retail") | pl.col("is_export"), kind != "order_never")
    first = heads.with_columns(
        sent_at=pl.when(kind == "order_after_close").then("late_at").otherwise("order_at"),
        app_type=pl.lit(None, pl.String),
        app_status=pl.when(kind == "order_draft").then(pl.lit("1")),
        spelling=kind.replace_strict(_SPELLINGS, default=None, return_dtype=pl.String),
        is_wrong=kind.is_in([name for name, (one, _, _) in _TWO_VERSIONS.items() if one == "wrong"]),
    )
    return _with_lines(pl.concat([first, *_further_versions(first)]), lines)


def _further_versions(first: pl.DataFrame) -> list[pl.DataFrame]:
    """What was sent of the same orders later: changes, deletions, drafts."""
    found = []
    for name, (_, second, moment) in _TWO_VERSIONS.items():
        wrong = pl.lit(second == "wrong")
        found.append(_again(first, name, moment).with_columns(app_type=pl.lit("2"), is_wrong=wrong))
    for name, moment in _DELETED.items():
        found.append(_again(first, name, moment).with_columns(app_type=pl.lit("3")))
    draft = _again(first, "draft_beside_order", "early_at")
    return [*found, draft.with_columns(app_status=pl.lit("1"), is_wrong=pl.lit(value=True))]


def _again(first: pl.DataFrame, kind: str, moment: str) -> pl.DataFrame:
    return first.filter(kind=kind).with_columns(sent_at=pl.col(moment))


def _with_lines(heads: pl.DataFrame, lines: pl.DataFrame) -> pl.DataFrame:
    kind, stranger = pl.col("kind").fill_null(""), pl.col("stranger")
    retail = pl.col("is_retail")
    sum_off = (
        pl.when((kind == "head_sum") | pl.col("is_wrong")).then("off")
        .when(kind == "order_off_by_cents").then("cents").otherwise(0.0)
    )  # fmt: skip
    of_head = heads.with_columns(
        buyer_id=pl.when(kind == "order_buyer").then(stranger).otherwise("buyer_id"),
        address_id=pl.when(kind == "order_address").then(stranger).otherwise("address_id"),
        goods_value=(pl.col("goods_value") + pl.col("added")).round(2),
        freight="order_freight",
        discount=pl.when(retail).then("discount"),
        tax_total=pl.when(retail).then("tax_total"),
        paid_total=pl.when(retail).then((pl.col("paid_total") + sum_off).round(2)),
        payment_company_id=pl.when(retail).then("payment_company_id"),
        transaction_id=pl.when(retail).then("transaction_id"),
        paid_currency="currency",
    )
    kept = [
        "declaration_id", "kind", "goods_line", "last_line", "is_export", "added", "sent_at", *_VERSION,
        *(name for name in ORDERS.stated if name in of_head.columns and name not in _OF_LINE),
    ]  # fmt: skip
    goods = lines.select("declaration_id", *_OF_LINE, *(["item_no"] if "item_no" in lines.columns else []))
    rows = of_head.select(*dict.fromkeys(kept)).join(goods, on="declaration_id", maintain_order="left_right")
    rows = _false_lines(rows)
    wanted = [*ORDERS.stated, *_VERSION]
    rows = rows.with_columns(
        pl.lit(None, ORDERS.columns[name]).alias(name) for name in ORDERS.stated if name not in rows.columns
    )
    export = pl.col("is_export")
    return rows.with_columns(
        pl.when(~export).then(name).alias(name) for name in ("item_model", "origin_country")
    ).select(wanted)


def _false_lines(rows: pl.DataFrame) -> pl.DataFrame:
    """Change the goods line of some orders, and give some one line more."""
    kind = pl.col("kind").fill_null("")
    here = pl.col("line_no") == pl.col("goods_line")
    both = here & (kind == "quantity_and_total")
    further = rows.filter(here, kind == "further_order_line").with_columns(
        line_no=(pl.col("last_line") + 1).cast(pl.Int32),
        quantity=pl.lit(1.0),
        unit_price="added",
        total_price="added",
    )
    changed = rows.with_columns(
        quantity=pl.when(here & (kind == "quantity"))
        .then(pl.col("quantity") + 1)
        .when(both)
        .then(pl.col("quantity") * 2)
        .otherwise("quantity"),
        unit_price=pl.when(here & (kind == "price"))
        .then((pl.col("unit_price") * 1.25 + 1).round(2))
        .otherwise("unit_price"),
        total_price=pl.when(both)
        .then((pl.col("total_price") + pl.col("added")).round(2))
        .otherwise("total_price"),
    )
    if "item_no" in rows.columns:
        other = pl.when(here & (kind == "item_number")).then(pl.lit("SKU0OTHER")).otherwise("item_no")
        changed = changed.with_columns(item_no=other)
    return pl.concat([changed, further.select(changed.columns)])
