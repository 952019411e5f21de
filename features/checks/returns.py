"""Whether goods that are to go back were declared, are as many as there were, and go back in time."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

import polars as pl

from features.check import EXPORT_MODES, RETAIL_MODES, CheckedDay, as_findings, check_family
from features.contract.china_time import china_day
from features.contract.declarations import LINE_KEY
from features.words.figures import figure, ready_for_words

_APPLIED: Final = (
    *LINE_KEY,
    *("own_number", "direction", "quantity", "unit", "sent_at", "applied_at", "is_new"),
)
_DECLARED: Final = (
    *("declared_direction", "trade_mode", "hs_code", "bought", "bought_unit", "declared_at", "released_at"),
)
_DUTY_FREE_MODES: Final = (*RETAIL_MODES, *EXPORT_MODES)
# Decimal numbers of five decimals, as doubles.
_ROUNDING: Final = 1e-6
_OFFSETS: Final = {"days": "d", "months": "mo"}


@check_family("return_unknown", "return_exceeds", "return_late")
def find(day: CheckedDay) -> pl.DataFrame:
    """Return what speaks against applications of the day to take lines back, one row a line and check."""
    lines = day.returned_lines.rename(
        {"quantity": "bought", "unit": "bought_unit", "direction": "declared_direction"}
    )
    known = day.returns.select(_APPLIED).join(lines.select(*LINE_KEY, *_DECLARED), on=LINE_KEY)
    return pl.concat([_unknown(day), _exceeding(known), *_late(day, known.filter("is_new"))])


def _unknown(day: CheckedDay) -> pl.DataFrame:
    rows = day.returns.filter("is_new").join(day.returned_lines, on=LINE_KEY, how="anti").unique(LINE_KEY)
    inventories = pl.Series(day.returned_lines["declaration_id"].unique()).implode()
    is_there = pl.col("declaration_id").is_in(inventories)
    rows = ready_for_words(rows).select(
        *LINE_KEY,
        found=pl.when(is_there)
        .then(pl.format("no line {} in inventory {}", "line_no", "declaration_id"))
        .otherwise(pl.format("no inventory {}", "declaration_id")),
        expected=pl.lit("a line that was declared"),
        basis=pl.lit("application for return"),
    )
    return as_findings(rows, "return_unknown")


def _exceeding(known: pl.DataFrame) -> pl.DataFrame:
    """Of a line, the last application of the day with which more goes back than there was.

    Quantities in different units are not compared.
    """
    one_unit = pl.col("unit").is_null() | pl.col("bought_unit").is_null()
    one_unit |= pl.col("unit") == pl.col("bought_unit")
    counted = (
        known.filter(one_unit & pl.col("quantity").is_not_null() & pl.col("bought").is_not_null())
        .sort(*LINE_KEY, "sent_at", "own_number")
        .with_columns(before=pl.col("quantity").cum_sum().over(LINE_KEY) - pl.col("quantity"))
    )
    left = pl.max_horizontal(pl.col("bought") - pl.col("before"), 0.0)
    rows = (
        counted.filter(pl.col("is_new"), pl.col("quantity") > left + _ROUNDING)
        .unique(LINE_KEY, keep="last", maintain_order=True)
        .pipe(ready_for_words)
        .select(
            *LINE_KEY,
            found=figure(pl.col("quantity")),
            expected=pl.format(
                "at most {}: {} bought, {} returned before",
                figure(left),
                figure(pl.col("bought")),
                figure(pl.col("before")),
            ),
            basis=pl.format("inventory {}", "declaration_id"),
        )
    )
    return as_findings(rows, "return_exceeds")


def _late(day: CheckedDay, known: pl.DataFrame) -> list[pl.DataFrame]:
    """Applications later than the period of the day; and exports in it that pay duty when they come back."""
    direction = pl.coalesce("declared_direction", "direction", pl.lit("import"))
    since = pl.coalesce("released_at", "declared_at")
    dated = (
        known.sort(*LINE_KEY, "applied_at")
        .unique(LINE_KEY, keep="last", maintain_order=True)
        .with_columns(
            way=direction,
            since=china_day(since),
            declared_on=china_day(pl.col("declared_at")),
            applied_on=china_day(pl.col("applied_at")),
            event=pl.when(pl.col("released_at").is_null())
            .then(pl.lit("declaration"))
            .otherwise(pl.lit("release")),
        )
    )
    periods = {row["rule"]: row for row in day.reference["return_periods"].iter_rows(named=True)}
    found = [
        _beyond(dated.filter(pl.col("way") == rule), periods[rule], pl.lit(day.day), "failed")
        for rule in ("import", "export")
        if rule in periods
    ]
    if period := periods.get("export_duty_free"):
        excepted = (pl.col("hs_code").str.starts_with(prefix) for prefix in period["except_hs"] or ())
        exports = dated.filter(
            pl.col("way") == "export",
            ~pl.any_horizontal(pl.lit(False), *excepted).fill_null(False),
            pl.col("trade_mode").fill_null("9610").is_in(_DUTY_FREE_MODES),
            pl.col("declared_on") >= period["valid_from"],
        )
        for late in found:
            exports = exports.join(late, on=LINE_KEY, how="anti")
        found.append(_beyond(exports, period, pl.col("declared_on"), "note"))
    return found


def _beyond(rows: pl.DataFrame, period: Mapping[str, Any], asked: pl.Expr, outcome: str) -> pl.DataFrame:
    """Applications after the end of a period, as findings.

    Args:
        rows: applications with `since`, `applied_on` and `event`.
        period: a row of the table of periods.
        asked: the day for which the row has to hold; after its end nothing is known (no outcome).
        outcome: what it is to be beyond the period.
    """
    count, unit = int(period["count"]), period["unit"]
    last = pl.col("since").dt.offset_by(f"{count}{_OFFSETS[unit]}")
    ends = None if period["ends"] is None else date.fromisoformat(period["ends"])
    beyond = rows.filter(pl.col("applied_on") > last)
    free = "duty-free " if outcome == "note" else ""
    findings = ready_for_words(beyond).select(
        *LINE_KEY,
        outcome=pl.when(asked <= (ends or date.max)).then(pl.lit(outcome)),
        found=pl.format(
            "applied for {} days after {} on {}",
            (pl.col("applied_on") - pl.col("since")).dt.total_days(),
            "event",
            "since",
        ),
        expected=pl.format(f"{free}within {count} {unit} of {{}}, by {{}}", "event", last),
        basis=pl.lit(period["notice"]),
        valid_from=pl.lit(period["valid_from"]),
    )
    return as_findings(findings, "return_late")
