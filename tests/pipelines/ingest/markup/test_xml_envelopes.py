"""Several messages in a file, in wrappers and in envelopes."""

from __future__ import annotations

from pathlib import Path
from xml.sax.saxutils import escape

import pytest

from pipelines.ingest.markup import xml_reader
from pipelines.ingest.markup.xml_reader import DocumentLine
from tests.pipelines.ceb_documents import message
from tests.pipelines.ingest.markup.xml_files import (
    BOMB,
    EXPORT,
    WHOLE,
    envelope,
    faults,
    inventory_lines,
    pieces,
    written,
)

BARE = WHOLE.partition("?>")[2]


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


def test_every_size_of_block_gives_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "\ufeff" + WHOLE.replace("保湿面霜", "<!-- x --> & <![CDATA[>]]>", 1) + envelope(EXPORT.encode())
    path = written(tmp_path, text)
    expected = pieces(path)
    assert len(expected) == 3
    for size in (1, 2, 3, 7, 64):
        monkeypatch.setattr(xml_reader, "_BLOCK_BYTES", size)
        assert pieces(path) == expected
