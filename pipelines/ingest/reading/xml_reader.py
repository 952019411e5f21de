"""Streams the documents of an XML message of any size, and refuses what an XML file must not contain."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, Final, NamedTuple

from lxml import etree

from configs.errors import DataError
from pipelines.ingest.reading.message_format import MessageFormat

NAMESPACE: Final = "http://www.chinaport.gov.cn/ceb"
# A spell without the end of a head or of a line; the specification's longest line has some 5,000 characters.
_MOST_BYTES_BETWEEN = 64 * 2**20
_BLOCK_BYTES = 2**16
_SAFE: Final[dict[str, Any]] = {
    "resolve_entities": False,
    "no_network": True,
    "load_dtd": False,
    "huge_tree": False,
}
_MOST_PROLOG_BYTES = 2**20
_AGAIN = "Ask the sender for the file again; nothing of it was taken in."

_TRUNCATED = "an end before the last element is closed: the file is truncated"
_TOO_LONG = "a text of more than 10 MB or elements nested too deep, which no inventory has"
# By libxml2's numbers (xmlerror.h). Its own messages quote the file in places, and the file is full of names,
# so nothing of them is shown.
_PROBLEMS = {
    1: "no XML: the file is empty",
    4: "no XML: the file is empty or starts with something else than an element",
    5: "something behind the last element, or an end before it is closed: the file is damaged or truncated",
    9: "a character that XML does not allow",
    26: "an entity that XML itself does not define",
    73: "an element's tag that does not end: the file may be truncated",
    74: "an end inside of an element: the file is truncated",
    76: "an end tag that closes another element than the one that is open",
    77: _TRUNCATED,
    81: "bytes that are no characters of the declared encoding",
    110: _TOO_LONG,
    114: _TOO_LONG,
}
# Cut in the middle of a character or a name, a file gives other errors than these when its end is reached.
_SURE_AT_THE_END = frozenset({1, 4, 5, 76, 110, 114})


class DocumentLine(NamedTuple):
    """One line with the head that it stands under; fields by their local name, blank ones left out.

    `head` is None for a line that stands before or without a head, `line` is None for a head without lines.
    All lines of a document share one `head` object.
    """

    document: int
    head: dict[str, str] | None
    line: dict[str, str] | None


@dataclass(frozen=True)
class XmlMessage:
    """An XML file of which the first element is known: `root` is its local name, `namespace` may be empty.

    `blocks` is the file's content from its first byte: read once, so its lines can be asked for once.
    """

    path: Path
    root: str
    namespace: str
    blocks: Iterator[bytes]

    @classmethod
    def open(cls, path: Path, most_prolog_bytes: int = _MOST_PROLOG_BYTES) -> XmlMessage:
        """Read as far as the first element.

        Raises:
            DataError: no XML, a DOCTYPE, or no element within `most_prolog_bytes`.
        """
        prolog = _Prolog(path)
        parser = etree.XMLParser(target=prolog, **_SAFE)
        blocks, seen = _blocks(path), list[bytes]()
        offset, at_end = 0, False
        try:
            while prolog.root is None and offset <= most_prolog_bytes:
                block = next(blocks, b"")
                if not block:
                    at_end = True
                    parser.close()
                    break
                offset += len(block)
                seen.append(block)
                parser.feed(block)
        except etree.XMLSyntaxError as error:
            raise _refusal(path, offset, error, at_end) from None
        if prolog.root is None:
            raise DataError(f"{path}: expected CEB XML, came no element within {offset} bytes. {_AGAIN}")
        namespace, root = _split(prolog.root)
        return cls(path, root, namespace, chain(seen, blocks))

    def lines(
        self, format_: type[MessageFormat], most_bytes_between: int = _MOST_BYTES_BETWEEN
    ) -> Iterator[DocumentLine]:
        """The lines of the documents in their order, in memory that does not grow with the file.

        What comes before a fault is yielded before the fault is raised: whoever reads must drop it then. A
        spell of more than `most_bytes_between` without the end of a head or of a line is a fault.

        Raises:
            DataError: a truncated or malformed file, another namespace, a text over 10 MB, and elements that
                stand where the specification has none. It names the file, line, column and nearby byte, and
                quotes nothing of the content.
        """
        _check_namespace(self.path, self.namespace)
        parser = etree.XMLPullParser(
            events=("start", "end"),
            tag=[f"{{*}}{name}" for name in (format_.document, format_.head, format_.line)],
            remove_comments=True,
            remove_pis=True,
            collect_ids=False,
            **_SAFE,
        )
        walk = _Walk(self.path, format_)
        since, at_end = 0, False
        try:
            for block in self.blocks:
                parser.feed(block)
                walk.offset += len(block)
                since += len(block)
                for event in parser.read_events():
                    if event[0] == "start":
                        walk.open(event[1])
                    elif event[0] == "end":
                        since = 0
                        yield from walk.close(event[1])
                if since > most_bytes_between:
                    raise walk.fault(
                        f"{format_.plural} of ordinary size",
                        f"more than {most_bytes_between // 2**20} MB without the end of a head or line",
                    )
            at_end = True
            parser.close()
        except etree.XMLSyntaxError as error:
            raise _refusal(self.path, walk.offset, error, at_end) from None
        if not walk.document:
            raise walk.fault(f"at least one {format_.document} in the message", "none")


class _Prolog:
    """Parser target that sees what stands before the first element, and that element."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.root: str | None = None

    def doctype(self, *_: str | None) -> None:
        raise DataError(
            f"{self._path}: expected plain CEB XML, came a DOCTYPE (document type declaration), with which "
            "entities can be defined that read other files or grow without end. No CEB message has one; the "
            "file is refused."
        )

    def start(self, tag: str | bytes, attrib: object) -> None:
        self.root = self.root or str(tag)

    def data(self, data: str | bytes) -> None:
        pass

    end = comment = data

    def close(self) -> None:
        pass


