"""An account without a home, and a program that it may not change: caches are kept beside the store."""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.work import caches
from tests.places import ROOT

PACKAGES = ("configs", "features", "models", "pipelines")
TABLE = """declaration_id,line_no,declared_at,hs_code,total_price,currency,item_name
D1,1,2026-11-20,33049900,12.5,CNY,face cream
"""


@pytest.fixture
def bare_account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in; neither the program's folder nor the home can be written, not even by root."""
    taken = tmp_path / "a file"
    taken.touch()
    monkeypatch.setattr(caches, "_COMPILED", taken / "__pycache__")
    for variable in ("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "NUMBA_CACHE_DIR", "MPLCONFIGDIR"):
        # Set, so that it is put back; then as if it were not there.
        monkeypatch.setenv(variable, "")
    monkeypatch.setenv("HOME", str(taken))
    return tmp_path


def test_caches_are_beside_the_store_where_there_is_no_other_place(bare_account: Path) -> None:
    caches.name_caches(bare_account / "S")
    assert os.environ["NUMBA_CACHE_DIR"] == str(bare_account / "S.cache/numba")
    assert os.environ["MPLCONFIGDIR"] == str(bare_account / "S.cache/matplotlib")


def test_a_run_that_can_keep_nothing_says_so_and_goes_on(
    bare_account: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        caches.name_caches(bare_account / "a file" / "S")
    assert "Name a folder of its own in the variable NUMBA_CACHE_DIR" in caplog.text
    assert Path(os.environ["NUMBA_CACHE_DIR"]).is_dir()


def test_an_account_that_the_system_does_not_know_gets_a_home(
    bare_account: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nobody() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", nobody)
    caches.name_caches(bare_account / "S")
    assert os.environ["HOME"] == str(bare_account / "S.cache")


def test_what_the_account_named_or_may_write_stays(
    bare_account: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(caches, "_COMPILED", tmp_path / "program")
    monkeypatch.setenv("MPLCONFIGDIR", "/named")
    caches.name_caches(bare_account / "S")
    assert (os.environ["NUMBA_CACHE_DIR"], os.environ["MPLCONFIGDIR"]) == ("", "/named")
    assert not (bare_account / "S.cache").exists()


def test_a_bare_account_takes_declarations_in(tmp_path: Path) -> None:
    """Red before: numba found no place for its cache, which was called a fault of the program."""
    program = tmp_path / "program"
    for package in PACKAGES:
        shutil.copytree(ROOT / package, program / package, ignore=shutil.ignore_patterns("__pycache__"))
    for folder in [path for path in program.rglob("*") if path.is_dir()]:
        # A file of this name keeps even root from making the folder.
        (folder / "__pycache__").touch()
    (tmp_path / "a.csv").write_text(TABLE)
    arguments = ["ingest", str(tmp_path / "a.csv"), "--store", str(tmp_path / "S")]
    result = subprocess.run(
        [sys.executable, "-m", "pipelines.cli.main", *arguments],
        env={"PATH": os.environ["PATH"], "HOME": "/dev/null", "PYTHONPATH": str(program)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert list((tmp_path / "S.cache/numba").rglob("*.nbi"))
