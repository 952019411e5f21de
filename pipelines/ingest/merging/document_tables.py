"""Second pass of an ingest for documents: each table is merged by itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from configs.schema.pipeline import PipelineConfig
from features.contract.documents import DOCUMENT_TABLES
from features.contract.reject_reasons import RejectReason
from pipelines.documents.writer import DocumentChanges, DocumentWriter
from pipelines.ingest.accounts import Changes, FileResult
from pipelines.store.journal import Transaction
from pipelines.store.spool import Spool
from pipelines.store.store import Store
from pipelines.store.taken import OF_DOCUMENTS


def write_document_tables(
    store: Store, t: Transaction, spools: Mapping[str, Spool], config: PipelineConfig
) -> dict[str, DocumentChanges]:
    """Merge the documents that came in, by their table, into the store; what became of them."""
    outcome = {}
    for name, spool in spools.items():
        if not spool.rows:
            continue
        writer = DocumentWriter(
            store.layout,
            t,
            DOCUMENT_TABLES[name],
            t.scratch(f"merge-{name}"),
            config.store.bucket_rows,
            config.ingest.merge_rows,
        )
        outcome[name] = writer.write(spool)
    return outcome


def as_changes(written: DocumentChanges, taken: Spool) -> Changes:
    """What became of documents in the terms of declarations and results.

    Which files brought documents is noted in `taken` (`TAKEN_ROWS`), with a line number that none has.
    """
    changes = Changes(taken)
    changes.kept_by_file, changes.repeats_by_file = written.kept, written.superseded
    changes.kept, changes.superseded = written.kept.total(), written.superseded.total()
    for rows in written.duplicates:
        changes.refuse(rows, RejectReason.DUPLICATE_KEY)
    files = pl.Series("_file", sorted(written.kept), dtype=pl.Int32)
    changes.take(
        pl.DataFrame([files]).with_columns(
            pl.lit(0, pl.UInt64).alias("_id_hash"), pl.lit(OF_DOCUMENTS, pl.Int32).alias("line_no")
        )
    )
    return changes


def document_accounts(
    files: Sequence[FileResult], documents: Mapping[str, Changes]
) -> dict[str, dict[str, Any]]:
    """By table, what became of its rows; drafts are among those that were superseded."""
    accounts = {}
    for name in DOCUMENT_TABLES:
        counts = {
            kind: sum(file.documents[name][kind] for file in files if name in file.documents)
            for kind in ("rows_in", "rows_quarantined", "drafts")
        }
        if not counts["rows_in"]:
            continue
        changes = documents.get(name)
        accounts[name] = {
            "rows_in": counts["rows_in"],
            "rows_kept": changes.kept if changes else 0,
            "rows_quarantined": counts["rows_quarantined"],
            "rows_superseded": counts["drafts"] + (changes.superseded if changes else 0),
        }
    return accounts
