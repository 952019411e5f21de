"""The store knows which files it took, and which file brought which of its rows."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import polars as pl

from features.arrays.hashing import hash_text
from pipelines.store.files import read_tables
from pipelines.store.layout import Layout
from pipelines.store.taken import TAKEN_ROWS, taken_files
from tests.pipelines.ingest.test_ingest import lines, put, results, run, with_settings


def test_a_file_is_known_by_its_fingerprint(tmp_path: Path) -> None:
    file = put(tmp_path / "a.csv", lines(3))
    fingerprint = hashlib.sha256(file.read_bytes()).hexdigest()
    report = run(tmp_path / "S", file, put(tmp_path / "b.parquet", lines(4)))
    files = taken_files(Layout(tmp_path / "S"))
    counts = files.select("file", "rows_in", "rows_kept", "rows_quarantined", "rows_superseded").rows()
    assert counts == [(str(file), 3, 3, 0, 0), (str(tmp_path / "b.parquet"), 4, 1, 0, 3)]
    assert files["fingerprint"][0] == report.manifest["files"][0]["fingerprint"] == fingerprint
    written = json.loads((tmp_path / "S/manifests/ingest-2026-11-22-1.json").read_text())
    assert written["files"][0]["fingerprint"] == fingerprint


def test_a_refused_file_was_not_taken(tmp_path: Path) -> None:
    broken = tmp_path / "broken.parquet"
    broken.write_bytes(b"PAR1, and no more")
    assert run(tmp_path / "S", broken).exit_code == 3
    assert taken_files(Layout(tmp_path / "S")).is_empty()


def test_each_row_belongs_to_the_file_that_brought_it(tmp_path: Path) -> None:
    files = [
        put(tmp_path / "a.csv", lines(31)),
        put(tmp_path / "b.csv", lines(5, first=30)),
        put(tmp_path / "c.csv", results(2)),
    ]
    run(tmp_path / "S", *files)
    run(tmp_path / "T", *files, settings=with_settings(chunk_rows=7, merge_rows=5))
    owners = [_owners(tmp_path / store) for store in ("S", "T")]
    assert owners[0].equals(owners[1])
    assert owners[0]["number"].to_list() == [0] * 31 + [1] * 4 + [2] * 2
    results_of = owners[0].filter(pl.col("reported_on").is_not_null())
    assert set(results_of["declaration"]) == set(hash_text(pl.Series(["D0", "D1"])))


def _owners(store: Path) -> pl.DataFrame:
    rows = read_tables(Layout(store).taken("rows"), TAKEN_ROWS, None)
    return rows.sort("number", "declaration", "line_no")
