"""What intake asks of a file, whatever its format, and what a file may ask of the run."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Final, Self

import polars as pl

from configs.errors import ConfigurationError
from configs.reference.facts import ReferenceDay, load_reference
from configs.schema.settings import Settings
from configs.schema.source import SourceMapping
from features.contract.bounds import load_bounds
from features.contract.moments import UTC_ZONE
from features.contract.null_words import NullWords
from features.contract.rules import ContractRules
from pipelines.ingest.reading.document_format import DocumentFormat
from pipelines.ingest.reading.label_tally import LabelTally
from pipelines.ingest.reading.message_format import CustomsCodes
from pipelines.privacy.identity_screen import FREE_TEXT_COLUMNS, RESULT_TEXTS, Screened, screen_rows
from pipelines.privacy.key_record import KeyRecord
from pipelines.privacy.pseudonyms import Pseudonymiser
from pipelines.store.meta import StoreMeta

MESSAGE_COLUMNS: Final[dict[str, pl.DataType]] = {
    "_offset": pl.Int64(),
    "_message_at": pl.Datetime("us", "UTC"),
    "_action": pl.String(),
    "_seller": pl.String(),
    "_own_number": pl.String(),
    "_item_no": pl.String(),
    "_buyer_named_by": pl.String(),
}
"""What a message's row has beside a table's."""

_OF_ANY_STORE: Final = ("rules", "codes", "reference")


@dataclass(frozen=True)
class Surroundings:
    """What a file is read with. Key and reference tables are loaded when something first asks for them.

    Attributes:
        settings: the configuration.
        mapping: what the columns of foreign tables mean.
        now: the moment of the run.
        key_record: what the store remembers of its key; empty where it made no pseudonym yet.
    """

    settings: Settings
    mapping: SourceMapping | None
    now: datetime
    key_record: Mapping[str, Any] = field(default_factory=dict)

    def of_store(self, meta: StoreMeta) -> Surroundings:
        """The same for files that go into a store.

        Raises:
            ConfigurationError: there is a key, and it is not the store's.
        """
        around = replace(self, key_record=meta.pseudonym_key)
        # Tables that were read before the store was known need not be read again.
        around.__dict__.update({name: self.__dict__[name] for name in _OF_ANY_STORE if name in self.__dict__})
        if around.key_record and self.has_key:
            _ = around.pseudonymiser
        return around

    @cached_property
    def pseudonymiser(self) -> Pseudonymiser:
        """The owner of the key.

        Raises:
            ConfigurationError: there is no usable key, or the store has another one.
        """
        names = Pseudonymiser.from_environment(self.settings.pipeline.pseudonyms)
        return names.of_store(KeyRecord.read(self.key_record)) if self.key_record else names

    @property
    def new_key_record(self) -> dict[str, Any]:
        """What the store has to remember from now on; empty where it does so, or where nothing was hashed."""
        names: Pseudonymiser | None = self.__dict__.get("pseudonymiser")
        return names.record().as_dict() if names is not None and names.used and not self.key_record else {}

    @cached_property
    def rules(self) -> ContractRules:
        """How strict the contract is with any file of the run.

        Raises:
            ConfigurationError: the table of bounds is wrong.
        """
        ingest = self.settings.pipeline.ingest
        return ContractRules(
            latest=self.now + timedelta(days=ingest.future_days),
            max_text_chars=ingest.max_text_chars,
            bounds=load_bounds(self.settings.overlay),
            null_words=NullWords(ingest.null_words),
        )

    @property
    def has_key(self) -> bool:
        """Whether there is a usable key: tables without identities need none."""
        try:
            return bool(self.pseudonymiser)
        except ConfigurationError:
            return False

    @cached_property
    def codes(self) -> CustomsCodes:
        """Customs' codes of the day of the run."""
        return CustomsCodes.of(self.reference, self.rules.null_words)

    @cached_property
    def reference(self) -> ReferenceDay:
        """The reference tables of the day of the run."""
        return load_reference(self.settings.overlay).on(self.now.date())


