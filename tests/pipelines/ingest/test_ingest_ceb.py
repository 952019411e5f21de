"""Official CEB samples go in as they are; messages apply in the order in which they were sent."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from itertools import permutations
from pathlib import Path

import polars as pl
import pytest

from configs.loader import load_settings
from pipelines.ingest.ingest import IngestOptions, ingest
from pipelines.ingest.report import IngestReport
from pipelines.store.store import Store
from pipelines.work.progress import Progress
from tests.pipelines.quarantined import read_quarantine

LINE = """<ceb:InventoryList><ceb:gnum>{number}</ceb:gnum><ceb:gcode>{code}</ceb:gcode>
<ceb:gname>杯</ceb:gname>
<ceb:qty>1</ceb:qty><ceb:unit>007</ceb:unit><ceb:price>{price}</ceb:price>
<ceb:totalPrice>{price}</ceb:totalPrice>
<ceb:currency>142</ceb:currency></ceb:InventoryList>"""
HEAD = """<ceb:InventoryHead><ceb:appType>{kind}</ceb:appType><ceb:appTime>{at}</ceb:appTime>
<ceb:appStatus>2</ceb:appStatus><ceb:invtNo>{name}</ceb:invtNo><ceb:ieFlag>I</ceb:ieFlag>
<ceb:declTime>20261120</ceb:declTime></ceb:InventoryHead>"""


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARCEL_RISK_PSEUDONYM_KEY", "a key for tests, not a secret")


def inventory(name: str, kind: int, minute: int, *lines: tuple[int, str], code: str = "0101210000") -> str:
    goods = "".join(LINE.format(number=number, price=price, code=code) for number, price in lines)
    head = HEAD.format(name=name, kind=kind, at=f"202611201200{minute:02d}")
    return f"<ceb:Inventory>{head}{goods}</ceb:Inventory>"


def message(path: Path, *inventories: str) -> Path:
    start = '<?xml version="1.0" encoding="UTF-8"?><ceb:CEB621Message xmlns:ceb="http://www.chinaport.gov.cn/ceb">'
    path.write_text(f"{start}{''.join(inventories)}</ceb:CEB621Message>", encoding="utf-8")
    return path


def run(store: Path, *files: Path) -> IngestReport:
    options = IngestOptions(now=datetime(2026, 11, 22, tzinfo=UTC))
    return ingest(files, store, options, settings=load_settings(), progress=Progress.silent())


def prices(store: Path) -> list[tuple[str, int, float]]:
    found = Store.open(store)
    frames = [
        found.read_declarations(day, ["declaration_id", "line_no", "total_price"])
        for day in found.declaration_days()
    ]
    return sorted(row for frame in frames for row in frame.rows())


@pytest.mark.parametrize("order", list(permutations(range(3))))
@pytest.mark.parametrize("together", [True, False])
def test_new_change_and_delete_apply_in_the_order_sent(
    tmp_path: Path, order: tuple[int, ...], together: bool
) -> None:
    files = [
        message(
            tmp_path / "new.xml", inventory("A", 1, 0, (1, "1"), (2, "2")), inventory("B", 1, 0, (1, "5"))
        ),
        message(tmp_path / "change.xml", inventory("A", 2, 1, (2, "3"))),
        message(tmp_path / "delete.xml", inventory("B", 3, 2)),
    ]
    runs = [files[number] for number in order]
    if together:
        found = run(tmp_path / "S", *runs).manifest
        assert (found["rows_in"], found["rows_kept"], found["rows_superseded"]) == (5, 1, 4)
    else:
        for path in runs:
            run(tmp_path / "S", path)
    assert prices(tmp_path / "S") == [("A", 2, 3.0)]
    again = run(tmp_path / "S", *files)
    assert (again.manifest["rows_kept"], again.days) == (0, [])


def test_a_deletion_needs_no_valid_goods(tmp_path: Path) -> None:
    run(tmp_path / "S", message(tmp_path / "a.xml", inventory("A", 1, 0, (1, "1"))))
    report = run(tmp_path / "S", message(tmp_path / "b.xml", inventory("A", 3, 1, (1, "-1"), code="?")))
    assert (report.manifest["rows_superseded"], report.manifest["rows_replaced_in_store"]) == (1, 1)
    assert prices(tmp_path / "S") == []
    assert Store.open(tmp_path / "S").declaration_days() == []


def test_a_table_does_not_bring_back_what_was_deleted(tmp_path: Path) -> None:
    run(tmp_path / "S", message(tmp_path / "a.xml", inventory("A", 3, 1)))
    table = pl.DataFrame(
        {"declaration_id": "A", "line_no": 1, "declared_at": "2026-11-20", "hs_code": "010121",
         "total_price": 1.0, "currency": "CNY"}
    )  # fmt: skip
    table.write_csv(tmp_path / "a.csv")
    assert run(tmp_path / "S", tmp_path / "a.csv").manifest["rows_superseded"] == 1
    assert prices(tmp_path / "S") == []


def test_the_official_sample_is_accounted_for_and_names_nobody(tmp_path: Path, shared: Path) -> None:
    sample = shared / "ceb" / "samples" / "CEB621Message.xml"
    report = run(tmp_path / "S", sample)
    found = report.manifest
    text = sample.read_text(encoding="utf-8")
    assert found["rows_in"] == len(re.findall("<(?:ceb:)?InventoryList>", text))
    assert found["rows_in"] == found["rows_kept"] + found["rows_quarantined"] + found["rows_superseded"]
    assert found["reasons"] == {"draft": 10}
    assert report.exit_code == 0, "a draft is no fault of the data"
    assert Store.open(tmp_path / "S").read_declarations(date(2016, 3, 8)).height == found["rows_kept"]
    fields = ("buyerName", "buyerIdNumber", "buyerTelephone", "consigneeAddress")
    secrets = {
        value
        for field in fields
        for value in re.findall(f"<(?:ceb:)?{field}>([^<]+)</", text)
        if value.strip()
    }
    assert secrets
    shown = [str(read_quarantine(tmp_path / "S").to_dicts()), str(report.as_dict()), *report.lines()]
    shown += [
        str(pl.read_parquet(path, hive_partitioning=False).to_dicts())
        for path in (tmp_path / "S").rglob("*.parquet")
    ]
    for secret in secrets:
        assert not any(secret in part for part in shown), "an identity field of the sample is in the store"
