"""The statistics recomputed in SQL from the files of a store, to the fen."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import duckdb
import openpyxl
import polars as pl
import pytest

from configs.loader import load_settings
from pipelines.cli.main import run
from pipelines.statistics.make_statistics import make_statistics
from pipelines.statistics.months import last_day
from pipelines.statistics.report import StatisticsReport
from pipelines.store.files import read_json
from pipelines.work.progress import Progress
from tests.pipelines.statistics.drawn_store import CELL, LONG_AGO, in_sql, make_store

DAYS = [date(2025, 10, 3), date(2025, 11, 30), *(date(2026, 9, 28) + timedelta(days=n) for n in range(8))]
MONTHS = ("2025-10", "2025-11", "2025-12", "2026-01", "2026-09", "2026-10", "2026-11")


def made(store: Path, first: date, last: date) -> StatisticsReport:
    return make_statistics(
        store,
        settings=load_settings(),
        progress=Progress.silent(),
        now=LONG_AGO,
        first=first,
        last=last,
        out=None,
    )


def cells_of(store: Path, month: str) -> pl.DataFrame:
    (file,) = (store / f"statistics/month={month}").glob("*.parquet")
    return pl.read_parquet(file, hive_partitioning=False)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, StatisticsReport]:
    """A store of ten days in four months, with the statistics of all of them and the months between."""
    path = tmp_path_factory.mktemp("drawn") / "S"
    make_store(path, 11, DAYS, 900)
    return path, made(path, date(2025, 9, 1), date(2026, 12, 1))


@pytest.fixture(scope="module")
def sql(drawn: tuple[Path, StatisticsReport]) -> Iterator[duckdb.DuckDBPyConnection]:
    with in_sql(drawn[0]) as connection:
        yield connection


@pytest.mark.parametrize("month", MONTHS)
def test_every_cell_is_what_sql_makes_of_the_files(
    drawn: tuple[Path, StatisticsReport], sql: duckdb.DuckDBPyConnection, month: str
) -> None:
    cells = cells_of(drawn[0], month)
    key = ", ".join(CELL)
    rows = sql.execute(
        f"with d as (select {key}, count(distinct declaration_id) as declarations, count(*) as lines, "
        "sum(fen)::bigint as fen, sum(cents)::bigint as cents, sum(kg) as kg "
        f"from lines where month = ? group by all), b as (select {key}, sum(coalesce(back_fen, 0))::bigint "
        "as back from returned where applied_in = ? and month is not null group by all) "
        f"select {', '.join(f'coalesce(d.{name}, b.{name}) as {name}' for name in CELL)}, "
        "coalesce(declarations, 0) as declarations, coalesce(lines, 0) as lines, "
        "case when lines is null then 0 else fen end as fen, "
        "case when lines is null then 0 else cents end as cents, "
        "case when lines is null then 0 else kg end as kg, coalesce(back, 0) as back from d full join b on "
        + " and ".join(f"d.{name} is not distinct from b.{name}" for name in CELL),
        [month, month],
    ).fetchall()
    names = ("declarations", "lines", "fen", "cents", "kg", "back")
    types = cells.select(*CELL, "declarations", "lines").schema
    expected = pl.DataFrame(rows, [*CELL, *names], schema_overrides=types, orient="row")
    expected = expected.sort(CELL, nulls_last=True)
    assert cells.height == expected.height > 0
    assert cells.select(types.names()).equals(expected.select(types.names()))
    for name, fen in (("value_cny", "fen"), ("value_usd", "cents"), ("returned_value_cny", "back")):
        # Each is the double next to its decimals, so not a hair beside.
        assert cells[name].to_list() == [None if each is None else each / 100 for each in expected[fen]]
    assert cells["net_weight_kg"].to_list() == [
        None if each is None else pytest.approx(each, abs=1e-5) for each in expected["kg"]
    ]


def test_totals_are_those_of_all_lines_and_count_what_has_no_value(
    drawn: tuple[Path, StatisticsReport], sql: duckdb.DuckDBPyConnection
) -> None:
    path, report = drawn
    assert [each.issue.name for each in report.months] == list(MONTHS)
    for each in report.months:
        month = each.issue.name
        whole = each.issue.entry("all")
        fen, count, lines, unvalued = sql.execute(
            "select sum(fen), count(distinct declaration_id), count(*), count(*) - count(fen) from lines "
            "where month = ?",
            [month],
        ).fetchall()[0]
        assert round((whole["value_cny"] or 0) * 100) == (fen or 0)
        assert (whole["declarations"], whole["lines"]) == (count, lines)
        assert each.issue.unvalued["lines"].sum() == unvalued
        manifest = read_json(path / f"manifests/statistics-{last_day(each.issue.month)}-1.json")
        assert manifest["rows_in"] == manifest["rows_kept"] == lines
        assert sum(manifest["values_nulled"].values()) == unvalued
        back, unknown, not_valued = sql.execute(
            "select sum(back_fen), count(*) filter (month is null), "
            "count(*) filter (month is not null and back_fen is null) from returned where applied_in = ?",
            [month],
        ).fetchall()[0]
        assert round(whole["returned_value_cny"] * 100) == (back or 0)
        assert (each.issue.returns["unknown"], each.issue.returns["unvalued"]) == (unknown, not_valued)
    assert sum(each.issue.returns["unknown"] for each in report.months) > 0
    reasons = {reason for each in report.months for reason in each.issue.unvalued["reason"]}
    assert reasons == {"no_price", "no_currency", "no_rate"}


def test_periods_beside_the_month_are_sums_of_months(
    drawn: tuple[Path, StatisticsReport], sql: duckdb.DuckDBPyConnection
) -> None:
    (october,) = (each.issue for each in drawn[1].months if each.issue.name == "2026-10")

    def fen(where: str) -> int:
        (found,) = sql.execute(f"select coalesce(sum(fen), 0) from lines where {where}").fetchall()[0]
        return int(found)

    row = october.entry("direction", "import")
    now, ago = (
        fen("direction = 'import' and month = '2026-10'"),
        fen("direction = 'import' and month = '2025-10'"),
    )
    assert row["value_cny_before"] * 100 == pytest.approx(fen("direction = 'import' and month = '2026-09'"))
    assert row["value_cny_year_ago"] * 100 == pytest.approx(ago)
    assert row["change"] == pytest.approx(now / ago - 1)
    assert row["value_cny_year"] * 100 == pytest.approx(
        fen("direction = 'import' and month between '2026-01' and '2026-10'")
    )
    # The store has not all of last year's months: that sum would be too small.
    assert row["value_cny_year_before"] is None
    assert row["year_change"] is None
    assert row["net_value_cny"] == pytest.approx(row["value_cny"] - row["returned_value_cny"])
    japan = october.table("partner", "import").filter(entry="JP").row(0, named=True)
    assert japan["value_cny"] * 100 == pytest.approx(
        fen("direction = 'import' and month = '2026-10' and partner = 'JP'")
    )
    assert october.year_from == date(2026, 1, 1)


def test_a_simulated_store_with_documents_adds_up_to_the_fen(tmp_path: Path) -> None:
    store = tmp_path / "S"
    options = ["--days", "12", "--parcels-per-day", "25", "--end", "2026-11-06", "--seed", "5", "--documents"]
    assert run(["simulate", "--store", str(store), *options, "--quiet"]) == 0
    report = made(store, date(2026, 10, 1), date(2026, 11, 1))
    with in_sql(store) as sql:
        for each in report.months:
            cells = cells_of(store, each.issue.name)
            fen, lines = sql.execute(
                "select sum(fen), count(*) from lines where month = ?", [each.issue.name]
            ).fetchall()[0]
            (back,) = sql.execute(
                "select coalesce(sum(back_fen), 0) from returned where applied_in = ?", [each.issue.name]
            ).fetchall()[0]
            assert round(cells["value_cny"].sum() * 100) == fen > 0
            assert cells["lines"].sum() == lines > 0
            assert round(cells["returned_value_cny"].sum() * 100) == back


def test_files_have_the_columns_of_the_contract_and_no_totals(drawn: tuple[Path, StatisticsReport]) -> None:
    folder = drawn[0] / "statistics/month=2026-10"
    columns = [
        *("month", *CELL, "declarations", "lines", "value_cny", "value_usd", "net_weight_kg"),
        *("returned_value_cny", "status", "as_of"),
    ]
    cells = cells_of(drawn[0], "2026-10")
    assert cells.columns == columns
    assert cells.select(CELL).is_unique().all()
    assert set(cells["month"]) == {"2026-10"}
    assert set(cells["status"]) == {"final"}
    assert set(cells["as_of"]) == {date(2027, 6, 1)}
    text = pl.read_csv(folder / "statistics.csv", schema_overrides=dict(cells.schema))
    assert text.equals(cells)
    assert sorted(file.suffix for file in folder.iterdir()) == [".csv", ".html", ".parquet", ".xlsx"]


def test_the_workbook_opens_and_says_the_same(drawn: tuple[Path, StatisticsReport]) -> None:
    book = openpyxl.load_workbook(drawn[0] / "statistics/month=2026-10/statistics.xlsx")
    cells = cells_of(drawn[0], "2026-10")
    sheet = book["Cells"]
    assert sheet.max_row == cells.height + 1
    values = [row[9].value for row in sheet.iter_rows(min_row=2)]
    assert values == [each if each is not None else "–" for each in cells["value_cny"]]
    totals = {row[0].value: row for row in book["Totals"].iter_rows(min_row=2)}
    assert totals["all"][4].value == pytest.approx(cells["value_cny"].sum())
    assert {"By heading", "By office", "By partner country", "Months", "Notes"} <= set(book.sheetnames)


def test_a_second_run_reads_no_day_again_and_writes_the_same(drawn: tuple[Path, StatisticsReport]) -> None:
    path, _ = drawn
    before = {file: file.read_bytes() for file in (path / "statistics").rglob("*") if file.is_file()}
    again = made(path, date(2026, 9, 1), date(2026, 10, 1))
    assert [each.days_read for each in again.months] == [0, 0]
    assert {file: file.read_bytes() for file in before} == before
    assert json.dumps(again.as_dict())
