"""Reads a CSV or Parquet file of any size in frames of bounded size."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from configs.errors import DataError

SURPLUS: Final = "_surplus"
_PARQUET_MAGIC: Final = b"PAR1"
_BLOCK: Final = 2**24
_MOST_BYTES_IN_RECORD: Final = 2**29
_SEPARATORS: Final = ",;\t"
_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


@dataclass(frozen=True)
class TableFile:
    """A table that was opened and looks readable: its columns as they stand, and a CSV's encoding (None for
    Parquet) and separator.
    """

    path: Path
    columns: list[str]
    encoding: str | None = None
    separator: str = ","

    @classmethod
    def open(cls, path: Path) -> TableFile:
        """Look at a file's kind, columns and encoding.

        Raises:
            DataError: it is empty, or neither Parquet nor a text table.
        """
        try:
            with path.open("rb") as handle:
                start = handle.read(_BLOCK)
        except OSError as error:
            raise DataError(f"{path} cannot be read: {error.strerror}") from error
        if not start.strip():
            raise DataError(f"{path} is empty: expected a table with a header, as CSV or Parquet")
        if start.startswith(_PARQUET_MAGIC):
            return cls(path, _parquet(path).schema_arrow.names)
        if path.suffix.lower() in (".parquet", ".pq"):
            raise DataError(f"{path} is no Parquet file: expected one to begin with PAR1, got {start[:4]!r}")
        encoding = _encoding(path, start)
        header = _decoded(path, encoding, start)
        separator = max(_SEPARATORS, key=header.count)
        columns = [name.strip() for name in next(csv.reader([header], delimiter=separator))]
        twice = sorted({name for name in columns if columns.count(name) > 1})
        if twice or "" in columns:
            what = f"the name {twice[0]!r} twice" if twice and twice[0] else "a column without a name"
            raise DataError(f"{path}: expected a header with a name for each column, got {what}")
        return cls(path, columns, encoding, separator)

    def chunks(self, rows: int) -> Iterator[pl.DataFrame]:
        """The rows in order, in frames of about `rows`; CSV values are text.

        A CSV record with more fields than the header has something in the column `_surplus`.

        Raises:
            DataError: the file breaks off or cannot be parsed; it says near which row or byte.
        """
        if self.encoding is None:
            yield from self._parquet_chunks(rows)
        else:
            yield from self._csv_chunks(rows)

    def _parquet_chunks(self, rows: int) -> Iterator[pl.DataFrame]:
        done = 0
        try:
            for batch in _parquet(self.path).iter_batches(batch_size=rows):
                frame = pl.from_arrow(batch)
                assert isinstance(frame, pl.DataFrame)
                yield frame
                done += frame.height
        except (pa.ArrowException, OSError, pl.exceptions.PolarsError) as error:
            raise DataError(f"{self.path} cannot be read beyond row {done}: {_brief(error)}") from error

    def _csv_chunks(self, rows: int) -> Iterator[pl.DataFrame]:
        names = [*self.columns, SURPLUS]
        # A header of our own has room for a field too many, which would shift the record in silence.
        header = self.separator.join(f"c{number}" for number in range(len(names))).encode() + b"\n"
        first = True
        for offset, block in _records(self.path, self.encoding or "utf-8"):
            try:
                frame = pl.read_csv(
                    io.BytesIO(header + block),
                    infer_schema=False,
                    skip_rows_after_header=1 if first else 0,
                    separator=self.separator,
                    truncate_ragged_lines=True,
                )
            except pl.exceptions.PolarsError as error:
                raise DataError(
                    f"{self.path} cannot be parsed as CSV near byte {offset}: check the quotes "
                    f"({_brief(error)})",
                    offset=offset,
                ) from error
            first = False
            frame.columns = names
            yield from frame.iter_slices(rows)


def _parquet(path: Path) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(path)
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{path} is no complete Parquet file: {_brief(error)}") from error


def _encoding(path: Path, start: bytes) -> str:
    """UTF-8, with or without a mark, UTF-16 with one, else GB18030.

    A file without a mark is read to its end, and again for its rows: one wrong byte anywhere decides, and the
    text of a large file does not fit into memory.
    """
    for mark, encoding in _BOMS:
        if start.startswith(mark):
            return encoding
    if b"\x00" in start[:4096]:
        raise DataError(f"{path} is no text: expected a CSV or Parquet table, got binary data")
    failure: UnicodeDecodeError | None = None
    for encoding in ("utf-8", "gb18030"):
        decoder = codecs.getincrementaldecoder(encoding)()
        try:
            with path.open("rb") as handle:
                while block := handle.read(_BLOCK):
                    decoder.decode(block)
                decoder.decode(b"", final=True)
        except UnicodeDecodeError as error:
            failure = failure or error
        else:
            return encoding
    raise DataError(
        f"{path} is no text in UTF-8 or GB18030: {failure.reason if failure else ''}. Save it as UTF-8"
    )


def _decoded(path: Path, encoding: str, start: bytes) -> str:
    """The header line."""
    text = codecs.getincrementaldecoder(encoding)().decode(start)
    header = next((line for line in text.splitlines() if line.strip()), "")
    if not header:
        raise DataError(f"{path} is empty: expected a table with a header")
    return header


def _records(path: Path, encoding: str) -> Iterator[tuple[int, bytes]]:
    """Blocks of whole CSV records as UTF-8, each with the byte at which it begins.

    A line break inside quotes does not end a record, so a block ends at the last line break before which
    the quotes are even.
    """
    decoder = None if encoding == "utf-8" else codecs.getincrementaldecoder(encoding)()
    rest = b""
    offset = 0
    with path.open("rb") as handle:
        while raw := handle.read(_BLOCK):
            block = rest + (raw if decoder is None else _decode(path, decoder, raw, offset))
            end = _record_end(block)
            if end:
                yield offset, block[:end]
                offset += end
            rest = block[end:]
            if len(rest) > _MOST_BYTES_IN_RECORD:
                raise DataError(
                    f"{path}: a quote that opens after byte {offset} is never closed", offset=offset
                )
    if decoder is not None:
        rest += _decode(path, decoder, b"", offset, final=True)
    if rest.strip():
        if rest.count(b'"') % 2:
            raise DataError(
                f"{path}: a quote that opens after byte {offset} is never closed: the file is cut off",
                offset=offset,
            )
        yield offset, rest


def _decode(
    path: Path, decoder: codecs.IncrementalDecoder, raw: bytes, offset: int, final: bool = False
) -> bytes:
    try:
        return decoder.decode(raw, final).encode("utf-8", "replace")
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path} breaks its encoding after byte {offset}: {error.reason}", offset=offset
        ) from error


def _record_end(block: bytes) -> int:
    quotes = block.count(b'"')
    end = len(block)
    while True:
        newline = block.rfind(b"\n", 0, end)
        if newline < 0:
            return 0
        quotes -= block.count(b'"', newline, end)
        if quotes % 2 == 0:
            return newline + 1
        end = newline


def _brief(error: Exception) -> str:
    # The libraries quote whole records, which may name somebody: only their first words are safe to show.
    return str(error).split("\n", 1)[0].split("`", 1)[0][:120].strip(" :.") or type(error).__name__
