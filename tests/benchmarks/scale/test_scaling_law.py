"""The law by which a night scales gives back the nights it was made of, and its page what it leads to."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.scale.scaling_law import Law, Measured
from benchmarks.scale.scaling_report import write_report

BUCKET = 50_000


def night(name: str, lines: int, *, workers: int = 1) -> Measured:
    """A night with 5 s and 1 s a million lines in serial, buckets of 0.5 s, and one table of 2 s."""
    scores = [0.5] * (lines // BUCKET)
    passes = [
        {"name": "score_bucket", "seconds": sum(scores) / workers, "tasks": scores if workers == 1 else []},
        {"name": "fold_part", "seconds": 2.0, "tasks": [2.0] if workers == 1 else []},
    ]
    seconds = 5 + lines / 1e6 + sum(float(str(each["seconds"])) for each in passes)
    return Measured(name, lines, seconds, passes, 900_000_000, lines * 60, lines * 40)


@pytest.fixture
def law() -> Law:
    return Law.of(night("half", 500_000), night("whole", 1_000_000))


@pytest.mark.parametrize("lines", [500_000, 1_000_000])
def test_one_worker_takes_what_was_measured(law: Law, lines: int) -> None:
    assert law.seconds(lines, 1) == pytest.approx(night("", lines).seconds)


def test_more_workers_share_the_tasks_and_wait_for_the_longest(law: Law) -> None:
    assert law.seconds(1_000_000, 2) == pytest.approx(6 + (10 / 2 + 0.5 / 2) + (2 / 2 + 2 / 2))
    # Twenty times the lines are twenty times the buckets, none of them longer.
    assert law.seconds(20_000_000, 4) == pytest.approx(25 + (200 / 4 + 0.5 * 3 / 4) + 2)
    assert law.shortest(20_000_000) == pytest.approx(25 + 0.5 + 2)


def test_the_fewest_workers_that_are_done_in_time(law: Law) -> None:
    found = law.workers(20_000_000, 60.0)
    assert found is not None
    assert law.seconds(20_000_000, found) <= 60.0 < law.seconds(20_000_000, found - 1)
    assert law.workers(20_000_000, 27.0) is None


def test_the_page_says_what_a_national_day_needs(law: Law, tmp_path: Path) -> None:
    nights = [night(name, 1_000_000, workers=2) for name in ("two-processes", "cluster-2")]
    whole = night("whole", 1_000_000)
    write_report(tmp_path / "scaling.md", law, night("half", 500_000), whole, nights[0], nights[1:])
    text = (tmp_path / "scaling.md").read_text(encoding="utf-8")
    assert "| whole | 1,000,000 | 18.0 | 6.0 | 12.0 | 18.0 | 55,556 | 900 |" in text
    assert "| cluster-2 | 1,000,000 | 13.0 | 6.0 | 7.0 | 13.2 | 76,923 | 900 |" in text
    assert "| 52 million | 0.25 h | 1 |" in text
    write_report(tmp_path / "small.md", law, night("half", 50_000), night("whole", 50_000), nights[0], [])
    assert "Nothing is projected from a day of 50,000 lines" in (tmp_path / "small.md").read_text("utf-8")
    assert "No number of workers is faster than 0.5 min (20 million) and 1.0 min (52 million)" in text
