"""Cuts a CSV text of any size into blocks of whole records, and mends records whose quotes are no quoting."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Final

import numpy as np

from configs.errors import DataError

BLOCK_BYTES: Final = 2**24
UNCLEAR: Final = '"'
"""What the field behind the last one holds in a record of which the quotes leave no meaning."""
_MOST_HEADER_BYTES: Final = 2**20
_MOST_LINES_IN_RECORD: Final = 200
_SEPARATORS: Final = ",;\t|"
_QUOTED: Final = re.compile(rb'"[^"\n]*"')


@dataclass
class CsvText:
    """The records of a text table, read in one pass.

    A quotation mark quotes where a field begins with it and ends with the next, as spreadsheet programs have
    it; anywhere else it is an inch or a word that somebody quoted, and stays as it came. A line ends as on
    any system, with a carriage return alone too.

    Attributes:
        path: the file.
        encoding: in which it is.
        separator: what stands between fields.
        columns: the fields of the header.
        mended: numbers of lines with quotes that are no quoting, whose fields are clear nevertheless.
        unclear: numbers of lines that quotes leave without a meaning; both after reading.
    """

    path: Path
    encoding: str
    separator: str
    columns: list[str]
    mended: list[int] = field(default_factory=list)
    unclear: list[int] = field(default_factory=list)
    _returns: bool = False
    _lines: int = 0

    @classmethod
    def open(cls, path: Path, encoding: str, start: bytes) -> CsvText:
        """Look at the header, which `start` has whole.

        Raises:
            DataError: there is none.
        """
        text = codecs.getincrementaldecoder(encoding)("replace").decode(start[:_MOST_HEADER_BYTES])
        first = re.sub('"[^"]*"', "", text.lstrip("\r\n").split("\n", 1)[0]).rstrip("\r")
        returns = "\r" in first
        text = text.replace("\r", "\n") if returns else text
        tried = [(_first_record(text, separator)[0], separator) for separator in _SEPARATORS]
        columns, separator = max(tried, key=lambda fields: len(fields[0]))
        if not columns:
            raise DataError(f"{path} is empty: expected a table with a header")
        columns = [name.replace("\r\n", "\n").strip() for name in columns]
        return cls(path, encoding, separator, columns, _returns=returns)

    def blocks(self) -> Iterator[tuple[int, bytes]]:
        """Blocks of whole records below the header as UTF-8, each with the byte at which it begins.

        Raises:
            DataError: bytes that are no text, or a file that breaks off within quotes.
        """
        self.mended, self.unclear, self._lines = [], [], 0
        rest, offset, begun = b"", 0, False
        for raw, is_last in self._decoded():
            block = rest + raw
            if not begun:
                begun, offset = True, self._below_header(block)
                block = block[offset:]
            end = _record_end(block, is_last)
            if not _is_clean(block[:end], self.separator, len(self.columns)):
                end = 0
            if end:
                self._lines += block.count(b"\n", 0, end)
                yield offset, block[:end]
            offset, rest = offset + end, block[end:]
            # A quote that stays open: of a long record, or none at all.
            if rest.strip() and (is_last or len(rest) > BLOCK_BYTES):
                mended, end = self._mended(rest, offset, is_last)
                yield offset, mended
                offset, rest = offset + end, rest[end:]

    def _decoded(self) -> Iterator[tuple[bytes, bool]]:
        """The file as UTF-8 in blocks, and whether each is the last."""
        decoder = None if self.encoding == "utf-8" else codecs.getincrementaldecoder(self.encoding)()
        offset, is_last = 0, False
        with self.path.open("rb") as handle:
            ahead = handle.read(BLOCK_BYTES)
            while not is_last:
                raw, ahead = ahead, handle.read(BLOCK_BYTES)
                is_last = not ahead
                block = raw if decoder is None else self._decode(decoder, raw, offset, is_last)
                offset += len(raw)
                yield block.replace(b"\r", b"\n") if self._returns else block, is_last

    def _decode(self, decoder: codecs.IncrementalDecoder, raw: bytes, offset: int, is_last: bool) -> bytes:
        try:
            return decoder.decode(raw, is_last).encode("utf-8", "replace")
        except UnicodeDecodeError as error:
            raise DataError(
                f"{self.path} is no {self.encoding} after byte {offset + error.start}: {error.reason}",
                offset=offset,
            ) from error

    def _below_header(self, block: bytes) -> int:
        text = block[:_MOST_HEADER_BYTES].decode("utf-8", "ignore")
        self._lines = _first_record(text, self.separator)[1]
        return len("".join(islice(io.StringIO(text), self._lines)).encode())

    def _mended(self, block: bytes, offset: int, is_last: bool) -> tuple[bytes, int]:
        """Clean records with the same fields, and how many bytes of the block they were."""
        whole = block if is_last else block[: block.rfind(b"\n") + 1]
        lines = list(io.StringIO(whole.decode("utf-8", "replace")))
        out = io.StringIO()
        writer = csv.writer(out, delimiter=self.separator, lineterminator="\n")
        number = 0
        while number < len(lines):
            if not is_last and 0 < len(lines) - number <= _MOST_LINES_IN_RECORD < len(lines):
                break  # the next block may bring the rest of a record
            if '"' not in lines[number]:
                out.write(lines[number])
                number += 1
                continue
            record = self._record(lines, number)
            if record.is_cut_off and is_last:
                begin = offset + len("".join(lines[:number]).encode())
                raise DataError(
                    f"{self.path}: line {self._lines + number + 1}: a quote that opens after byte {begin} is "
                    "never closed: the file is cut off. Ask the sender for it again",
                    offset=begin,
                )
            if record.fields is None:
                out.writelines(lines[number : number + record.lines])
            else:
                writer.writerow(record.fields)
                counted = self.unclear if len(record.fields) > len(self.columns) else self.mended
                counted.append(self._lines + number + 1)
            number += record.lines
        self._lines += number
        return out.getvalue().encode(), len("".join(lines[:number]).encode())

    def _record(self, lines: list[str], number: int) -> _Record:
        """What the line with this number begins, which has a quote."""
        width, line = len(self.columns), lines[number].rstrip("\r\n")
        fields, used = self._strict(islice(lines, number, number + _MOST_LINES_IN_RECORD))
        alone = [len(each.split(self.separator)) == width for each in lines[number : number + used]]
        # Two inches in two rows look like one text with a line break in it; but then each is a whole row.
        if len(fields) == width and not (used > 1 and width > 1 and all(alone)):
            as_it_is = "".join(lines[number : number + used])
            return _Record(used, None if _is_clean(as_it_is.encode(), self.separator, width) else fields)
        is_end = number + 1 == len(lines) and not lines[number].endswith("\n")
        if is_end and not fields and line.count('"') % 2:
            return _Record(1, is_cut_off=True)
        for tried in (_fields(line, self.separator), self._lazy(line), self._spaced(line)):
            if len(tried) == width:
                return _Record(1, tried)
        if fields and used == 1:
            return _Record(1)  # quoted as it should be, with a field too many or too few
        if not fields and not lines[-1].endswith("\n") and len(lines) - number <= _MOST_LINES_IN_RECORD:
            return _Record(1, is_cut_off=True)
        split = _fields(line, self.separator)
        return _Record(1, [*(split + [""] * width)[:width], UNCLEAR])

    def _strict(self, lines: Iterator[str], *, spaced: bool = False) -> tuple[list[str], int]:
        """Fields and lines of a record that is quoted as it should be; none of another one."""
        reader = csv.reader(lines, delimiter=self.separator, strict=True, skipinitialspace=spaced)
        try:
            return next(reader, []), reader.line_num
        except csv.Error:
            return [], 0

    def _spaced(self, line: str) -> list[str]:
        return self._strict(iter([line]), spaced=True)[0]

    def _lazy(self, line: str) -> list[str]:
        """Fields of a line with quotes inside of quoted fields: a field ends where a separator follows."""
        separator = re.escape(self.separator)
        field_end = re.compile(f'(?:"(.*?)"|([^{separator}]*))({separator}|$)')
        fields: list[str] = []
        place, is_end = 0, False
        while not is_end and len(fields) <= len(self.columns):
            found = field_end.match(line, place)
            assert found is not None
            quoted, plain, end = found.groups()
            fields.append(plain if quoted is None else quoted.replace('""', '"'))
            place, is_end = found.end(), not end
        return fields


@dataclass(frozen=True)
class _Record:
    """So many lines are a record: as they stand, or with these fields."""

    lines: int
    fields: list[str] | None = None
    is_cut_off: bool = False


def _first_record(text: str, separator: str) -> tuple[list[str], int]:
    """The fields of the first record that is not blank, and how many lines it ends behind."""
    reader = csv.reader(io.StringIO(text), delimiter=separator)
    try:
        for record in reader:
            if any(each.strip() for each in record):
                return record, reader.line_num
    except csv.Error:
        pass
    return [], 0


def _fields(line: str, separator: str) -> list[str]:
    """The fields between separators, with what quotes them whole taken away."""
    return [
        text[1:-1].replace('""', '"') if len(text) > 1 and text[0] == text[-1] == '"' else text
        for text in line.split(separator)
    ]


def _record_end(block: bytes, is_last: bool) -> int:
    """Where the last record ends: a line break inside of quotes, which are even before it, is none."""
    quotes = block.count(b'"')
    if is_last and quotes % 2 == 0:
        return len(block)
    end = len(block)
    while True:
        newline = block.rfind(b"\n", 0, end)
        if newline < 0:
            return 0
        quotes -= block.count(b'"', newline, end)
        if quotes % 2 == 0:
            return newline + 1
        end = newline


def _is_plain(block: bytes, separator: str) -> bool:
    """Whether quotes stand around whole fields alone, without a quote or a line break in any."""
    quoted = [match.span() for match in _QUOTED.finditer(block)]
    if 2 * len(quoted) != block.count(b'"'):
        return False
    before = separator.encode() + b"\n"
    behind = before + b"\r"
    return all(
        (first == 0 or block[first - 1] in before) and (end == len(block) or block[end] in behind)
        for first, end in quoted
    )


def _is_clean(block: bytes, separator: str, width: int) -> bool:
    """Whether every quote opens a field, closes one, or is doubled inside of one."""
    if _is_plain(block, separator):
        return True
    chars = np.frombuffer(b"\n" + block + b"\n", dtype=np.uint8)
    quotes = np.flatnonzero(chars == ord('"'))
    opens, closes = quotes[::2], quotes[1::2]
    before = np.isin(chars[opens - 1], [ord(separator), ord("\n"), ord('"')])
    after = np.isin(chars[closes + 1], [ord(separator), ord("\n"), ord("\r"), ord('"')])
    if len(quotes) % 2 or not (before.all() and after.all()):
        return False
    newlines = np.flatnonzero(chars == ord("\n"))
    inside = np.searchsorted(quotes, newlines) % 2 == 1
    if not inside.any():
        return True
    # Inches in two rows can look like one text with a line break in it: then the fields do not add up, or
    # each line is a whole row by itself.
    separators = np.flatnonzero(chars == ord(separator))
    whole_lines = np.diff(np.searchsorted(separators, newlines), prepend=0) == width - 1
    separators = separators[np.searchsorted(quotes, separators) % 2 == 0]
    ends = newlines[~inside]
    whole_records = np.diff(np.searchsorted(separators, ends), prepend=0) == width - 1
    record = np.searchsorted(ends, newlines)
    lines = np.bincount(record)
    several = lines > 1
    only_whole = np.bincount(record, weights=whole_lines) == lines
    return bool(whole_records[several].all()) and not (width > 1 and bool(only_whole[several].any()))
