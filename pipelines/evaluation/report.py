"""The report of `evaluate`: what was judged, the figures as a table, and where the page is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

from models.judging.comparison import CATBOOST, CONTENDERS, MEASURES, Figures, Measure, RivalComparison
from models.risk.risk_model import RiskModel
from models.stats.intervals import Estimate, too_few
from pipelines.evaluation.contenders import Contenders
from pipelines.evaluation.period import Period
from pipelines.pages.text_table import text_table
from pipelines.store.layout import REPORT_PAGE
from pipelines.work.report import Report

CAPTIONS: Final = ("Each score", "The model's less the rival's")
_UNKNOWN = "-"


@dataclass(frozen=True)
class JudgedModel:
    """A model, and its version where it is the one in use; None where it was fitted for the occasion."""

    model: RiskModel
    version: int | None

    @property
    def until(self) -> date:
        """The day up to which reports counted when it was fitted."""
        metadata = self.model.metadata
        return date.fromisoformat(max(metadata["until"], metadata["declared_to"]))


@dataclass(frozen=True)
class EvaluationReport(Report):
    """What a model and its rivals are worth on the inspected lines of a period, and where it is written."""

    risk: str
    period: Period
    judged: JudgedModel
    contenders: Contenders
    comparison: RivalComparison
    folder: Path
    tracking: str
    warnings: Sequence[str] = ()

    @property
    def figures(self) -> dict[str, Any]:
        """The figures for programs: risk, lines, findings, scores, differences."""
        return {"risk": self.risk, **self.comparison.as_dict()}

    @property
    def results(self) -> str:
        """Whether results of the period became known on the way."""
        return "coming" if self.period.coming else "withheld"

    @property
    def about(self) -> list[str]:
        """What was judged on what, in sentences."""
        period, learned = self.period, self.contenders
        version = self.judged.version
        which = "a model fitted for this" if version is None else f"version {version}, in use,"
        known = (
            "results count from the day after they are reported, for all alike"
            if period.coming
            else f"nothing that was reported after {period.eve} is known to any of them"
        )
        return [
            f"{which} on {self.comparison.lines:,} inspected lines declared from {period.first} to "
            f"{period.last} with {self.comparison.findings:,} findings; {known}",
            f"learned from {learned.learned_lines:,} lines with {learned.learned_findings:,} findings, "
            f"reported by {self.judged.until}; LightGBM and CatBoost have the same lines and its "
            f"{learned.columns:,} columns",
            self._key(),
        ]

    @property
    def notes(self) -> list[str]:
        """What is to be known before the figures are believed."""
        notes = list(self.warnings)
        if self.comparison.thin:
            least = self.comparison.least_findings
            notes.append(f"{too_few(self.comparison.findings)} for any figure: at least {least} are needed")
        notes += [
            f"{column.column} alone ranks findings with an AUC of {column.auc:.3f}: it tells the outcome; "
            "what an inspection wrote does not belong into the mapping of its source"
            for column in self.contenders.telling
        ]
        if self.contenders.scores[CATBOOST] is None:
            notes.append("CatBoost is not installed, so it is left out: pip install 'parcel-risk[bench]'")
        return notes

    @property
    def parameters(self) -> dict[str, object]:
        """What names the evaluation, for its run."""
        key = self.contenders.key
        return {
            "results": self.results,
            "version": self.judged.version or "fitted for it",
            "until": self.judged.until,
            "best_key": "" if key is None else key.words,
            "best_key_smoothing": "" if key is None else key.smoothing,
        }

    def tables(self) -> list[list[list[str]]]:
        """Two tables, a row a measure: of all contenders, and of the model less each rival; none where there
        are too few findings for figures.
        """
        comparison = self.comparison
        return [] if comparison.thin else [_table(comparison.scores, ""), _table(comparison.differences, "+")]

    def _key(self) -> str:
        key = self.contenders.key
        if key is None:
            return "best single key: too little was known before the period to choose one"
        return (
            f"best single key: {key.words}, with {key.smoothing:g} lines of the overall rate; "
            "chosen on what was reported before the period"
        )

    def _lines(self) -> list[str]:
        tables = [
            ["", f"{caption}, with 95% intervals", *text_table(table)]
            for caption, table in zip(CAPTIONS, self.tables(), strict=False)
        ]
        return [
            *(f"{self.risk}: {line}" for line in self.about),
            *(line for table in tables for line in table),
            *([""] if tables else []),
            *(f"note: {note}" for note in self.notes),
            f"report: {self.folder / REPORT_PAGE}",
        ]

    def _facts(self) -> dict[str, Any]:
        return {
            **self.figures,
            "from": self.period.first,
            "to": self.period.last,
            "results": self.results,
            "version": self.judged.version,
            "notes": self.notes,
            "report": self.folder,
            "tracking_uri": self.tracking,
        }


def _table(columns: Mapping[str, Figures | None], sign: str) -> list[list[str]]:
    """A heading and a row a measure, a column for each contender that has figures."""
    shown = {name: figures for name, figures in columns.items() if figures is not None}
    head = ["", *(CONTENDERS[name] for name in shown)]
    return [
        head,
        *([_title(each), *(_cell(of[each.path], sign) for of in shown.values())] for each in MEASURES),
    ]


def _title(measure: Measure) -> str:
    words = measure.metric.title
    return words if measure.metric.higher_is_better else f"{words}, less is better"


def _cell(figure: Estimate, sign: str) -> str:
    if figure.value != figure.value:
        return _UNKNOWN
    value, low, high = (f"{end:{sign}.3f}" for end in (figure.value, figure.low, figure.high))
    return f"{value} [{low}, {high}]"
