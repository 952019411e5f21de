"""Reports of verbs: lines for people, plain values for programs, an exit code."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from pipelines.work.report import Report


@dataclass(frozen=True)
class Stage:
    day: date
    folder: Path | None = None


@dataclass(frozen=True)
class Trial(Report):
    facts: dict[str, Any]

    def _lines(self) -> Iterator[str]:
        yield "first"
        yield "second"

    def _facts(self) -> dict[str, Any]:
        return self.facts


def test_lines_are_a_list_and_all_is_done_unless_a_report_differs() -> None:
    report = Trial({})
    assert report.lines() == ["first", "second"]
    assert (report.exit_code, report.as_dict()) == (0, {})


def test_facts_become_plain_values_at_any_depth() -> None:
    inner = Trial({"since": date(2026, 11, 20), "none": None})
    facts = {
        "stages": (Stage(date(2026, 11, 1), Path("lists/x")), Stage(date(2026, 11, 2))),
        "by_risk": {"food": inner},
        "rate": 0.5,
    }
    plain = Trial(facts).as_dict()
    assert plain == {
        "stages": [{"day": "2026-11-01", "folder": "lists/x"}, {"day": "2026-11-02", "folder": None}],
        "by_risk": {"food": {"since": "2026-11-20", "none": None}},
        "rate": 0.5,
    }
    assert json.loads(json.dumps(plain)) == plain
