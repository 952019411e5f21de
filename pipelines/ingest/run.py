"""The two passes of an ingest inside one transaction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Final

import polars as pl

from configs.errors import DataError
from features.contract.china_time import china_date
from features.contract.inspections import INSPECTION_COLUMNS
from pipelines.ingest.accounts import Changes, FileResult
from pipelines.ingest.day_writer import DayWriter
from pipelines.ingest.intake import Intake, Spools
from pipelines.ingest.reading.source import Source, Surroundings
from pipelines.ingest.rejects import MOST_EXAMPLES, duplicate_rows
from pipelines.ingest.report import IngestReport
from pipelines.ingest.result_writer import reopen_history, unknown_declarations, write_results
from pipelines.store.journal import Transaction
from pipelines.store.manifest import ManifestBuilder
from pipelines.store.meta import StoreMeta
from pipelines.store.store import Store
from pipelines.work.progress import Progress

_VERB: Final = "ingest"


@dataclass
class _Read:
    """What the first pass read: results of all files, sources of those that were not refused."""

    files: list[FileResult] = field(default_factory=list)
    sources: dict[int, Source] = field(default_factory=dict)


class IngestRun:
    """One run of `ingest`.

    Args:
        store: not locked yet.
        around: what files are read with; the date of its moment in China names the manifest.
        progress: shows a bar over the files.
    """

    def __init__(self, store: Store, around: Surroundings, progress: Progress) -> None:
        self._store = store
        self._around = around
        self._progress = progress
        self._settings = around.settings.pipeline.ingest
        self._manifest = ManifestBuilder(_VERB)

    def run(self, files: Sequence[tuple[Path, type[Source]]]) -> IngestReport:
        """Take the files in; see `pipelines.ingest.ingest.ingest`."""
        with self._store.lock(_VERB), self._store.transaction() as t:
            spools = Spools.within(t.scratch("intake"))
            with self._manifest.step("read"):
                read = self._read(files, spools)
            meta = _widened(self._store.meta, read.sources.values())
            self._store.write_meta(t, meta.extras, meta.labels)
            with self._manifest.step("merge"):
                lines, results = self._merge(t, spools, meta)
            with self._manifest.step("quarantine"):
                self._quarantine(t, spools, read, lines, results)
            unknown = unknown_declarations(self._store, spools.inspections, spools.declarations)
            reopened = reopen_history(self._store, t, lines.days | results.days)
            self._account(read, lines, results, unknown, reopened)
            day = china_date(self._around.now)
            self._store.write_manifest(t, _VERB, day, self._manifest.as_dict())
        return IngestReport(
            manifest=self._manifest.as_dict(),
            files=read.files,
            tolerance=self._settings.tolerance,
            counting=self._manifest.rows_quarantined - sum(file.not_counting for file in read.files),
            reopened=reopened,
            days=sorted(lines.days | results.days),
        )

    def _read(self, files: Sequence[tuple[Path, type[Source]]], spools: Spools) -> _Read:
        latest = self._around.now + timedelta(days=self._settings.future_days)
        intake = Intake(spools, self._settings, latest, lambda: self._around.pseudonymiser)
        read = _Read()
        with self._progress.task("read files", total=len(files)) as task:
            for number, (path, kind) in enumerate(files):
                try:
                    source = kind.open(path, self._around, self._store.meta)
                except DataError as error:
                    read.files.append(intake.refuse(path, error))
                else:
                    _widened(self._store.meta, [*read.sources.values(), source])
                    read.files.append(intake.take(source, number))
                    if read.files[-1].fault is None:
                        read.sources[number] = source
                task.advance()
        return read

    def _merge(self, t: Transaction, spools: Spools, meta: StoreMeta) -> tuple[Changes, Changes]:
        writer = DayWriter(
            self._store,
            t,
            meta.declaration_schema(),
            folder=t.scratch("merge"),
            bucket_rows=self._around.settings.pipeline.store.bucket_rows,
            settings=self._settings,
        )
        further = [name for name in meta.labels if name not in INSPECTION_COLUMNS]
        return writer.write(spools.declarations), write_results(self._store, t, spools.inspections, further)

    def _quarantine(
        self, t: Transaction, spools: Spools, read: _Read, lines: Changes, results: Changes
    ) -> None:
        def frames() -> Iterator[pl.DataFrame]:
            yield from spools.rejected.frames()
            for table, changes in (("declarations", lines), ("inspections", results)):
                for (number,), rows in _all(changes.duplicates).group_by("_file", maintain_order=True):
                    yield from self._duplicates(read, int(str(number)), rows["_source_row"], table)

        self._store.append_quarantine(t, frames())

    def _duplicates(self, read: _Read, number: int, rows: pl.Series, table: str) -> Iterator[pl.DataFrame]:
        result, source = read.files[number], read.sources[number]
        most_chars = self._settings.max_text_chars
        for frame in duplicate_rows(source, rows, table, self._settings.chunk_rows, most_chars):
            result.add_duplicates(frame.height, attached=table == "inspections" and result.results > 0)
            if len(result.examples) < MOST_EXAMPLES:
                row = frame["source_row"][0]
                result.examples.append(
                    f"{result.path}, row {row}: another row has the same key (duplicate key)"
                )
            yield frame

    def _account(
        self, read: _Read, lines: Changes, results: Changes, unknown: int, reopened: date | None
    ) -> None:
        manifest = self._manifest
        attached = {number for number, file in enumerate(read.files) if file.results}
        counts = [counts for number, counts in results.by_file.items() if number in attached]
        kept_with_lines, repeats_with_lines = (sum(count[place] for count in counts) for place in (0, 1))
        manifest.add_rows(
            rows_in=sum(file.rows for file in read.files),
            kept=lines.kept + results.kept - kept_with_lines,
            quarantined=sum(file.quarantined for file in read.files),
            superseded=lines.superseded + results.superseded - repeats_with_lines,
        )
        for file in read.files:
            manifest.values_nulled.update(file.nulled)
            manifest.reasons.update(file.reasons)
        manifest.further = {
            "rows_replaced_in_store": lines.replaced,
            "attached_results": {
                "rows_in": sum(file.results for file in read.files),
                "rows_kept": kept_with_lines,
                "rows_quarantined": sum(file.results_quarantined for file in read.files),
                "rows_superseded": repeats_with_lines,
            },
            "values_hashed": dict(sum((file.hashed for file in read.files), Counter[str]())),
            "unknown_declarations": unknown,
            "reopened_from": None if reopened is None else reopened.isoformat(),
            "files": [
                {
                    "file": file.path,
                    "rows_in": file.rows,
                    "rows_quarantined": file.quarantined,
                    "refused": file.fault,
                }
                for file in read.files
            ],
        }
        manifest.check()


def _widened(meta: StoreMeta, sources: Iterable[Source]) -> StoreMeta:
    for source in sources:
        extras = dict.fromkeys(source.extra_categories, "category")
        extras |= dict.fromkeys(source.extra_numbers, "number")
        meta = meta.widened(extras, source.labels)
    return meta


def _all(frames: list[pl.DataFrame]) -> pl.DataFrame:
    empty = pl.DataFrame(schema={"_file": pl.Int32(), "_source_row": pl.Int64()})
    return pl.concat([empty, *frames]).sort("_file", "_source_row")
