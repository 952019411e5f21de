"""What the law says of listed parcels stands on every document of a list, with notice and day."""

from __future__ import annotations

import html
import io
import re
import shutil
from datetime import date
from pathlib import Path

import openpyxl
import polars as pl
import pytest

from configs.language import ENGLISH, language
from configs.loader import reference_path
from configs.reference.table_names import table_names
from features.words.finding_teller import FindingTeller
from pipelines.store.day_table import DayTable
from pipelines.store.files import read_whole
from tests.pipelines.trained_world import NIGHT, World

TELLERS = {
    "reason_1": FindingTeller(ENGLISH),
    "reason_1@zh-CN": FindingTeller(language("zh-CN"), table_names("zh-CN")),
}
IN_CHINESE = ("2249", "5144", "8013")
CAPACITY = """
default: {parcels: 12}
random_share: 0.2
offices:
  "2249": {language: zh-CN}
  "5144": {language: zh-CN}
  "8013": {language: zh-CN}
must_inspect:
  - {column: check, value: order_limit, since: 2026-01-01, reason: dear parcels}
"""


@pytest.fixture(scope="module")
def night(scored: World, tmp_path_factory: pytest.TempPathFactory) -> World:
    """A night of which parcels above a limit of CNY 300 are opened, with documents in two languages."""
    folder = tmp_path_factory.mktemp("law")
    copied = scored.copy(folder)
    shutil.copytree(scored.configs, folder / "configs")
    world = World(copied.path, folder / "configs")
    (world.configs / "capacity.yaml").write_text(CAPACITY, encoding="utf-8")
    set_limit(world, 300)
    assert world.run("check", "--date", str(NIGHT)) == 0
    assert world.run("select", "--date", str(NIGHT)) == 0
    return world


def set_limit(world: World, cny: int) -> None:
    """Lay a limit of an order over the packaged ones, by a notice of its own."""
    rows = reference_path("limits.csv", None).read_text(encoding="utf-8")
    file = world.configs / "reference" / "limits.csv"
    file.parent.mkdir(exist_ok=True)
    row = f'order_limit_cny,{cny},2026-11-01,,"MOF, GACC and STA notice 2026-7",\n'
    file.write_text(rows + row, encoding="utf-8")


def law(world: World) -> pl.DataFrame:
    """What the law says of the night."""
    return pl.read_parquet(world.store.layout.file(DayTable.LAW, NIGHT), hive_partitioning=False)


def issued(world: World) -> pl.DataFrame:
    """The newest list of each office, as it was issued."""
    lists = [read_whole(file) for file in world.store.layout.issued(NIGHT)]
    newest = {rows["customs_office"][0]: rows for rows in lists}
    return pl.concat(newest.values())


def test_a_parcel_that_is_listed_by_a_check_of_the_law_says_so_first(night: World) -> None:
    failed = law(night).filter(check="order_limit", outcome="failed")
    rows = issued(night).filter(selection="rule")
    assert rows.height > 5
    assert set(rows["declaration_id"]) <= set(failed["declaration_id"])
    by_parcel = {row["declaration_id"]: row for row in failed.iter_rows(named=True)}
    assert {row["basis"] for row in by_parcel.values()} == {"MOF, GACC and STA notice 2026-7"}
    for row in rows.iter_rows(named=True):
        finding = by_parcel[row["declaration_id"]]
        assert finding["valid_from"] == date(2026, 11, 1)
        for column, teller in TELLERS.items():
            assert row[column] == teller.verdicts([finding])[0]
        assert "MOF, GACC and STA notice 2026-7, in force from 2026-11-01" in row["reason_1"]
        assert "财政部、海关总署、税务总局公告2026年第7号，自 2026-11-01 起施行" in row["reason_1@zh-CN"]
        assert row["reason_2"] == "on the watch list since 2026-01-01: dear parcels"


def test_what_the_law_says_of_others_stands_beside_their_reasons(night: World) -> None:
    of_law = {
        row["declaration_id"]: row["_"]
        for row in law(night)
        .group_by("declaration_id")
        .agg(_=pl.struct(pl.all().exclude("declaration_id")))
        .iter_rows(named=True)
    }
    rows = issued(night)
    drawn = [
        row
        for row in rows.iter_rows(named=True)
        if row["selection"] != "rule" and row["declaration_id"] in of_law
    ]
    assert {row["customs_office"] in IN_CHINESE for row in drawn} == {True, False}
    for row in drawn:
        assert not any((row[f"reason_{place}"] or "").startswith("law: ") for place in (1, 2, 3))
        chinese = row["customs_office"] in IN_CHINESE
        teller = TELLERS["reason_1@zh-CN" if chinese else "reason_1"]
        folder = night.store.layout.partition(DayTable.LISTS, NIGHT)
        page = html.unescape((folder / f"{row['customs_office']}.html").read_text(encoding="utf-8"))
        book = openpyxl.load_workbook(
            io.BytesIO((folder / f"{row['customs_office']}.xlsx").read_bytes()), read_only=True
        )
        cells = [str(cell) for sheet in book.worksheets[:2] for line in sheet.values for cell in line if cell]
        for verdict in teller.verdicts(of_law[row["declaration_id"]]):
            assert f"<li><bdi>{verdict}</bdi></li>" in page
            assert sum(verdict in cell for cell in cells) == 2


def test_a_verdict_is_that_of_the_tables_with_which_the_day_was_checked_last(
    night: World, tmp_path: Path
) -> None:
    world = World(night.copy(tmp_path).path, tmp_path / "configs")
    shutil.copytree(night.configs, world.configs)
    set_limit(world, 10_000_000)
    assert world.run("check", "--date", str(NIGHT)) == 0
    assert world.run("select", "--date", str(NIGHT)) == 0
    assert world.listed().filter(selection="rule").is_empty()
    # Cases are as they were issued first, but for what the checks find.
    verdict = re.compile("notice 2026-7|公告2026年第7号")
    assert sum(verdict.search(page) is not None for page in pages(night)) > 5
    assert not any(map(verdict.search, pages(world)))


def pages(world: World) -> list[str]:
    """The pages of the lists."""
    folder = world.store.layout.partition(DayTable.LISTS, NIGHT)
    return [html.unescape(file.read_text(encoding="utf-8")) for file in sorted(folder.glob("*.html"))]
