"""Reads a CSV or Parquet file of any size in frames of bounded size."""

from __future__ import annotations

import io
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from configs.errors import DataError
from configs.messages import some_of
from pipelines.ingest.tables.csv_text import BLOCK_BYTES, CsvText
from pipelines.ingest.tables.text_encoding import encoding_of
from pipelines.ingest.tables.workbook_cells import COMPOUND, ZIPPED
from pipelines.ingest.tables.workbook_table import table_of

# No heading begins with a blank: those of the file are stripped.
SURPLUS: Final = " surplus"
_PARQUET_MAGIC: Final = b"PAR1"


@dataclass(frozen=True)
class TableFile:
    """A table that was opened and looks readable: its columns as they stand, the text of a CSV file, and the
    rows of a workbook.
    """

    path: Path
    columns: list[str]
    text: CsvText | None = None
    sheets: pl.DataFrame | None = None
    notes: list[str] = field(default_factory=list)

    @classmethod
    def open(cls, path: Path, encoding: str | None = None, known: Collection[str] = ()) -> TableFile:
        """Look at a file's kind and columns, and at the encoding of a text where none is given.

        `known` are names by which a workbook's headings are found below its titles.

        Raises:
            DataError: it is empty, or neither Parquet nor a workbook nor a text table.
        """
        try:
            with path.open("rb") as handle:
                start = handle.read(BLOCK_BYTES)
        except OSError as error:
            raise DataError(f"{path} cannot be read: {error.strerror}") from error
        if not start.strip():
            raise DataError(f"{path} is empty: expected a table with a header, as CSV, Parquet or a workbook")
        if start.startswith(_PARQUET_MAGIC):
            columns = [name.strip() for name in _parquet(path).schema_arrow.names]
            if len(set(columns)) < len(columns):
                _require_own_names(path, columns)
            return cls(path, columns)
        if path.suffix.lower() in (".parquet", ".pq"):
            raise DataError(f"{path} is no Parquet file: expected one to begin with PAR1, got {start[:4]!r}")
        if start.startswith((ZIPPED, COMPOUND)):
            table = table_of(path, known)
            return cls(path, table.frame.columns, sheets=table.frame, notes=table.notes)
        found, note = (encoding, None) if encoding else encoding_of(path, start)
        text = CsvText.open(path, found, start)
        columns = text.columns
        _require_own_names(path, columns)
        return cls(path, columns, text, notes=[note] if note else [])

    @property
    def lines_told(self) -> list[str]:
        """What to tell, after reading, of lines whose quotes are no quoting."""
        if self.text is None:
            return []
        told = [
            (self.text.mended, "stand as they came: the fields are clear without them"),
            (self.text.unclear, "leave no clear fields: the rows are in quarantine. Double a quotation mark "
            'within a quoted field (""), and close each'),
        ]  # fmt: skip
        return [
            f"{self.path}: quotation marks that are no quoting, in {_numbered(lines)}, {what}"
            for lines, what in told
            if lines
        ]

    def chunks(self, rows: int) -> Iterator[pl.DataFrame]:
        """The rows in order, in frames of about `rows`; CSV values are text.

        A CSV record with more fields than the header has something in the column `SURPLUS`.

        Raises:
            DataError: the file breaks off or cannot be parsed; it says near which row or byte.
        """
        if self.sheets is not None:
            yield from self.sheets.iter_slices(rows)
        elif self.text is None:
            yield from self._parquet_chunks(rows)
        else:
            yield from self._csv_chunks(rows)

    def _parquet_chunks(self, rows: int) -> Iterator[pl.DataFrame]:
        done = 0
        try:
            for batch in _parquet(self.path).iter_batches(batch_size=rows):
                frame = pl.from_arrow(batch.rename_columns(self.columns))
                assert isinstance(frame, pl.DataFrame)
                yield frame
                done += frame.height
        except (pa.ArrowException, OSError, pl.exceptions.PolarsError) as error:
            raise DataError(f"{self.path} cannot be read beyond row {done}: {_brief(error)}") from error

    def _csv_chunks(self, rows: int) -> Iterator[pl.DataFrame]:
        assert self.text is not None
        names = [*self.columns, SURPLUS]
        # A header of our own has room for a field too many, which would shift the record in silence.
        separator = self.text.separator
        header = separator.join(f"c{number}" for number in range(len(names))).encode() + b"\n"
        for offset, block in self.text.blocks():
            try:
                frame = pl.read_csv(
                    io.BytesIO(header + block),
                    infer_schema=False,
                    separator=separator,
                    truncate_ragged_lines=True,
                )
            except pl.exceptions.PolarsError as error:
                raise DataError(
                    f"{self.path} cannot be parsed as CSV near byte {offset}: check the quotes "
                    f"({_brief(error)})",
                    offset=offset,
                ) from error
            frame.columns = names
            yield from frame.iter_slices(rows)


def _require_own_names(path: Path, columns: list[str]) -> None:
    twice = sorted({name for name in columns if columns.count(name) > 1})
    if twice or "" in columns:
        wrong = twice[0] if twice and twice[0] else ""
        places = " and ".join(str(place) for place, name in enumerate(columns, 1) if name == wrong)
        what = f"the name {wrong!r} more than once" if wrong else "none"
        raise DataError(
            f"{path}: expected a header with a name of its own for each column, got {what} in column(s) "
            f"{places} of {len(columns)}: name them apart, or take the columns out that nobody needs"
        )


def _numbered(lines: list[int]) -> str:
    return f"line{'s' if len(lines) > 1 else ''} {some_of([f'{line:,}' for line in lines])}"


def _parquet(path: Path) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(path)
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{path} is no complete Parquet file: {_brief(error)}") from error


def _brief(error: Exception) -> str:
    # The libraries quote whole records, which may name somebody: only their first words are safe to show.
    return str(error).split("\n", 1)[0].split("`", 1)[0][:120].strip(" :.") or type(error).__name__
