"""A person can be forgotten and a key changed, everywhere in a store; nobody's other lines suffer."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from pipelines.cases.case import CASE, CASE_TYPE
from pipelines.cli.main import run
from pipelines.erasure.rekey import NEW_KEY_VARIABLE
from pipelines.privacy.pseudonyms import KEY_VARIABLE
from pipelines.store.day_table import DayTable
from pipelines.store.layout import RETURNED
from pipelines.store.store import Store
from tests.pipelines.ceb_documents import IMPORT_HEAD, IMPORT_LINE, inventory, message
from tests.pipelines.store.test_digests import flip_a_bit

KEY, NEW = "a key for tests, not a secret", "4f1c0e9b7d2a86355e0b9c7f1a2d3e48"
DAY = date(2026, 11, 20)
IDENTITY = "11010519491231002X"
OTHER = {"buyerIdNumber": "110101199003070791", "buyerName": "王小明", "buyerTelephone": "13800138000"}


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY_VARIABLE, KEY)
    monkeypatch.delenv(NEW_KEY_VARIABLE, raising=False)


def take(store: Path, *heads: dict[str, str]) -> None:
    path = store.with_name(f"{len(list(store.parent.iterdir()))}.xml")
    path.write_text(
        message([inventory({**IMPORT_HEAD, **head}, IMPORT_LINE) for head in heads]), encoding="utf-8"
    )
    assert run(["ingest", str(path), "--store", str(store), "--quiet"]) in (0, 3)


def hashed_numbers(store: Path) -> list[str]:
    numbers = Store.open(store).read_declarations(DAY)["declaration_id"]
    return numbers.filter(numbers.str.len_chars() == 32).to_list()


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Two buyers, one of them also in quarantine; one declaration without a number stands on a list."""
    path = tmp_path / "S"
    take(
        path, {"invtNo": "N1"}, {"invtNo": "N2", **OTHER}, {"invtNo": ""}, {"invtNo": "N4", "appStatus": "1"}
    )
    opened = Store.open(path)
    (number,) = hashed_numbers(path)
    listed = pl.DataFrame(
        {"rank": [1], "declaration_id": [number], "line_no": pl.Series([1], dtype=pl.Int32)}
    )
    with opened.lock("score"), opened.transaction() as t:
        others = [{"declaration_id": number, "by": ["order"]}, {"declaration_id": "N2"}]
        told = [{"earlier": others, "companions": others}, {"companions": others[:1]}, None]
        numbers = pl.Series("declaration_id", ["N1", "N2", "N3"])
        cases = pl.DataFrame([numbers, pl.Series(CASE, told, dtype=CASE_TYPE)])
        cases.write_parquet(t.stage_file(opened.layout.issued_list(DAY, 1, "0123456789ab")))
        seen = opened.read_declarations(DAY, ["declaration_id", "line_no", "buyer_id", "address_id"])
        folder = t.stage(opened.layout.partition(DayTable.INSPECTED, DAY))
        seen.write_parquet(folder / DayTable.INSPECTED.file)
        seen.write_parquet(t.stage(opened.layout.partition(DayTable.PATTERNS, DAY)) / RETURNED)
        folder = t.stage(opened.layout.partition(DayTable.LISTS, DAY))
        listed.write_parquet(folder / DayTable.LISTS.file)
        (folder / "2991.html").write_text(f"<td>{number}</td>")
        with zipfile.ZipFile(folder / "2991.xlsx", "w") as book:
            book.writestr("xl/sharedStrings.xml", f"<t>{number}</t>")
        scores = opened.read_declarations(DAY, ["declaration_id", "line_no"]).with_columns(food_safety=0.5)
        scores.write_parquet(
            t.stage(opened.layout.partition(DayTable.SCORES, DAY)) / "bucket-000-of-001.parquet"
        )
        t.stage(opened.layout.partition(DayTable.PROFILES, DAY)).joinpath("profile.json").write_text("{}")
    return path


def said(monkeypatch: pytest.MonkeyPatch, verb: str, store: Path, text: str) -> int:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    return run([verb, "--store", str(store)])


def everything(store: Path) -> str:
    """All that the store holds, tables and documents, without what it remembers of its key."""
    parts = []
    for path in sorted(store.rglob("*")):
        if path.suffix == ".parquet":
            parts.append(str(pl.read_parquet(path, hive_partitioning=False).to_dicts()))
        elif path.suffix == ".xlsx":
            with zipfile.ZipFile(path) as book:
                parts += [book.read(name).decode() for name in book.namelist()]
        elif path.is_file() and path.name != "store.json":
            parts.append(path.read_bytes().decode("utf-8", "replace"))
    return "\n".join(parts)


