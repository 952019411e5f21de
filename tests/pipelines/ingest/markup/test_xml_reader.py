"""Lines of XML messages, however they are written."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from configs.errors import DataError
from pipelines.ingest.markup.xml_reader import DocumentLine, XmlReader
from pipelines.ingest.reading.message_format import ELEMENT_INSIDE, STATED_TWICE
from tests.pipelines.ceb_documents import IDENTITY, IMPORT_HEAD, IMPORT_LINE, inventory, message
from tests.pipelines.ingest.markup.xml_files import FORMATS, WHOLE, inventory_lines, pieces, written


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


def test_a_signed_message_is_read(tmp_path: Path) -> None:
    signature = "<ds:Signature xmlns:ds='http://www.w3.org/2000/09/xmldsig#'><ds:X509Data>" + "MIID" * 30_000
    text = WHOLE.replace(
        "</ceb:CEB621Message>", f"{signature}</ds:X509Data></ds:Signature></ceb:CEB621Message>"
    )

    assert len(inventory_lines(written(tmp_path, text))) == 2


def test_a_comment_holds_no_inventory(tmp_path: Path) -> None:
    text = WHOLE.replace("<ceb:BaseTransfer>", f"<!-- {inventory(IMPORT_HEAD)} --><ceb:BaseTransfer>")
    text = text.replace("保湿面霜", "<!-- </ceb:Inventory> --><![CDATA[</ceb:Inventory>]]>")

    assert [line.line and line.line["gname"] for line in inventory_lines(written(tmp_path, text))] == [
        "</ceb:Inventory>"
    ] * 2


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
        "reader = XmlReader(pathlib.Path(sys.argv[1]), dict.fromkeys(Inventories.shapes, Inventories))\n"
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
