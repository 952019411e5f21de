"""The part of a file that a reader has at hand, and where in the file it is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from pipelines.ingest.markup.xml_encoding import UTF_8

_TRIMMED_BYTES: Final = 2**16
_CONTINUES: Final = bytes(range(0x80, 0xC0))


class FilePlace(NamedTuple):
    """Line and column, from 1, and byte, from 0."""

    line: int
    column: int
    offset: int


class ByteWindow:
    """Bytes of a stream from some place on, which grow at the end when asked for more.

    Attributes:
        data: what is in memory. Its beginning goes when `move` passes it.
        at: where in `data` the reader is.
        codec: the encoding, by which columns are counted.
    """

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self.data = bytearray()
        self.at = 0
        self.codec = UTF_8
        self._blocks = blocks
        # For which place in `data` line, column and offset are known.
        self._known = 0
        self._place = FilePlace(1, 1, 0)

    @property
    def is_used_up(self) -> bool:
        """Whether the reader is at the end of what is in memory."""
        return self.at == len(self.data)

    def more(self) -> bool:
        """Read on; False at the end of the stream."""
        block = next(self._blocks, b"")
        self.data += block
        return bool(block)

    def move(self, at: int) -> None:
        """Go on to a place in `data`; places before it, and those found so far, are not used any more."""
        self.at = at
        if at >= _TRIMMED_BYTES:
            self.place()
            del self.data[:at]
            self.at = self._known = 0

    def find(self, what: bytes, scan: int, most_bytes: int) -> int:
        """Return where something stands next from `scan` on, -1 if not within `most_bytes` from here."""
        while (found := self.data.find(what, scan)) < 0:
            scan = max(scan, len(self.data) - len(what))
            if len(self.data) - self.at > most_bytes or not self.more():
                return -1
        return found

    def place(self) -> FilePlace:
        """Where in the stream the reader is."""
        passed = self.data[self._known : self.at]
        line, column, offset = self._place
        lines = passed.count(b"\n")
        if lines:
            line, column = line + lines, 1
        tail = passed[passed.rfind(b"\n") + 1 :]
        if self.codec == UTF_8:
            column += len(tail.translate(None, _CONTINUES))
        else:
            column += len(tail.decode(self.codec, "replace"))
        self._place, self._known = FilePlace(line, column, offset + len(passed)), self.at
        return self._place
