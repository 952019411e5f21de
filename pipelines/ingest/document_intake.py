"""First pass of an ingest for documents: checked against their contract and put aside."""

from __future__ import annotations

import polars as pl

from features.contract.documents import validate_documents
from pipelines.documents.known import document_hash
from pipelines.ingest.parts import Part, count_values, rows_by_file
from pipelines.ingest.rejects import nulled_examples
from pipelines.store.spool import Spool


def take_documents(part: Part, spool: Spool) -> None:
    """Put the valid rows of a chunk's documents into a spool, the others into quarantine.

    A draft is no document: it is counted among the rows that were overtaken. Of a deletion only the key
    matters.
    """
    format_ = part.chunk.format_
    assert format_ is not None
    raw = part.frame
    if format_.is_told:
        for number, rows in rows_by_file(raw["_file"]):
            part.results[number].documents[part.table]["rows_in"] += rows
    is_draft = (raw["_action"] == "draft").fill_null(False)
    for number, rows in rows_by_file(raw["_file"].filter(is_draft & raw["_reject"].is_null())):
        part.results[number].documents[part.table]["drafts"] += rows
    rejected = raw["_reject"].is_not_null()
    if format_.is_told:
        part.reject(rejected.arg_true(), raw["_reject"].drop_nulls().reshape((-1, 1)))
    wanted = ~rejected & ~is_draft
    deletes = (raw["_action"] == "delete").fill_null(False)
    _take(part, (wanted & ~deletes).arg_true(), format_.required, spool)
    of_key = tuple(name for name in format_.required if name != format_.of.line)
    _take(part, (wanted & deletes).arg_true(), of_key, spool)


def _take(part: Part, rows: pl.Series, required: tuple[str, ...], spool: Spool) -> None:
    if rows.is_empty():
        return
    format_, frame = part.chunk.format_, part.frame[rows]
    assert format_ is not None
    checked = validate_documents(frame, format_.of, part.rules, required)
    if format_.is_told:
        nulled = frame["_nulled"][checked.kept_rows].explode().drop_nulls()
        count_values(part.result.nulled, nulled)
        told = nulled_examples(part.sources, part.chunk, frame, checked, part.rules.bounds)
        part.result.count_nulled(checked.nulled, told)
        part.reject(rows[checked.rejected["row"]], checked.rejected["reasons"])
    kept = frame.select("_file", "_source_row", "_offset", "_action")[checked.kept_rows]
    name = "" if format_.part is None else format_.part.name
    lines = checked.kept.hstack(kept.drop("_action")).with_columns(
        kept["_action"].alias("action"),
        pl.lit(name).alias("part"),
        pl.lit(format_.is_told).alias("_is_row"),
    )
    spool.add(lines.with_columns(document_hash(lines, format_.of)))
