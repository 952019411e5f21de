"""What is kept of a night for `select` is whole, and nothing else."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from configs.loader import load_settings
from pipelines.scoring.bucket import DayTask
from pipelines.scoring.sums_for_select import bring_sums, keep_sums
from pipelines.store.files import unfinished
from pipelines.store.layout import Layout

DAY = date(2026, 11, 19)


def test_what_a_killed_run_was_writing_is_not_kept(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    work, kept = layout.work(DAY, "77"), layout.kept_sums(DAY, "0a1b")
    whole = work.today(Path("bucket-000-of-001.parquet"), "seller", 0)
    whole.parent.mkdir(parents=True)
    whole.write_bytes(b"whole")
    unfinished(whole).write_bytes(b"hal")
    task = DayTask("77", tmp_path, load_settings(), DAY, tmp_path, tmp_path, work, ())
    keep_sums(task, kept)
    assert [path.name for path in kept.rglob("*") if path.is_file()] == [whole.name]
    assert bring_sums(task, kept)
    assert whole.read_bytes() == b"whole"
    assert not kept.exists()
