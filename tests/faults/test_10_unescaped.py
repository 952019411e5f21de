"""`&` and `<` as they come from shops, other text that is no XML: one inventory's fault, not the file's."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from pipelines.store.store import Store
from tests.pipelines.ceb_documents import IMPORT_HEAD, IMPORT_LINE, inventory, message
from tests.pipelines.quarantined import read_quarantine
from tests.pipelines.taken_in import ingest_files, stored_lines

pytestmark = pytest.mark.usefixtures("key")

NAMES = {"small-amp-space": "M & S toy", "small-amp-word": "H&M toy", "small-amp-semicolon": "R&D; toy"}
GOOD = [inventory({**IMPORT_HEAD, "invtNo": f"GOOD{number}"}, IMPORT_LINE) for number in range(3)]


def names(store: Path) -> list[str]:
    return stored_lines(store)["item_name"].to_list()


@pytest.mark.parametrize("name", NAMES)
def test_an_ampersand_is_read_as_written(shared: Path, tmp_path: Path, name: str) -> None:
    assert ingest_files(tmp_path / "S", shared / "faults" / "10-unescaped" / f"{name}.xml") == 0
    assert names(tmp_path / "S") == [NAMES[name]]


def test_a_less_than_sign_is_refused_with_line_and_column(
    shared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ingest_files(tmp_path / "S", shared / "faults" / "10-unescaped" / "small-less.xml") == 3
    said = capsys.readouterr().out
    assert "small-less.xml: line 42, column 18" in said
    assert "written &lt;" in said
    assert "truncated" not in said
    assert "size" not in said, "texts of the file are not quoted"


FAULTS = {
    "a less-than sign": (b"50 g", b"size <5"),
    "a control character": (b"50 g", b"50\x0bg"),
    "the number of a control character": (b"50 g", b"&#0;"),
    "bytes of another encoding": (b"50 g", "茶杯".encode("gb18030")),
    "a tag that does not end": (b"<ceb:gmodel>", b"<ceb:gmodel"),
}


@pytest.mark.parametrize("what", FAULTS)
def test_the_other_inventories_of_the_file_are_taken(
    tmp_path: Path, what: str, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = inventory({**IMPORT_HEAD, "invtNo": "BAD"}, IMPORT_LINE)
    text = message([*GOOD, bad, *GOOD[:1]]).encode()
    start = text.index(b"BAD")
    right, wrong = FAULTS[what]
    file = tmp_path / "a.xml"
    file.write_bytes(text[:start] + text[start:].replace(right, wrong, 1))
    assert ingest_files(tmp_path / "S", file) == 3
    assert len(names(tmp_path / "S")) == 3
    said = capsys.readouterr().out
    assert re.search(r"not read, and in quarantine: .*a\.xml: line 6, column \d+, near byte \d+: ", said)
    assert "in inventory 4." in said
    manifest = json.loads(
        Store.open(tmp_path / "S").layout.manifests("ingest")[-1].read_text(encoding="utf-8")
    )
    assert [manifest[f"rows_{name}"] for name in ("in", "kept", "quarantined", "superseded")] == [5, 3, 1, 1]
    rejected = read_quarantine(tmp_path / "S").row(0, named=True)
    assert (rejected["source_file"], rejected["reasons"]) == (str(file), ["unreadable_text"])
    assert start < rejected["offset"] < len(text)


def test_a_file_cut_off_on_its_way_keeps_what_is_whole_and_ends_with_3(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = message(GOOD).encode()
    (tmp_path / "a.xml").write_bytes(text[: text.rindex(b"<ceb:gmodel>")])
    assert ingest_files(tmp_path / "S", tmp_path / "a.xml") == 3
    assert len(names(tmp_path / "S")) == 2
    assert "the file is truncated" in capsys.readouterr().out
    (tmp_path / "whole.xml").write_bytes(text)
    assert ingest_files(tmp_path / "S", tmp_path / "whole.xml") == 0
    assert len(names(tmp_path / "S")) == 3


def test_of_many_faults_five_are_told_and_all_are_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = inventory({**IMPORT_HEAD, "invtNo": "BAD"}, {**IMPORT_LINE, "gmodel": "?"}).replace("?", "<5")
    (tmp_path / "a.xml").write_text(message([*GOOD, *[bad] * 20]), encoding="utf-8")
    assert ingest_files(tmp_path / "S", tmp_path / "a.xml") == 3
    said = capsys.readouterr().out
    assert said.count("not read, and in quarantine: ") == 5
    assert "and 15 more" in said
    assert "unreadable_text 20" in said
