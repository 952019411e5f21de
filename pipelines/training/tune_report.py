"""The report of a search for parameters."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from models.search.parameters import Trial
from models.search.verdict import Comparison, OuterFigures, Verdict
from models.stats.intervals import Estimate
from models.tracking.addresses import viewing
from pipelines.work.report import Report


@dataclass(frozen=True)
class TuneReport(Report):
    """The verdict of a search: which parameters, how sure, and where they were written."""

    risk: str
    until: date
    trials: int
    resumed: int
    verdict: Verdict
    tracking: str
    written: Path | None = None

    def _lines(self) -> list[str]:
        judged, outer = self.verdict, self.verdict.outer
        stored = f", {self.resumed:,} of them from an earlier run" if self.resumed else ""
        lines = [f"{self.risk}: {self.trials:,} sets of parameters tried{stored}, known up to {self.until}"]
        lines += [_trial(self.risk, trial, judged.inner_few) for trial in self._shown()]
        if outer is not None:
            lines.append(
                f"{self.risk}: the newest block, which the search has not seen, holds {outer.lines:,} lines "
                f"with {outer.findings:,} findings"
            )
            if judged.outer_few:
                lines.append(f"{self.risk}: {judged.outer_few}: no comparison of the sets is shown")
            else:
                lines += [f"{self.risk}: {_comparison(each)}" for each in outer.comparisons]
        verdict = f"use trial {judged.best.number}" if judged.recommended else "keep what is configured"
        lines.append(f"{self.risk}: {verdict}: {'; '.join(judged.reasons)}")
        if self.written is not None:
            folder = self.written.parent.parent
            lines.append(f"{self.risk}: written to {self.written}: use it with --configs {folder}")
        return [*lines, f"trials: {viewing(self.tracking)}"]

    def _facts(self) -> dict[str, Any]:
        verdict = self.verdict
        return {
            "risk": self.risk,
            "until": self.until,
            "trials": self.trials,
            "resumed": self.resumed,
            "recommended": verdict.recommended,
            "chance": verdict.chance,
            "reasons": verdict.reasons,
            "sets": [_trial_dict(trial, verdict.inner_few) for trial in self._shown()],
            "newest_block": None if verdict.outer is None else _outer_dict(verdict.outer, verdict.outer_few),
            "tracking_uri": self.tracking,
            "written": self.written,
        }

    def _shown(self) -> tuple[Trial, ...]:
        verdict = self.verdict
        rivals = {trial.number: trial for trial in (verdict.configured, verdict.lightgbm, verdict.best)}
        return tuple(rivals.values())


def outer_metrics(outer: OuterFigures | None) -> dict[str, float]:
    """The comparisons on the newest block as flat metrics for MLflow."""
    metrics: dict[str, float] = {}
    for each in () if outer is None else outer.comparisons:
        prefix = f"outer.{_slug(each.first)}_minus_{_slug(each.second)}"
        metrics |= each.log_loss.as_metrics(f"{prefix}.log_loss")
        metrics |= each.average_precision.as_metrics(f"{prefix}.average_precision")
    return metrics


def _slug(name: str) -> str:
    return name.lower().replace("'s", "").replace(" ", "_")


def _trial(risk: str, trial: Trial, few: str | None) -> str:
    given = ", ".join(f"{name} {value:g}" if isinstance(value, float) else f"{name} {value}"
                      for name, value in trial.parameters.items())  # fmt: skip
    figures = few or (
        f"inner log loss {trial.inner.log_loss:.5f}, average precision {trial.inner.average_precision:.3f}"
    )
    return f"{risk}: trial {trial.number}, {trial.name}: {figures}, {trial.inner.rounds} trees: {given}"


def _comparison(each: Comparison) -> str:
    return (
        f"{each.first} against {each.second}: log loss {_difference(each.log_loss, 5)}, "
        f"average precision {_difference(each.average_precision, 3)}"
    )


def _difference(estimate: Estimate, digits: int) -> str:
    return f"{estimate.value:+.{digits}f} [{estimate.low:+.{digits}f}, {estimate.high:+.{digits}f}]"


def _trial_dict(trial: Trial, few: str | None) -> dict[str, Any]:
    return {
        "number": trial.number,
        "name": trial.name,
        "parameters": dict(trial.parameters),
        "rounds": trial.inner.rounds,
        "inner_log_loss": None if few else trial.inner.log_loss,
        "inner_average_precision": None if few else trial.inner.average_precision,
    }


def _outer_dict(outer: OuterFigures, few: str | None) -> dict[str, Any]:
    counts = {"lines": outer.lines, "findings": outer.findings}
    if few:
        return counts
    return {
        **counts,
        "log_loss": {str(number): value for number, value in outer.log_loss.items()},
        "average_precision": {str(number): value for number, value in outer.average_precision.items()},
        "comparisons": outer_metrics(outer),
    }
