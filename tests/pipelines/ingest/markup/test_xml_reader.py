from __future__ import annotations

import base64
import re
import subprocess
import sys
from pathlib import Path
from xml.sax.saxutils import escape

import pytest

from configs.errors import DataError
from pipelines.ingest.markup import xml_reader
from pipelines.ingest.markup.xml_reader import DocumentLine, Unreadable, XmlReader
from pipelines.ingest.messages.inventories import Inventories
from pipelines.ingest.reading.message_format import ELEMENT_INSIDE, STATED_TWICE
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


FORMATS = dict.fromkeys(Inventories.roots, Inventories)


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


def test_lines_come_in_order_with_the_head_that_they_stand_under(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        message(
            [
                inventory({"copNo": " A "}, {"gnum": "1"}, {"gnum": "2", "note": "  "}),
                inventory({"copNo": "B"}),
                inventory(None, {"gnum": "1"}),
                inventory(None),
            ]
        ),
    )

    found = inventory_lines(path)

    assert [line[1:4] for line in found] == [
        (1, {"copNo": "A"}, {"gnum": "1"}),
        (1, {"copNo": "A"}, {"gnum": "2"}),
        (2, {"copNo": "B"}, None),
        (3, None, {"gnum": "1"}),
        (4, None, None),
    ]
    assert found[0].head is found[1].head


@pytest.mark.parametrize(
    "text",
    [
        WHOLE,
        "\ufeff" + WHOLE,
        WHOLE.replace("UTF-8", "UTF-16").encode("utf-16"),
        WHOLE.replace("UTF-8", "GB18030").encode("gb18030"),
        message([inventory(IMPORT_HEAD, IMPORT_LINE, IMPORT_LINE, prefix="")], prefix=""),
        message([inventory(IMPORT_HEAD, IMPORT_LINE, IMPORT_LINE, prefix="x:")], prefix="x:"),
        message([inventory(IMPORT_HEAD, IMPORT_LINE, IMPORT_LINE, prefix="")], prefix="", namespace=None),
        WHOLE.replace("<ceb:gname>", "<ceb:gname><!-- a comment -->").replace(
            "</ceb:gname>", "<?p i?></ceb:gname>"
        ),
        WHOLE.replace("保湿面霜", "<![CDATA[保湿面霜]]>"),
        WHOLE.replace("保湿面霜", "&#20445;湿面霜"),
    ],
    ids=[
        "plain",
        "bom",
        "utf16",
        "gb18030",
        "default-namespace",
        "prefix",
        "no-namespace",
        "comments",
        "cdata",
        "charref",
    ],
)
def test_the_same_message_in_every_spelling(tmp_path: Path, text: str | bytes) -> None:
    found = list(inventory_lines(written(tmp_path, text)))

    assert [line.document for line in found] == [1, 1]
    assert found[0].line is not None
    assert found[0].line["gname"] == "保湿面霜"
    assert found[0].head is not None
    assert found[0].head["buyerName"] == IDENTITY["buyerName"]


def test_a_file_is_opened_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, opened = written(tmp_path, WHOLE), list[Path]()
    real = Path.open

    def counting(self: Path, *arguments: str) -> object:
        opened.append(self)
        return real(self, *arguments)

    monkeypatch.setattr(Path, "open", counting)
    assert len(list(inventory_lines(path))) == 2
    assert opened == [path]


def test_another_namespace_is_named(tmp_path: Path) -> None:
    path = written(tmp_path, message([], namespace="http://example.org/other"))
    with pytest.raises(DataError, match=re.escape("expected the namespace http://www.chinaport.gov.cn/ceb")):
        pieces(path)

    path = written(tmp_path, WHOLE.replace("<ceb:InventoryList>", '<ceb:InventoryList xmlns:ceb="urn:x">'))
    with pytest.raises(DataError, match="came the namespace urn:x"):
        pieces(path)


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
@pytest.mark.parametrize("entity", ["&c;", "&x;", ""])
def test_bombs_and_external_entities_are_refused(tmp_path: Path, doctype: str, entity: str) -> None:
    text = WHOLE.replace("?>\n", f"?>\n{doctype}", 1).replace("保湿面霜", entity)
    text = text.replace('guid="G"', f'guid="{entity}"')

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
    (message([], name="CEB311Message"), "came CEB311Message. Only inventories are taken in"),
    ("<a/>", "came a. Only inventories are taken in"),
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


