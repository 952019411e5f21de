"""The report of a training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from models.judging.evaluation import Evaluation
from models.stats.metrics import headline
from models.tracking.addresses import viewing
from pipelines.work.report import Report


@dataclass(frozen=True)
class RiskTrained(Report):
    """The result of one risk: its version and figures, or why it was not trained.

    `kept` says that it was fitted, and that MLflow did not take the model.
    """

    risk: str
    version: int | None = None
    promoted: bool = False
    why: Sequence[str] = ()
    evaluation: Evaluation | None = None
    warnings: Sequence[str] = ()
    kept: bool = False

    def _lines(self) -> list[str]:
        if self.kept:
            return [f"{self.risk}: {'; '.join(self.why)}"]
        if self.version is None:
            return [f"{self.risk}: not trained: {'; '.join(self.why)}"]
        state = "in use from now on" if self.promoted else "registered, but not in use"
        lines = [f"{self.risk}: version {self.version}, {state}"]
        lines += [f"{self.risk}: {reason}" for reason in self.why]
        if self.evaluation is not None and self.evaluation.period is not None:
            first, last = self.evaluation.period
            lines.append(
                f"{self.risk}: evaluated on {self.evaluation.lines.height:,} later lines "
                f"of {first} to {last} with {self.evaluation.findings:,} findings"
            )
            if few := self.evaluation.too_few():
                lines.append(f"{self.risk}: {few}: no figure says how good this model is")
            for part in ("all", "no_twin"):
                lines += self._figures(part)
        return lines + [f"{self.risk}: note: {warning}" for warning in self.warnings]

    def _figures(self, part: str) -> list[str]:
        assert self.evaluation is not None
        shown = []
        for metric in headline(self.evaluation.metrics):
            figure = self.evaluation.figure(metric.name, part=part)
            if figure.value == figure.value:
                words = metric.title.lower()
                shown.append(f"{words} {figure.value:.3f} [{figure.low:.3f}, {figure.high:.3f}]")
        where = "" if part == "all" else " on lines without a twin in the past"
        return [f"{self.risk}: {', '.join(shown)}{where}"] if shown else []

    def _facts(self) -> dict[str, Any]:
        return {
            "version": self.version,
            "promoted": self.promoted,
            "reasons": self.why,
            "metrics": self.evaluation.as_metrics() if self.evaluation is not None else {},
            "warnings": self.warnings,
            "kept": self.kept,
        }


@dataclass(frozen=True)
class TrainReport(Report):
    """The result of each risk."""

    risks: Sequence[RiskTrained]
    until: date
    tracking: str

    @property
    def exit_code(self) -> int:
        """0 where a model was trained; 1 where one is not registered; 3 where no risk had enough findings."""
        if any(risk.kept for risk in self.risks):
            return 1
        return 0 if any(risk.version is not None for risk in self.risks) else 3

    def _lines(self) -> list[str]:
        lines = [f"trained on what was reported up to and including {self.until}"]
        for risk in self.risks:
            lines += risk.lines()
        return [*lines, f"runs and models: {viewing(self.tracking)}"]

    def _facts(self) -> dict[str, Any]:
        return {
            "until": self.until,
            "tracking_uri": self.tracking,
            "risks": {risk.risk: risk for risk in self.risks},
        }
