from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from configs.errors import DataError
from pipelines.ingest.messages.inventories import Inventories
from pipelines.ingest.reading.xml_reader import DocumentLine, XmlMessage
from tests.pipelines.ceb_documents import IDENTITY, IMPORT_HEAD, IMPORT_LINE, inventory, message

BOMB = (
    '<!DOCTYPE lolz [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">'
    '<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]>'
)
WHOLE = message([inventory(IMPORT_HEAD, IMPORT_LINE, {**IMPORT_LINE, "gnum": "2"})])


def inventory_lines(path: Path) -> Iterator[DocumentLine]:
    return XmlMessage.open(path).lines(Inventories)


def written(folder: Path, text: str | bytes) -> Path:
    path = folder / "inventories.xml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def names_nobody(error: DataError) -> bool:
    causes = (error, error.__cause__)
    return not any(value in str(cause) for value in IDENTITY.values() for cause in causes)


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

    found = list(inventory_lines(path))

    assert [tuple(line) for line in found] == [
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


def test_the_first_element_is_the_root(tmp_path: Path) -> None:
    assert XmlMessage.open(written(tmp_path, WHOLE)).root == "CEB621Message"
    assert XmlMessage.open(written(tmp_path, message([], name="CEB311Message"))).root == "CEB311Message"


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
        next(inventory_lines(path))

    path = written(tmp_path, WHOLE.replace("<ceb:InventoryList>", '<ceb:InventoryList xmlns:ceb="urn:x">'))
    with pytest.raises(DataError, match="came urn:x"):
        list(inventory_lines(path))


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
        next(inventory_lines(written(tmp_path, text)))


def test_an_entity_without_doctype_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, WHOLE.replace("保湿面霜", "&x;"))

    with pytest.raises(DataError, match="an entity that XML itself does not define"):
        list(inventory_lines(path))


@pytest.mark.parametrize("share", [0.01, 0.2, 0.5, 0.7, 0.9, 0.999])
def test_a_truncated_file_is_refused_and_says_where(tmp_path: Path, share: float) -> None:
    data = message([inventory(IMPORT_HEAD, IMPORT_LINE)] * 200).encode()
    path = written(tmp_path, data[: int(len(data) * share)])

    with pytest.raises(
        DataError, match=r"inventories\.xml: line \d+, column \d+, near byte \d+: .*truncated.*Ask the sender"
    ) as caught:
        list(inventory_lines(path))
    assert names_nobody(caught.value)


def test_what_comes_before_the_fault_is_yielded_first(tmp_path: Path) -> None:
    data = message([inventory(IMPORT_HEAD, IMPORT_LINE)] * 200).encode()
    lines = inventory_lines(written(tmp_path, data[:-3]))

    assert [next(lines).document for _ in range(3)] == [1, 2, 3]
    with pytest.raises(DataError, match="truncated"):
        list(lines)


def test_a_file_cut_anywhere_is_refused(tmp_path: Path) -> None:
    data = message([inventory({"copNo": "号"}, {"gnum": "1", "note": "&lt;"})]).encode().rstrip()

    for length in range(1, len(data)):
        with pytest.raises(DataError, match=r"truncated|empty"):
            list(inventory_lines(written(tmp_path, data[:length])))


@pytest.mark.parametrize(
    ("text", "came"),
    [
        ("", "the file is empty"),
        ("declaration_id,line_no\n1,2\n", "the file is empty or starts with something else"),
        ("<?xml version='1.0'?>\n", "the file is empty"),
        (WHOLE.replace("</ceb:gname>", "</ceb:gmodel>", 1), "closes another element"),
        (WHOLE.replace("保湿面霜", "<欧阳测试"), "an element's tag that does not end|not well-formed"),
        (WHOLE.encode().replace("保".encode(), b"\xff\xfe"), "bytes that are no characters"),
        (WHOLE + WHOLE, "not well-formed|something behind the last element"),
        (WHOLE.replace("保湿面霜", "\x01"), "a character that XML does not allow"),
    ],
)
def test_malformed_files_are_refused_without_quoting_them(
    tmp_path: Path, text: str | bytes, came: str
) -> None:
    with pytest.raises(DataError, match=came) as caught:
        list(inventory_lines(written(tmp_path, text)))
    assert names_nobody(caught.value)


def test_a_text_over_10_mb_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, WHOLE.replace("保湿面霜", "x" * 11 * 2**20, 1))

    with pytest.raises(DataError, match=r"near byte \d+: .*more than 10 MB"):
        list(inventory_lines(path))


def test_elements_without_end_are_refused(tmp_path: Path) -> None:
    path = written(tmp_path, WHOLE.replace("保湿面霜", "<a>" * 5000 + "</a>" * 5000, 1))

    with pytest.raises(DataError, match="nested too deep"):
        list(inventory_lines(path))


@pytest.mark.parametrize(
    ("text", "came"),
    [
        (message([]), "expected at least one Inventory in the message, came none"),
        (message(["<ceb:InventoryList/>"]), "came InventoryList outside of an Inventory"),
        (message(["<ceb:Inventory><ceb:Inventory/></ceb:Inventory>"]), "came Inventory inside of another"),
    ],
)
def test_elements_in_the_wrong_place_are_refused(tmp_path: Path, text: str, came: str) -> None:
    with pytest.raises(DataError, match=came):
        list(inventory_lines(written(tmp_path, text)))


def test_a_second_head_is_refused_since_one_would_be_lost(tmp_path: Path) -> None:
    two = "<ceb:Inventory><ceb:InventoryHead/><ceb:InventoryHead/></ceb:Inventory>"

    with pytest.raises(
        DataError, match=r"inventory 1, near byte .* expected one InventoryHead .* came a second"
    ):
        list(inventory_lines(written(tmp_path, message([two]))))


def test_junk_cannot_fill_the_memory(tmp_path: Path) -> None:
    junk = "<ceb:Junk>x</ceb:Junk>" * 20_000
    path = written(tmp_path, message([inventory(IMPORT_HEAD, IMPORT_LINE), junk]))

    with pytest.raises(DataError, match="without the end of a head or line"):
        list(XmlMessage.open(path).lines(Inventories, most_bytes_between=2**18))
    path = written(tmp_path, "<?xml version='1.0'?>" + "<!-- junk -->" * 40_000)
    with pytest.raises(DataError, match="came no element within"):
        XmlMessage.open(path, most_prolog_bytes=2**18)


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    one = inventory(IMPORT_HEAD, IMPORT_LINE, IMPORT_LINE)
    program = (
        "import pathlib, re, sys\n"
        "from pipelines.ingest.messages.inventories import Inventories\n"
        "from pipelines.ingest.reading.xml_reader import XmlMessage\n"
        "message = XmlMessage.open(pathlib.Path(sys.argv[1]))\n"
        "rows = sum(1 for _ in message.lines(Inventories))\n"
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
