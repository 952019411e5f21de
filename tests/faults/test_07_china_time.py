"""Forms of `declTime` in messages: China's time, or a message with the value."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.pipelines.ceb_documents import (
    EXPORT_HEAD,
    EXPORT_LINE,
    IMPORT_HEAD,
    IMPORT_LINE,
    inventory,
    message,
)
from tests.pipelines.taken_in import ingest_files, stored_lines

pytestmark = pytest.mark.usefixtures("key")

# What each says, as UTC.
READ = {
    "declTime-12": "2026-11-20 12:30:00",
    "declTime-14": "2026-11-20 15:30:00",
    "declTime-2400": "2026-11-20 16:00:00",
    "declTime-dash": "2026-11-19 16:00:00",
    "declTime-dash-time-early": "2026-11-19 17:30:00",
    "declTime-dash-time-late": "2026-11-20 12:30:00",
    "declTime-fullwidth": "2026-11-19 16:00:00",
}
FORMS = {
    "20261120233000": "2026-11-20 15:30:00",
    "20261120240000": "2026-11-20 16:00:00",
    "2026-11-20 24:00": "2026-11-20 16:00:00",
    "20261120233000250": "2026-11-20 15:30:00",
    "202611202330": "2026-11-20 15:30:00",
    "2026-11-2 1:30": "2026-11-01 17:30:00",
    "2026/11/20 01:30:00": "2026-11-19 17:30:00",
    "2026-11-20T01:30:00": "2026-11-19 17:30:00",
    "2026-11-20T01:30:00+08:00": "2026-11-19 17:30:00",
    "2026-11-20T01:30:00Z": "2026-11-20 01:30:00",
    "2026年11月20日": "2026-11-19 16:00:00",
}


def moments(store: Path) -> list[str]:
    return [str(moment)[:19] for moment in stored_lines(store)["declared_at"]]


@pytest.mark.parametrize("name", READ)
def test_a_time_without_a_zone_is_chinas_in_every_form(shared: Path, tmp_path: Path, name: str) -> None:
    assert ingest_files(tmp_path / "S", shared / "faults" / "07-china-time" / f"{name}.xml") == 0
    assert moments(tmp_path / "S") == [READ[name]]


def test_what_cannot_be_known_is_refused_with_the_value(
    shared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ingest_files(tmp_path / "S", shared / "faults" / "07-china-time" / "declTime-dmy.xml") == 3
    assert "declared_at '20/11/2026' (not a time)" in capsys.readouterr().out


def test_the_same_forms_of_the_day_of_declaration_and_of_sending(tmp_path: Path) -> None:
    imports = [inventory({**IMPORT_HEAD, "copNo": form, "declTime": form}, IMPORT_LINE) for form in FORMS]
    exports = [inventory({**EXPORT_HEAD, "copNo": form, "appTime": form}, EXPORT_LINE) for form in FORMS]
    for name, text in (("import", message(imports)), ("export", message(exports, name="CEB603Message"))):
        (tmp_path / f"{name}.xml").write_text(text, encoding="utf-8")
        assert ingest_files(tmp_path / name, tmp_path / f"{name}.xml") == 0
        assert sorted(moments(tmp_path / name)) == sorted(FORMS.values())