def buyer_of(store: Path, number: str) -> str | None:
    lines = Store.open(store).read_declarations(DAY)
    return lines.filter(pl.col("declaration_id") == number)["buyer_id"][0]


def manifest_of(store: Path, verb: str) -> dict[str, object]:
    (path,) = Store.open(store).layout.manifests(verb)
    return dict(json.loads(path.read_text()))


def test_a_person_who_is_forgotten_is_nowhere_in_the_store(
    store: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    gone, stays = buyer_of(store, "N1"), buyer_of(store, "N2")
    assert gone is not None
    assert everything(store).count(gone) > 2
    assert said(monkeypatch, "forget", store, IDENTITY + "\n") == 0

    assert gone not in everything(store)
    assert (buyer_of(store, "N1"), buyer_of(store, "N2")) == (None, stays)
    assert Store.open(store).read_declarations(DAY).height == 3
    facts = manifest_of(store, "forget")
    assert (facts["lines_changed"], facts["days_changed"]) == (2, ["2026-11-20"])
    assert facts["pseudonyms"] == 1
    assert IDENTITY not in everything(store) + "".join(capsys.readouterr())
    assert Store.open(store).days(DayTable.PROFILES) == []
    assert said(monkeypatch, "forget", store, IDENTITY) == 0
    assert "nothing of this person is in the store" in capsys.readouterr().out


def test_the_same_buyer_joins_before_and_after_a_change_of_the_key(
    store: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = Store.open(store).read_declarations(DAY)
    old = {*before["buyer_id"], *before["address_id"], *hashed_numbers(store)}
    assert said(monkeypatch, "rekey", store, NEW + "\n") == 0
    assert [each for each in old if each in everything(store)] == []
    assert NEW not in everything(store) + Store.open(store).layout.meta.read_text() + "".join(
        capsys.readouterr()
    )
    facts = manifest_of(store, "rekey")
    written = {"declarations", "inspected", "issued", "lists", "quarantine", "scores", "ledger"}
    assert set(facts["files_written"]) >= written  # type: ignore[call-overload]
    (issued,) = Store.open(store).layout.issued(DAY)
    others = pl.read_parquet(issued, hive_partitioning=False)[CASE].struct.field("companions").to_list()
    (number,) = hashed_numbers(store)
    assert [[each["declaration_id"] for each in part or ()] for part in others] == [
        [number, "N2"],
        [number],
        [],
    ]
    scored = pl.read_parquet(Store.open(store).layout.files(DayTable.SCORES, DAY)[0], hive_partitioning=False)
    after = Store.open(store).read_declarations(DAY)
    assert scored.join(after, on=["declaration_id", "line_no"], how="semi").height == 3

    monkeypatch.setenv(KEY_VARIABLE, NEW)
    take(store, {"invtNo": "N9"}, {"invtNo": ""})
    assert buyer_of(store, "N9") == buyer_of(store, "N1")
    lines = Store.open(store).read_declarations(DAY).height
    assert lines == 4, "a document without a number is the same one still"
    assert said(monkeypatch, "forget", store, IDENTITY) == 0
    assert buyer_of(store, "N9") is None

    monkeypatch.setenv(KEY_VARIABLE, KEY)
    assert said(monkeypatch, "forget", store, IDENTITY) == 2
    assert "not the one that this store was written with" in capsys.readouterr().err


def test_a_damaged_table_is_refused_and_not_written_anew(
    store: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = next(store.glob("quarantine/*/*.parquet"))
    flip_a_bit(file)
    damaged = file.read_bytes()
    for verb, text in (("forget", IDENTITY), ("rekey", NEW)):
        assert said(monkeypatch, verb, store, text) == 1
        assert f"{file} is damaged" in capsys.readouterr().err
    assert file.read_bytes() == damaged


def test_a_key_given_the_wrong_way_is_refused_and_not_repeated(
    store: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = everything(store)
    for given in ("a" * 16, "1234567890123456", "Secret1", KEY, ""):
        assert said(monkeypatch, "rekey", store, given) == 2
    assert run(["rekey", "--store", str(store), NEW]) == 2
    assert run(["forget", "--store", str(store), IDENTITY]) == 2
    assert said(monkeypatch, "forget", store, " \n") == 2
    told = "".join(capsys.readouterr())
    assert not any(secret in told for secret in ("Secret1", NEW, IDENTITY, KEY))
    assert everything(store) == before
