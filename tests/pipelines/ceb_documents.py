"""Builds and reads small CEB621 and CEB603 messages for tests; every name and number in them is made up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import polars as pl

from pipelines.ingest.markup.xml_reader import XmlReader
from pipelines.ingest.reading.message_format import CustomsCodes
from pipelines.ingest.sources.ceb import message_formats, read_messages
from pipelines.privacy.pseudonyms import Pseudonymiser

NAMESPACE = "http://www.chinaport.gov.cn/ceb"
NAMES = Pseudonymiser.from_key(b"only for tests, not a secret")
CODES = CustomsCodes({"116": "JP", "133": "KR", "142": "CN", "502": "US"}, {"142": "CNY", "502": "USD"})
LATEST = datetime(2030, 1, 1, tzinfo=UTC)
Fields = Mapping[str, str | None]

IDENTITY = {
    "buyerIdNumber": "11010519491231002X",
    "buyerName": "欧阳测试",
    "buyerTelephone": "13900001111",
    "consigneeAddress": "浙江省杭州市示例路 7 号",
}
IMPORT_HEAD: dict[str, str | None] = {
    "guid": "00000000-0000-0000-0000-000000000000",
    "appType": "1",
    "appTime": "20261120093000",
    "appStatus": "2",
    "orderNo": "ORDER1",
    "ebpCode": "PLATFORM1",
    "ebpName": "某某平台",
    "ebcCode": "SELLER1",
    "ebcName": "某某商店",
    "logisticsNo": "WAYBILL1",
    "logisticsCode": "CARRIER1",
    "logisticsName": "某某快递",
    "copNo": "COP1",
    "invtNo": "",
    "ieFlag": "I",
    "declTime": "20261120",
    "customsCode": "2991",
    "portCode": "2992",
    **IDENTITY,
    "agentCode": "AGENT1",
    "agentName": "某某报关",
    "areaName": "浙江省杭州市示例路 7 号",
    "tradeMode": "9610",
    "trafMode": "5",
    "country": "116",
    "freight": "12.5",
    "insuredFee": "0",
    "currency": "142",
    "packNo": "1",
    "grossWeight": "1.2",
    "netWeight": "1",
    "note": "欧阳测试 13900001111",
}
IMPORT_LINE: dict[str, str | None] = {
    "gnum": "1",
    "itemName": "面霜",
    "gcode": "3304990039",
    "gname": "保湿面霜",
    "gmodel": "50 g",
    "barCode": "4901234567894",
    "country": "133",
    "currency": "142",
    "qty": "2",
    "unit": "007",
    "qty1": "0.1",
    "unit1": "035",
    "price": "150.5",
    "totalPrice": "301",
}
EXPORT_HEAD: dict[str, str | None] = {
    field: value
    for field, value in IMPORT_HEAD.items()
    if field not in {*IDENTITY, "declTime", "currency", "areaName", "note"}
} | {"ieFlag": "E", "country": "502", "fCurrency": "142", "fFlag": "3", "iCurrency": "142", "iFlag": "3"}
EXPORT_LINE: dict[str, str | None] = {**IMPORT_LINE, "country": "502"}


def inventory(head: Fields | None, *lines: Fields, prefix: str = "ceb:") -> str:
    """One Inventory; without a head where that is None."""
    parts = [] if head is None else [_element("InventoryHead", head, prefix)]
    parts += [_element("InventoryList", line, prefix) for line in lines]
    return f"<{prefix}Inventory>{''.join(parts)}</{prefix}Inventory>"


def message(
    inventories: Sequence[str],
    *,
    name: str = "CEB621Message",
    prefix: str = "ceb:",
    namespace: str | None = NAMESPACE,
    before: str = '<?xml version="1.0" encoding="UTF-8"?>',
) -> str:
    """A whole message, with the transfer part that follows the inventories."""
    declared = "" if namespace is None else f' xmlns{":" if prefix else ""}{prefix.rstrip(":")}="{namespace}"'
    transfer = _element("BaseTransfer", {"copCode": "SENDER1", "copName": "某某公司"}, prefix)
    return (
        f'{before}\n<{prefix}{name} guid="G" version="1.0"{declared}>\n'
        f"{chr(10).join(inventories)}\n{transfer}</{prefix}{name}>\n"
    )


def _element(name: str, fields: Fields, prefix: str) -> str:
    children = "".join(
        f"<{prefix}{field}>{escape(value)}</{prefix}{field}>"
        for field, value in fields.items()
        if value is not None
    )
    return f"<{prefix}{name}>{children}</{prefix}{name}>"


def frames(path: Path, chunk_rows: int = 1000, **options: int) -> list[pl.DataFrame]:
    """The lines, without the raw names that only the screen sees and that go no further."""
    reader = XmlReader(path, message_formats())
    found = read_messages(reader, chunk_rows, NAMES, CODES, LATEST, **options)
    return [frame.drop("_persons") for _, frame in found]


def read(folder: Path, inventories: Sequence[str], **options: Any) -> pl.DataFrame:
    path = folder / "inventories.xml"
    path.write_text(message(inventories, **options), encoding="utf-8")
    return pl.concat(frames(path))


def imported(folder: Path, head: Mapping[str, str | None], line: Mapping[str, str | None]) -> dict[str, Any]:
    """The row of one import inventory with these fields changed."""
    return read(folder, [inventory({**IMPORT_HEAD, **head}, {**IMPORT_LINE, **line})]).row(0, named=True)


def exported(folder: Path, head: Mapping[str, str | None], line: Mapping[str, str | None]) -> dict[str, Any]:
    """The row of one export inventory with these fields changed."""
    changed = inventory({**EXPORT_HEAD, **head}, {**EXPORT_LINE, **line})
    return read(folder, [changed], name="CEB603Message").row(0, named=True)
