"""A file that was wrong is taken back, and the corrected one comes in."""

from __future__ import annotations

import hashlib
from pathlib import Path

import polars as pl
import pytest

from configs.errors import UsageError
from pipelines.cli.main import run as command
from pipelines.ingest.withdraw import WithdrawReport, withdraw
from pipelines.store.layout import Layout
from pipelines.store.store import Store
from pipelines.store.taken import taken_files
from tests.pipelines.ingest.test_ingest import DAY, SETTINGS, lines, put, results, run, tables
from tests.pipelines.ingest.test_ingest_ceb import inventory, message
from tests.pipelines.returned_lists import Office


def fingerprint(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def take_back(store: Path, file: Path) -> WithdrawReport:
    return withdraw(store, fingerprint(file), settings=SETTINGS)


def test_a_wrong_label_is_put_right(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store, wrong = tmp_path / "S", put(tmp_path / "wrong.csv", results(2))
    right = put(tmp_path / "right.csv", results(2, undervaluation="0"))
    run(store, put(tmp_path / "lines.csv", lines(4)), wrong)
    assert run(store, right).exit_code == 3
    assert command(["withdraw", fingerprint(wrong)[:12], "--store", str(store)]) == 0
    said = capsys.readouterr().out
    assert "wrong.csv is withdrawn: 0 lines of declarations and 2 results were taken back" in said
    assert f"ingest again, for rows that it kept out, replaced or had like them: {right}" in said
    assert Store.open(store).inspection_days() == []
    assert set(taken_files(Layout(store))["file"]) == {str(tmp_path / "lines.csv")}
    assert run(store, right).exit_code == 0
    assert Store.open(store).read_inspections()["undervaluation"].to_list() == [False, False]
    assert set(taken_files(Layout(store))["file"]) == {str(tmp_path / "lines.csv"), str(right)}


def test_the_store_is_as_if_the_file_had_never_come(tmp_path: Path) -> None:
    files = [
        put(tmp_path / "a.csv", lines(11)),
        put(tmp_path / "b.csv", pl.concat([lines(9, first=10), lines(5, "2026-11-19", first=40)])),
        put(tmp_path / "c.csv", results(3)),
    ]
    run(tmp_path / "S", *files)
    run(tmp_path / "T", files[0], files[2])
    report = take_back(tmp_path / "S", files[1])
    assert (report.manifest["lines"], report.manifest["rows_superseded"]) == (13, 13)
    assert {**tables(tmp_path / "S")} == tables(tmp_path / "T")
    run(tmp_path / "S", files[1])
    run(tmp_path / "U", *files)
    assert tables(tmp_path / "S") == tables(tmp_path / "U")


def test_what_another_file_had_too_comes_back_with_it(tmp_path: Path) -> None:
    first, second = put(tmp_path / "a.csv", lines(4)), put(tmp_path / "b.parquet", lines(6))
    run(tmp_path / "S", first)
    run(tmp_path / "S", second)
    report = take_back(tmp_path / "S", first)
    assert report.again == [str(second)]
    assert Store.open(tmp_path / "S").read_declarations(DAY).height == 2
    run(tmp_path / "S", second)
    assert Store.open(tmp_path / "S").read_declarations(DAY).height == 6


def test_a_file_whose_rows_never_came_in_takes_none_away(tmp_path: Path) -> None:
    first, second = (
        put(tmp_path / "a.csv", results(2)),
        put(tmp_path / "b.csv", results(2, undervaluation="0")),
    )
    run(tmp_path / "S", put(tmp_path / "lines.csv", lines(4)), first, second)
    assert take_back(tmp_path / "S", second).manifest["results"] == 0
    assert Store.open(tmp_path / "S").read_inspections()["undervaluation"].all()


def test_what_was_never_ingested_cannot_be_withdrawn(tmp_path: Path) -> None:
    file = put(tmp_path / "a.csv", lines(2))
    run(tmp_path / "S", file)
    with pytest.raises(UsageError, match=f"The last ones: {fingerprint(file)} {file}"):
        withdraw(tmp_path / "S", "0" * 64, settings=SETTINGS)
    take_back(tmp_path / "S", file)
    with pytest.raises(UsageError, match=r"a\.csv was withdrawn before"):
        take_back(tmp_path / "S", file)
    assert Store.open(tmp_path / "S").declaration_days() == []


@pytest.mark.usefixtures("key")
def test_of_messages_the_one_before_counts_again(tmp_path: Path) -> None:
    store, both = tmp_path / "S", (inventory("A", 1, 0, (1, "1"), (2, "2")), inventory("B", 1, 0, (1, "5")))
    new = message(tmp_path / "new.xml", *both)
    change = message(tmp_path / "change.xml", inventory("A", 2, 1, (2, "3")))
    delete = message(tmp_path / "delete.xml", inventory("B", 3, 2))
    for file in (new, change, delete):
        run(store, file)
    run(tmp_path / "T", new)
    assert str(new) in take_back(store, change).again
    assert Store.open(store).declaration_days() == []
    assert str(new) in take_back(store, delete).again
    run(store, new)
    before, after = tables(tmp_path / "T"), tables(store)
    kept = [name for name in before if name.startswith("declarations")]
    assert kept
    assert [after[name] == before[name] for name in kept] == [True] * len(kept)


def test_a_filled_in_list_is_corrected_and_not_withdrawn(office: Office) -> None:
    returned = office.csv({1: {"result": "found", "inspected_on": "2026-11-21"}})
    office.give_back(returned)
    with pytest.raises(UsageError, match="is a filled-in list: correct it"):
        take_back(office.store.path, returned)