@dataclass(frozen=True)
class Chunk:
    """Some rows of a file.

    Attributes:
        raw: the rows as they came, for `Source.records`.
        declarations: contract columns of any type; `_row` (UInt32, the row's place in `raw`), `_source_row`
            (Int64, its number in the file, from 1), `_reject` (String, why it cannot be used whatever its
            columns say); of messages `MESSAGE_COLUMNS` and `_nulled` (values that the
            reader left out, as `column:reason`).
        inspections: the same for results; where the rows hold both, only those with a result.
        rows: how many rows of the file these are.
        persons: raw values that name the persons of each row in `raw`, never stored: what repeats them in
            other columns is masked. None where the source has none.
        documents: the same for rows of one kind of document, where the chunk holds neither of the others.
        format_: that kind.
    """

    raw: pl.DataFrame
    declarations: pl.DataFrame | None
    inspections: pl.DataFrame | None
    rows: int
    persons: pl.DataFrame | None = None
    documents: pl.DataFrame | None = None
    format_: type[DocumentFormat] | None = None

    def rows_of(self, table: str) -> pl.DataFrame | None:
        """Return the rows of a table, None where the chunk has none."""
        if self.format_ is not None:
            return self.documents if self.format_.of.name == table else None
        return {"declarations": self.declarations, "inspections": self.inspections}.get(table)

    def persons_of(self, rows: pl.Series) -> pl.DataFrame | None:
        """`persons` of the rows at these places."""
        if self.persons is None or len(rows) == self.persons.height:
            return self.persons
        return self.persons[rows]


class Source(ABC):
    """One file that is taken in. A module in `sources/` holds one such class; its name is the module's.

    Attributes:
        kept_columns: columns that only checks need: whether each is a `code` or a `moment`, and the one of
            `MESSAGE_COLUMNS` that has it.
        takes_mapping: whether a mapping says what its columns mean.
        is_default: whether it takes the files that no source recognises.
        path: where the file is.
        name: what the user knows it by.
        label_tally: once all rows were read, the values of the labels in them.
        faults: once all rows were read, a few of those that stand for text which cannot be read, in words.
        passed_over: once all rows were read, how many messages were counted and not taken in, by their first
            element.
        zone: of times that name none.
        china_offices: whether codes of offices and ports are China's, of four digits.
    """

    takes_mapping: ClassVar[bool] = False
    is_default: ClassVar[bool] = False
    extra_categories: tuple[str, ...] = ()
    extra_numbers: tuple[str, ...] = ()
    kept_columns: ClassVar[Mapping[str, tuple[str, str]]] = {}
    zone: str = UTC_ZONE
    china_offices: bool = True

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = str(path)
        self.label_tally = LabelTally()
        self.faults: list[str] = []
        self.passed_over: Mapping[str, int] = {}

    @classmethod
    def recognises(cls, path: Path) -> bool:
        """Whether the file is one of these."""
        return False

    @classmethod  # noqa: B027 - a source may need nothing
    def require(cls, around: Surroundings) -> None:
        """Ask for what files of this kind cannot do without: better missed before anything is read.

        Raises:
            ConfigurationError: there is no key for pseudonyms, or a reference table is wrong.
        """

    @classmethod
    @abstractmethod
    def open(cls, path: Path, around: Surroundings, known: StoreMeta) -> Self:
        """Open a file when its turn comes; `known` are the extra columns and labels of the store.

        Raises:
            DataError: it cannot be read.
            ConfigurationError: the mapping does not fit the contract.
        """

    @property
    def labels(self) -> tuple[str, ...]:
        """Label columns that the file brings beyond the contract's."""
        return ()

    @property
    def notes(self) -> list[str]:
        """What the user should know about the file beside its rows, once they are read."""
        return []

    @abstractmethod
    def chunks(self, rows: int) -> Iterator[Chunk]:
        """The rows, in bounded memory.

        Raises:
            DataError: the file turns out to be broken; whatever came before does not count then.
        """

    def screened(
        self, rows: pl.DataFrame, chunk: Chunk, pseudonymiser: Callable[[], Pseudonymiser]
    ) -> Screened:
        """Rows of a chunk's declarations or inspections without what names a person."""
        persons = chunk.persons_of(rows["_row"])
        words = (*FREE_TEXT_COLUMNS, *RESULT_TEXTS, *self.extra_categories)
        return screen_rows(rows, persons, pseudonymiser, words=words, figures=self.extra_numbers)

    def origin(self, column: str) -> str | None:
        """The column of the file that fills one of the contract's, where it has another name."""
        return None

    def advice(self, column: str, kind: str, value: str) -> str:
        """What to say of a wrong value beside what was expected: where it stands, what to do."""
        return ""

    @abstractmethod
    def records(self, chunk: Chunk, picked: pl.Series) -> pl.Series:
        """The rows at `picked` (UInt32, places in the chunk) as they came, as JSON that names nobody."""
