"""What is kept of a night for `select` is whole, and nothing else."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from pipelines.history.day_sums import TODAY
from pipelines.scoring.bucket import DayTask
from pipelines.scoring.kept_sums import bring_sums, keep_sums
from pipelines.store.files import unfinished

NAME = "today-2026-11-19-0a1b"


def test_what_a_killed_run_was_writing_is_not_kept(tmp_path: Path) -> None:
    work = tmp_path / ".work" / "score-2026-11-19-77"
    whole = work / TODAY / "bucket-000-of-001" / "seller@00000.parquet"
    whole.parent.mkdir(parents=True)
    whole.write_bytes(b"whole")
    unfinished(whole).write_bytes(b"hal")
    task = DayTask("77", tmp_path, None, ("en", ()), date(2026, 11, 19), tmp_path, tmp_path, work, ())
    keep_sums(task, NAME)
    kept = [path for path in (tmp_path / ".work" / NAME).rglob("*") if path.is_file()]
    assert [path.name for path in kept] == [whole.name]
    assert bring_sums(task, NAME)
    assert whole.read_bytes() == b"whole"
    assert not (tmp_path / ".work" / NAME).exists()
