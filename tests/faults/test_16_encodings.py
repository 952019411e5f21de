"""Japanese and Korean tables that pass for Chinese, through the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.cli.main import run
from pipelines.store.store import Store


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
    assert run(["ingest", str(file), "--store", str(tmp_path / "S")]) == 0
    assert told in capsys.readouterr().out
    store = Store.open(tmp_path / "S")
    (day,) = store.declaration_days()
    assert store.read_declarations(day)["item_name"].to_list() == [word]
