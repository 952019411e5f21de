"""Whatever is wrong with what comes in: an exit code, a message that a stranger understands, nothing lost."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from pipelines.cli.main import run
from pipelines.store.store import Store
from tests.pipelines.trained_world import World, different
from tests.places import ROOT

HEADER = "declaration_id,line_no,declared_at,hs_code,total_price,currency,item_name"
GOOD = [f"D{number},1,2026-11-20,33049900,{number}.5,CNY,cup" for number in range(30)]
TOMORROW_BUT_ONE = (datetime.now(UTC) + timedelta(days=3)).date().isoformat()
SAMPLE_KEY = "a key for tests, not a secret"


def table(path: Path, rows: Sequence[str], header: str = HEADER) -> Path:
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


def accounted(store: Path) -> dict[str, int]:
    """The rows of the last ingest, which add up."""
    said = json.loads(Store.open(store).layout.manifests("ingest")[-1].read_text(encoding="utf-8"))
    assert said["rows_in"] == said["rows_kept"] + said["rows_quarantined"] + said["rows_superseded"]
    return {name: said[f"rows_{name}"] for name in ("in", "kept", "quarantined")}


CUT_XML = (
    b'<?xml version="1.0"?><ceb:CEB621Message xmlns:ceb="http://www.chinaport.gov.cn/ceb"><ceb:Inventory>'
)
BOMB = (
    b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "bbbbbbbbbb"><!ENTITY c "&b;&b;&b;&b;&b;&b;">]>'
    b'<ceb:CEB621Message xmlns:ceb="http://www.chinaport.gov.cn/ceb">&c;</ceb:CEB621Message>'
)
FILES = {
    "an empty file": ("a.csv", b"", ["a.csv is empty"]),
    "a text file named .parquet": (
        "a.parquet",
        f"{HEADER}\n{GOOD[0]}\n".encode(),
        ["a.parquet", "no Parquet file"],
    ),
    "a missing column": (
        "a.csv",
        f"{HEADER.replace('hs_code,', '')}\nD1,1,2026-11-20,5,CNY,cup\n".encode(),
        ["a.csv", "hs_code"],
    ),
    "a truncated XML": ("a.xml", CUT_XML, ["a.xml", "the file is truncated"]),
    "an XML bomb": ("a.xml", BOMB, ["a.xml"]),
    "an empty XML": ("a.xml", b"", ["a.xml", "empty"]),
}


@pytest.mark.parametrize("what", FILES)
def test_a_file_that_cannot_be_read_ends_with_3_and_the_others_go_in(
    what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PARCEL_RISK_PSEUDONYM_KEY", SAMPLE_KEY)
    name, content, words = FILES[what]
    (tmp_path / name).write_bytes(content)
    good = table(tmp_path / "good.csv", GOOD)
    assert run(["ingest", str(tmp_path / name), str(good), "--store", str(tmp_path / "S")]) == 3
    refusal = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("refused"))
    assert [word for word in words if word not in refusal] == []
    assert "Traceback" not in refusal
    assert accounted(tmp_path / "S")["kept"] == len(GOOD)


ROWS = {
    "a wrong type": ("D99,1,2026-11-20,33049900,cheap,CNY,cup", "total_price", "cheap"),
    "a duplicate key": (
        "D1,1,2026-11-20,33049900,7,CNY,cup",
        "duplicate_key",
        "another row has the same key",
    ),
    "a negative price": ("D99,1,2026-11-20,33049900,-7,CNY,cup", "total_price:out_of_range", "-7"),
    "a future date": (
        f"D99,1,{TOMORROW_BUT_ONE},33049900,7,CNY,cup",
        "declared_at:future_date",
        TOMORROW_BUT_ONE,
    ),
}


@pytest.mark.parametrize("what", ROWS)
def test_a_row_that_breaks_the_contract_is_told_with_its_place(
    what: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    row, reason, shown = ROWS[what]
    file = table(tmp_path / "a.csv", [*GOOD, row])
    few, many = tmp_path / "few", tmp_path / "many"
    assert run(["ingest", str(file), "--store", str(few)]) == 0, "one of 31 is within the tolerance"
    said = capsys.readouterr().out
    assert reason in said
    assert f"{file}, row {len(GOOD) + 1}: " in said
    assert shown in said
    assert accounted(few) == {"in": 31, "kept": 30, "quarantined": 1}

    table(file, [*GOOD[:3], row])
    assert run(["ingest", str(file), "--store", str(many)]) == 3, "one of 4 is not"
    said = capsys.readouterr().out
    assert "1 rows (25.0%) break the contract, tolerated: 5.0%" in said
    assert "under quarantine/" in said
    assert accounted(many) == {"in": 4, "kept": 3, "quarantined": 1}


def test_a_name_of_100_megabytes_stops_nobody(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    giant = f"D99,1,2026-11-20,33049900,7,CNY,{'x' * 100_000_000}"
    file = table(tmp_path / "a.csv", [*GOOD, giant])
    assert run(["ingest", str(file), "--store", str(tmp_path / "S")]) == 0
    said = capsys.readouterr().out
    assert "item_name:text_too_long 1" in said
    assert len(said) < 10_000
    assert accounted(tmp_path / "S") == {"in": 31, "kept": 31, "quarantined": 0}


def test_a_missing_key_is_told_before_anything_is_read(
    tmp_path: Path, shared: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sample = shared / "ceb/samples/CEB621Message.xml"
    assert run(["ingest", str(sample), "--store", str(tmp_path / "S")]) == 2
    assert "PARCEL_RISK_PSEUDONYM_KEY" in capsys.readouterr().err
    assert not (tmp_path / "S/declarations").exists()


@pytest.mark.parametrize("verb", ["score", "train", "select", "ingest"])
def test_a_store_of_an_older_version_is_left_alone(
    verb: str, tmp_path: Path, untrained: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world = untrained.copy(tmp_path)
    described = world.path / "store.json"
    old = described.read_text(encoding="utf-8").replace('"format": 1', '"format": 0')
    described.write_text(old, encoding="utf-8")
    day = ["--date", "2026-11-20"]
    options: dict[str, list[str]] = {
        "score": day, "select": day, "train": [], "ingest": [str(table(tmp_path / "a.csv", GOOD))]
    }  # fmt: skip
    before = world.results("declarations", "inspections", "store.json")
    assert world.run(verb, *options[verb]) == 1
    said = capsys.readouterr().err
    assert "an older version" in said
    assert "expected format 1, found 0" in said
    assert "ingest the source files into a new store" in said
    assert different(world.results("declarations", "inspections", "store.json"), before) == []


def test_a_day_without_declarations_ends_with_2(trained: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert trained.run("score", "--date", "2025-01-01") == 2
    assert "expected declarations on 2025-01-01" in capsys.readouterr().err
    assert trained.run("score", "--date", "2025-01-01", "--to", "2025-01-09") == 2
    said = capsys.readouterr().err
    assert "from 2025-01-01 to 2025-01-09" in said
    assert "parcel-risk ingest" in said


@pytest.mark.parametrize("verb", ["score", "select"])
def test_a_store_that_is_not_there_ends_with_1(
    verb: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([verb, "--store", str(tmp_path / "S"), "--date", "2026-11-20"]) == 1
    assert f"expected a store at {tmp_path / 'S'}, found none" in capsys.readouterr().err
    assert not (tmp_path / "S").exists()


def test_the_program_itself_ends_with_these_codes(tmp_path: Path) -> None:
    file = table(tmp_path / "a.csv", [GOOD[0], "D2,1,2026-11-20,33049900,-1,CNY,cup"])
    command = [
        sys.executable,
        "-m",
        "pipelines.cli.main",
        "ingest",
        str(file),
        "--store",
        str(tmp_path / "S"),
    ]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert ended.returncode == 3, ended.stderr
    assert "1 in quarantine" in ended.stdout


def test_the_official_sample_names_nobody_anywhere(
    tmp_path: Path, shared: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PARCEL_RISK_PSEUDONYM_KEY", SAMPLE_KEY)
    sample = shared / "ceb/samples/CEB621Message.xml"
    text = sample.read_text(encoding="utf-8")
    tags = ("buyerIdNumber", "buyerName", "buyerTelephone", "consigneeAddress")
    persons = {
        value.strip()
        for tag in tags
        for value in (part.split("</", 1)[0] for part in text.split(f"<ceb:{tag}>")[1:])
        if value.strip()
    }
    assert len(persons) >= len(tags)
    store = tmp_path / "S"
    # Every way in which the program talks, and what it does with a store that has no results.
    assert run(["ingest", str(sample), "--store", str(store), "-v"]) == 0
    assert run(["ingest", str(sample), "--store", str(store), "--log-format", "json"]) == 0
    assert run(["train", "--store", str(store), "-v"]) == 3
    assert run(["score", "--store", str(store), "--date", "2016-03-08", "-v"]) == 4
    captured = capsys.readouterr()
    texts = {"output": captured.out + captured.err}
    for path in tmp_path.rglob("*"):
        if path.suffix == ".parquet":
            texts[str(path)] = str(pl.read_parquet(path, hive_partitioning=False).to_dicts())
        if path.is_file():
            texts[f"{path}, bytes"] = path.read_bytes().decode("utf-8", "replace")
    assert Store.open(store).declaration_days()
    assert len(texts) > 5
    found = {place: person for place, content in texts.items() for person in persons if person in content}
    assert found == {}
