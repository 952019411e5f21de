"""What the program writes is for its owner's eyes, and for those whom the configuration names."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from configs.schema.pipeline import ScoringConfig
from pipelines.cli.main import run
from pipelines.night.metrics_file import write_metrics


@pytest.fixture(autouse=True)
def ordinary_umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    assert os.umask(before) == 0o022, "a verb leaves the umask of the process as it was"


def open_to_others(folder: Path, bits: int) -> list[str]:
    return [str(path) for path in (folder, *folder.rglob("*")) if path.stat().st_mode & bits]


def simulate(store: Path, *options: str) -> int:
    days = ("--days", "2", "--parcels-per-day", "20", "--end", "2026-11-02", "--seed", "1")
    return run(["simulate", "--store", str(store), *days, "--quiet", *options])


def test_nobody_but_the_owner_reads_a_store_under_an_ordinary_umask(tmp_path: Path) -> None:
    assert simulate(tmp_path / "S") == 0
    assert open_to_others(tmp_path / "S", stat.S_IRWXG | stat.S_IRWXO) == []


def test_the_group_reads_a_store_where_the_configuration_says_so(tmp_path: Path) -> None:
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs/pipeline.yaml").write_text("store: {readable_by: group}\n")
    assert simulate(tmp_path / "S", "--configs", str(tmp_path / "configs")) == 0
    tables = list((tmp_path / "S").rglob("*.parquet"))
    assert tables
    assert all(path.stat().st_mode & stat.S_IRGRP for path in tables)
    assert open_to_others(tmp_path / "S", stat.S_IRWXO | stat.S_IWGRP) == []


@pytest.mark.parametrize(("readers", "mode"), [("all", 0o644), ("group", 0o640), ("owner", 0o600)])
def test_the_file_of_metrics_has_a_mode_of_its_own(tmp_path: Path, readers: str, mode: int) -> None:
    os.umask(0o077)
    file = tmp_path / "collector" / "parcel_risk.prom"
    config = ScoringConfig(metrics_file=str(file), metrics_readable_by=readers)  # type: ignore[arg-type]
    write_metrics(tmp_path / "S", config, None, 1, 1.0)
    assert stat.S_IMODE(file.stat().st_mode) == mode
    os.umask(0o022)
