"""Opens a table in the contract's own columns, or a foreign one through its mapping, as rows for intake."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Self

import polars as pl

from configs.errors import DataError
from features.contract.conversions import yes_no_code
from features.contract.declarations import DECLARATION_COLUMNS, DECLARATION_REQUIRED
from features.contract.inspections import (
    CONTRACT_LABELS,
    INSPECTION_COLUMNS,
    INSPECTION_REQUIRED,
    looks_like_inspections,
)
from features.contract.label_cells import contract_cells
from features.contract.moments import names_no_zone
from features.contract.reject_reasons import RejectReason
from pipelines.ingest.reading.advice import mapping_line
from pipelines.ingest.reading.label_tally import LabelTally
from pipelines.ingest.reading.mapping_checks import filled_columns
from pipelines.ingest.reading.source import Chunk, Source, Surroundings
from pipelines.ingest.reading.table_mapping import (
    TIME_COLUMNS,
    MappedTable,
    headings_as_mapped,
    require_columns,
    shown_headings,
)
from pipelines.ingest.tables.csv_text import UNCLEAR
from pipelines.ingest.tables.table_file import SURPLUS, TableFile
from pipelines.privacy.identity_screen import (
    FREE_TEXT_COLUMNS,
    OFFICIAL_COLUMNS,
    PSEUDONYM_COLUMNS,
    RESULT_TEXTS,
    looks_personal,
)
from pipelines.privacy.person_columns import names_persons
from pipelines.privacy.renewal import renew_pseudonyms
from pipelines.privacy.safe_records import RecordColumns, safe_records
from pipelines.store.meta import StoreMeta


class TableSource(Source):
    """A CSV or Parquet table, or a workbook.

    `known` has the extra columns and labels of the store; other labels are found by their values.

    Raises:
        DataError: the file is no table, or lacks a required column.
        ConfigurationError: the mapping does not fit the contract.
    """

    takes_mapping = True
    is_default = True

    def __init__(self, path: Path, around: Surroundings, known: StoreMeta) -> None:
        super().__init__(path)
        encoding, names = None, {*DECLARATION_COLUMNS, *INSPECTION_COLUMNS}
        if around.mapping is not None:
            encoding = around.mapping.encoding
            names = {name for names in filled_columns(around.mapping).values() for name in names}
        self._file = TableFile.open(path, encoding, names)
        self._around = around
        self._known_labels = {*known.labels, *(risk.label for risk in around.settings.risks.values())}
        mapping, columns = around.mapping, self._file.columns
        self._spelling: dict[str, str] = {}
        self._mapped = None
        if mapping is not None:
            self._spelling = headings_as_mapped(mapping, columns)
            columns = [self._spelling.get(name, name) for name in columns]
            of_mapping = MappedTable.of(mapping, columns, str(path))
            self._mapped = replace(of_mapping, null_words=around.rules.null_words)
        self._zoneless: str | None = None
        self.label_tally = LabelTally()
        if self._mapped is not None:
            self.china_offices = False
            self.zone = self._mapped.zone
            self.extra_categories = tuple(self._mapped.mapping.extra.categories)
            self.extra_numbers = tuple(self._mapped.mapping.extra.numbers)
            self._is_inspections = not self._mapped.has_declarations
        else:
            self._is_inspections = looks_like_inspections(columns)
            required = INSPECTION_REQUIRED if self._is_inspections else DECLARATION_REQUIRED
            require_columns(columns, required, str(path))
            kinds = {} if self._is_inspections else known.extras
            self.extra_categories = tuple(name for name in columns if kinds.get(name) == "category")
            self.extra_numbers = tuple(name for name in columns if kinds.get(name) == "number")

    @classmethod
    def require(cls, around: Surroundings) -> None:
        """A mapping that hashes needs the key; tables in the contract's columns go without."""
        if around.mapping is not None and around.mapping.pseudonymise:
            _ = around.pseudonymiser

    @classmethod
    def open(cls, path: Path, around: Surroundings, known: StoreMeta) -> Self:
        """Look at the table's kind and columns."""
        try:
            return cls(path, around, known)
        except pl.exceptions.PolarsError as error:
            raise DataError(f"{path} cannot be read as a table: {type(error).__name__}") from error

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """Label columns that the table brings beyond the contract's."""
        if self._mapped is not None:
            return tuple(name for name in self._mapped.labels if name not in INSPECTION_COLUMNS)
        if not self._is_inspections:
            return ()
        unknown = [name for name in self._file.columns if name not in INSPECTION_COLUMNS]
        return tuple(name for name in unknown if name in self._known_labels) + self._labels_by_value(
            [name for name in unknown if name not in self._known_labels]
        )

    @property
    def notes(self) -> list[str]:
        """What the user should know: how the text was read, columns that are not stored, times."""
        read = [*self._file.notes, *self._file.lines_told]
        return [*read, *self._notes_on_columns, *self._notes_on_times]

    @property
    def _notes_on_times(self) -> list[str]:
        if self._zoneless is None:
            return []
        return [
            f"{self.path}: times in {self._zoneless} name no zone and were taken as UTC, eight hours behind "
            "China's. If they are of another zone, say so in a mapping: time_zone: Asia/Shanghai"
        ]

    @cached_property
    def _notes_on_columns(self) -> list[str]:
        if self._mapped is not None:
            return self._mapped.notes(str(self.path), self._file.columns)
        unknown = [name for name in self._file.columns if name not in self._kept]
        text = f"{self.path}: columns that the contract does not have are not stored: "
        return [text + shown_headings(unknown[:20])] if unknown else []

    @cached_property
    def _kept(self) -> frozenset[str]:
        """The columns that are stored of a table without a mapping."""
        contract = INSPECTION_COLUMNS if self._is_inspections else DECLARATION_COLUMNS
        return frozenset({*contract, *self.extra_categories, *self.extra_numbers, *self.labels})

    def chunks(self, rows: int) -> Iterator[Chunk]:
        """The rows in the contract's columns, not yet validated."""
        done = 0
        self.label_tally = LabelTally()
        for raw in self._file.chunks(rows):
            blank = raw.select(pl.all_horizontal(pl.all().is_null())).to_series()  # such lines are no rows
            filled = raw.filter(~blank) if blank.any() else raw
            if filled.is_empty():
                continue
            raw = filled.drop(SURPLUS, strict=False).rename(self._spelling)
            numbers = pl.int_range(done + 1, done + raw.height + 1, dtype=pl.Int64, eager=True)
            numbers = numbers.alias("_source_row")
            reject = pl.Series("_reject", [None], dtype=pl.String).new_from_index(0, raw.height)
            if SURPLUS in filled.columns:
                surplus = filled[SURPLUS]
                reject = reject.set(surplus.is_not_null(), RejectReason.TOO_MANY_FIELDS.value)
                reject = reject.set((surplus == UNCLEAR).fill_null(False), RejectReason.UNCLEAR_QUOTES.value)
            done += raw.height
            self._zoneless = self._zoneless or self._column_without_zone(raw)
            yield self._chunk(raw, numbers, reject)
        if self._mapped is not None:
            self.label_tally.require_covered(self._mapped.mapping, str(self.path))

    def _column_without_zone(self, raw: pl.DataFrame) -> str | None:
        """A column with times that name no zone, where the mapping names none either."""
        if self._mapped is None:
            columns = list(TIME_COLUMNS)
        elif self._mapped.mapping.time_zone is None:
            columns = self._mapped.time_columns
        else:
            return None
        return next((name for name in columns if name in raw.columns and names_no_zone(raw[name])), None)

    def origin(self, column: str) -> str | None:
        """The column of the table by which the mapping fills one of the contract's."""
        return None if self._mapped is None else next(iter(self._mapped.sources_of.get(column, ())), None)

    def advice(self, column: str, kind: str, value: str) -> str:
        """Which column of the table it is, and the line of the mapping that would read it."""
        origin = self.origin(column)
        if self._mapped is None or origin is None:
            return ""
        mapping = self._mapped.mapping
        line = mapping_line(mapping, column, kind, value, self._around.reference["countries"])
        cure = (
            f"add to the mapping {mapping.name}: {line}"
            if line
            else "no setting reads it, so convert it before"
        )
        return f"; it stands in the column {origin!r}: {cure}"

    def records(self, chunk: Chunk, picked: pl.Series) -> pl.Series:
        """JSON text of the rows at `picked` (numbers within the chunk) that names nobody."""
        names = self._around.pseudonymiser if self._around.has_key else None
        return safe_records(chunk.raw[picked], self._record_columns, chunk.persons_of(picked), names)

    @cached_property
    def _record_columns(self) -> RecordColumns:
        extras = (*self.extra_categories, *self.extra_numbers)
        words = (*FREE_TEXT_COLUMNS, *RESULT_TEXTS, *self.extra_categories)
        if self._mapped is None:
            return RecordColumns(
                hash_always={name: name for name in PSEUDONYM_COLUMNS},
                known={*DECLARATION_COLUMNS, *INSPECTION_COLUMNS, *self.labels, *extras},
                words=words,
                official={name: name for name in OFFICIAL_COLUMNS},
            )
        sources = self._mapped.sources_of
        hashed = sorted({*self._mapped.mapping.pseudonymise, *PSEUDONYM_COLUMNS})
        return RecordColumns(
            hash_always={name: target for target in hashed for name in sources.get(target, ())},
            known={name for names in sources.values() for name in names},
            words={name for target in words for name in sources.get(target, ())},
            official={name: target for target in OFFICIAL_COLUMNS for name in sources.get(target, ())},
        )

    def _chunk(self, raw: pl.DataFrame, numbers: pl.Series, reject: pl.Series) -> Chunk:
        persons = self._persons(raw)
        if self._mapped is None:
            # A column that is named as one of those added here must not steer what becomes of its rows.
            own = raw.select(name for name in raw.columns if name in self._kept)
            frame = self._renewed(own).with_columns(numbers, reject).with_row_index("_row")
            if not self._is_inspections:
                return Chunk(raw, frame, None, raw.height, persons)
            found = [name for name in (*CONTRACT_LABELS, *self.labels) if name in raw.columns]
            self.label_tally.add({name: contract_cells(raw[name]) for name in found}, numbers)
            return Chunk(raw, None, frame, raw.height, persons)
        names = self._around.pseudonymiser if self._mapped.mapping.pseudonymise else None
        rows = None
        if self._mapped.has_declarations:
            mapped = self._renewed(self._mapped.declarations(raw, names))
            rows = mapped.with_columns(numbers, reject).with_row_index("_row")
        results = None
        if self._mapped.has_inspections:
            read = self._mapped.inspections(raw, names)
            self.label_tally.add(read.labels, numbers)
            picked = read.frame["_row"]
            results = self._renewed(read.frame).with_columns(numbers[picked], reject[picked])
        return Chunk(raw, rows, results, raw.height, persons)

    def _renewed(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Rows with pseudonyms of the present key, where the store has changed its key since the first.

        A source that hashes by itself goes on with what it gave before; so do tables made from older stores.
        """
        if not self._around.key_record.get("earlier"):
            return rows
        hashed = () if self._mapped is None else self._mapped.mapping.pseudonymise
        columns = [name for name in (*PSEUDONYM_COLUMNS, *OFFICIAL_COLUMNS) if name not in hashed]
        return renew_pseudonyms(rows, columns, lambda old: self._around.pseudonymiser.renew(old, last=False))

    def _persons(self, raw: pl.DataFrame) -> pl.DataFrame | None:
        """What names persons: columns that the mapping hashes, and others that their heading gives away."""
        used, hashed = {*DECLARATION_COLUMNS, *INSPECTION_COLUMNS}, set[str]()
        if self._mapped is not None:
            sources = self._mapped.sources_of
            used = {name for names in sources.values() for name in names}
            hashed = {
                name for target in self._mapped.mapping.pseudonymise for name in sources.get(target, ())
            }
        columns = [raw[name] for name in raw.columns if name in hashed and not raw[name].dtype.is_nested()]
        for name in raw.columns:
            if name not in used and raw[name].dtype == pl.String and names_persons(name):
                # What may be a customer's code would be looked for in numbers that begin with it.
                names_nobody = raw[name].str.contains(r"\d") & ~looks_personal(raw[name])
                columns.append(raw[name].set(names_nobody.fill_null(False), None))
        return pl.DataFrame(columns) if columns else None

    def _labels_by_value(self, candidates: list[str]) -> tuple[str, ...]:
        """Columns whose every value says yes or no. Needs the whole file: a late value can refuse."""
        possible = {name: False for name in candidates if name.isidentifier() and not name.startswith("_")}
        for raw in self._file.chunks(200_000):
            for name in list(possible):
                codes = yes_no_code(raw[name])
                if (codes < 0).any():
                    del possible[name]
                elif codes.null_count() < len(codes):
                    possible[name] = True
            if not possible:
                break
        return tuple(name for name, filled in possible.items() if filled)
