"""What this machine or account lacks, and how to get it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from configs.errors import ParcelRiskError
from pipelines.machine.account import check_key, check_tracking, check_words
from pipelines.machine.finding import Finding, State
from pipelines.machine.libraries import check_libraries
from pipelines.machine.places import check_places
from pipelines.store.layout import Layout
from pipelines.work.report import Report

if TYPE_CHECKING:
    from configs.schema.settings import Settings


@dataclass(frozen=True)
class DoctorReport(Report):
    """What was found, thing by thing."""

    findings: list[Finding]

    @property
    def exit_code(self) -> int:
        """0, or 1 where something is missing that a verb needs."""
        return 1 if self._lacking else 0

    @property
    def _lacking(self) -> int:
        return sum(finding.state is State.LACKS for finding in self.findings)

    def _lines(self) -> Iterator[str]:
        yield from map(str, self.findings)
        yield f"{self._lacking} things are missing" if self._lacking else "nothing that is needed is missing"

    def _facts(self) -> dict[str, Any]:
        return {
            "lacking": self._lacking,
            "findings": [
                {"subject": one.subject, "state": one.state.value, "found": one.found, "cure": one.cure}
                for one in self.findings
            ],
        }


def look_over(store: Path | None, settings: Callable[[], Settings]) -> DoctorReport:
    """Look at everything that a verb needs, with a `store` at its folders too.

    Nothing is loaded that may be missing itself: libraries are tried in a process of their own first.
    """
    libraries = [*check_libraries()]
    findings = [*libraries, *check_words()]
    if all(finding.state is not State.LACKS for finding in libraries):
        try:
            pipeline = settings().pipeline
            findings += [*check_places(store, pipeline), *check_key(pipeline.pseudonyms)]
        except ParcelRiskError as error:
            findings.append(Finding("configuration", State.LACKS, str(error)))
    findings += check_tracking(None if store is None else Layout(store).mlflow)
    return DoctorReport(findings)
