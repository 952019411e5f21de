"""What the manifest of an ingest says of rows, values, documents and files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from pipelines.ingest.accounts import Changes, FileResult, messages_passed_over
from pipelines.ingest.merging.document_tables import document_accounts
from pipelines.ingest.reading.label_tally import LabelTally
from pipelines.store.manifest import ManifestBuilder


@dataclass(frozen=True)
class Outcome:
    """What the second pass did.

    Attributes:
        lines: to declarations.
        results: to inspections.
        documents: to tables of documents, by their name.
        reopened: the first closed day that is open again, None where none is.
    """

    lines: Changes
    results: Changes
    documents: Mapping[str, Changes]
    reopened: date | None


def account(
    manifest: ManifestBuilder, files: Sequence[FileResult], labels: LabelTally, outcome: Outcome
) -> None:
    """Put what became of the files' rows into the manifest, and check that none is missing.

    Raises:
        ParcelRiskError: rows are not accounted for.
    """
    lines, results = outcome.lines, outcome.results
    attached = [number for number, file in enumerate(files) if file.results]
    kept_with_lines = sum(results.kept_by_file[number] for number in attached)
    repeats_with_lines = sum(results.repeats_by_file[number] for number in attached)
    manifest.add_rows(
        rows_in=sum(file.rows for file in files),
        kept=lines.kept + results.kept - kept_with_lines,
        quarantined=sum(file.quarantined for file in files),
        superseded=lines.superseded + results.superseded - repeats_with_lines,
    )
    tables = document_accounts(files, outcome.documents)
    for counts in tables.values():
        manifest.add_rows(kept=counts["rows_kept"], superseded=counts["rows_superseded"])
    for file in files:
        manifest.values_nulled.update(file.nulled)
        manifest.reasons.update(file.reasons)
    manifest.further |= {
        "rows_replaced_in_store": lines.replaced,
        "documents": tables,
        "messages_passed_over": messages_passed_over(files),
        "attached_results": {
            "rows_in": sum(file.results for file in files),
            "rows_kept": kept_with_lines,
            "rows_quarantined": sum(file.results_quarantined for file in files),
            "rows_superseded": repeats_with_lines,
        },
        "labels": labels.as_dict(),
        "values_hashed": dict(sum((file.hashed for file in files), Counter[str]())),
        "values_masked": dict(sum((file.masked for file in files), Counter[str]())),
        "results": {
            "rows_in": sum(file.results_seen for file in files),
            "rows_quarantined": sum(file.results_refused for file in files),
        },
        "results_set_aside": sum(rows.height for rows in results.aside),
        "outcomes": {"rows": results.outcomes, "contradicted": list(results.contradicted)},
        "unknown_declarations": results.waiting,
        "sent_before_declaration": lines.untimely,
        "reopened_from": None if outcome.reopened is None else outcome.reopened.isoformat(),
        "files": [
            {
                "file": file.path,
                "fingerprint": file.fingerprint,
                "rows_in": file.rows,
                "rows_quarantined": file.quarantined,
                "refused": file.fault,
            }
            for file in files
        ],
    }
    manifest.check()
