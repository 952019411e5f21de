"""First pass of an ingest: read a file, check every row against the contract, put valid rows aside."""

from __future__ import annotations

import os
from collections import Counter, deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from configs.errors import DataError
from configs.schema.pipeline import IngestConfig
from features.arrays.hashing import hash_text
from features.contract.china_time import china_day
from features.contract.conversions import to_code
from features.contract.declarations import DECLARATION_COLUMNS, validate_declarations
from features.contract.documents import DOCUMENT_TABLES, PERSON_COLUMNS
from features.contract.inspections import validate_inspections
from features.contract.reject_reasons import RejectReason
from features.contract.rules import ContractRules
from pipelines.ingest.accounts import FileResult
from pipelines.ingest.document_intake import take_documents
from pipelines.ingest.line_spool import LineSpool
from pipelines.ingest.parts import Part, count_values, rows_by_file
from pipelines.ingest.reading.gathered import SmallFile, gathered
from pipelines.ingest.reading.source import MESSAGE_COLUMNS, Chunk, Source
from pipelines.ingest.rejects import REJECTED_COLUMNS, nulled_examples
from pipelines.privacy.identity_screen import PSEUDONYM_COLUMNS
from pipelines.privacy.log_masking import mask_identity
from pipelines.privacy.pseudonyms import Pseudonymiser
from pipelines.store.spool import Spool, complete


@dataclass(frozen=True)
class Spools:
    """Where rows wait for the second pass: valid lines, valid results with `_file`, `_source_row` and
    `_id_hash`, and rows for the quarantine; where it notes what the store takes (`TAKEN_ROWS`); and valid
    rows of documents, by their table.
    """

    declarations: LineSpool
    inspections: Spool
    rejected: Spool
    taken: Spool
    documents: Mapping[str, Spool]

    @classmethod
    def within(cls, folder: Path) -> Spools:
        """Spools in a folder that the caller throws away."""
        return cls(
            LineSpool(folder / "declarations"),
            Spool(folder / "inspections", "_id_hash"),
            Spool(folder / "rejected", "_id_hash"),
            Spool(folder / "taken", "declaration"),
            {name: Spool(folder / name, "_key") for name in DOCUMENT_TABLES},
        )


