"""A change and a deletion in the afternoon, with times on a clock of twelve hours or with dashes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipelines.store.store import Store
from tests.pipelines.ceb_documents import IMPORT_HEAD, IMPORT_LINE, inventory, message
from tests.pipelines.taken_in import ingest_files, stored_lines

pytestmark = pytest.mark.usefixtures("key")

NUMBER = "23202026I000000001"


@pytest.fixture(scope="module")
def inputs(shared: Path) -> Path:
    return shared / "faults" / "06-order-of-messages"


def prices(store: Path) -> list[float]:
    return stored_lines(store)["total_price"].to_list()


def accounted(store: Path) -> dict[str, int]:
    """The rows of the last ingest, which add up."""
    said = json.loads(Store.open(store).layout.manifests("ingest")[-1].read_text(encoding="utf-8"))
    assert said["rows_in"] == said["rows_kept"] + said["rows_quarantined"] + said["rows_superseded"]
    return {name: said[f"rows_{name}"] for name in ("in", "kept", "quarantined")}


@pytest.mark.parametrize(("later", "left"), [("change", [70.0]), ("delete", [])])
@pytest.mark.parametrize("backwards", [False, True])
def test_times_with_dashes_apply_whatever_the_order_of_files(
    inputs: Path, tmp_path: Path, later: str, left: list[float], backwards: bool
) -> None:
    files = [inputs / "new-1015.xml", inputs / f"{later}-dashed.xml"][:: -1 if backwards else 1]
    assert ingest_files(tmp_path / "S", *files) == 0
    assert prices(tmp_path / "S") == left
    assert [ingest_files(tmp_path / "T", file) for file in files] == [0, 0]
    assert prices(tmp_path / "T") == left


@pytest.mark.parametrize("later", ["change", "delete"])
@pytest.mark.parametrize("together", [True, False])
def test_a_change_older_than_its_declaration_is_told_by_number(
    inputs: Path, tmp_path: Path, later: str, together: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    files = [inputs / "new-1015.xml", inputs / f"{later}-1415-as-0215.xml"]
    if together:
        assert ingest_files(tmp_path / "S", *files) == 3
    else:
        assert [ingest_files(tmp_path / "S", file) for file in files] == [0, 3]
    assert prices(tmp_path / "S") == [100.0]
    said = capsys.readouterr().out
    assert f"before the declaration that they are about: {NUMBER}. " in said
    accounted(tmp_path / "S")


def sent(folder: Path, name: str, kind: str, at: str, price: str = "100") -> Path:
    path = folder / f"{name}.xml"
    head = {**IMPORT_HEAD, "invtNo": NUMBER, "appType": kind, "appTime": at}
    path.write_text(message([inventory(head, {**IMPORT_LINE, "totalPrice": price})]), encoding="utf-8")
    return path


NEW, CHANGE, DELETE = "1", "2", "3"


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
@pytest.mark.parametrize("together", [True, False])
def test_what_is_sent_in_order_is_not_told_whatever_the_order_of_files(
    tmp_path: Path, order: tuple[int, ...], together: bool
) -> None:
    files = [
        sent(tmp_path, "a", NEW, "20261120101500"),
        sent(tmp_path, "b", CHANGE, "2026-11-20 14:15", "70"),
        sent(tmp_path, "c", DELETE, "2026/11/20 15:00:00"),
    ]
    chosen = [files[number] for number in order]
    runs = [chosen] if together else [[file] for file in chosen]
    assert [ingest_files(tmp_path / "S", *run_) for run_ in runs] == [0] * len(runs)
    assert prices(tmp_path / "S") == []


def test_an_older_deletion_is_told_in_a_later_run_and_a_declaration_after_it_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    new = sent(tmp_path, "new", NEW, "20261120101500")
    change = sent(tmp_path, "change", CHANGE, "20261120141500", "70")
    delete = sent(tmp_path, "delete", DELETE, "20261120021500")
    assert ingest_files(tmp_path / "S", new, change) == 0
    assert ingest_files(tmp_path / "S", delete) == 3
    assert ingest_files(tmp_path / "S", change) == 0, "a repeat that was right is told of nothing"
    assert prices(tmp_path / "S") == [70.0]
    assert ingest_files(tmp_path / "T", delete) == 0
    assert ingest_files(tmp_path / "T", new) == 3
    assert prices(tmp_path / "T") == [100.0]
    assert capsys.readouterr().out.count(NUMBER) == 2


@pytest.mark.parametrize(("at", "kind"), [("2026-11-20 02:15:00 PM", CHANGE), ("20991231000000", DELETE)])
def test_a_change_whose_time_cannot_be_read_is_set_aside_with_the_value(
    tmp_path: Path, at: str, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ingest_files(tmp_path / "S", sent(tmp_path, "new", NEW, "20261120101500")) == 0
    assert ingest_files(tmp_path / "S", sent(tmp_path, "later", kind, at, "70")) == 3
    assert accounted(tmp_path / "S") == {"in": 1, "kept": 0, "quarantined": 1}
    said = capsys.readouterr().out
    assert "later.xml, row 1: appTime " in said
    assert repr(at) in said
    assert prices(tmp_path / "S") == [100.0]


def test_a_new_declaration_whose_time_cannot_be_read_is_kept_with_a_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ingest_files(tmp_path / "S", sent(tmp_path, "new", NEW, "2026-11-20 10:15:00 AM")) == 0
    assert "values that became null: appTime:not_a_time 1" in capsys.readouterr().out
    assert ingest_files(tmp_path / "S", sent(tmp_path, "change", CHANGE, "20261120141500", "70")) == 0
    assert prices(tmp_path / "S") == [70.0]
