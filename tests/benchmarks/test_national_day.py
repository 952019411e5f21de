"""The national day is what it says it is, and processes are measured whole.

That all of it runs takes minutes even at a tiny size: `make bench-day`.
"""

from __future__ import annotations

import sys
from pathlib import Path

import polars as pl
import pytest

from benchmarks.national.day_material import PARTIES, Month, make_day
from benchmarks.national.naive_day import validated
from benchmarks.national.national_night import REST, verb_figures
from benchmarks.national.national_stores import DAY, DONE, Setup, leave_models, month_commands
from benchmarks.shared.measured_process import run_measured
from features.contract.china_time import china_day
from features.contract.declarations import DECLARATION_COLUMNS, validate_declarations
from pipelines.cli.main import run
from tests.pipelines.taken_in import take_in
from tests.pipelines.trained_world import DAYS, PARCELS_PER_DAY, World, results_of

LINES = 6_000
NAIVE_LINES = 4_000


@pytest.fixture(scope="module")
def setup(tmp_path_factory: pytest.TempPathFactory, trained: World) -> Setup:
    """The small store with its models, instead of the large one that the benchmark trains for minutes."""
    work = tmp_path_factory.mktemp("national")
    sizes = {"trained_days": DAYS, "trained_parcels": PARCELS_PER_DAY, "month_parcels": 500, "month_days": 8}
    whole = Setup(work, workers=1, configs=trained.configs, **sizes)
    trained.copy(whole.trained.parent)
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        leave_models(whole)
        patch.setenv("MLFLOW_TRACKING_URI", whole.environment()["MLFLOW_TRACKING_URI"])
        # In this process: what a verb imports takes longer than so small a month.
        simulated, closed = month_commands(whole)
        assert run(simulated[3:]) == 0
        # Of so few parcels no officer finds anything in a week.
        take_in(whole.month, results_of(whole.month), settings=trained.settings)
        assert run(closed[3:]) == 0
    for store in (whole.trained, whole.month):
        (store.parent / DONE).touch()
    return whole


def test_the_day_is_like_the_month(setup: Setup, tmp_path: Path) -> None:
    month = Month(setup.month)
    made = make_day(month, LINES, tmp_path / "day", lines_of_a_file=LINES // 3)
    again = make_day(month, LINES, tmp_path / "again", lines_of_a_file=LINES // 3)
    assert [path.read_bytes() for path in made.files] == [path.read_bytes() for path in again.files]
    lines = pl.concat([pl.read_parquet(path) for path in made.files])
    assert lines.height == made.lines == LINES
    assert lines.columns == list(DECLARATION_COLUMNS)
    found = validate_declarations(lines)
    assert found.rejected["reasons"].explode().unique().to_list() == ["hs_code:bad_format"]
    assert list(found.nulled) == ["quantity:out_of_range"]
    assert china_day(lines["declared_at"]).unique().to_list() == [DAY]
    assert lines["declaration_id"].n_unique() == made.parcels
    # No parcel of the month comes again, so the store takes every line that keeps the contract.
    assert not lines["declaration_id"].is_in(month.lines["declaration_id"].implode()).any()
    for name in PARTIES:
        known = lines[name].drop_nulls().is_in(month.lines[name].implode()).mean()
        assert known == pytest.approx(made.known[name], abs=0.12)
    one, other = lines["total_price"].median(), month.lines["total_price"].median()
    assert one == pytest.approx(other, rel=0.15)


def test_the_naive_day_keeps_the_same_lines(setup: Setup, tmp_path: Path) -> None:
    made = make_day(Month(setup.month), LINES, tmp_path / "day")
    raw = pl.read_parquet(made.files[0])
    kept, rejected = validated(raw.to_pandas())
    ours = validate_declarations(raw)
    first = ours.kept.unique(["declaration_id", "line_no"], keep="first")
    assert rejected == LINES - first.height
    assert len(kept) == first.height
    assert kept["quantity"].isna().sum() == first["quantity"].null_count()


def test_all_processes_of_a_command_are_measured(tmp_path: Path) -> None:
    child = "data = bytearray(60_000_000); import time; time.sleep(1.5)"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}], check=True)"
    written = f"open({str(tmp_path / 'file')!r}, 'wb').write(bytes(5_000_000)); sum(range(10**7))"
    both = parent + f"; subprocess.run([sys.executable, '-c', {written!r}], check=True)"
    measured = run_measured([sys.executable, "-c", both], {}, tmp_path / "log")
    assert measured.peak_bytes > 60e6
    assert measured.written_bytes >= 5_000_000
    assert measured.cpu_seconds > 0.05
    assert measured.seconds >= 1.5
    last = measured.memory[-1][0] + 60
    assert measured.peak_between(0, last) == measured.peak_bytes
    assert measured.peak_between(last, last + 1) == measured.memory[-1][1]


def test_a_command_that_fails_says_why(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="exit code 3:\nno such day"):
        run_measured([sys.executable, "-c", "print('no such day'); exit(3)"], {}, tmp_path / "log")


def test_what_no_step_covers_is_a_step(tmp_path: Path) -> None:
    measured = run_measured([sys.executable, "-c", ""], {}, tmp_path / "log")
    manifest = {"seconds": {}, "cpu_seconds": {}, "began_at": {}}
    only = verb_figures(measured, manifest)["steps"]
    assert [(step["step"], step["seconds"]) for step in only] == [(REST, measured.seconds)]
