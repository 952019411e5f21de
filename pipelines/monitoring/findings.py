"""The measurements of `monitor` on a day, in one object of plain values."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from typing import Any

import polars as pl

from configs.language import Message
from configs.schema.monitoring import MonitoringConfig
from models.watch.column_shifts import ALL, ShiftedColumn, by_group, shifted_columns, strongest
from models.watch.monitoring import LEVELS, Newcomers, newcomers
from models.watch.risk_results import RiskResults
from models.watch.verdict import (
    Reason,
    delay_reasons,
    drift_reasons,
    newcomer_reasons,
    result_reasons,
    verdict,
)
from pipelines.history.chronicle import Chronicle
from pipelines.monitoring.days import NEWCOMERS, WatchedDays, reference_days, watched_days
from pipelines.monitoring.performance import measured_performance
from pipelines.monitoring.results import (
    ResultsRead,
    first_day,
    model_versions,
    read_results,
    sampled_scores,
    version_changes,
)
from pipelines.store.day_table import DayTable
from pipelines.store.manifest import UNPROVEN, ManifestBuilder
from pipelines.store.store import Store
from pipelines.work.progress import Progress

_COLUMNS_SHOWN = 3
_NONE = Message("none")
_NO_DECLARATIONS = Message("no declarations in the {weeks} weeks before {day}: features cannot be compared")
_NO_SCORES = Message(
    "{risk}: no scores of model version {version} in the {weeks} weeks before {day}: scores cannot "
    "be compared"
)
_REPLACED = Message(
    "{risk}: model version {before} was replaced by {after} on {day}; scores are compared within one version"
)
_NO_RESULTS = Message(
    "{risk}: no results yet of scored lines declared up to {day}, the last day whose results are in: "
    "calibration and hit rates cannot be measured"
)
_NO_LIFT = Message("{risk}: {few}: no lift over the random share")
_FEW_CHOSEN = Message("too few findings ({findings:,}) among what was chosen by risk")
_FEW_DRAWN = Message("too few findings ({findings:,}) among what was drawn at random")
_NOT_PROVEN = Message("{risk}: model version {version} {doubt}: nothing shows that it is of use")


@dataclass(frozen=True)
class MonitorFindings:
    """The measurements of a day and the verdict that follows from them."""

    day: date
    config: MonitoringConfig
    watched: WatchedDays
    versions: Mapping[date, Mapping[str, str]]
    features: Sequence[ShiftedColumn]
    scores: Sequence[ShiftedColumn]
    score_days: Mapping[str, Sequence[date]]
    results: ResultsRead
    measured: pl.DataFrame
    newcomers: Mapping[str, Newcomers]
    unproven: Mapping[str, str]

    @property
    def reasons(self) -> list[Reason]:
        """Why the day is not fine, the gravest reason first."""
        reasons = [
            *drift_reasons(self.features, "feature drift", self.config),
            *drift_reasons(self.scores, "score drift", self.config),
            *result_reasons(self.results.by_risk, self.config),
            *delay_reasons(self.results.delays, self.config),
            *newcomer_reasons(self.newcomers, self.config),
        ]
        return sorted(reasons, key=lambda reason: -LEVELS.index(reason.level))

    @property
    def changes(self) -> list[dict[str, str | None]]:
        """Changes of a model's version within the weeks."""
        since = (self.day - timedelta(weeks=self.config.weeks)).isoformat()
        return [
            change
            for change in version_changes(self.versions)
            if change["from_day"] is not None and change["from_day"] >= since
        ]

    @property
    def notes(self) -> list[Message]:
        """What could not be compared or measured, and why."""
        today = self.versions[self.day]
        weeks = {"weeks": self.config.weeks, "day": self.day}
        results = self.results.by_risk.items()
        notes = []
        if not self.watched.before:
            notes.append(replace(_NO_DECLARATIONS, values=weeks))
        notes += [
            _note(risk, _NO_SCORES, version=today.get(risk), **weeks)
            for risk, days in self.score_days.items()
            if not days
        ]
        notes += [
            _note(
                str(change["risk"]),
                _REPLACED,
                before=change["before"] or _NONE,
                after=change["after"] or _NONE,
                day=change["from_day"],
            )
            for change in self.changes
        ]
        notes += [
            _note(risk, _NO_RESULTS, day=found.mature_to) for risk, found in results if not found.calibration
        ]
        notes += [
            _note(risk, _NO_LIFT, few=few)
            for risk, found in results
            if found.calibration and (few := _too_few(found))
        ]
        notes += [
            _note(risk, _NOT_PROVEN, version=today.get(risk), doubt=Message(doubt))
            for risk, doubt in self.unproven.items()
        ]
        return notes

    def as_dict(self) -> dict[str, Any]:
        """The whole report for programs: plain values, null for what is not known."""
        reasons = self.reasons
        content = {
            "date": self.day.isoformat(),
            "verdict": verdict(reasons),
            "reasons": [reason.as_dict() for reason in reasons],
            "notes": list(map(str, self.notes)),
            "lines": self.watched.today.lines,
            "lines_sampled": len(self.watched.today.sampled.offices),
            "reference_days": [sample.day.isoformat() for sample in self.watched.before],
            "thresholds": self.config.model_dump(mode="json"),
            "model_versions": dict(sorted(self.versions[self.day].items())),
            "model_changes": self.changes,
            UNPROVEN: dict(self.unproven),
            "blocks": _blocks(self.features, self.config),
            "features": [one.as_dict(self.config) for one in self.features if one.scope == ALL],
            "scores": [one.as_dict(self.config) for one in self.scores],
            "results": {risk: found.as_dict() for risk, found in self.results.by_risk.items()},
            "measured_performance": self.measured.to_dicts(),
            "label_delay": {risk: found.as_dict() for risk, found in self.results.delays.items()},
            "results_to_come": self.results.to_come,
            "lists_answered": self.results.lists,
            "newcomers": {name: asdict(who) | {"alarms": who.alarms} for name, who in self.newcomers.items()},
            "newcomers_by_day": [
                row | {"day": row["day"].isoformat(), "key": NEWCOMERS[row["key"]]}
                for row in self.watched.newcomers.to_dicts()
            ],
        }
        return {name: _plain(value) for name, value in content.items()}


