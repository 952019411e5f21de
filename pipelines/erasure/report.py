"""What `forget` and `rekey` tell their user."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pipelines.erasure.rewriting import Touched
from pipelines.work.report import Report


@dataclass(frozen=True)
class ErasureReport(Report):
    """Outcome of a `forget` or a `rekey`.

    Attributes:
        what: what was done, in a sentence.
        further: what the user has to do or to know.
        facts: what was written to the store's manifests.
    """

    what: str
    further: str
    facts: dict[str, Any]

    def _facts(self) -> dict[str, Any]:
        return self.facts

    def _lines(self) -> Iterator[str]:
        yield self.what
        files = self.facts["files_written"]
        if files:
            yield "files written anew: " + ", ".join(f"{name} {count:,}" for name, count in files.items())
        if self.facts["days_changed"]:
            yield (
                f"the history is reopened from {self.facts['days_changed'][0]} on and will be folded again "
                "by the next score; lists that were issued stay"
            )
        yield self.further


def facts_of(touched: Touched, pseudonyms: int) -> dict[str, Any]:
    """Return what a manifest says of what was touched, which names nobody."""
    return {
        "pseudonyms": pseudonyms,
        "lines_changed": touched.lines,
        "days_changed": [day.isoformat() for day in touched.days],
        "files_written": dict(sorted(touched.files.items())),
    }
