"""What intake needs to know of a file, whatever its format."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from pipelines.ingest.sources.ceb import read_ceb
from pipelines.privacy.pseudonyms import Pseudonymiser

Hasher = Callable[[], Pseudonymiser]


@dataclass(frozen=True)
class Chunk:
    """Some rows of a file.

    Attributes:
        raw: the rows as they came, for :meth:`Source.records`.
        declarations: contract columns of any type; ``_row`` (UInt32, the row's place in ``raw``),
            ``_source_row`` (Int64, its number in the file, from 1), ``_reject`` (String, why it cannot be
            used whatever its columns say); of messages ``_offset``, ``_message_at``, ``_action`` and
            ``_nulled`` (values that the reader left out, as ``column:reason``).
        inspections: the same for results; where the rows hold both, only those with a result.
        rows: how many rows of the file these are.
    """

    raw: pl.DataFrame
    declarations: pl.DataFrame | None
    inspections: pl.DataFrame | None
    rows: int


class Source(ABC):
    """One file that is taken in."""

    path: Path
    extra_categories: tuple[str, ...] = ()
    extra_numbers: tuple[str, ...] = ()

    @property
    def labels(self) -> tuple[str, ...]:
        """Label columns that the file brings beyond the contract's."""
        return ()

    @property
    def notes(self) -> list[str]:
        """What the user should know about the file beside its rows."""
        return []

    @abstractmethod
    def chunks(self, rows: int) -> Iterator[Chunk]:
        """The rows, in bounded memory.

        Raises:
            DataError: the file turns out to be broken; whatever came before does not count then.
        """

    @abstractmethod
    def records(self, chunk: Chunk, picked: pl.Series) -> pl.Series:
        """The rows at ``picked`` (UInt32, places in the chunk) as they came, as JSON that names nobody."""


class CebSource(Source):
    """A CEB621 or CEB603 file; see :func:`pipelines.ingest.sources.ceb.read_ceb` for the arguments."""

    def __init__(
        self, path: Path, hasher: Hasher, countries: dict[str, str], currencies: dict[str, str]
    ) -> None:
        self.path = path
        self._hasher = hasher
        self._countries = countries
        self._currencies = currencies

    def chunks(self, rows: int) -> Iterator[Chunk]:
        """The goods lines; each inventory is a message, told apart by ``_offset``."""
        frames = read_ceb(
            self.path,
            chunk_rows=rows,
            pseudonymiser=self._hasher(),
            countries=self._countries,
            currencies=self._currencies,
        )
        for frame in frames:
            yield Chunk(frame, frame.drop("_record").with_row_index("_row"), None, frame.height)

    def records(self, chunk: Chunk, picked: pl.Series) -> pl.Series:
        """What the reader kept of the rows: it hashes whatever could name somebody."""
        return chunk.raw["_record"][picked].alias("record")
