"""A returned row on its way: what it says, the place that it is about, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from pipelines.feedback.columns import RawRow
from pipelines.feedback.entries import Entries, UnreadableRowError
from pipelines.feedback.files import ReturnedFile
from pipelines.feedback.places import Place

ACCEPTED, CORRECTED, REPEATED = "accepted", "corrected", "repeated"
CONFLICT, REJECTED = "conflict", "rejected"
OUTCOMES = (ACCEPTED, CORRECTED, REPEATED, CONFLICT, REJECTED)
WRITTEN = (ACCEPTED, CORRECTED)


@dataclass(frozen=True)
class Decision:
    """What became of a row: the outcome, both values of fields in conflict, and the inspections written.

    `others` are those of them about lines that nobody listed.
    """

    outcome: str
    reported_on: date
    conflicts: Mapping[str, tuple[object, object]] = field(default_factory=dict)
    written: int = 0
    others: int = 0
    before: str = ""


@dataclass
class ReturnedRow:
    """A row, where it stands, and what is known of it so far; what could not be found of it is None."""

    file: ReturnedFile
    raw: RawRow
    place: Place | None = None
    entries: Entries | None = None
    reported_on: date | None = None
    decision: Decision | None = None
    reasons: list[str] = field(default_factory=list)
    message: str = ""

    @property
    def outcome(self) -> str:
        """One of `OUTCOMES`."""
        return REJECTED if self.decision is None else self.decision.outcome

    @property
    def declared_on(self) -> date | None:
        """The day of the list that it is about."""
        return None if self.place is None else self.place.declared_on

    def reject(self, fault: UnreadableRowError) -> None:
        """Note why the row cannot be taken."""
        self.reasons, self.message = fault.reasons, str(fault)
