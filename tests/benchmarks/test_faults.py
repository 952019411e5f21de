"""The summary of killed nights counts what differed, and names it."""

from __future__ import annotations

from benchmarks.faults import Moment, kind, report


def test_a_night_that_differs_is_counted_and_named() -> None:
    whole = Moment(3, "os.rename /.work/score-2026-11-19-0a1b/scores/.bucket-000-of-002.parquet.7", [])
    torn = Moment(9, "open /.journal/5f.tmp", ["scores/declared_on=2026-11-19/bucket-000-of-002.parquet"])
    text = report([whole, torn], 120, 1, 60.0)
    assert "**1 of 2**" in text
    assert "one of their 120 changes" in text
    assert "| `os.rename` in `.work` | 1 |" in text
    assert "Change 9 (open /.journal/5f.tmp): scores/declared_on=2026-11-19/bucket-000-of-002.parquet" in text


def test_changes_are_told_without_the_names_of_a_night() -> None:
    assert kind("os.mkdir /.staging/8c1f/new-00001") == "`os.mkdir` in `.staging`"
    assert kind("open /.lock") == "`open` in `.lock`"
