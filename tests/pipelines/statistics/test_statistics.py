"""The verb `statistics`: revisions, kept sums, what it says, its page, and what other verbs leave of it."""

from __future__ import annotations

import io
import shutil
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from configs.errors import StoreError
from configs.loader import load_settings
from configs.schema.settings import Settings
from pipelines.cli.main import run
from pipelines.statistics import kept_sums
from pipelines.statistics.make_statistics import make_statistics
from pipelines.statistics.report import MonthReport
from pipelines.store.store import Store
from pipelines.work.progress import Progress
from tests.pipelines.ceb_documents import inventory
from tests.pipelines.document_messages import (
    CANCELLATION,
    INVENTORY,
    INVENTORY_LINE,
    RETURN,
    RETURN_LINE,
    STATE,
    element,
    returned,
    written,
)
from tests.pipelines.statistics.drawn_store import make_store
from tests.pipelines.store.test_digests import flip_a_bit
from tests.pipelines.taken_in import stored_rows, take_in_files

NOVEMBER = date(2026, 11, 1)
DECEMBER = datetime(2026, 12, 10, tzinfo=UTC)


def made(
    store: Path, first: date = NOVEMBER, last: date | None = None, now: datetime = DECEMBER, **options: Any
) -> list[MonthReport]:
    settings = options.pop("settings", load_settings())
    report = make_statistics(
        store, settings=settings, progress=Progress.silent(), now=now, first=first, last=last or first,
        out=options.pop("out", None),
    )  # fmt: skip
    return list(report.months)


def cells_of(store: Path, month: str = "2026-11") -> pl.DataFrame:
    return pl.read_parquet(store / f"statistics/month={month}/statistics.parquet", hive_partitioning=False)


@pytest.fixture
def ceb(tmp_path: Path, key: None) -> Path:
    """Two inventories of a line each: two pieces at CNY 301 with CNY 12.50 of freight."""
    store = tmp_path / "S"
    second = inventory(INVENTORY | {"invtNo": "INVENTORY2", "copNo": "COP2"}, INVENTORY_LINE)
    take_in_files(store, written(tmp_path, "621", [inventory(INVENTORY, INVENTORY_LINE), second]))
    return store


def test_a_late_cancellation_revises_the_month_and_says_so(ceb: Path, tmp_path: Path) -> None:
    (first,) = made(ceb, now=datetime(2026, 12, 5, tzinfo=UTC))
    assert first.issue.revision is None
    assert cells_of(ceb).select("declarations", "value_cny", "status").row(0) == (2, 627.0, "preliminary")
    late = CANCELLATION | {"appTime": "20261209090000"}
    take_in_files(ceb, written(tmp_path, "623", [element("InvtCancel", late)]))
    (report,) = made(ceb)
    assert cells_of(ceb).select("declarations", "value_cny").row(0) == (1, 313.5)
    revision = report.issue.revision
    assert revision is not None
    assert (revision.since, revision.cells.height) == (date(2026, 12, 5), 1)
    assert revision.totals["value_cny"] == (627.0, 313.5)
    assert (
        "revised since 2026-12-05 (preliminary): 1 cells, lines 2.00 -> 1.00, value_cny 627.00 -> 313.50"
        in ("\n".join(report.lines()))
    )
    page = (ceb / "statistics/month=2026-11/statistics.html").read_text(encoding="utf-8")
    assert "1 cells have changed since the issue of 2026-12-05." in page
    book = openpyxl.load_workbook(ceb / "statistics/month=2026-11/statistics.xlsx")
    (row,) = book["Revisions"].iter_rows(min_row=2, values_only=True)
    assert row[6:12] == (2, 1, 2, 1, 627.0, 313.5)
    # What was issued stays; the same again says the same, and a final month still says what was revised.
    for now in (DECEMBER, datetime(2027, 3, 1, tzinfo=UTC)):
        (again,) = made(ceb, now=now)
        assert again.issue.revision is not None
        assert again.issue.revision.totals == revision.totals
    assert set(cells_of(ceb)["status"]) == {"final"}
    issues = sorted((ceb / "statistics_issues/month=2026-11").iterdir())
    figures = [pl.read_parquet(each)["value_cny"].sum() for each in issues]
    assert figures == [627.0, 313.5, 313.5]


