"""What is wrong in an XML file is told with its place, names nobody, and costs nothing else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from configs.errors import DataError
from pipelines.ingest.markup.xml_reader import DocumentLine, Unreadable
from tests.pipelines.ceb_documents import IMPORT_HEAD, IMPORT_LINE, inventory, message
from tests.pipelines.ingest.markup.xml_files import (
    BOMB,
    WHOLE,
    faults,
    inventory_lines,
    names_nobody,
    pieces,
    written,
)


@pytest.mark.parametrize(
    "doctype",
    [
        BOMB,
        '<!DOCTYPE a SYSTEM "file:///etc/passwd">',
        '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE a [<!ENTITY % p SYSTEM "http://localhost:1/x.dtd"> %p;]>',
        "<!DOCTYPE a [<!ENTITY % p \"<!ENTITY q 'r'>\"> %p; %p; %p;]>",
        "<!DOCTYPE CEB621Message>",
    ],
)
def test_bombs_and_external_entities_are_refused(tmp_path: Path, doctype: str) -> None:
    text = WHOLE.replace("?>\n", f"?>\n{doctype}", 1).replace("保湿面霜", "&c;&x;")

    with pytest.raises(DataError, match="came a DOCTYPE"):
        pieces(written(tmp_path, text))


@pytest.mark.parametrize("share", [0.01, 0.2, 0.5, 0.7, 0.9, 0.999])
def test_a_truncated_file_says_where_and_keeps_what_is_whole(tmp_path: Path, share: float) -> None:
    data = message([inventory(IMPORT_HEAD, IMPORT_LINE)] * 200).encode()
    cut = data[: int(len(data) * share)]

    found = pieces(written(tmp_path, cut))

    assert len(found) == cut.count(b"</ceb:Inventory>") + 1
    assert isinstance(found[-1], Unreadable)
    assert re.search(r"inventories\.xml: line \d+, column \d+, near byte \d+: .*truncated", found[-1].message)
    assert names_nobody(found[-1].message)


def test_a_file_cut_anywhere_is_told(tmp_path: Path) -> None:
    data = message([inventory({"copNo": "号"}, {"gnum": "1", "note": "&lt;"})]).encode().rstrip()

    for length in range(len(data)):
        path = written(tmp_path, data[:length])
        try:
            told = faults(path)
        except DataError as error:
            told = [str(error)]
        assert len(told) == 1
        assert re.search("truncated|empty", told[0]), data[:length]


REFUSED: list[tuple[str | bytes, str]] = [
    ("", "the file is empty"),
    ("declaration_id,line_no\n1,2\n", "the file is empty or starts with something else"),
    ("<?xml version='1.0'?>\n", "the file is empty"),
    (WHOLE.replace("</ceb:gname>", "</ceb:gmodel>", 1), "closes another element"),
    (WHOLE.replace("保湿面霜", "<欧阳测试"), "a '<' that begins no element"),
    (WHOLE.replace("保湿面霜", "size <5"), r"line 3, column 1\d\d\d, .*a '<' that begins no element.*&lt;"),
    (WHOLE.encode().replace("保".encode(), b"\xff\xfe"), "bytes that are no text in UTF-8"),
    (WHOLE.encode("gb18030"), "bytes that are no text in UTF-8; they would fit GB18030"),
    (WHOLE.replace("UTF-8", "GBK").encode(), "bytes that are no text in GB18030; they would fit UTF-8"),
    (
        message([inventory({"copNo": "1"}, {"gname": "中文"})]).replace("UTF-8", "GBK"),
        "a text in UTF-8, though the file declares GB18030",
    ),
    (WHOLE.replace("UTF-8", "utf-7"), "a declared encoding that is not read"),
    (WHOLE.replace("保湿面霜", "\x01"), "a character that XML does not allow"),
    (WHOLE.replace("保湿面霜", "&#1;"), "a character that XML does not allow"),
    (WHOLE.replace("<ceb:gnum>", "<x:gnum>").replace("</ceb:gnum>", "</x:gnum>"), "declared nowhere"),
    (message([]), "expected at least one Inventory in the message, came none"),
    (message(["<ceb:InventoryList/>"]), "came InventoryList outside of an Inventory"),
    ("<a/>", "expected an official message .* came a[.]"),
    (
        message(["<ceb:Inventory><ceb:InventoryHead/><ceb:InventoryHead/></ceb:Inventory>"]),
        "a second InventoryHead, of which an Inventory has one, in inventory 1",
    ),
    (WHOLE.replace("保湿面霜", "x" * 11 * 2**20, 1), r"near byte \d+: .*more than 10 MB"),
    (WHOLE.replace("保湿面霜", "<a>" * 5000 + "</a>" * 5000, 1), "nested too deep"),
]


@pytest.mark.parametrize(("text", "came"), REFUSED, ids=[came[:40] for _, came in REFUSED])
def test_malformed_files_are_refused_without_quoting_them(
    tmp_path: Path, text: str | bytes, came: str
) -> None:
    with pytest.raises(DataError, match=came) as caught:
        pieces(written(tmp_path, text))
    assert names_nobody(str(caught.value))


FAULTS = {
    "a < in a text": ("保湿面霜", "size <5"),
    "a control character": ("保湿面霜", "保\x0b湿"),
    "a tag without end": ("<ceb:gname>", "<ceb:gname"),
    "a wrong end tag": ("</ceb:gname>", "</ceb:gmodel>"),
    "no end of the inventory": ("</ceb:Inventory>", ""),
    "an inventory in an inventory": ("</ceb:InventoryHead>", "</ceb:InventoryHead><ceb:Inventory>"),
    "an unknown prefix": ("ceb:gmodel>", "gb:gmodel>"),
    "a DOCTYPE": ("<ceb:gname>", "<!DOCTYPE a><ceb:gname>"),
}


@pytest.mark.parametrize("what", FAULTS)
def test_a_fault_costs_the_inventory_that_it_stands_in(tmp_path: Path, what: str) -> None:
    one = [inventory({**IMPORT_HEAD, "copNo": name}, IMPORT_LINE) for name in "ABC"]
    right, wrong = FAULTS[what]
    whole = message([one[0], one[1].replace(right, wrong), one[2]])
    line = whole[: whole.index(one[0])].count("\n") + 2

    for text in (whole, message([one[0], one[1].replace(right, wrong), one[2]]).replace("\n", "")):
        found = pieces(written(tmp_path, text))

        kept = [each.head["copNo"] for each in found if isinstance(each, DocumentLine) and each.head]
        told = [each for each in found if isinstance(each, Unreadable)]
        assert kept[:1] + kept[-1:] == ["A", "C"]
        assert "B" not in kept
        assert f"line {line if text == whole else 1}, column " in told[0].message
        begin, end = text.index(one[0]) + len(one[0]), text.index(one[2]) + 2
        assert len(text[:begin].encode()) <= told[0].offset <= len(text[:end].encode())


def test_the_column_is_that_of_the_fault(tmp_path: Path) -> None:
    text = WHOLE.replace("面霜", "面霜 & <", 1).replace("\n", "")
    place = text.index("& <") + len("& <")

    with pytest.raises(
        DataError, match=f"line 1, column {place + 1}, near byte {len(text[:place].encode())}:"
    ):
        pieces(written(tmp_path, text))


def test_what_is_wrong_around_the_inventories_is_told_and_they_are_read(tmp_path: Path) -> None:
    for right, wrong in {
        "<ceb:copName>某某公司": "<ceb:copName>a < b",
        "</ceb:BaseTransfer>": "",
        "</ceb:CEB621Message>": "</ceb:CEB603Message>",
        "</ceb:CEB621Message>\n": "</ceb:CEB621Message>\ngarbage",
        "<ceb:Inventory>": "<ceb:Invent <ceb:Inventory>",
    }.items():
        found = pieces(written(tmp_path, WHOLE.replace(right, wrong)))
        assert sorted(isinstance(each, DocumentLine) for each in found) == [False, True, True], wrong
    plain = WHOLE.replace("某某公司", "H&M \x01")
    assert len(inventory_lines(written(tmp_path, plain))) == 2


def test_another_namespace_is_named(tmp_path: Path) -> None:
    path = written(tmp_path, message([], namespace="http://example.org/other"))
    with pytest.raises(DataError, match=re.escape("expected the namespace http://www.chinaport.gov.cn/ceb")):
        pieces(path)

    path = written(tmp_path, WHOLE.replace("<ceb:InventoryList>", '<ceb:InventoryList xmlns:ceb="urn:x">'))
    with pytest.raises(DataError, match="came the namespace urn:x"):
        pieces(path)
