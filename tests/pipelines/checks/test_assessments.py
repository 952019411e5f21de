"""Assessments in the store: one row a line, and what the run says of those that are not known."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from configs.loader import reference_path
from features.assessments import ASSESSMENT_COLUMNS
from features.check import FINDINGS
from pipelines.cli.main import run
from pipelines.history.checked import with_all_findings, with_findings
from pipelines.store.day_table import DayTable
from pipelines.store.store import Store
from tests.features.checked_days import CLOSE, DAY, LINE, ORDER, PAYMENT, WAYBILL
from tests.pipelines.documents_in_store import findings_of, make_documents

SENT = LINE | {"sent_at": CLOSE - timedelta(hours=8), "hs_code": "9503008900"}
LINES = [
    SENT | {"total_price": 300.0, "freight": 40.0},
    SENT | {"line_no": 2, "hs_code": "4901990000", "total_price": 100.0, "freight": 40.0},
    SENT | {"declaration_id": "DEAR", "total_price": 6_000.0, "quantity": 1.0},
    SENT | {"declaration_id": "MAIL", "trade_mode": "mail", "total_price": 300.0},
    SENT | {"declaration_id": "OUT", "direction": "export", "trade_mode": "9710", "customs_office": "0101"},
]


def assessments(store: Store) -> pl.DataFrame:
    return pl.read_parquet(store.layout.file(DayTable.ASSESSMENTS, DAY), hive_partitioning=False)


def check(store: Store, *options: str) -> int:
    return run(["check", "--store", str(store.path), "--date", str(DAY), *options])


def test_one_row_a_line(tmp_path: Path) -> None:
    store = make_documents(tmp_path / "S", LINES)
    assert check(store, "--quiet") == 0
    rows = assessments(store)
    assert dict(rows.schema) == ASSESSMENT_COLUMNS
    told = rows.select("declaration_id", "line_no", "regime", "share", "tax_cny", "exempt").rows()
    assert told == [
        ("DEAR", 1, "retail_full", 1.0, None, False),
        # 330 at 70% of 13%, and 110 at 70% of 9%.
        ("INV1", 1, "retail", 0.7, pytest.approx(30.03), False),
        ("INV1", 2, "retail", 0.7, pytest.approx(6.93), False),
        ("MAIL", 1, "articles", 1.0, pytest.approx(39.0), True),
        ("OUT", 1, "export", 1.0, 0.0, False),
    ]


def test_what_is_not_known_is_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = make_documents(tmp_path / "S", LINES)
    assert check(store) == 0
    said = capsys.readouterr().out
    assert "assessed: 5 lines" in said
    assert "duty_rate          not known        1" in said
    manifest = json.loads(store.layout.manifest("check", DAY, 1).read_text(encoding="utf-8"))
    assert manifest["assessments"] == {
        "regimes": {"articles": 1, "export": 1, "retail": 2, "retail_full": 1},
        "unknown": {"duty_rate": 1, "tax_cny": 1},
        "unassessed": 0,
    }
    assert "assess" in manifest["seconds"]


def test_after_the_end_of_a_table_lines_are_told_and_not_assessed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "configs" / "reference").mkdir(parents=True)
    text = reference_path("taxes.csv").read_text(encoding="utf-8")
    text = text.replace("vat,standard,0.13,2019-04-01,,", "vat,standard,0.13,2019-04-01,2026-11-19,")
    (tmp_path / "configs" / "reference" / "taxes.csv").write_text(text, encoding="utf-8")
    store = make_documents(tmp_path / "S", LINES)
    assert check(store, "--configs", str(tmp_path / "configs")) == 0
    assert "not assessed                       2: a table of their rates" in capsys.readouterr().out
    assert assessments(store)["declaration_id"].to_list() == ["INV1", "MAIL", "OUT"]


def test_the_law_stands_beside_what_documents_say(tmp_path: Path) -> None:
    """A list may ask for either; the features of documents know nothing of the law."""
    tables = {"orders": [ORDER], "payments": [PAYMENT], "waybills": [WAYBILL]}
    dear = SENT | {"total_price": 6_000.0}
    store = make_documents(tmp_path / "S", [dear], **tables)
    assert check(store, "--quiet") == 0
    assert set(findings_of(store, DAY)["check"]) == {"amount", "order_limit"}
    file = store.layout.file(DayTable.LAW, DAY)
    assert pl.read_parquet(file, hive_partitioning=False)["check"].to_list() == ["order_limit"]
    lines = pl.DataFrame({"declaration_id": ["INV1", "INV2"]})
    assert with_findings(store.layout, DAY, lines)[FINDINGS].to_list() == [["amount"], []]
    both = with_all_findings(store.layout, DAY, lines)[FINDINGS].list.sort().to_list()
    assert both == [["amount", "order_limit"], []]


def test_parts_of_a_day_come_to_the_same(tmp_path: Path) -> None:
    lines = [
        SENT | {"declaration_id": f"INV{n // 3}", "line_no": n % 3 + 1, "total_price": 700.0 + n % 97}
        for n in range(3_000)
    ]
    store = make_documents(tmp_path / "S", lines, bucket_rows=500)
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "pipeline.yaml").write_text("checks: {lines_at_once: 1000}\n", encoding="utf-8")
    written = []
    for options in ([], ["--configs", str(tmp_path / "configs")]):
        assert check(store, "--quiet", *options) == 0
        tables = (DayTable.ASSESSMENTS, DayTable.LAW, DayTable.CHECKS)
        written.append([store.layout.file(table, DAY).read_bytes() for table in tables])
    assert written[0] == written[1]
    assert assessments(store).height == 3_000


def test_assessments_go_with_what_was_declared(tmp_path: Path) -> None:
    store = make_documents(tmp_path / "S", [SENT])
    assert check(store, "--quiet") == 0
    with store.lock("test"), store.transaction() as t:
        t.remove(store.layout.partition(DayTable.DECLARATIONS, DAY))
    assert check(store, "--quiet") == 0
    assert (store.days(DayTable.ASSESSMENTS), store.days(DayTable.CHECKS)) == ([], [])