def test_a_run_of_a_later_month_says_that_one_before_was_revised(ceb: Path, tmp_path: Path) -> None:
    made(ceb, now=datetime(2026, 12, 5, tzinfo=UTC))
    take_in_files(
        ceb,
        written(tmp_path, "623", [element("InvtCancel", CANCELLATION | {"appTime": "20261209090000"})]),
        written(
            tmp_path, "621",
            [inventory(
                INVENTORY | {"invtNo": "INVENTORY3", "copNo": "COP3", "declTime": "20261201",
                             "appTime": "20261201090000"}, INVENTORY_LINE)],
            "december",
        ),
    )  # fmt: skip
    (report,) = made(ceb, date(2026, 12, 1))
    (other,) = report.issue.others_revised
    assert (other.month, other.totals["value_cny"]) == (NOVEMBER, (627.0, 313.5))
    assert "2026-11 is no longer what was issued on 2026-12-05" in "\n".join(report.lines())
    whole = report.issue.entry("all")
    assert (whole["value_cny"], whole["value_cny_before"], whole["value_cny_year"]) == (313.5, 313.5, 627.0)
    # Both at once: the month is issued anew, and there is nothing left to say of it.
    both = made(ceb, NOVEMBER, date(2026, 12, 1))
    assert [len(each.issue.others_revised) for each in both] == [0, 0]
    assert both[0].issue.revision is not None


def test_a_return_stands_beside_its_line_unless_it_is_rejected(ceb: Path, tmp_path: Path) -> None:
    back = returned(RETURN | {"appTime": "20261203090000"}, RETURN_LINE)
    take_in_files(ceb, written(tmp_path, "625", [back]))
    (december,) = made(ceb, date(2026, 12, 1))
    (row,) = cells_of(ceb, "2026-12").to_dicts()
    # One of two pieces, at half of 313.50.
    assert (row["lines"], row["value_cny"], row["returned_value_cny"]) == (0, 0.0, 156.75)
    assert (row["hs4"], row["partner"], row["trade_mode"]) == ("3304", "KR", "9610")
    assert december.issue.entry("all")["net_value_cny"] == -156.75
    (november,) = made(ceb)
    assert november.issue.entry("all")["returned_value_cny"] == 0.0
    rejected = STATE | {"copNo": "RETURN1", "returnTime": "20261204100000000"}
    take_in_files(ceb, written(tmp_path, "626", [element("InvtRefundReturn", rejected)]))
    assert stored_rows(ceb, "returns").is_empty()
    (again,) = made(ceb, NOVEMBER)
    assert again.issue.entry("all")["returned_value_cny"] == 0.0
    (after,) = made(ceb, date(2026, 12, 1))
    assert after.issue.cells.is_empty()
    assert after.issue.revision is not None
    assert after.issue.revision.totals["returned_value_cny"] == (156.75, 0.0)


