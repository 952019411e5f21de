"""What names somebody goes nowhere: not into the store, the quarantine, the manifest, nor a message."""

from __future__ import annotations

import logging
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from configs.errors import ConfigurationError
from configs.loader import load_settings
from pipelines.ingest.ingest import IngestOptions, ingest
from pipelines.ingest.report import IngestReport
from pipelines.store.store import Store
from pipelines.work.progress import Progress
from tests.pipelines.quarantined import read_quarantine

IDENTITY = "110101199003070791"
MOBILE = "13800138000"
NAME = "王小明"
ADDRESS = "12 High Street, Leeds"
SECRETS = (IDENTITY, MOBILE, NAME, ADDRESS)
DAY = date(2026, 11, 20)
GOOD: dict[str, Any] = {
    "declaration_id": "D1",
    "line_no": "1",
    "declared_at": "2026-11-20 10:00:00",
    "hs_code": "010121",
    "total_price": "5",
    "currency": "CNY",
    "item_name": "红茶杯",
    "buyer_id": "QLRUBN9",
}
MAPPING = """
rename:
  declaration_id: no
  declared_at: time
  hs_code: code
  total_price: price
  currency: money
  buyer_id: person
  address_id: where
  item_name: goods
constants: {line_no: 1}
pseudonymise: [buyer_id, address_id]
"""


@pytest.fixture
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARCEL_RISK_PSEUDONYM_KEY", "a key for tests, not a secret")


@pytest.fixture
def no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PARCEL_RISK_PSEUDONYM_KEY", raising=False)


def run(store: Path, path: Path, **options: Any) -> IngestReport:
    asked = IngestOptions(now=datetime(2026, 11, 22, tzinfo=UTC), **options)
    return ingest([path], store, asked, settings=load_settings(), progress=Progress.silent())


def put(path: Path, *rows: dict[str, Any]) -> Path:
    pl.DataFrame(rows).write_csv(path)
    return path


def assert_silent(store: Path, report: IngestReport, logged: str) -> None:
    """Nobody is named in any file of the store (compressed pages are read, too), the report or the log."""
    texts = ["\n".join(report.lines()), str(report.as_dict()), logged]
    for path in store.rglob("*"):
        if path.suffix == ".parquet":
            texts.append(str(pl.read_parquet(path, hive_partitioning=False).to_dicts()))
        elif path.is_file():
            texts.append(path.read_bytes().decode("utf-8", "replace"))
    for secret in SECRETS:
        assert not any(secret in text for text in texts), secret


@pytest.mark.usefixtures("key")
@pytest.mark.parametrize("column", ["buyer_id", "address_id"])
@pytest.mark.parametrize("secret", SECRETS)
def test_a_person_where_a_pseudonym_belongs_is_hashed_and_counted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, column: str, secret: str
) -> None:
    caplog.set_level(logging.DEBUG)
    rows = [GOOD, {**GOOD, "declaration_id": "D2", column: secret}]
    report = run(tmp_path / "S", put(tmp_path / "a.csv", *rows))
    assert report.manifest["values_hashed"] == {column: 1}
    stored = Store.open(tmp_path / "S").read_declarations(DAY)
    assert stored["buyer_id"][0] == "QLRUBN9", "a pseudonym stays as it is"
    assert len(stored[column][1]) == 32
    assert_silent(tmp_path / "S", report, caplog.text)


@pytest.mark.usefixtures("no_key")
def test_hashing_needs_a_key_and_clean_tables_do_not(tmp_path: Path) -> None:
    assert run(tmp_path / "S", put(tmp_path / "a.csv", GOOD)).exit_code == 0
    with pytest.raises(ConfigurationError, match="PARCEL_RISK_PSEUDONYM_KEY"):
        run(tmp_path / "S", put(tmp_path / "b.csv", {**GOOD, "declaration_id": "D2", "buyer_id": IDENTITY}))
    assert Store.open(tmp_path / "S").read_declarations(DAY).height == 1


@pytest.mark.usefixtures("key")
@pytest.mark.parametrize(
    "column", ["hs_code", "currency", "line_no", "declared_at", "total_price", "buyer_id"]
)
@pytest.mark.parametrize("secret", SECRETS)
def test_a_shifted_row_names_nobody(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, column: str, secret: str
) -> None:
    row = {**GOOD, "currency": "?", column: secret, "phone": MOBILE, "consignee": NAME, "note": ADDRESS}
    report = run(tmp_path / "S", put(tmp_path / "a.csv", row))
    assert report.exit_code == 3
    assert read_quarantine(tmp_path / "S").height == 1
    assert_silent(tmp_path / "S", report, caplog.text)


@pytest.mark.usefixtures("no_key")
def test_without_a_key_the_quarantine_withholds(tmp_path: Path) -> None:
    report = run(tmp_path / "S", put(tmp_path / "a.csv", {**GOOD, "hs_code": "1", "phone": MOBILE}))
    record = read_quarantine(tmp_path / "S")["record"][0]
    assert '"phone":"(withheld: may be personal data)"' in record
    assert '"declared_at":"2026-11-20 10:00:00"' in record
    assert '"item_name":"红茶杯"' in record
    assert_silent(tmp_path / "S", report, "")


def test_a_mapping_can_hash_raw_identities(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    mapping = tmp_path / "shop.yaml"
    mapping.write_text(MAPPING)
    row = {"no": "D1", "time": "2026-11-20", "code": "010121", "price": "5", "money": "CNY", "goods": "杯",
           "person": IDENTITY, "where": ADDRESS}  # fmt: skip
    path = put(tmp_path / "a.csv", row, {**row, "no": "D2", "code": "?"}, {**row, "no": "D3", "person": ""})
    monkeypatch.delenv("PARCEL_RISK_PSEUDONYM_KEY", raising=False)
    with pytest.raises(ConfigurationError, match="no key"):
        run(tmp_path / "S", path, mapping=str(mapping))
    monkeypatch.setenv("PARCEL_RISK_PSEUDONYM_KEY", "a key for tests, not a secret")
    report = run(tmp_path / "S", path, mapping=str(mapping))
    stored = Store.open(tmp_path / "S").read_declarations(DAY)
    assert [value and len(value) for value in stored["buyer_id"]] == [32, None]
    assert stored["address_id"].n_unique() == 1
    assert '"person":"hashed:' in read_quarantine(tmp_path / "S")["record"][0]
    assert_silent(tmp_path / "S", report, caplog.text)