@pytest.mark.parametrize(
    "written_so", ["M & S", "H&M", "R&D; toy", "a&nbsp;b", "&", "&&amp;", "x&#x;", "AT&T<!-- & -->"]
)
def test_an_ampersand_is_read_as_written(tmp_path: Path, written_so: str) -> None:
    text = WHOLE.replace("保湿面霜", written_so)
    wanted = written_so.replace("&amp;", "&").replace("<!-- & -->", "")

    lines = inventory_lines(written(tmp_path, text))

    assert [line.line and line.line["gname"] for line in lines] == [wanted, wanted]


def test_a_field_stated_twice_has_no_text_and_neither_has_one_with_elements(tmp_path: Path) -> None:
    text = WHOLE.replace("<ceb:price>", "<ceb:price>1</ceb:price><ceb:price>").replace(
        "保湿面霜", "保<ceb:b>湿</ceb:b>面霜"
    )
    text = text.replace("<ceb:qty>", "<ceb:qty/><ceb:qty>")

    line = inventory_lines(written(tmp_path, text))[0]

    assert line.is_marked
    assert line.line is not None
    assert (line.line["price"], line.line["gname"]) == (STATED_TWICE, ELEMENT_INSIDE)
    assert line.line["qty"] == "2"


EXPORT = message([inventory(EXPORT_HEAD, EXPORT_LINE)], name="CEB603Message")
BARE = WHOLE.partition("?>")[2]


def envelope(data: str | bytes) -> str:
    """A message in the E-Port's transport envelope."""
    text = data if isinstance(data, str) else base64.encodebytes(data).decode()
    return (
        '<?xml version="1.0" encoding="UTF-8"?><DxpMsg xmlns="http://www.chinaport.gov.cn/dxp" ver="1.0">'
        "<TransInfo><CopMsgId>M1</CopMsgId><SenderId>DXPENT1</SenderId><MsgType>CEB621Message</MsgType>"
        f"</TransInfo><Data>{text}</Data><AddInfo><FileName>a.xml</FileName></AddInfo></DxpMsg>"
    )


@pytest.mark.parametrize(
    ("text", "roots"),
    [
        (WHOLE + WHOLE, "621 621 621 621"),
        (BARE + EXPORT.partition("?>")[2], "621 621 603"),
        ("\ufeff" + WHOLE + "\ufeff" + EXPORT + "\x1a", "621 621 603"),
        (f"<Messages>{EXPORT.partition('?>')[2]}{BARE}</Messages>", "603 621 621"),
        (envelope(WHOLE.encode()), "621 621"),
        (envelope(WHOLE.replace("UTF-8", "GB18030").encode("gb18030")), "621 621"),
        (envelope(BARE), "621 621"),
        (envelope(f"<![CDATA[{WHOLE}]]>"), "621 621"),
        (envelope(escape(WHOLE)), "621 621"),
        (envelope(envelope(WHOLE.encode()).encode()), "621 621"),
        (envelope(WHOLE.encode()) + envelope(EXPORT.encode()), "621 621 603"),
        (f"<All>{message([], name='CEB311Message').partition('?>')[2]}{BARE}</All>", "621 621"),
    ],
)
def test_several_messages_in_a_file_a_wrapper_or_envelopes(tmp_path: Path, text: str, roots: str) -> None:
    found = inventory_lines(written(tmp_path, text))

    assert " ".join(line.root[3:6] for line in found) == roots
    assert [line.document for line in found] == sorted(line.document for line in found)
    assert all(line.line and line.line["gname"] == "保湿面霜" for line in found)