def test_a_day_is_summed_up_anew_only_where_it_or_its_rates_have_changed(tmp_path: Path) -> None:
    store = tmp_path / "S"
    days = [date(2026, 10, 30), date(2026, 11, 2), date(2026, 11, 3)]
    make_store(store, 3, days, 120)
    (first,) = made(store)
    assert first.days_read == 3
    opened = Store.open(store)
    with opened.lock("test"), opened.transaction() as t:
        lines = opened.read_declarations(days[1], list(opened.stored_schema()))
        opened.write_declarations(t, days[1], lines.head(20), 100_000)
    (second,) = made(store)
    assert second.days_read == 1
    assert second.issue.entry("all")["lines"] < first.issue.entry("all")["lines"]
    overlay = tmp_path / "configs"
    (overlay / "reference").mkdir(parents=True)
    rates = "currency,cny_per_unit,valid_from\nCNY,1,1900-01-01\nUSD,{},2016-01-01\nUSD,{},2026-11-03\n"
    for rate, changed in ((7, 3), (8, 1)):
        (overlay / "reference/exchange_rates.csv").write_text(rates.format(7, rate), encoding="utf-8")
        (report,) = made(store, settings=load_settings(overlay))
        assert report.days_read == changed
    # Yen have no rate here: their lines count, and their value is not known.
    unvalued = report.issue.unvalued.filter(reason="no_rate")
    assert "JPY" in set(unvalued["currency"])
    said = "\n".join(report.lines())
    assert "lines have no value: no rate of JPY in exchange_rates.csv for their day" in said
    (overlay / "reference/exchange_rates.csv").write_text(rates.partition("USD")[0], encoding="utf-8")
    (report,) = made(store, settings=load_settings(overlay))
    assert report.issue.cells["value_usd"].drop_nulls().sum() == 0.0
    assert "values in USD are not known" in "\n".join(report.lines())


def test_an_interrupted_run_keeps_the_days_that_it_has_summed_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = tmp_path / "S"
    days = [date(2026, 11, number) for number in (2, 3, 4)]
    make_store(store, 3, days, 60)
    with monkeypatch.context() as patch:
        whole = kept_sums.sums_of_day

        def dying(opened: Store, day: date, *others: Any) -> Any:
            if day == days[2]:
                raise KeyboardInterrupt("killed")
            return whole(opened, day, *others)

        patch.setattr(kept_sums, "sums_of_day", dying)
        with pytest.raises(KeyboardInterrupt, match="killed"):
            made(store)
    assert not (store / "statistics").exists()
    (report,) = made(store)
    assert report.days_read == 1


def test_damaged_sums_are_named_with_the_cure(tmp_path: Path) -> None:
    store = tmp_path / "S"
    make_store(store, 3, [date(2026, 11, 2)], 20)
    made(store)
    folder = store / "statistics_sums/summed_up=2026-11"
    flip_a_bit(folder / "cells.parquet")
    with pytest.raises(StoreError, match=r"cells\.parquet is damaged.*sums it up anew"):
        made(store)
    shutil.rmtree(folder)
    assert made(store)[0].days_read == 0
    shutil.rmtree(store / "statistics_sums")
    assert made(store)[0].days_read == 1


def test_forgetting_takes_the_sums_of_the_days_that_named_the_person(
    ceb: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(ceb)
    before = cells_of(ceb)
    assert list((ceb / "statistics_sums").glob("declared_on=*"))
    monkeypatch.setattr("sys.stdin", io.StringIO("11010519491231002X\n"))
    assert run(["forget", "--store", str(ceb), "--quiet"]) == 0
    # What is left has no enterprises, of which one may be a person.
    assert [path.name for path in (ceb / "statistics_sums").iterdir()] == ["summed_up=2026-11"]
    left = pl.read_parquet(ceb / "statistics_sums/summed_up=2026-11/enterprises.parquet")
    assert left.is_empty()
    made(ceb)
    assert cells_of(ceb).equals(before)
    monkeypatch.setenv("PARCEL_RISK_NEW_PSEUDONYM_KEY", "4f1c0e9b7d2a86355e0b9c7f1a2d3e48")
    assert run(["rekey", "--store", str(ceb), "--quiet"]) == 0
    assert run(["doctor", "--store", str(ceb), "--quiet"]) in (0, 1)
    assert made(ceb)[0].issue.revision is None


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--month", "2026-13"], "expected a month such as 2026-11 (YYYY-MM), got '2026-13'."),
        (["--month", "2026-11-01"], "expected a month such as 2026-11"),
        (["--month", "2026-11", "--to", "2026-10"], "--to 2026-10 is before --month 2026-11"),
    ],
)
def test_a_wrong_month_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], said: str
) -> None:
    assert run(["statistics", "--store", str(tmp_path), *options]) == 2
    assert said in capsys.readouterr().err


