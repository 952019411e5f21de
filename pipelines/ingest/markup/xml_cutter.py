"""Cuts the bytes of an XML file into documents, each of which can be parsed, or refused, on its own.

Shops send what is no XML: an `&` or a `<` as it came, a byte of another encoding. A parser of the whole file
would stop there. Only the tags around the documents are read here; what a document holds is left alone, so
that a fault in it costs that document and no other.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Final

from configs.errors import DataError
from pipelines.ingest.markup.byte_window import ByteWindow
from pipelines.ingest.markup.xml_encoding import UTF_8, codec_of_declaration
from pipelines.ingest.markup.xml_pieces import (
    AGAIN,
    BAD_TAG,
    MISMATCH,
    TRUNCATED,
    CutDocument,
    Element,
    Misplaced,
    Namespaces,
    Payload,
    Piece,
    check_namespace,
    told,
)
from pipelines.ingest.reading.message_format import MessageFormat

# What has to be in memory as a whole: a document, a comment, what an envelope holds. The specification's
# longest line has some 5,000 characters.
MOST_BYTES: Final = 64 * 2**20
_MOST_PROLOG_BYTES: Final = 2**20
_MOST_TAG_BYTES: Final = 2**16
_ENVELOPE: Final = (b"DxpMsg", b"Data")
_TAG: Final = re.compile(rb"""<(/?)([^\s<>/?!&="']+)((?:[^<>"']|"[^"<]*"|'[^'<]*')*)>""")
_XMLNS: Final = re.compile(rb"""\sxmlns(?::([^\s=]+))?\s*=\s*(?:"([^"]*)"|'([^']*)')""")
_MARKS: Final = re.compile(rb"<!--|<!\[CDATA\[|<\?xml\s")
_ENDS: Final = {b"<!--": b"-->", b"<![CDATA[": b"]]>", b"<?": b"?>"}
_MESSAGE: Final = re.compile(rb"CEB\d{3}(?:Message)?")
# Beside blanks what old transfer programs put behind a file, and byte order marks of files put together.
_NOTHING: Final = b" \t\r\n\x00\x1a\xef\xbb\xbf"
_NO_XML: Final = "no XML: the file is empty or starts with something else than an element"
_DOCTYPE: Final = b"<!DOCTYPE"