class _Walk:
    """Where in the message the reader is, and whether what comes may stand there."""

    def __init__(self, path: Path, format_: type[MessageFormat]) -> None:
        self._path = path
        self._format = format_
        self._is_open = False
        self._head: dict[str, str] | None = None
        self._lines = 0
        self.document = 0
        self.offset = 0

    def open(self, element: etree._Element) -> None:
        namespace, name = _split(element.tag)
        _check_namespace(self._path, namespace)
        document = self._format.document
        if (name == document) == self._is_open:
            where = "inside of another" if self._is_open else f"outside of an {document}"
            inner = f"{self._format.head} and {self._format.line}"
            raise self.fault(f"{document} elements with {inner} in them", f"{name} {where}")
        if name == document:
            self.document += 1
            self._is_open, self._head, self._lines = True, None, 0

    def close(self, element: etree._Element) -> Iterator[DocumentLine]:
        name = _split(element.tag)[1]
        if name == self._format.head:
            if self._head is not None:
                raise self.fault(f"one {name} in an {self._format.document}", "a second")
            self._head = _fields(element)
        elif name == self._format.line:
            self._lines += 1
            yield DocumentLine(self.document, self._head, _fields(element))
        else:
            self._is_open = False
            if not self._lines:
                yield DocumentLine(self.document, self._head, None)
        _forget(element)

    def fault(self, expected: str, came: str) -> DataError:
        where = f"{self._format.document.lower()} {self.document}, near byte {self.offset}"
        return DataError(
            f"{self._path}: {where}: expected {expected}, came {came}. {_AGAIN}", offset=self.offset
        )


def _blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            yield block


def _fields(element: etree._Element) -> dict[str, str]:
    fields = {}
    for child in element:
        text = child.text
        if text and (text := text.strip()):
            tag = child.tag
            fields[tag[tag.rfind("}") + 1 :]] = text
    return fields


def _forget(element: etree._Element) -> None:
    """Frees the element and what stands before it; left in the tree, they would add up to the whole file."""
    # Not `clear()`: that takes the tail too, which the parser may still be writing.
    del element[:]
    parent = element.getparent()
    if parent is not None:
        while element.getprevious() is not None:
            del parent[0]


def _split(tag: str) -> tuple[str, str]:
    namespace, _, name = tag.rpartition("}")
    return namespace[1:], name


def _check_namespace(path: Path, namespace: str) -> None:
    if namespace not in ("", NAMESPACE):
        raise DataError(f"{path}: expected the namespace {NAMESPACE} or none, came {namespace[:100]}.")


def _refusal(path: Path, offset: int, error: etree.XMLSyntaxError, at_end: bool) -> DataError:
    code = getattr(error, "code", 0)
    problem = _PROBLEMS.get(code, f"XML that is not well-formed (error {code} of libxml2)")
    if at_end and code not in _SURE_AT_THE_END:
        problem = _TRUNCATED
    line, column = error.position
    where = f"line {line}, column {column}, near byte {offset}"
    return DataError(
        f"{path}: {where}: expected well-formed CEB XML, came {problem}. {_AGAIN}", offset=offset
    )