def test_an_envelope_without_a_message_is_told_and_the_next_one_is_read(tmp_path: Path) -> None:
    text = envelope("no Base64!") + envelope(BOMB.encode()) + envelope(WHOLE.encode()[:-40])

    found = pieces(written(tmp_path, text))

    assert [isinstance(each, DocumentLine) for each in found] == [False, False, True, True, False]
    said = faults(written(tmp_path, text))
    assert [word in each for word, each in zip(("Base64", "DOCTYPE", "truncated"), said, strict=True)] == [
        True
    ] * 3


def test_a_signed_message_is_read(tmp_path: Path) -> None:
    signature = "<ds:Signature xmlns:ds='http://www.w3.org/2000/09/xmldsig#'><ds:X509Data>" + "MIID" * 30_000
    text = WHOLE.replace(
        "</ceb:CEB621Message>", f"{signature}</ds:X509Data></ds:Signature></ceb:CEB621Message>"
    )

    assert len(inventory_lines(written(tmp_path, text))) == 2


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


def test_a_comment_holds_no_inventory(tmp_path: Path) -> None:
    text = WHOLE.replace("<ceb:BaseTransfer>", f"<!-- {inventory(IMPORT_HEAD)} --><ceb:BaseTransfer>")
    text = text.replace("保湿面霜", "<!-- </ceb:Inventory> --><![CDATA[</ceb:Inventory>]]>")

    assert [line.line and line.line["gname"] for line in inventory_lines(written(tmp_path, text))] == [
        "</ceb:Inventory>"
    ] * 2


def test_every_size_of_block_gives_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "\ufeff" + WHOLE.replace("保湿面霜", "<!-- x --> & <![CDATA[>]]>", 1) + envelope(EXPORT.encode())
    path = written(tmp_path, text)
    expected = pieces(path)
    assert len(expected) == 3
    for size in (1, 2, 3, 7, 64):
        monkeypatch.setattr(xml_reader, "_BLOCK_BYTES", size)
        assert pieces(path) == expected


def test_junk_cannot_fill_the_memory(tmp_path: Path) -> None:
    junk = "<ceb:Junk>x</ceb:Junk>" * 20_000
    path = written(
        tmp_path, message([inventory(IMPORT_HEAD, IMPORT_LINE), f"<ceb:Inventory>{junk}</ceb:Inventory>"])
    )

    found = list(XmlReader(path, FORMATS, most_bytes=2**18).lines())
    assert [isinstance(each, DocumentLine) for each in found] == [True, False]
    assert "an Inventory of more than 0 MB" in str(found[1])
    path = written(tmp_path, "<?xml version='1.0'?>" + "<!-- junk -->" * 100_000)
    with pytest.raises(DataError, match="came no element within"):
        pieces(path)


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    one = inventory(IMPORT_HEAD, IMPORT_LINE, IMPORT_LINE)
    program = (
        "import pathlib, re, sys\n"
        "from pipelines.ingest.messages.inventories import Inventories\n"
        "from pipelines.ingest.markup.xml_reader import XmlReader\n"
        "reader = XmlReader(pathlib.Path(sys.argv[1]), dict.fromkeys(Inventories.roots, Inventories))\n"
        "rows = sum(1 for _ in reader.lines())\n"
        # Not `ru_maxrss`: a child begins with its parent's.
        "status = pathlib.Path('/proc/self/status').read_text()\n"
        "print(rows, re.search(r'VmHWM:\\s*(\\d+) kB', status)[1])\n"
    )
    peaks_kb = {}
    for inventories in (100, 10_000):
        path = written(tmp_path, message([one] * inventories))
        run = subprocess.run(
            [sys.executable, "-c", program, str(path)], check=True, capture_output=True, text=True
        )
        rows, peak_kb = map(int, run.stdout.split())
        assert rows == 2 * inventories
        peaks_kb[inventories] = peak_kb

    # The larger file has 25 MB; its tree would take more than 100.
    assert peaks_kb[10_000] - peaks_kb[100] < 5_000
