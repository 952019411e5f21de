"""XML files for tests of their reader, and what it finds in them."""

from __future__ import annotations

import base64
from pathlib import Path

from pipelines.ingest.markup.xml_reader import DocumentLine, Unreadable, XmlReader
from pipelines.ingest.messages.inventories import Inventories
from tests.pipelines.ceb_documents import (
    EXPORT_HEAD,
    EXPORT_LINE,
    IDENTITY,
    IMPORT_HEAD,
    IMPORT_LINE,
    inventory,
    message,
)

BOMB = (
    '<!DOCTYPE lolz [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">'
    '<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]>'
)


WHOLE = message([inventory(IMPORT_HEAD, IMPORT_LINE, {**IMPORT_LINE, "gnum": "2"})])


EXPORT = message([inventory(EXPORT_HEAD, EXPORT_LINE)], name="CEB603Message")


FORMATS = dict.fromkeys(Inventories.shapes, Inventories)


def pieces(path: Path) -> list[DocumentLine | Unreadable]:
    return list(XmlReader(path, FORMATS).lines())


def inventory_lines(path: Path) -> list[DocumentLine]:
    """The lines of a file in which nothing is wrong."""
    found = pieces(path)
    lines = [each for each in found if isinstance(each, DocumentLine)]
    assert lines == found
    return lines


def faults(path: Path) -> list[str]:
    return [each.message for each in pieces(path) if isinstance(each, Unreadable)]


def written(folder: Path, text: str | bytes) -> Path:
    path = folder / "inventories.xml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def names_nobody(text: str) -> bool:
    return not any(value in text for value in IDENTITY.values())


def envelope(data: str | bytes) -> str:
    """A message in the E-Port's transport envelope."""
    text = data if isinstance(data, str) else base64.encodebytes(data).decode()
    return (
        '<?xml version="1.0" encoding="UTF-8"?><DxpMsg xmlns="http://www.chinaport.gov.cn/dxp" ver="1.0">'
        "<TransInfo><CopMsgId>M1</CopMsgId><SenderId>DXPENT1</SenderId><MsgType>CEB621Message</MsgType>"
        f"</TransInfo><Data>{text}</Data><AddInfo><FileName>a.xml</FileName></AddInfo></DxpMsg>"
    )
