"""What `doctor` finds: one thing that is there, missing, or good to know."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class State(Enum):
    """How it stands with one thing: `LACKS` keeps a verb from its work, `NOTE` does not."""

    OK = "ok"
    NOTE = "note"
    LACKS = "lacks"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: what was found, and how to get what is missing."""

    subject: str
    state: State
    found: str
    cure: str = ""

    def __str__(self) -> str:
        cure = f". {self.cure}" if self.cure else ""
        return f"{self.state.value:<5} {self.subject}: {self.found}{cure}"
