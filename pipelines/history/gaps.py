"""What a day lacks: which lines have no score and why, and what was tried again."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from configs.errors import StoreError
from pipelines.store.bucket_checks import Bucket, check_buckets
from pipelines.store.layout import INCOMPLETE
from pipelines.store.store import Store
from pipelines.work.attempts import Outcomes

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
    """Collects the gaps of a day and its tries in vain, step by step."""

    gaps: list[Gap] = field(default_factory=list)
    retried: list[dict[str, Any]] = field(default_factory=list)

    def note(
        self, step: str, files: Sequence[Path], lines: Mapping[str, int | None], found: Outcomes[Any]
    ) -> None:
        """Take in what became of `files` at a step; `lines` are those of each by its name."""
        self.note_retried(step, files, found)
        for place, reason in found.failed.items():
            name = files[place].name
            self.gaps.append(Gap(name, lines.get(name), step, reason))

    def note_retried(self, step: str, files: Sequence[Path], found: Outcomes[Any]) -> None:
        """Take in only which of `files`, buckets or tables of the history, were tried in vain."""
        for place, reasons in found.retried.items():
            self.retried.append({"bucket": files[place].name, "step": step, "reasons": list(reasons)})

    def as_dict(self) -> dict[str, Any]:
        """For the manifest: `missing` and `retried`, by bucket."""
        return {"missing": [gap.as_dict() for gap in self.gaps], "retried": self.retried}


def buckets_of(store: Store, day: date) -> list[Bucket]:
    """The buckets of a day, with what is wrong with them."""
    return check_buckets(store.layout, day)


def require_whole(store: Store, day: date) -> list[Bucket]:
    """The buckets of a day of which every line can be read, as what is built on the whole of it needs.

    Raises StoreError where a bucket is missing or damaged.
    """
    buckets = buckets_of(store, day)
    faults = [bucket.fault for bucket in buckets if bucket.fault is not None]
    if faults:
        more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        raise StoreError(
            f"every line of {day} is needed, and some cannot be read: {faults[0]}{more}. Days are "
            "closed in order: no later day is scored before that is mended. Then start the same command again"
        )
    return buckets


def require_undamaged(store: Store, day: date) -> None:
    """Make sure that the files of a day are what was written, before they are merged into new ones.

    A file that is gone is no fault here: its lines come back with their source.

    Raises StoreError where a file is damaged.
    """
    for bucket in buckets_of(store, day):
        if bucket.fault is not None and bucket.path.exists():
            raise StoreError(f"{bucket.fault}; nothing was taken in")


def mark_lists(folder: Path, gaps: Sequence[Gap]) -> None:
    """Say beside the lists, for programs, what they lack; nothing where they lack nothing."""
    if gaps:
        text = json.dumps([gap.as_dict() for gap in gaps], indent=2, ensure_ascii=False)
        (folder / INCOMPLETE).write_text(text + "\n", encoding="utf-8")


def incomplete_days(store: Store) -> list[date]:
    """Days that were scored with gaps which are still open, oldest first."""
    return [
        day
        for day, file in store.layout.outcomes().items()
        if "gaps" in json.loads(file.read_text(encoding="utf-8"))
    ]
