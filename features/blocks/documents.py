"""What the documents around a parcel say against it, as far as its day was checked."""

from __future__ import annotations

import polars as pl

from configs.reference.facts import ReferenceDay
from configs.schema.checks import DOCUMENT_CHECKS
from features.block import block
from features.check import FINDINGS
from features.history.view import HistoryView


@block()
def build(lines: pl.DataFrame, history: HistoryView, reference: ReferenceDay) -> pl.DataFrame:
    """`documents__<check>`: 1 where the parcel has such a finding, else 0; `documents__findings`: how many.

    Null where the day was not checked; no columns for a store that was never checked.
    """
    if FINDINGS not in lines.columns:
        return lines.select()
    found = pl.col(FINDINGS)
    named = [found.list.contains(check).cast(pl.Float64).alias(check) for check in DOCUMENT_CHECKS]
    findings = lines.select(*named, found.list.len().cast(pl.Float64).alias("findings"))
    return findings.select(pl.all().name.prefix("documents__"))
