"""A module that is put into a folder is a source, or a message format; a slip in it is an error."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from types import ModuleType

import polars as pl
import pytest

import pipelines.ingest.messages
import pipelines.ingest.sources
from configs.errors import ConfigurationError
from configs.loader import load_settings
from pipelines.ingest.ingest import IngestOptions, ingest
from pipelines.ingest.report import IngestReport
from pipelines.store.store import Store
from pipelines.work.progress import Progress
from tests.pipelines.ceb_documents import IMPORT_HEAD, IMPORT_LINE, inventory, message

DAY = date(2026, 11, 20)
Put = Callable[[ModuleType, str, str], None]
JSON_LINES = """
import polars as pl
from pipelines.ingest.reading.source import Chunk, Source

class JsonLines(Source):
    @classmethod
    def recognises(cls, path):
        return path.suffix == ".jsonl"

    @classmethod
    def open(cls, path, around, known):
        return cls(path)

    def chunks(self, rows):
        raw = pl.read_ndjson(self.path)
        lines = raw.with_columns(
            pl.int_range(1, pl.len() + 1, dtype=pl.Int64).alias("_source_row"),
            pl.lit(None, dtype=pl.String).alias("_reject"),
        )
        yield Chunk(raw, lines.with_row_index("_row"), None, raw.height)

    def records(self, chunk, picked):
        return chunk.raw[picked].select(pl.struct(pl.all()).struct.json_encode()).to_series()
"""
PARCELS = """
from pipelines.ingest.reading.message_format import MessageFormat, Shape

class Parcels(MessageFormat):
    shapes = {"CEB999Message": Shape("Parcel", "ParcelHead", "ParcelList")}
    plural = "parcels"
    clear_head_fields = frozenset({"copNo", "appTime", "appStatus", "declTime"})
    clear_line_fields = frozenset({"gnum", "gcode", "totalPrice", "currency"})
    naming_fields = frozenset({"copNo"})

    def head_columns(self, head):
        return {"declaration_id": head.get("copNo"), "declared_at": head.get("declTime")}

    def line_columns(self, of_head, head, line):
        return {
            "line_no": line.get("gnum"),
            "hs_code": line.get("gcode"),
            "total_price": line.get("totalPrice"),
            "currency": self.codes.currency(line.get("currency")),
        }
"""


@pytest.fixture
def put(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Put:
    """Puts a module into the folder of found things, for one test."""
    monkeypatch.setenv("PARCEL_RISK_PSEUDONYM_KEY", "a key for tests, not a secret")

    def put_module(package: ModuleType, name: str, text: str) -> None:
        folder = tmp_path / package.__name__
        folder.mkdir(exist_ok=True)
        (folder / f"{name}.py").write_text(text, encoding="utf-8")
        monkeypatch.setattr(package, "__path__", [*package.__path__, str(folder)])
        # Set first, so that the undoing removes what the import will have put there.
        monkeypatch.setitem(sys.modules, f"{package.__name__}.{name}", ModuleType(name))
        del sys.modules[f"{package.__name__}.{name}"]

    return put_module


def run(store: Path, path: Path, source: str | None = None) -> IngestReport:
    options = IngestOptions(source, now=datetime(2026, 11, 22, tzinfo=UTC))
    return ingest([path], store, options, settings=load_settings(), progress=Progress.silent())


def stored(store: Path) -> list[tuple[str, int]]:
    return sorted(Store.open(store).read_declarations(DAY).select("declaration_id", "line_no").rows())


def parcels(folder: Path) -> Path:
    text = message([inventory(IMPORT_HEAD, IMPORT_LINE)], name="CEB999Message").replace("Inventory", "Parcel")
    path = folder / "parcels.xml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_module_in_sources_is_a_source(tmp_path: Path, put: Put) -> None:
    put(pipelines.ingest.sources, "json_lines", JSON_LINES)
    row = {"declaration_id": "D1", "declared_at": "2026-11-20", "hs_code": "010121", "currency": "CNY"}
    lines = pl.DataFrame([row | {"line_no": number, "total_price": 5.0} for number in (1, 2, 0)])
    lines.write_ndjson(tmp_path / "a.jsonl")

    report = run(tmp_path / "S", tmp_path / "a.jsonl")

    assert report.manifest["reasons"] == {"line_no:out_of_range": 1}
    assert stored(tmp_path / "S") == [("D1", 1), ("D1", 2)]
    lines.write_ndjson(tmp_path / "lines.txt")
    run(tmp_path / "T", tmp_path / "lines.txt", source="json_lines")
    assert stored(tmp_path / "T") == [("D1", 1), ("D1", 2)]


def test_a_module_in_messages_is_a_format(tmp_path: Path, put: Put) -> None:
    unknown = run(tmp_path / "S", parcels(tmp_path))
    assert (unknown.exit_code, unknown.manifest["messages_passed_over"]) == (0, {"999": 1})
    put(pipelines.ingest.messages, "parcels", PARCELS)

    report = run(tmp_path / "S", parcels(tmp_path))

    assert (report.exit_code, report.manifest["rows_kept"]) == (0, 1)
    assert stored(tmp_path / "S") == [("COP1", 1)]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            "class Parcels(MessageFormat)",
            "class Parcels",
            "expected one class that derives from MessageFormat",
        ),
        ("    shapes =", "    shape =", "Parcels does not declare shapes"),
        ("def line_columns", "def lines_columns", "Parcels does not declare line_columns"),
        ('Shape("Parcel", "ParcelHead", "ParcelList")', '"Parcel"', "expected as shapes a mapping"),
        ("CEB999Message", "CEB621Message", "that no other format has"),
        ('"hs_code"', '"hscode"', "fills 'hscode', which no column .* Did you mean 'hs_code'"),
    ],
)
def test_a_slip_in_a_format_is_an_error(tmp_path: Path, put: Put, old: str, new: str, told: str) -> None:
    put(pipelines.ingest.messages, "parcels", PARCELS.replace(old, new))
    with pytest.raises(ConfigurationError, match=f"pipelines.ingest.messages.parcels.*{told}"):
        run(tmp_path / "S", parcels(tmp_path))


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("(Source)", "", "expected one class that derives from Source, got none"),
        (
            "class JsonLines(Source)",
            "class Another(Source):\n    pass\n\n\nclass JsonLines(Source)",
            "expected one class that derives from Source, got Another, JsonLines",
        ),
        ("def records", "def record", "JsonLines does not declare records"),
    ],
)
def test_a_slip_in_a_source_is_an_error(tmp_path: Path, put: Put, old: str, new: str, told: str) -> None:
    put(pipelines.ingest.sources, "json_lines", JSON_LINES.replace(old, new))
    with pytest.raises(ConfigurationError, match=f"pipelines.ingest.sources.json_lines.*{told}"):
        run(tmp_path / "S", parcels(tmp_path))
