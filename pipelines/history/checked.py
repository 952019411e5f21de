"""What the checks of a day say of its lines, for the features that rest on them."""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Final

import polars as pl

from features.check import FINDING_COLUMNS, FINDINGS
from pipelines.store.day_table import DayTable
from pipelines.store.digests import file_digest
from pipelines.store.files import read_tables, reading
from pipelines.store.layout import Layout

_TELLING: Final = ("failed", "open")


def with_findings(layout: Layout, day: date, lines: pl.DataFrame) -> pl.DataFrame:
    """Return lines with the names of the checks that their parcel failed, or that wait for a document.

    The column is `FINDINGS` (list of String), null where the day was not checked; a store of which no day
    ever was has none.
    """
    file = layout.file(DayTable.CHECKS, day)
    if file.exists():
        names = _names(file, findings_digest(layout, day))
        joined = lines.join(names, on="declaration_id", how="left", maintain_order="left")
        return joined.with_columns(pl.col(FINDINGS).fill_null([]))
    if layout.days(DayTable.CHECKS):
        return lines.with_columns(pl.lit(None, pl.List(pl.String)).alias(FINDINGS))
    return lines


# Asked for by every bucket of a day.
@lru_cache(maxsize=1)
def _names(file: Path, _digest: bytes) -> pl.DataFrame:
    findings = read_tables([file], FINDING_COLUMNS, ["declaration_id", "check", "outcome"])
    told = findings.filter(pl.col("outcome").is_in(_TELLING)).group_by("declaration_id")
    return told.agg(pl.col("check").unique().sort().alias(FINDINGS))


def findings_of(layout: Layout, day: date) -> pl.DataFrame:
    """Return `declaration_id` and `findings`: what the checks of a day found of each parcel."""
    file = layout.file(DayTable.CHECKS, day)
    rows = read_tables([file] if file.exists() else [], FINDING_COLUMNS, None).sort("check", "line_no")
    told = ("check", "outcome", "line_no", "found", "expected", "basis")
    return rows.group_by("declaration_id", maintain_order=True).agg(pl.struct(told).alias("findings"))


def findings_digest(layout: Layout, day: date) -> bytes:
    """Return what the features of a day depend on here: the digest of its findings, empty without any.

    Raises:
        StoreError: they cannot be read.
    """
    file = layout.file(DayTable.CHECKS, day)
    with reading(file):
        return file_digest(file) if file.exists() else b""
