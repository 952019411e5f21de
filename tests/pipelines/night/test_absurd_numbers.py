"""A number that nobody can mean, in a store of an older version, keeps no office from its list."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import polars as pl
import pytest

from configs.loader import load_settings
from pipelines.lists import write
from pipelines.lists.office_list import OfficeList
from pipelines.lists.set_aside import documents_set_aside
from pipelines.store.day_table import DayTable
from tests.pipelines.taken_in import take_in
from tests.pipelines.trained_world import NIGHT, World, different

ABSURD = {
    "total_price": 2018121222001354081010726129.0,
    "unit_price": 1e300,
    "quantity": 1e-300,
    "gross_weight_kg": 1e30,
    "freight": 1e28,
}


def take_in_without_bounds(world: World, rows: pl.DataFrame, folder: Path) -> None:
    """As a version before bounds has taken it in."""
    shutil.copytree(world.configs, folder)
    (folder / "reference").mkdir()
    bounds = "column,least,most,valid_from,note\n*,1e-300,1e308,1900-01-01,\n"
    (folder / "reference" / "bounds.csv").write_text(bounds, encoding="utf-8")
    assert take_in(world.path, rows, settings=load_settings(folder)).manifest["rows_quarantined"] == 0


def offices_with_documents(world: World) -> set[str]:
    folder = world.store.layout.partition(DayTable.LISTS, NIGHT)
    return {path.stem for path in folder.glob("*.xlsx")} & {path.stem for path in folder.glob("*.html")}


def test_every_office_gets_its_list(world: World, tmp_path: Path) -> None:
    lines = world.store.read_declarations(NIGHT).filter(pl.col("line_no") == 1).head(3)
    absurd = [pl.lit(value).alias(name) for name, value in ABSURD.items()]
    take_in_without_bounds(
        world,
        lines.with_columns(pl.format("X{}", "declaration_id").alias("declaration_id"), *absurd),
        tmp_path / "configs",
    )
    assert world.score() == 0
    assert offices_with_documents(world) == set(world.listed()["customs_office"])


@pytest.fixture
def refusing(monkeypatch: pytest.MonkeyPatch, scored: World) -> str:
    """An office whose page cannot be written."""
    office = sorted(set(scored.listed()["customs_office"]))[0]
    page = write.list_page

    def refuse(office_list: OfficeList) -> str:
        if office_list.office == office:
            raise ValueError("a fault that quotes data")
        return page(office_list)

    monkeypatch.setattr(write, "list_page", refuse)
    return office


def test_a_document_that_cannot_be_written_is_set_aside_and_written_by_the_next_run(
    world: World,
    scored: World,
    refusing: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = world.store.layout.partition(DayTable.LISTS, NIGHT)
    assert world.score() == 5
    said = capsys.readouterr().out
    assert (
        f"{NIGHT}: {refusing}.html COULD NOT BE WRITTEN, the others are issued: unexpected ValueError" in said
    )
    assert "quotes" not in said
    changed = different(world.results("lists"), scored.results("lists"))
    day = f"lists/declared_on={NIGHT}"
    assert changed == [f"{day}/{refusing}.html", f"{day}/set_aside.json"]
    manifest = json.loads(world.store.layout.manifests("score")[-1].read_text(encoding="utf-8"))
    assert [each["document"] for each in manifest["documents_set_aside"]] == [f"{refusing}.html"]
    assert world.score() == 5, "the cause is still there"
    assert [each.document for each in documents_set_aside(folder)] == [f"{refusing}.html"]
    monkeypatch.undo()
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    assert world.score() == 0
    assert different(world.results("lists"), scored.results("lists")) == []


def test_select_tells_a_document_that_cannot_be_written(
    scored_world: World, refusing: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert scored_world.run("select", "--date", NIGHT.isoformat()) == 5
    assert f"{refusing}.html COULD NOT BE WRITTEN" in capsys.readouterr().out
