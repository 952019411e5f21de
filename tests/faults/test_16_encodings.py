"""Japanese and Korean tables that pass for Chinese, through the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.pipelines.taken_in import ingest_files, stored_lines


@pytest.mark.parametrize(
    ("name", "word", "told"),
    [
        ("sjis.csv", "チーズ", "read as Shift-JIS (Japanese)"),
        ("euckr.csv", "치즈", "read as EUC-KR (Korean)"),
    ],
)
def test_it_is_read_as_what_it_is(
    shared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, word: str, told: str
) -> None:
    file = shared / "faults" / "16-encodings" / name
    assert ingest_files(tmp_path / "S", file) == 0
    assert told in capsys.readouterr().out
    assert stored_lines(tmp_path / "S")["item_name"].to_list() == [word]