@dataclass(frozen=True)
class Intake:
    """Takes files in, one after the other, and puts their rows into spools.

    `rules` say how strict the contract is; the pseudonymiser is for identity fields that turn up where a
    pseudonym belongs.
    """

    spools: Spools
    settings: IngestConfig
    rules: ContractRules
    pseudonymiser: Callable[[], Pseudonymiser]

    def take(self, source: Source, number: int) -> FileResult:
        """Read a whole file. Where it turns out to be broken, nothing of it stays.

        `number` is its place among the run's files: of two rows with a key, the earlier file's stays.
        """
        spools = (
            *(self.spools.declarations.disputed, self.spools.inspections, self.spools.rejected),
            *self.spools.documents.values(),
        )
        marks = [spool.mark() for spool in spools]
        result = FileResult(source.name)
        try:
            for chunk, rejected in self._chunks(source, number):
                result.add(chunk)
                for frame in rejected:
                    self.spools.rejected.add(frame)
            # Some are known only when all rows were seen.
            result.notes += source.notes
            result.faults += source.faults
            result.labels = source.label_tally
            result.passed_over.update(source.passed_over)
        except DataError as error:
            fault = error
        except OSError as error:
            if error.filename != os.fspath(source.path):
                raise
            fault = DataError(f"{source.name} cannot be read any more: {error.strerror}")
        else:
            return result
        self.spools.declarations.forget(number)
        for spool, mark in zip(spools, marks, strict=True):
            spool.rewind(mark)
        return self.refuse(source.name, fault)

    def take_together(self, files: Sequence[SmallFile], results: Sequence[FileResult]) -> None:
        """Take small files of one kind; `results` are to say what became of each, at its number."""
        try:
            chunks = [(files, gathered(files))]
        except pl.exceptions.SchemaError:  # the same columns, of other types
            chunks = [([file], gathered([file])) for file in files]
        for of_chunk, chunk in chunks:
            sources = {file.number: file.source for file in of_chunk}
            own = {number: results[number] for number in sources}
            for frame in self._take_rows(sources, chunk, own):
                self.spools.rejected.add(frame)

    def _chunks(self, source: Source, number: int) -> Iterator[tuple[FileResult, list[pl.DataFrame]]]:
        """What became of each chunk and its rejected rows, in the order of the chunks."""
        if self.settings.workers == 1:
            for chunk in source.chunks(self.settings.chunk_rows):
                yield self._take_chunk(source, chunk, number)
            return
        # Threads, not processes: Polars, numpy and numba let go of the interpreter while they work, and a
        # chunk need not be sent anywhere.
        with ThreadPoolExecutor(self.settings.workers) as pool:
            under_way: deque[Future[tuple[FileResult, list[pl.DataFrame]]]] = deque()
            for chunk in source.chunks(self.settings.chunk_rows):
                if len(under_way) == self.settings.workers:
                    yield under_way.popleft().result()
                under_way.append(pool.submit(self._take_chunk, source, chunk, number))
            while under_way:
                yield under_way.popleft().result()

    def _take_chunk(self, source: Source, chunk: Chunk, number: int) -> tuple[FileResult, list[pl.DataFrame]]:
        result = FileResult(source.name, rows=chunk.rows)
        return result, self._take_rows({number: source}, chunk, {number: result})

    def _take_rows(
        self, sources: Mapping[int, Source], chunk: Chunk, results: Mapping[int, FileResult]
    ) -> list[pl.DataFrame]:
        """Check rows and spool them; returns those for the quarantine."""
        rejected = list[pl.DataFrame]()
        number, source = next(iter(sources.items()))
        result = results[number]
        of_file = {"_file": pl.lit(number, dtype=pl.Int32)} if len(sources) == 1 else {}
        if chunk.persons is not None:
            chunk = replace(chunk, persons=self._with_somebody_only(chunk.persons, chunk.persons.columns))
        if chunk.documents is not None:
            raw = self._with_somebody_only(chunk.documents.with_columns(**of_file), PERSON_COLUMNS)
            screened = source.screened(raw, chunk, self.pseudonymiser)
            result.hashed.update(screened.hashed)
            result.masked.update(screened.masked)
            assert chunk.format_ is not None
            table = chunk.format_.of.name
            part = Part(sources, chunk, table, screened.rows, results, rejected, self._rules_for(source))
            take_documents(part, self.spools.documents[table])
        if chunk.declarations is not None:
            raw = complete(chunk.declarations, (chunk.declarations.schema | MESSAGE_COLUMNS).items())
            raw = self._with_somebody_only(raw.with_columns(**of_file), PSEUDONYM_COLUMNS)
            screened = source.screened(raw, chunk, self.pseudonymiser)
            result.hashed.update(screened.hashed)
            result.masked.update(screened.masked)
            self._take_lines(
                Part(sources, chunk, "declarations", screened.rows, results, rejected, self.rules)
            )
        if chunk.inspections is not None:
            attached = chunk.declarations is not None
            screened = source.screened(chunk.inspections.with_columns(**of_file), chunk, self.pseudonymiser)
            if not attached:
                result.hashed.update(screened.hashed)
            result.masked.update(screened.masked)
            part = Part(sources, chunk, "inspections", screened.rows, results, rejected, self.rules, attached)
            self._take_results(part)
        return rejected

    def refuse(self, name: str, fault: DataError) -> FileResult:
        """Put a file that cannot be read into quarantine as such."""
        reason, text = RejectReason.UNREADABLE_FILE.value, mask_identity(str(fault))
        row = {"source_file": name, "offset": fault.offset, "record": text, "reasons": [reason]}
        frame = pl.DataFrame([row | {"_id_hash": 0}], schema_overrides=REJECTED_COLUMNS)
        self.spools.rejected.add(complete(frame, REJECTED_COLUMNS.items()))
        return FileResult(name, fault=text, reasons=Counter({reason: 1}))

    def _take_lines(self, part: Part) -> None:
        raw, result = part.frame, part.result
        draft = pl.when(pl.col("_action") == "draft").then(pl.lit(RejectReason.DRAFT.value))
        verdict = raw.select(pl.coalesce("_reject", draft)).to_series()
        part.reject(verdict.is_not_null().arg_true(), verdict.drop_nulls().reshape((-1, 1)))
        if "_nulled" in raw.columns:
            count_values(result.nulled, raw["_nulled"].filter(verdict.is_null()).explode().drop_nulls())
        deletes = (raw["_action"] == "delete").fill_null(False) & verdict.is_null()
        self._take_deletions(part, deletes.arg_true())
        rows = (verdict.is_null() & ~deletes).arg_true()
        source = part.source
        # Taking all rows would copy them all.
        frame = raw if len(rows) == raw.height else raw[rows]
        checked = validate_declarations(
            frame,
            self._rules_for(source),
            extra_categories=source.extra_categories,
            extra_numbers=source.extra_numbers,
        )
        told = nulled_examples(part.sources, part.chunk, frame, checked, self.rules.bounds)
        result.count_nulled(checked.nulled, told)
        part.reject(rows[checked.rejected["row"]], checked.rejected["reasons"])
        self._keep_lines(part, checked.kept, rows[checked.kept_rows])

    def _rules_for(self, source: Source) -> ContractRules:
        return replace(self.rules, zone=source.zone, china_offices=source.china_offices)

    def _with_somebody_only(self, frame: pl.DataFrame, names: Collection[str]) -> pl.DataFrame:
        """Null for words that mean nothing: the screen, which looks for names, would take them for some."""
        return frame.with_columns(
            self.rules.null_words.without(frame[name])
            for name in names
            if frame.schema.get(name) == pl.String
        )

    def _take_deletions(self, part: Part, rows: pl.Series) -> None:
        """Of a deletion only the number matters: its goods lines need not be valid, or there at all."""
        if rows.is_empty():
            return
        ids = to_code(part.frame["declaration_id"][rows], self.settings.max_text_chars)
        nameless = rows.filter(ids.is_null())
        reason = RejectReason.MISSING.of("declaration_id")
        part.reject(nameless, pl.Series([[reason]] * len(nameless), dtype=pl.List(pl.String)))
        lines = complete(pl.DataFrame([ids.drop_nulls()]), DECLARATION_COLUMNS.items())
        self._keep_lines(part, lines, rows.filter(ids.is_not_null()))

    def _keep_lines(self, part: Part, lines: pl.DataFrame, rows: pl.Series) -> None:
        kept = part.source.kept_columns
        extras = [*part.source.extra_categories, *part.source.extra_numbers, *kept]
        origin = part.frame.select("_source_row", *MESSAGE_COLUMNS)[rows]
        lines = lines.hstack(origin).with_columns(
            *(pl.col(of_message).alias(name) for name, (_, of_message) in kept.items()),
            china_day(lines["declared_at"]).alias("_day"),
            hash_text(lines["declaration_id"]).alias("_id_hash"),
        )
        self.spools.declarations.add(lines, part.frame["_file"][rows], extras)

    def _take_results(self, part: Part) -> None:
        raw, result = part.frame, part.result
        for number, count in rows_by_file(raw["_file"]):
            part.results[number].results_seen += count
            if part.attached:
                part.results[number].results += count
        verdict = raw["_reject"]
        part.reject(verdict.is_not_null().arg_true(), verdict.drop_nulls().reshape((-1, 1)))
        rows = verdict.is_null().arg_true()
        frame = raw[rows]
        checked = validate_inspections(frame, self._rules_for(part.source), labels=part.source.labels)
        told = nulled_examples(part.sources, part.chunk, frame, checked, self.rules.bounds)
        result.count_nulled(checked.nulled, told)
        part.reject(rows[checked.rejected["row"]], checked.rejected["reasons"])
        self.spools.inspections.add(
            checked.kept.hstack(raw[rows[checked.kept_rows]].select("_source_row", "_file")).with_columns(
                hash_text(checked.kept["declaration_id"]).alias("_id_hash"),
            )
        )