class Cutter:
    """Cuts one file whose markup is ASCII, in memory of one document.

    `formats` are those of the messages that are wanted, by their first element. With `is_utf8` the file is
    known to be in UTF-8, whatever it declares.
    """

    def __init__(
        self,
        where: str,
        window: ByteWindow,
        formats: Mapping[str, type[MessageFormat]],
        *,
        is_utf8: bool,
        most_bytes: int,
    ) -> None:
        self.first_element: str | None = None
        self.passed_over: list[str] = []
        self._where = where
        self._window = window
        self._formats = {root.encode(): format_ for root, format_ in formats.items()}
        self._is_utf8 = is_utf8
        self._most_bytes = most_bytes
        self._open: list[Element] = []
        # Start tag and element of the last document: the next one mostly begins as it did.
        self._last: tuple[bytes, Element | None] = (b"", None)
        # Of several faults between two documents the first is told: the others follow from it.
        self._is_told = False

    def pieces(self) -> Iterator[Piece]:
        """Yield the documents in their order, and what is wrong between them.

        Raises:
            DataError: no XML, a DOCTYPE, an encoding or a namespace that no message has.
        """
        window = self._window
        while True:
            piece = self._text() or (None if window.is_used_up else self._markup())
            if isinstance(piece, Misplaced):
                if not self._is_told:
                    yield piece
                self._is_told = True
            elif piece is not None:
                self._is_told = isinstance(piece, CutDocument) and piece.problem is not None
                yield piece
            elif window.is_used_up and not window.more():
                break
            if self.first_element is None and window.place().offset > _MOST_PROLOG_BYTES:
                raise self._refusal(f"no element within {_MOST_PROLOG_BYTES} bytes")
        if self.first_element is None and not self._is_told:
            raise self._refusal(_NO_XML)
        if self._open and not self._is_told:
            yield self._misplaced(f"an end before the last element is closed: {TRUNCATED}")

    def _text(self) -> Misplaced | None:
        """Go to the next `<`, or to the end; outside of all elements there is nothing but blanks."""
        window = self._window
        found = window.data.find(b"<", window.at)
        end = len(window.data) if found < 0 else found
        stray = None
        if not self._open and window.data[window.at : end].strip(_NOTHING):
            if self.first_element is None:
                raise self._refusal(_NO_XML)
            stray = self._misplaced("something behind the last element")
        window.move(end)
        return stray

    def _markup(self) -> Piece | None:
        """Read what begins with the `<` at hand."""
        window, longest = self._window, len(_DOCTYPE)
        tag_of_last, last = self._last
        if last is not None and window.data.startswith(tag_of_last, window.at):
            return self._document(last, window.at + len(tag_of_last), is_empty=False)
        while len(window.data) - window.at < longest and window.more():
            pass
        start = bytes(window.data[window.at : window.at + longest])
        for mark, end in _ENDS.items():
            if start.startswith(mark):
                return self._skip(mark, end)
        if start.upper() == _DOCTYPE:
            raise DataError(
                f"{self._where}: expected plain CEB XML, came a DOCTYPE (document type declaration), with "
                "which entities can be defined that read other files or grow without end. No CEB message has "
                "one; the file is refused."
            )
        tag = _TAG.match(window.data, window.at)
        while tag is None and len(window.data) - window.at < _MOST_TAG_BYTES and window.more():
            tag = _TAG.match(window.data, window.at)
        if tag is None:
            return self._no_tag()
        closing, name, attributes = tag.groups()
        if closing:
            return self._close(name, tag.end())
        return self._started(self._opened(name, attributes), tag.end(), attributes.endswith(b"/"))

    def _no_tag(self) -> Misplaced:
        window = self._window
        is_cut = not any(window.data.find(mark, window.at + 1) >= 0 for mark in (b"<", b">"))
        wrong = self._misplaced(f"an end inside of a tag: {TRUNCATED}" if is_cut else BAD_TAG)
        window.move(len(window.data) if is_cut else window.at + 1)
        return wrong

    def _skip(self, mark: bytes, end: bytes) -> Misplaced | None:
        """Go behind a comment, a CDATA section or an instruction."""
        window, wrong = self._window, None
        found = window.find(end, window.at + len(mark), self._most_bytes)
        if found < 0:
            wrong = self._misplaced(f"an end inside of a comment or an instruction: {TRUNCATED}")
            window.move(len(window.data))
            return wrong
        if _MARKS.match(window.data, window.at) and end == b"?>":
            if self._open:
                wrong = self._misplaced(f"another beginning before the last element is closed: {TRUNCATED}")
                self._open.clear()
            codec = codec_of_declaration(bytes(window.data[window.at : found]))
            if codec is None:
                raise self._refusal("a declared encoding that is not read (UTF-8 and GB18030 are)")
            window.codec = UTF_8 if self._is_utf8 else codec
        window.move(found + len(end))
        return wrong

    def _opened(self, name: bytes, attributes: bytes) -> Element:
        namespaces = self._open[-1].namespaces if self._open else Namespaces.of({})
        if b"xmlns" in attributes:
            declared = {prefix: one or other for prefix, one, other in _XMLNS.findall(attributes)}
            namespaces = Namespaces.of({**namespaces.by_prefix, **declared})
        local = name.rpartition(b":")[2]
        element = Element(name, local, namespaces, self._open[-1].root if self._open else None)
        if self.first_element is None:
            self.first_element = local.decode(errors="replace")
        format_ = self._formats.get(local)
        if format_ is None and not _MESSAGE.fullmatch(local):
            return element
        if format_ is None or not format_.is_told:
            self.passed_over.append(local.decode())
        if format_ is None:
            return replace(element, root=None)
        check_namespace(self._where, element.namespace)
        return replace(element, root=local)

    def _started(self, element: Element, end: int, is_empty: bool) -> Piece | None:
        """Read on behind a start tag, which ends at `end`."""
        wrong, local = None, element.local.decode(errors="replace")
        root = element.root
        shape = None if root is None else self._formats[root].shapes[root.decode()]
        if shape is not None and local == shape.document:
            if not is_empty:
                self._last = bytes(self._window.data[self._window.at : end]), element
            return self._document(element, end, is_empty)
        if shape is not None and local in (shape.head, shape.line):
            wrong = self._misplaced(f"{local} outside of an {shape.document}")
        parent = self._open[-1].local if self._open else None
        if (parent, element.local) == _ENVELOPE and not is_empty and self._holds_text(end):
            return self._payload(element, end)
        self._window.move(end)
        if not is_empty:
            self._open.append(element)
        return wrong

    def _close(self, name: bytes, end: int) -> Misplaced | None:
        wrong = None
        self._last = (b"", None)
        if not self._open or self._open[-1].name != name:
            wrong = self._misplaced(MISMATCH)
        while any(element.name == name for element in self._open):
            if self._open.pop().name == name:
                break
        self._window.move(end)
        return wrong

    def _document(self, element: Element, end: int, is_empty: bool) -> CutDocument:
        window, problem = self._window, None
        begin, place = window.at, window.place()
        if not is_empty:
            end, problem = self._end_of_document(element, end)
        content = b"" if problem else bytes(window.data[begin:end])
        window.move(end)
        assert element.root is not None
        return CutDocument(
            element.root.decode(), element.namespaces.declared, content, window.codec, place, problem
        )

    def _end_of_document(self, element: Element, scan: int) -> tuple[int, str | None]:
        """Where the document at hand ends, and what is wrong with its end."""
        ends, starts = _tags(element.name)
        window, name = self._window, element.local.decode()
        while True:
            end = ends.search(window.data, scan)
            stop = end.start() if end else len(window.data)
            start = starts.search(window.data, scan, stop)
            mark = self._mark(scan, start.start() if start else stop)
            if mark and mark[0].startswith(b"<?"):
                return mark.start(), f"another file's beginning inside of an {name}: {TRUNCATED}"
            if mark:
                # An end tag inside of a comment is none. A comment without end is no comment.
                scan, after = mark.end(), _ENDS[mark[0]]
                found = window.find(after, scan, self._most_bytes)
                scan = scan if found < 0 else found + len(after)
            elif start:
                return start.start(), f"{name} inside of another, which is not closed"
            elif end:
                return end.end(), None
            elif len(window.data) - window.at > self._most_bytes:
                return len(window.data), f"an {name} of more than {self._most_bytes // 2**20} MB"
            else:
                # A tag may have been read in part.
                scan = max(scan, len(window.data) - 2 * len(element.name) - 64)
                if not window.more():
                    return len(window.data), f"an end inside of an {name}: {TRUNCATED}"

    def _mark(self, scan: int, stop: int) -> re.Match[bytes] | None:
        # Documents rarely have any, and to look for one sign at a time is ten times as fast.
        if self._window.data.find(b"<!", scan, stop) < 0 and self._window.data.find(b"<?xml", scan, stop) < 0:
            return None
        return _MARKS.search(self._window.data, scan, stop)

    def _holds_text(self, end: int) -> bool:
        """Whether a text follows, and no element."""
        window = self._window
        while not (ahead := window.data[end : end + 2**10].lstrip()) and window.more():
            pass
        return not ahead.startswith(b"<") or ahead.startswith(b"<!")

    def _payload(self, element: Element, end: int) -> Payload | Misplaced:
        window, place = self._window, self._window.place()
        found = window.find(b"</" + element.name, end, self._most_bytes)
        if found < 0:
            window.move(len(window.data))
            return Misplaced(
                f"no end of {element.local.decode()} within {self._most_bytes // 2**20} MB", place
            )
        content = bytes(window.data[end:found])
        window.move(found)
        self._open.append(element)
        return Payload(content, window.codec, place)

    def _misplaced(self, problem: str) -> Misplaced:
        return Misplaced(problem, self._window.place())

    def _refusal(self, came: str) -> DataError:
        place = self._window.place()
        return DataError(f"{told(self._where, place, came)} {AGAIN}", offset=place.offset)


@lru_cache(64)
def _tags(name: bytes) -> tuple[re.Pattern[bytes], re.Pattern[bytes]]:
    """Patterns of an element's end tag and of its start tag."""
    written = re.escape(name)
    return re.compile(rb"</" + written + rb"\s*>"), re.compile(rb"<" + written + rb"(?=[\s/>])")
