"""Folders, archives and many files go in as they lie: what is odd about one of them harms no other."""

from __future__ import annotations

import errno
import gzip
import hashlib
import io
import json
import os
import tarfile
import zipfile
from pathlib import Path

import polars as pl
import pytest

from pipelines.cli.main import run
from pipelines.ingest.line_spool import LineSpool
from tests.pipelines.quarantined import read_quarantine
from tests.pipelines.taken_in import stored_lines

HEADER = "declaration_id,line_no,declared_at,hs_code,total_price,currency,item_name\n"


def table(number: int, rows: int = 1) -> bytes:
    lines = [f"D{number}-{row},1,2026-11-20,010121,5,CNY,cup\n" for row in range(rows)]
    return (HEADER + "".join(lines)).encode()


def put(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def zipped(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return packed.getvalue()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "in"


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "S"


def kept(store: Path) -> list[str]:
    return stored_lines(store)["declaration_id"].to_list()


def taken(capfd: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    code = run(["ingest", *map(str, arguments)])
    out, error = capfd.readouterr()
    return code, out, error


def test_a_folder_stands_for_all_files_below_it(
    folder: Path, store: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    put(folder / "a.csv", table(1))
    put(folder / "2026" / "20" / "b.csv", table(2))
    (folder / "loop").symlink_to(folder, target_is_directory=True)
    assert taken(capfd, folder, "--store", store)[0] == 0
    assert kept(store) == ["D1-0", "D2-0"]


def test_a_folder_without_files_is_told_and_a_missing_path_is_wrong_usage(
    folder: Path, store: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    folder.mkdir()
    code, out, _ = taken(capfd, folder, "--store", store)
    assert (code, "no files in it, so there is nothing to take in" in out) == (0, True)
    code, out, _ = taken(capfd, folder / "*.xml", "--store", store)
    assert (code, "no file is called so" in out) == (0, True)
    for missing in (folder / "gone.csv", folder / "gone" / "*.xml"):
        code, _, error = taken(capfd, missing, "--store", store)
        assert (code, f"expected a file or folder at {missing}: it does not exist" in error) == (2, True)


def test_what_was_taken_before_is_passed_over_under_any_name(
    folder: Path, store: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    put(folder / "19" / "a.csv", table(1))
    assert taken(capfd, folder / "19" / "a.csv", "--store", store)[0] == 0
    put(folder / "20" / "renamed.csv", table(1))
    put(folder / "20" / "b.csv", table(2))
    code, out, _ = taken(capfd, folder, "--store", store)
    assert code == 0
    assert "1 rows in: 1 kept, 0 in quarantine, 0 repeats" in out
    assert "2 files were passed over, for their content was taken in before, or withdrawn" in out
    assert kept(store) == ["D1-0", "D2-0"]
    assert (
        "1 rows in: 0 kept, 0 in quarantine, 1 repeats"
        in taken(capfd, folder / "19" / "a.csv", "--store", store)[1]
    )


def test_a_file_of_which_no_row_was_taken_is_read_again(
    folder: Path, store: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    put(folder / "a.csv", HEADER.encode() + b"D1,one,2026-11-20,010121,5,CNY,cup\n")
    for _ in range(2):
        code, out, _ = taken(capfd, folder, "--store", store)
        assert (code, "1 rows in: 0 kept, 1 in quarantine" in out) == (3, True)


def test_a_file_that_was_withdrawn_does_not_come_back_by_night(
    folder: Path, store: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    wrong = put(folder / "wrong.csv", table(1))
    assert taken(capfd, folder, "--store", store)[0] == 0
    fingerprint = hashlib.sha256(wrong.read_bytes()).hexdigest()
    assert run(["withdraw", fingerprint, "--store", str(store)]) == 0
    put(folder / "right.csv", table(1).replace(b"cup", b"pan"))
    code, out, _ = taken(capfd, folder, "--store", store)
    assert (code, "1 rows in: 1 kept" in out) == (0, True)
    assert taken(capfd, wrong, "--store", store)[0] == 3  # named, it is read


def test_odd_things_beside_a_file_do_not_keep_it_out(
    folder: Path, store: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    gbk = folder / os.fsdecode("广州.csv".encode("gbk"))
    put(gbk, table(1))
    put(folder / "a\x1b[2Jb.csv", table(2))
    (folder / "gone.csv").symlink_to(folder / "nowhere.csv")
    os.mkfifo(folder / "pipe.csv")
    (folder / "sub").mkdir()
    files = [*folder.iterdir(), folder / "vanished.csv"]
    code, out, error = taken(capfd, *files, "--store", store)
    assert (code, kept(store)) == (3, ["D1-0", "D2-0"]), out + error
    for told in ("gone.csv cannot be read", "pipe.csv is no ordinary file", "vanished.csv is not there"):
        assert told in out
    out = taken(capfd, folder, "--store", store, "--log-format", "json")[1]
    assert json.loads(out)["files_passed_over"] == 2
    manifest = next((store / "manifests").glob("ingest-*-0001.json"), None) or min(
        (store / "manifests").iterdir()
    )
    assert r"\\xb9\\xe3\\xd6\\xdd.csv" in manifest.read_text(encoding="utf-8")


def test_rows_of_a_file_with_an_odd_name_go_to_quarantine(
    folder: Path, store: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    bad = HEADER.encode() + b"D1,one,2026-11-20,010121,5,CNY,cup\n"
    path = put(folder / os.fsdecode(b"\xb9\xe3.csv"), bad)
    code, out, _ = taken(capfd, path, "--store", store)
    assert (code, r"\xb9\xe3.csv, row 1" in out) == (3, True)
    assert read_quarantine(store)["source_file"][0].endswith(r"\xb9\xe3.csv")


def test_what_editors_and_transfers_leave_is_passed_over(
    folder: Path, store: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    for name in ("~$list.xlsx", ".DS_Store", "Thumbs.db", "b.csv.part", "c.tmp", "._a.csv"):
        put(folder / name, b"nothing to read")
    put(folder / "a.csv", table(1))
    code, out, _ = taken(capfd, folder, "--store", store)
    assert (code, kept(store)) == (0, ["D1-0"])
    assert "6 files were passed over, for they are what an editor or a transfer left" in out


def test_archives_stand_for_what_they_hold(
    folder: Path, store: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    inner = zipped({"d.csv": table(4)})
    members = {"../../a.csv": table(1), "b/c.csv.gz": gzip.compress(table(2)), "in.zip": inner}
    put(folder / "day.zip", zipped(members | {"__MACOSX/x": b"x"}))
    put(folder / "e.csv.gz", gzip.compress(table(5)))
    code, out, error = taken(capfd, folder, "--store", store)
    assert (code, kept(store)) == (0, ["D1-0", "D2-0", "D4-0", "D5-0"]), out + error
    assert not (folder.parent.parent / "a.csv").exists()
    # Unpacked, it is the same.
    put(folder.parent / "again" / "a.csv", table(1))
    assert "1 files were passed over" in taken(capfd, folder.parent / "again", "--store", store)[1]


def _tar() -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        info = tarfile.TarInfo("a.csv")
        info.size = len(table(1))
        archive.addfile(info, io.BytesIO(table(1)))
    return packed.getvalue()


REFUSED = {
    "bomb.zip": (zipped({"a.csv": b"0" * 30_000_000}), "250 times its size or more"),
    "bomb.gz": (gzip.compress(b"0" * 30_000_000), "250 times its size or more"),
    "cut.zip": (zipped({"a.csv": table(1)})[:-30], "cannot be unpacked"),
    "name.zip": (zipped({"茶.csv": table(1)}).replace("茶".encode(), b"\xff" * 3), "cannot be unpacked"),
    "cut.gz": (gzip.compress(table(1))[:-12], "cannot be unpacked"),
    "deep.zip": (zipped({"a.zip": zipped({"b.zip": zipped({"c.csv": table(1)})})}), "deeper than"),
    "day.tar.gz": (_tar(), "is a tar archive"),
    "day.7z": (b"7z\xbc\xaf\x27\x1c" + b"\0" * 40, "is a 7z archive"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_an_archive_beyond_its_bounds_is_refused_and_the_others_go_in(
    folder: Path, store: Path, capfd: pytest.CaptureFixture[str], name: str
) -> None:
    content, told = REFUSED[name]
    put(folder / name, content)
    put(folder / "good.csv", table(9))
    code, out, error = taken(capfd, folder, "--store", store)
    assert (code, kept(store)) == (3, ["D9-0"]), out + error
    assert told in next(line for line in out.splitlines() if line.startswith("refused as a whole"))


def test_a_damaged_file_in_an_archive_costs_that_file_alone(
    folder: Path, store: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    packed = zipped({"a.csv": table(1), "b.csv": table(2)}, zipfile.ZIP_BZIP2)
    put(folder / "day.zip", packed.replace(b"BZh91AY&SY", b"BZh91AY&SX", 1))
    code, out, error = taken(capfd, folder, "--store", store)
    assert (code, kept(store)) == (3, ["D2-0"]), out + error
    assert "refused as a whole" in out
    assert "day.zip/a.csv is an archive that cannot be unpacked" in out


def test_a_disk_that_fails_while_rows_are_put_aside_is_no_fault_of_the_file(
    folder: Path, store: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(errno.EIO, "Input/output error", "spool")

    monkeypatch.setattr(LineSpool, "add", fail)
    path = put(folder / "a.csv", table(1, rows=8_000))
    code, out, error = taken(capfd, path, "--store", store)
    assert (code, out) == (1, "")
    assert "Input/output error" in error


def test_check_says_the_same_and_writes_nothing(
    folder: Path, store: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    put(folder / "a.csv", table(1))
    put(folder / "b.csv", HEADER.encode() + b"D1,one,2026-11-20,010121,5,CNY,cup\n")
    checked = taken(capfd, folder, "--store", store, "--check")
    assert not store.exists()
    real = taken(capfd, folder, "--store", store)
    assert checked[:2] == real[:2]
    assert real[0] == 3
    before = {path: path.stat().st_mtime_ns for path in store.rglob("*")}
    put(folder / "c.csv", table(3))
    code, out, _ = taken(capfd, folder / "c.csv", "--store", store, "--check")
    assert (code, "1 rows in: 1 kept" in out) == (0, True)
    assert {path: path.stat().st_mtime_ns for path in store.rglob("*")} == before


def test_a_table_without_rows_is_never_taken_in_silence(
    folder: Path, store: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = put(folder / "a.csv", HEADER.encode())
    code, _, error = taken(capfd, path, "--store", store, "--quiet")
    assert (code, "a.csv: a file without rows: nothing was taken from it" in error) == (0, True)


def test_rows_of_many_small_files_stay_those_of_their_files(
    folder: Path, store: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    head = HEADER.encode()
    put(folder / "a.csv", table(1, rows=3))
    put(folder / "b.csv", head + b"D2-0,1,2026-11-20,010121,5,CNY,cup\nD3,one,2026-11-20,010121,5,CNY,cup\n")
    put(folder / "c.csv", head + b"D4,1,2026-11-20,010121,-5,CNY,cup\nD1-0,1,2026-11-20,010121,6,CNY,pan\n")
    put(folder / "d.csv", b"PAR1 no table at all")
    put(folder / "e.csv", head[:-1] + b",remark\nD5,1,2026-11-20,010121,5,CNY,cup,good\n")
    code, out, _ = taken(capfd, folder, "--store", store)
    assert (code, kept(store)) == (3, ["D1-0", "D1-1", "D1-2", "D2-0", "D5"])
    assert "8 rows in: 5 kept, 3 in quarantine, 0 repeats" in out
    assert f"{folder}/b.csv, row 2: line_no" in out
    assert f"{folder}/c.csv, row 1: total_price" in out
    assert f"{folder}/e.csv: columns that the contract does not have are not stored: 'remark'" in out
    rejected = read_quarantine(store).select("source_file", "source_row").rows()
    names = [(Path(file).name, row) for file, row in rejected]
    assert sorted(names, key=str) == [("b.csv", 2), ("c.csv", 1), ("c.csv", 2), ("d.csv", None)]
    manifest = json.loads(next((store / "manifests").glob("ingest-*.json")).read_text(encoding="utf-8"))
    rows = {
        Path(file["file"]).name: (file["rows_in"], file["rows_quarantined"]) for file in manifest["files"]
    }
    assert rows == {"a.csv": (3, 0), "b.csv": (2, 1), "c.csv": (2, 2), "d.csv": (0, 0), "e.csv": (1, 0)}


def test_small_files_whose_columns_are_of_other_types_go_in(
    folder: Path, store: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    folder.mkdir()
    text = pl.read_csv(table(1), infer_schema=False)
    text.write_parquet(folder / "a.parquet")
    text.with_columns(pl.lit("D2").alias("declaration_id"), pl.col("line_no").cast(pl.Int64)).write_parquet(
        folder / "b.parquet"
    )
    code, out, error = taken(capfd, folder, "--store", store)
    assert (code, kept(store)) == (0, ["D1-0", "D2"]), out + error