def measure(
    chronicle: Chronicle, day: date, manifest: ManifestBuilder, progress: Progress
) -> MonitorFindings:
    """Measure a scored day against the weeks before it."""
    store, settings = chronicle.store, chronicle.settings
    config, risks = settings.pipeline.monitoring, list(settings.risks.values())
    before = reference_days(store.declaration_days(), day, config)
    with manifest.step("features"):
        watched = watched_days(chronicle, day, before, risks, progress)
    with manifest.step("feature drift"):
        earlier = [sample.sampled for sample in watched.before]
        features = shifted_columns(watched.today.sampled, earlier, config)
    first = first_day(risks, config.weeks, day)
    window = [known for known in store.days(DayTable.SCORES) if first <= known <= day]
    versions = {known: model_versions(store, known) for known in window}
    with manifest.step("score drift"):
        scores, score_days = _score_shifts(store, day, versions, list(settings.risks), config)
    with manifest.step("results"):
        least = settings.pipeline.gate.least_findings
        results = read_results(store, risks, config.weeks, day, versions, least)
        capacities = settings.pipeline.training.capacities
        measured = measured_performance(store, settings.risks, window, day, capacities)
        enough = pl.col("findings") >= least
        measured = measured.with_columns(
            pl.when(enough).then(pl.col(name)).alias(name) for name in ("value", "low", "high")
        )
    return MonitorFindings(
        day, config, watched, versions, features, scores, score_days, results, measured,
        _newcomers(watched.newcomers, config), store.newest_manifest("score", day).get(UNPROVEN, {}),
    )  # fmt: skip


def _note(risk: str, message: Message, **values: object) -> Message:
    return replace(message, values={"risk": Message(risk, kind="risk"), **values})


def _too_few(found: RiskResults) -> tuple[Message, ...]:
    """Which side has too few findings to be compared."""
    sides = ((_FEW_CHOSEN, found.chosen_findings), (_FEW_DRAWN, found.random_findings))
    return tuple(
        replace(message, values={"findings": count})
        for message, count in sides
        if count < found.least_findings
    )


def _score_shifts(
    store: Store,
    day: date,
    versions: Mapping[date, Mapping[str, str]],
    risks: Sequence[str],
    config: MonitoringConfig,
) -> tuple[list[ShiftedColumn], dict[str, list[date]]]:
    """Scores of the day against the same version's in the weeks before; the days compared, by risk."""
    shares = config.model_copy(update={"false_alarm_rate": config.false_alarm_rate / max(1, len(risks))})
    shifted: list[ShiftedColumn] = []
    compared: dict[str, list[date]] = {}
    for risk in risks:
        version = versions[day].get(risk)
        if version is None:
            continue
        same = [known for known in sorted(versions) if known < day and versions[known].get(risk) == version]
        compared[risk] = reference_days(same, day, config)
        samples = [
            sampled_scores(store, known, risk, config.sample_lines) for known in (*compared[risk], day)
        ]
        shifted += shifted_columns(samples[-1], samples[:-1], shares)
    return shifted, compared


def _newcomers(counted: pl.DataFrame, config: MonitoringConfig) -> dict[str, Newcomers]:
    found = {}
    for key, name in NEWCOMERS.items():
        days = counted.filter(key=key).sort("day")
        if days.height > 1:
            lines, new = days["lines"].to_numpy(), days["new"].to_numpy()
            found[name] = newcomers(lines, new, config.false_alarm_rate / len(NEWCOMERS))
    return found


def _blocks(columns: Sequence[ShiftedColumn], config: MonitoringConfig) -> list[dict[str, Any]]:
    """A row a scope and block: how many columns shifted, and those that did most."""
    rows = []
    for (scope, block), members in by_group(columns).items():
        ranked = sorted(members, key=lambda one: (one.shift.alarms, one.shift.excess), reverse=True)
        rows.append(
            {
                "scope": scope,
                "block": block,
                "compared": len(members),
                "shifted": sum(one.level(config) != "fine" for one in members),
                "level": max((one.level(config) for one in members), key=LEVELS.index),
                "strongest": strongest(members).as_dict(config),
                "next": [one.column for one in ranked[1 : 1 + _COLUMNS_SHOWN] if one.shift.alarms],
            }
        )
    return rows


def _plain(value: Any) -> Any:
    """What JSON can hold: null for what is not finite."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _plain(part) for key, part in value.items()}
    return [_plain(part) for part in value] if isinstance(value, list | tuple) else value
