"""What a scored day lacks: which lines have no score and why, and what was tried again."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from configs.errors import StoreError
from pipelines.store.files import read_json
from pipelines.store.layout import INCOMPLETE, Layout
from pipelines.work.attempts import TaskResults

logger = logging.getLogger(__name__)

REASONS = "reasons"
PARCELS = "parcels"


@dataclass(frozen=True)
class Gap:
    """A bucket that was set aside: its lines, the step at which it failed, and why.

    `lines` is None where nobody knows how many there are. A bucket that failed at the step `reasons` is
    scored and listed, but its entries do not say why; one that failed at `parcels` is scored, not listed.
    """

    bucket: str
    lines: int | None
    step: str
    reason: str

    def __str__(self) -> str:
        if self.step == REASONS:
            return f"{self.bucket}: its listed parcels have no reasons: {self.reason}"
        if self.step == PARCELS:
            return f"{self.bucket}: scored, but none of its parcels could be listed: {self.reason}"
        lines = "an unknown number of lines has" if self.lines is None else f"{self.lines:,} lines have"
        return f"{self.bucket}: {lines} no score ({self.step}): {self.reason}"

    def as_dict(self) -> dict[str, Any]:
        """As plain values, for manifests and marks."""
        missing = 0 if self.step in (REASONS, PARCELS) else self.lines
        return {"bucket": self.bucket, "lines": missing, "step": self.step, "reason": self.reason}


@dataclass
class Troubles:
    """Collects the gaps of a day and its failed tries, step by step."""

    gaps: list[Gap] = field(default_factory=list)
    retried: list[dict[str, Any]] = field(default_factory=list)

    def note(
        self, step: str, files: Sequence[Path], lines: Mapping[str, int | None], results: TaskResults[Any]
    ) -> None:
        """Takes in which of `files` failed at a step; `lines` are those of each by its name."""
        self.note_retried(step, files, results)
        for place, reason in results.failed.items():
            name = files[place].name
            self.gaps.append(Gap(name, lines.get(name), step, reason))

    def note_retried(self, step: str, files: Sequence[Path], results: TaskResults[Any]) -> None:
        """Takes in only which of `files`, buckets or tables of the history, were tried again."""
        for place, reasons in results.retried.items():
            self.retried.append({"bucket": files[place].name, "step": step, "reasons": list(reasons)})

    def as_dict(self) -> dict[str, Any]:
        """For the manifest: `missing` and `retried`, by bucket."""
        return {"missing": [gap.as_dict() for gap in self.gaps], "retried": self.retried}


def mark_lists(folder: Path, gaps: Sequence[Gap]) -> None:
    """Writes beside the lists, for programs, what they lack; nothing where they are whole."""
    if gaps:
        text = json.dumps([gap.as_dict() for gap in gaps], indent=2, ensure_ascii=False)
        (folder / INCOMPLETE).write_text(text + "\n", encoding="utf-8")


def incomplete_days(layout: Layout) -> list[date]:
    """Days that were scored with gaps which are still open, or whose outcome is damaged, oldest first."""
    return [
        day
        for day, file in layout.outcomes().items()
        if "run" not in (known := read_outcome(file)) or "gaps" in known
    ]


def read_outcome(file: Path) -> dict[str, Any]:
    """The outcome of the last run that scored a day; empty, with a warning, where it is damaged."""
    try:
        return read_json(file, "Score the day again, which writes it anew")
    except StoreError as error:
        logger.warning("%s", error)
        return {}
