"""Takes files into the store: every row is kept, in quarantine with its reasons, or a repeat."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Final

import polars as pl

import pipelines.ingest.sources
from configs.errors import UsageError
from configs.loader import load_source_mapping
from configs.messages import nearest
from configs.reference.facts import load_reference
from configs.schema.settings import Settings
from features.contract.china_time import china_date
from features.contract.documents import CANCELLATIONS, RECEIPTS
from features.contract.inspections import INSPECTION_COLUMNS
from features.contract.rules import ContractRules
from pipelines.documents.outcomes import IRREGULARITY
from pipelines.documents.writer import DocumentChanges
from pipelines.ingest.accounts import Changes, FileResult, taken_table
from pipelines.ingest.delivered.archives import Unpacker
from pipelines.ingest.delivered.deliveries import Deliveries
from pipelines.ingest.file_reading import FileReader, KindOf, widened
from pipelines.ingest.intake import Intake, Spools
from pipelines.ingest.manifest_facts import Outcome, account
from pipelines.ingest.merging.day_writer import DayWriter
from pipelines.ingest.merging.derived_results import derived_results
from pipelines.ingest.merging.document_tables import as_changes, write_document_tables
from pipelines.ingest.merging.result_check import ResultCheck, refused_lines
from pipelines.ingest.merging.result_writer import reopen_history, write_results
from pipelines.ingest.merging.told_parcels import ToldParcels
from pipelines.ingest.merging.withdrawals import Cancelling
from pipelines.ingest.reading.found import found_classes
from pipelines.ingest.reading.label_tally import LabelTally
from pipelines.ingest.reading.source import Source, Surroundings
from pipelines.ingest.rejects import late_rejects, rows_aside
from pipelines.ingest.report import IngestReport
from pipelines.ingest.shadow import shadow_of
from pipelines.store.journal import Transaction
from pipelines.store.manifest import ManifestBuilder
from pipelines.store.meta import StoreMeta
from pipelines.store.store import Store
from pipelines.store.taken import brought_by, stage_taken, taken_files, withdrawn_fingerprints
from pipelines.work.progress import Progress

_VERB: Final = "ingest"


@dataclass(frozen=True)
class IngestOptions:
    """How files are taken in.

    Attributes:
        source: what they are, by the name of a module in `sources/`; None looks at each.
        mapping: name or path of the mapping of foreign tables.
        now: the present moment, for tests.
        backfill: take what is dated long before the last day closed, or after the present moment.
        check: say what would happen, and write nothing.
    """

    source: str | None = None
    mapping: str | None = None
    now: datetime | None = None
    backfill: bool = False
    check: bool = False


def ingest(
    files: Sequence[Path],
    store: Path,
    options: IngestOptions = IngestOptions(),
    *,
    settings: Settings,
    progress: Progress,
) -> IngestReport:
    """Take messages and tables into a store, all of them or, if the run dies, none.

    `files` are files, folders, which stand for all files below them, and patterns. The order of files matters
    for tables only: of two rows with a key, the first stays. A file that was found and not named, and whose
    content the store has taken before, is passed over. `store` is the store's folder, which is made where
    there is none.

    Raises:
        UsageError: there is nothing at the paths, or the options do not go together.
        ConfigurationError: the mapping is wrong, or a key for pseudonyms is needed and there is none.
        StoreLockedError: another run holds the store.
    """
    found = Deliveries.of([Path(path) for path in files])
    sources = found_classes(pipelines.ingest.sources, Source)  # type: ignore[type-abstract]
    _check_usage(options, sources)
    mapping = None if options.mapping is None else load_source_mapping(options.mapping, settings.overlay)
    around = Surroundings(settings, mapping, options.now or datetime.now(UTC))
    kind_of = partial(_kind_of, name=options.source, sources=sources)
    for kind in _kinds(found, kind_of):
        kind.require(around)
    with shadow_of(Path(store)) if options.check else nullcontext(Path(store)) as root:
        run = _Run(Store.create(root), around, options, progress)
        return run.take(found, kind_of)


def _check_usage(options: IngestOptions, sources: dict[str, type[Source]]) -> None:
    if options.source is None:
        return
    if options.source not in sources:
        hint = nearest(options.source, sources)
        raise UsageError(f"expected a source among {', '.join(sources)}, got {options.source!r}.{hint}")
    if options.mapping is not None and not sources[options.source].takes_mapping:
        raise UsageError("a mapping is for tables: leave --mapping away, or say --source table")


def _kinds(found: Deliveries, kind_of: KindOf) -> list[type[Source]]:
    """The sources of the files, as far as they can be read and are no archives."""
    kinds = dict[type[Source], None]()
    for file in found.files:
        with suppress(OSError):
            kinds[kind_of(file.path)] = None
    return list(kinds)


def _kind_of(path: Path, name: str | None, sources: dict[str, type[Source]]) -> type[Source]:
    """The source of a name, else the first that recognises the file, else the default one."""
    if name is not None:
        return sources[name]
    by_rank = sorted(sources.values(), key=lambda source: source.is_default)
    return next(source for source in by_rank if source.is_default or source.recognises(path))


class _Run:
    """The two passes inside one transaction."""

    def __init__(
        self, store: Store, around: Surroundings, options: IngestOptions, progress: Progress
    ) -> None:
        self._store = store
        self._around = around
        self._options = options
        self._progress = progress
        self._settings = around.settings.pipeline.ingest
        self._manifest = ManifestBuilder(_VERB)
        self._files: list[FileResult] = []
        # By their place among the files, without those that were refused.
        self._sources: dict[int, Source] = {}
        self._labels = LabelTally()
        self._rules = around.rules

    def take(self, found: Deliveries, kind_of: KindOf) -> IngestReport:
        with self._store.lock(_VERB), self._store.transaction() as t:
            self._around = self._around.of_store(self._store.meta)
            self._rules = self._dated(self._around.rules)
            spools = Spools.within(t.scratch("intake"))
            with self._manifest.step("read"):
                reader = self._read(found, kind_of, spools, t.scratch("unpacked"))
            meta = widened(self._store.meta, self._sources.values())
            if spools.documents[RECEIPTS.name].rows:
                meta = meta.widened({}, (IRREGULARITY,))
            self._store.write_meta(t, meta.extras, meta.labels, self._around.new_key_record)
            with self._manifest.step("documents"):
                config = self._around.settings.pipeline
                written = write_document_tables(self._store, t, spools.documents, config)
                documents = {name: as_changes(each, spools.taken) for name, each in written.items()}
            with self._manifest.step("merge"):
                lines, results = self._merge(t, spools, meta, written)
            with self._manifest.step("quarantine"):
                self._quarantine(
                    t, spools, results, {"declarations": lines, "inspections": results} | documents
                )
            most = self._around.settings.pipeline.night.refold_days
            reopened = reopen_history(self._store, t, lines.late | results.days, most)
            account(self._manifest, self._files, self._labels, Outcome(lines, results, documents, reopened))
            taken = taken_table(self._files, lines, results, documents.values(), self._around.now)
            stage_taken(t, self._store.layout, taken, spools.taken)
            day = china_date(self._around.now)
            self._store.write_manifest(t, _VERB, day, self._manifest.as_dict())
            if self._options.check:
                t.abandon()
        return IngestReport(
            manifest=self._manifest.as_dict(),
            files=self._files,
            tolerance=self._settings.tolerance,
            counting=self._manifest.rows_quarantined - sum(file.not_counting for file in self._files),
            reopened=reopened,
            days=sorted(lines.days | results.days),
            labels=self._labels,
            rivals=brought_by(self._store.layout, results.rivals),
            notes=[*found.notes, *reader.told(found)],
        )

    def _dated(self, rules: ContractRules) -> ContractRules:
        """The rules with the days that are taken in; a store that has closed none takes old ones."""
        if self._options.backfill:
            return replace(rules, oldest=None, latest=None)
        closed = self._store.last_closed
        oldest = None if closed is None else closed - timedelta(days=self._settings.past_days)
        return replace(rules, oldest=oldest)

    def _read(self, found: Deliveries, kind_of: KindOf, spools: Spools, folder: Path) -> FileReader:
        around = self._around
        intake = Intake(spools, self._settings, self._rules, lambda: around.pseudonymiser)
        unpacker = Unpacker(folder, self._settings.archives)
        reader = FileReader(around, self._store.meta, intake, unpacker, kind_of, self._known())
        reader.read(found, self._progress)
        self._files, self._sources = reader.results, reader.sources
        self._manifest.further |= {
            "files_passed_over": len(reader.passed_over),
            "leftovers_passed_over": len(found.leftovers) + len(unpacker.leftovers),
        }
        for file in self._files:
            self._labels.update(file.labels)
        if self._around.mapping is not None:
            self._labels.require_both(self._around.mapping)
        return reader

    def _known(self) -> set[str]:
        """Fingerprints of the files that need not be read again: not one of which no row was taken, for its
        mapping may be another now.
        """
        taken = taken_files(self._store.layout)
        taken = taken.filter((pl.col("rows_quarantined") < pl.col("rows_in")) | (pl.col("rows_in") == 0))
        if self._options.backfill:  # takes what was too old before
            taken = taken.filter(pl.col("rows_quarantined") == 0)
        # One that was withdrawn was wrong, and may lie beside the corrected one.
        return set(taken["fingerprint"]) | withdrawn_fingerprints(self._store.layout)

    def _merge(
        self, t: Transaction, spools: Spools, meta: StoreMeta, written: dict[str, DocumentChanges]
    ) -> tuple[Changes, Changes]:
        writer = DayWriter(
            self._store,
            t,
            meta.stored_schema(),
            folder=t.scratch("merge"),
            bucket_rows=self._around.settings.pipeline.store.bucket_rows,
            settings=self._settings,
        )
        further = [name for name in meta.labels if name not in INSPECTION_COLUMNS]
        cancelling = Cancelling(self._store.layout, t, written.get(CANCELLATIONS.name))
        lines = writer.write(spools.declarations, spools.taken, cancelling)
        check = ResultCheck(
            self._store,
            t,
            lines.days,
            spools.declarations,
            refused_lines(spools.rejected),
            self._rules.oldest,
        )
        reference = load_reference(self._around.settings.overlay)
        parcels = ToldParcels(self._store, t, lines.days, reference, written)
        derived = derived_results(parcels, spools.declarations, spools.inspections)
        results = write_results(check, spools.inspections, further, spools.taken, derived)
        return lines, results

    def _quarantine(
        self, t: Transaction, spools: Spools, results: Changes, tables: Mapping[str, Changes]
    ) -> None:
        around = self._around
        late = late_rejects(self._files, self._sources, tables, self._settings, lambda: around.pseudonymiser)
        aside = rows_aside(self._store.layout, results)
        self._store.append_quarantine(t, chain(spools.rejected.frames(), late, aside))
