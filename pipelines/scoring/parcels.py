"""The parcels of a bucket, from its lines and their stored scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

import polars as pl

from configs.reference.regimes import is_export
from configs.schema.capacity import MustInspect
from configs.schema.risk import RiskConfig, TaxShortfallValue
from features.arrays.hashing import text_hashes
from features.check import FINDINGS
from models.estimates.parcel_table import parcel_table
from pipelines.history.checked import with_all_findings
from pipelines.scoring.line_scores import GOODS, NOVELTY, Scored
from pipelines.store.store import Store

_PARCEL_COLUMNS = ["declaration_id", "line_no", "customs_office", "trade_mode", "seller_id", "buyer_id"]
_WAY_COLUMNS = ["direction", "trade_mode"]
CHECK = "check"
"""The column of `must_inspect` that names a check instead of a value of the declaration."""
_TRAVEL_COLUMNS = ["address_id", "order_id"]


def parcels_of_bucket(
    store: Store,
    file: Path,
    scored: Scored,
    risks: Mapping[str, RiskConfig],
    must_inspect: Sequence[MustInspect],
    day: date,
) -> pl.DataFrame:
    """`parcels_of` for the lines of one bucket `file` of a day."""
    lines = store.read_declaration_files([file], parcel_columns(must_inspect))
    if any(entry.column == CHECK for entry in must_inspect):
        lines = with_all_findings(store.layout, day, lines)
    return parcels_of(lines, scored, risks, must_inspect, day)


def parcel_columns(must_inspect: Sequence[MustInspect]) -> list[str]:
    """The columns of declared lines that `parcels_of` reads."""
    wanted = (entry.column for entry in must_inspect if entry.column != CHECK)
    return list(dict.fromkeys([*_PARCEL_COLUMNS, *_WAY_COLUMNS, *_TRAVEL_COLUMNS, *wanted]))


def parcels_of(
    lines: pl.DataFrame,
    scored: Scored,
    risks: Mapping[str, RiskConfig],
    must_inspect: Sequence[MustInspect],
    day: date,
) -> pl.DataFrame:
    """The parcels of a day that `models.selection.select.select_from` chooses from.

    Args:
        lines: the columns `parcel_columns`, of whole parcels.
        scored: the scores and values of these lines, row by row.
        risks: every configured risk by name.
        must_inspect: what has to be opened, from the configuration.
        day: the day of the lines.

    Returns:
        The table of `models.estimates.parcel_table.parcel_table`. Addresses and orders are hashes;
        `must_inspect` counts the entries of `must_inspect`, from 0.
    """
    names, scores, values = sorted(risks), scored.scores, scored.values
    # Days that were scored before these were computed do without.
    beside = [name for name in (NOVELTY, GOODS) if name in values.columns]
    table = pl.concat(
        [
            lines.select(*_PARCEL_COLUMNS, is_export().alias("is_export")),
            lines.select(
                pl.Series(name, text_hashes(lines[name])).replace(0, None) for name in _TRAVEL_COLUMNS
            ),
            must_inspect_marks(lines, must_inspect, day).to_frame(),
            scores.select(pl.col(risk).alias(f"probability_{risk}") for risk in names),
            values.select(pl.col(risk).alias(f"value_{risk}") for risk in names),
            values.select(pl.col(name).alias(name.removeprefix("_")) for name in beside),
        ],
        how="horizontal",
    )
    floors = {
        name: risk.finding_value.floor_cny
        for name, risk in risks.items()
        if isinstance(risk.finding_value, TaxShortfallValue)
    }
    return parcel_table(table, names, floors)


def _is_meant(lines: pl.DataFrame, entry: MustInspect) -> pl.Expr:
    if entry.column != CHECK:
        return pl.col(entry.column).cast(pl.String) == entry.value
    return pl.col(FINDINGS).list.contains(entry.value) if FINDINGS in lines.columns else pl.lit(False)


def must_inspect_marks(lines: pl.DataFrame, entries: Sequence[MustInspect], day: date) -> pl.Series:
    """For each line the number of the first entry that wants it opened on a day, null for none (Int32)."""
    number = pl.lit(None, pl.Int32)
    for place, entry in reversed(list(enumerate(entries))):
        if entry.holds_on(day):
            meant = _is_meant(lines, entry)
            number = pl.when(meant.fill_null(False)).then(pl.lit(place, pl.Int32)).otherwise(number)
    return lines.with_columns(number.alias("must_inspect"))["must_inspect"]
