"""What an XML file is cut into, and what is wrong with it in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from configs.errors import DataError
from pipelines.ingest.markup.byte_window import FilePlace

NAMESPACE: Final = "http://www.chinaport.gov.cn/ceb"
AGAIN: Final = "Ask the sender for the file again; nothing of it was taken in."
TRUNCATED: Final = "the file is truncated"
BAD_TAG: Final = "a '<' that begins no element (in a text it has to be written &lt;)"
MISMATCH: Final = "an end tag that closes another element than the one that is open"


class CutDocument(NamedTuple):
    """One document as it stands in the file, tags included.

    `root` is the message's element (without a prefix), `namespaces` those that hold, as they are written,
    `codec` the encoding, `problem` why the document cannot be read, if that is known without parsing it.
    """

    root: str
    namespaces: bytes
    content: bytes
    codec: str
    place: FilePlace
    problem: str | None = None


class Payload(NamedTuple):
    """What an envelope holds as a text: a message in Base64, escaped, or in a CDATA section."""

    content: bytes
    codec: str
    place: FilePlace


class Misplaced(NamedTuple):
    """What is wrong between documents."""

    problem: str
    place: FilePlace


Piece = CutDocument | Payload | Misplaced


@dataclass(frozen=True)
class Namespaces:
    """The namespaces that hold in an element, by their prefix; `declared` as a tag declares them."""

    by_prefix: Mapping[bytes, bytes]
    declared: bytes

    @classmethod
    def of(cls, by_prefix: Mapping[bytes, bytes]) -> Namespaces:
        """Some namespaces."""
        declared = [
            b'xmlns%s="%s"' % (b":" + prefix if prefix else b"", uri.replace(b'"', b"&quot;"))
            for prefix, uri in by_prefix.items()
        ]
        return cls(by_prefix, b" ".join(declared))


@dataclass(frozen=True)
class Element:
    """An element that is open: its name as written and without a prefix, and the message that holds it."""

    name: bytes
    local: bytes
    namespaces: Namespaces
    root: bytes | None

    @property
    def namespace(self) -> str:
        """Its own namespace; empty where it has none."""
        prefix = self.name.rpartition(b":")[0]
        return self.namespaces.by_prefix.get(prefix, b"").decode(errors="replace")


def told(where: str, place: FilePlace, came: str) -> str:
    """Return in words what is wrong at a place in a file (`where`)."""
    at = f"line {place.line}, column {place.column}, near byte {place.offset}"
    return f"{where}: {at}: expected well-formed CEB XML, came {came}."


def check_namespace(where: str, namespace: str) -> None:
    """Refuse elements of another namespace than that of the messages.

    Raises:
        DataError: it is another one.
    """
    if namespace not in ("", NAMESPACE):
        raise DataError(f"{where}: expected the namespace {NAMESPACE} or none, came {namespace[:100]}.")