def test_what_is_not_there_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    store = tmp_path / "S"
    command = ["statistics", "--store", str(store), "--month", "2026-11"]
    assert run(command) == 1
    assert "expected a store at" in caplog.text
    Store.create(store)
    assert run(command) == 2
    assert "expected declarations of 2026-11, found none; the store has no declarations at all" in caplog.text
    make_store(store, 3, [date(2026, 9, 2), date(2026, 10, 2)], 12)
    assert run([*command, "--to", "2026-12"]) == 2
    assert "found none; the store has 2026-09 to" in caplog.text
    blocked = tmp_path / "file"
    blocked.touch()
    october = ["statistics", "--store", str(store), "--month", "2026-10"]
    assert run([*october, "--out", str(blocked / "below")]) == 2
    assert f"--out: {blocked / 'below'} cannot be made: Not a directory" in caplog.text
    assert not (store / "statistics").exists()


def test_out_takes_the_files_in_place_of_the_store(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store, out = tmp_path / "S", tmp_path / "published"
    make_store(store, 3, [date(2026, 9, 2), date(2026, 10, 2)], 30)
    options = ["--month", "2026-08", "--to", "2026-10", "--out", str(out)]
    assert run(["statistics", "--store", str(store), *options]) == 0
    assert "nothing in the store: 2026-08" in capsys.readouterr().out
    assert sorted(path.name for path in out.iterdir()) == ["month=2026-09", "month=2026-10"]
    assert sorted(path.name for path in (out / "month=2026-10").iterdir()) == [
        *("statistics.csv", "statistics.html", "statistics.parquet", "statistics.xlsx"),
    ]
    assert not (store / "statistics").exists()
    assert len(list((store / "statistics_issues").rglob("*.parquet"))) == 2
    assert list((store / "manifests").glob("statistics-2026-10-31-*.json"))


def in_chinese() -> Settings:
    settings = load_settings()
    return settings.model_copy(update={"capacity": settings.capacity.speaking(("zh-CN", ()))})


def test_the_page_speaks_chinese(tmp_path: Path) -> None:
    make_store(tmp_path / "S", 3, [date(2026, 10, 2)], 40)
    made(tmp_path / "S", date(2026, 10, 1), settings=in_chinese())
    page = (tmp_path / "S/statistics/month=2026-10/statistics.html").read_text(encoding="utf-8")
    assert '<html lang="zh-CN">' in page
    assert "日本" in page
    book = openpyxl.load_workbook(tmp_path / "S/statistics/month=2026-10/statistics.xlsx")
    assert not {"Totals", "Cells", "Notes"} & set(book.sheetnames)


@pytest.mark.parametrize("language", ["en", "zh-CN"])
@pytest.mark.parametrize("least", [0, 3])
def test_axe_finds_nothing_moderate_or_serious(
    tmp_path: Path, browser: Browser, language: str, least: int
) -> None:
    store = tmp_path / "S"
    make_store(store, 4, [date(2025, 10, 8), date(2026, 9, 2), date(2026, 10, 2)], 300)
    settings = load_settings() if language == "en" else in_chinese()
    config = settings.pipeline.statistics.model_copy(update={"least_enterprises": least})
    pipeline = settings.pipeline.model_copy(update={"statistics": config})
    made(store, date(2026, 10, 1), settings=settings.model_copy(update={"pipeline": pipeline}))
    path = store / "statistics/month=2026-10/statistics.html"
    for scheme in ("light", "dark"):
        with browser.new_context(bypass_csp=True, color_scheme=scheme) as context:  # type: ignore[arg-type]
            page = context.new_page()
            requests: list[str] = []
            page.on("request", lambda request, seen=requests: seen.append(request.url))
            page.goto(path.as_uri())
            for width in (390, 1400):
                page.set_viewport_size({"width": width, "height": 900})
                assert page.evaluate("document.documentElement.scrollWidth") <= width
                found = Axe().run(page).response["violations"]
                assert [each["id"] for each in found if each["impact"] != "minor"] == []
            assert requests == [path.as_uri()]
