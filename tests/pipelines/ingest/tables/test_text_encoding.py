"""A table is read in the encoding in which it makes sense, with a word, or refused; never as nonsense."""

from __future__ import annotations

from pathlib import Path

import pytest

from configs.errors import DataError
from pipelines.ingest.tables.text_encoding import encoding_of

TEXTS = {
    "gb18030": ["奶粉", "婴儿配方奶粉", "鲑鱼", "蓝牙耳机"],
    "cp932": ["チーズ", "化粧水", "抹茶", "シャンプー"],
    "cp949": ["치즈", "홍삼", "마스크팩", "냉동 생선"],
    "big5hkscs": ["餅乾", "鮭魚", "藍牙耳機", "嬰兒奶粉"],
    "euc_jp": ["チーズ", "シャンプー", "おもちゃ"],
}


def told(path: Path, content: bytes) -> tuple[str, str | None]:
    path.write_bytes(b"id,name\n1," + content + b",2\n")
    return encoding_of(path, path.read_bytes())


@pytest.mark.parametrize(
    ("encoding", "text"), [(name, text) for name, texts in TEXTS.items() for text in texts]
)
def test_a_table_of_one_word_is_read_as_what_it_is(tmp_path: Path, encoding: str, text: str) -> None:
    found, note = told(tmp_path / "a.csv", text.encode(encoding))
    assert found == encoding
    assert note is not None
    assert "was read as" in note


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp1252", "Jalapeño"),
        ("cp1252", "Größe"),
        ("cp1251", "молоко"),
        ("cp874", "เสื้อผ้า"),
        ("gb18030", "酒"),
    ],
)
def test_what_may_be_several_is_refused_with_what_to_do(tmp_path: Path, encoding: str, text: str) -> None:
    with pytest.raises(DataError, match="Save it as UTF-8, or name its encoding in a mapping"):
        told(tmp_path / "a.csv", text.encode(encoding))


def test_utf8_needs_no_word(tmp_path: Path) -> None:
    assert told(tmp_path / "a.csv", "치즈 チーズ 奶粉 ñ".encode()) == ("utf-8", None)
