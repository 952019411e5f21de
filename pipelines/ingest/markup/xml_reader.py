"""Streams the lines of XML messages of any size, one by one, in a wrapper or in envelopes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Final, NamedTuple

from lxml import etree

from configs.errors import DataError
from pipelines.ingest.markup.byte_window import ByteWindow, FilePlace
from pipelines.ingest.markup.envelope import unpacked
from pipelines.ingest.markup.xml_cutter import MOST_BYTES, Cutter
from pipelines.ingest.markup.xml_encoding import WrongEncodingError, to_utf8, utf8_blocks
from pipelines.ingest.markup.xml_pieces import AGAIN, BAD_TAG, MISMATCH, NAMESPACE, CutDocument, Payload, told
from pipelines.ingest.reading.message_format import ELEMENT_INSIDE, STATED_TWICE, MessageFormat, Shape

_BLOCK_BYTES: Final = 2**16
_MOST_ENVELOPES: Final = 3
_WRAPPER: Final = b"wrapper-of-one-document"
_TOO_LONG: Final = "a text of more than 10 MB or elements nested too deep, which no message has"
_BAD_CHARACTER: Final = "a character that XML does not allow (a control character, or its number)"
# By libxml2's numbers (xmlerror.h). Its own messages quote the file in places, and the file is full of names,
# so nothing of them is shown.
_PROBLEMS: Final = {
    9: _BAD_CHARACTER,
    39: BAD_TAG,
    41: BAD_TAG,
    65: BAD_TAG,
    68: BAD_TAG,
    73: "an element's tag that does not end",
    76: MISMATCH,
    77: "an element that is not closed",
    110: _TOO_LONG,
    114: _TOO_LONG,
    201: "an element with a prefix that is declared nowhere",
}
_ESCAPED: Final = b"&#38;"
# An ampersand that begins nothing which XML knows; comments and CDATA sections are left as they are.
_AMPERSANDS: Final = re.compile(
    rb"<!--.*?-->|<!\[CDATA\[.*?\]\]>|&(?!(?:amp|lt|gt|quot|apos|#[0-9]+|#x[0-9A-Fa-f]+);)", re.DOTALL
)


class DocumentLine(NamedTuple):
    """One line with the head that it stands under; fields by their local name, blank ones left out.

    `head` is None for a line that stands before or without a head, `line` is None for a head without lines.
    All lines of a document share one `head` object. `root` is the element of its message. With `is_marked`
    a field is stated twice, or has elements in it: its text is `STATED_TWICE` or `ELEMENT_INSIDE`.
    """

    root: str
    document: int
    head: dict[str, str] | None
    line: dict[str, str] | None
    is_marked: bool = False


class Unreadable(NamedTuple):
    """A document, or what stands around it, that cannot be read: what and where, in words, and the byte.

    Nothing of the content is quoted: names stand in it.
    """

    message: str
    offset: int


class XmlReader:
    """Reads one file, which is called `name`, for messages of the given formats (by their first element).

    Attributes:
        passed_over: how many messages of other formats were in what has been read, by their first element.
    """

    def __init__(
        self,
        path: Path,
        formats: Mapping[str, type[MessageFormat]],
        name: str | None = None,
        most_bytes: int = MOST_BYTES,
    ) -> None:
        self.passed_over: Counter[str] = Counter()
        self._path = path
        self._name = name or str(path)
        self._formats = formats
        self._most_bytes = most_bytes
        self._documents = 0
        self._first_element = ""
        self._parser = etree.XMLParser(
            resolve_entities=False,
            no_network=True,
            load_dtd=False,
            huge_tree=False,
            remove_comments=True,
            remove_pis=True,
            collect_ids=False,
        )

    def lines(self) -> Iterator[DocumentLine | Unreadable]:
        """The lines of the documents in their order, in memory that does not grow with the file.

        A document that is not well-formed is one `Unreadable`, and the others go on. Whoever reads must drop
        what came before an error.

        Raises:
            DataError: not one document could be read, a DOCTYPE, an unknown encoding, another namespace. It
                names the file, line, column and nearby byte, and quotes nothing of the content.
        """
        unreadable, first = 0, None
        is_any_read = False
        for line in self._read(_blocks(self._path), self._name, 0):
            if isinstance(line, Unreadable):
                unreadable += 1
                first = first or line
            else:
                is_any_read = True
            yield line
        if is_any_read:
            return
        if first is not None:
            others = f" ({unreadable - 1} more faults follow.)" if unreadable > 1 else ""
            raise DataError(f"{first.message}{others} {AGAIN}", offset=first.offset)
        if self.passed_over:
            return
        if self._first_element in self._formats:
            document = self._formats[self._first_element].shapes[self._first_element].document
            raise DataError(
                f"{self._name}: expected at least one {document} in the message, came none. {AGAIN}"
            )
        raise DataError(
            f"{self._name}: expected an official message (CEB621Message, CEB603Message, CEB311Message or "
            f"another), came {self._first_element[:60]}."
        )

    def _read(self, blocks: Iterator[bytes], where: str, depth: int) -> Iterator[DocumentLine | Unreadable]:
        """The lines in what a file or, at a `depth`, an envelope holds."""
        stream, is_utf8 = utf8_blocks(blocks)
        window = ByteWindow(stream)
        cutter = Cutter(where, window, self._formats, is_utf8=is_utf8, most_bytes=self._most_bytes)
        for piece in cutter.pieces():
            if isinstance(piece, CutDocument):
                self._documents += 1
                yield from self._lines_of(piece, where)
            elif isinstance(piece, Payload):
                yield from self._in_envelope(piece, where, depth + 1)
            else:
                yield Unreadable(told(where, piece.place, piece.problem), piece.place.offset)
        self.passed_over.update(cutter.passed_over)
        if depth == 0:
            self._first_element = cutter.first_element or ""

    def _in_envelope(self, piece: Payload, where: str, depth: int) -> Iterator[DocumentLine | Unreadable]:
        try:
            if depth > _MOST_ENVELOPES:
                raise DataError(
                    told(where, piece.place, f"more than {_MOST_ENVELOPES} envelopes in each other")
                )
            content = unpacked(piece, where)
            inside = f"{where}: line {piece.place.line}, inside of the envelope"
            yield from self._read(iter([content]), inside, depth)
        except DataError as error:
            yield Unreadable(str(error).removesuffix(AGAIN).rstrip(), piece.place.offset)

    def _lines_of(self, document: CutDocument, where: str) -> Iterator[DocumentLine | Unreadable]:
        shape = self._formats[document.root].shapes[document.root]
        try:
            yield from _lines(self._parsed(document), document, shape, self._documents)
        except _DocumentError as error:
            message = told(where, error.place, f"{error}, in {shape.document.lower()} {self._documents}")
            yield Unreadable(message, error.place.offset)

    def _parsed(self, document: CutDocument) -> etree._Element:
        """The element of a document; an `&` that begins nothing stands for itself."""
        if document.problem is not None:
            raise _DocumentError(document.problem, document.place)
        try:
            text = to_utf8(document.content, document.codec)
        except WrongEncodingError as error:
            place = _place_within(document, document.content[: error.start].decode(document.codec, "replace"))
            raise _DocumentError(str(error), place) from None
        opening = b"<%s %s>" % (_WRAPPER, document.namespaces)
        try:
            return etree.XML(b"%s%s</%s>" % (opening, text, _WRAPPER), self._parser)[0]
        except etree.XMLSyntaxError:
            text = _AMPERSANDS.sub(_escaped, text)
        try:
            return etree.XML(b"%s%s</%s>" % (opening, text, _WRAPPER), self._parser)[0]
        except etree.XMLSyntaxError as error:
            fault = error
        code = getattr(fault, "code", 0)
        problem = _PROBLEMS.get(code, f"XML that is not well-formed (error {code} of libxml2)")
        line, column = fault.position
        before = text.decode().split("\n")[:line]
        before[-1] = before[-1][: column - 1 - (len(opening.decode()) if line == 1 else 0)]
        raise _DocumentError(
            problem, _place_within(document, "\n".join(before).replace(_ESCAPED.decode(), "&"))
        )


class _DocumentError(Exception):
    """What keeps a document from being read, and where."""

    def __init__(self, problem: str, place: FilePlace) -> None:
        super().__init__(problem)
        self.place = place


def _blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            yield block


def _lines(element: etree._Element, document: CutDocument, shape: Shape, number: int) -> list[DocumentLine]:
    lines = list[DocumentLine]()
    head, is_marked = None, False
    for part in (element, *_parts(element, shape)):
        if _namespace(part.tag) not in ("", NAMESPACE):
            raise _DocumentError(f"the namespace {_namespace(part.tag)[:100]}", document.place)
        name = _local(part.tag)
        if name == shape.line:
            fields, is_line_marked = _fields(part)
            lines.append(DocumentLine(document.root, number, head, fields, is_marked or is_line_marked))
        elif name == shape.head and head is None:
            head, is_marked = _fields(part)
        elif name == shape.head:
            raise _DocumentError(f"a second {name}, of which an {shape.document} has one", document.place)
    return lines or [DocumentLine(document.root, number, head, None, is_marked)]


def _parts(element: etree._Element, shape: Shape) -> Iterator[etree._Element]:
    """Heads and lines in their order, however deep they stand, beside the document itself."""
    names = tuple(name for name in (shape.head, shape.line) if name not in ("", shape.document))
    for child in element if names else ():
        if _local(child.tag) in names:
            yield child
        else:
            yield from child.iter(*(f"{{*}}{name}" for name in names))


@lru_cache(1024)
def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


@lru_cache(1024)
def _namespace(tag: str) -> str:
    return tag.rpartition("}")[0][1:]


def _fields(element: etree._Element) -> tuple[dict[str, str], bool]:
    """Its fields, and whether one of them is marked."""
    fields, is_marked = dict[str, str](), False
    for child in element:
        text = child.text
        if len(child):
            text, is_marked = ELEMENT_INSIDE, True
        if text and (text := text.strip()):
            name = _local(child.tag)
            if name in fields:
                text, is_marked = STATED_TWICE, True
            fields[name] = text
    return fields, is_marked


def _escaped(found: re.Match[bytes]) -> bytes:
    return _ESCAPED if found[0] == b"&" else found[0]


def _place_within(document: CutDocument, before: str) -> FilePlace:
    """The place in the file behind some text of a document."""
    line, column, offset = document.place
    lines = before.count("\n")
    column = len(before) - before.rfind("\n") if lines else column + len(before)
    return FilePlace(line + lines, column, offset + len(before.encode(document.codec, "replace")))
