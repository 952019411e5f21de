"""From what was measured to `fine`, `watch` or `retrain`, each with its reasons in plain words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from configs.language import Message
from configs.schema.monitoring import MonitoringConfig
from models.watch.column_shifts import ALL, ShiftedColumn, by_group, is_from_results, strongest
from models.watch.monitoring import LEVELS, Delay, HitRate, Level, Newcomers, deflated_over_expected, ratio
from models.watch.risk_results import RiskResults


@dataclass(frozen=True)
class Reason:
    """Why a verdict is not `fine`: how grave, which kind of check about what subject, in words."""

    level: Level
    check: str
    subject: str
    message: Message

    @property
    def text(self) -> str:
        """The words in English."""
        return str(self.message)

    def as_dict(self) -> dict[str, Any]:
        """The reason by name."""
        return {"level": self.level, "check": self.check, "subject": self.subject, "text": self.text}


def verdict(reasons: Sequence[Reason]) -> Level:
    """The gravest level of the reasons, `fine` where there is none.

    >>> verdict([Reason("watch", "drift", "price", Message("…"))]), verdict([])
    ('watch', 'fine')
    """
    return max((reason.level for reason in reasons), key=LEVELS.index, default="fine")


def drift_reasons(columns: Sequence[ShiftedColumn], check: str, config: MonitoringConfig) -> list[Reason]:
    """What has shifted over all offices, by block; then which offices shifted on their own, to watch."""
    reasons: list[Reason] = []
    offices: dict[str, list[str]] = {}
    for (scope, group), members in by_group(columns).items():
        shifted = [column for column in members if column.level(config) != "fine"]
        if not shifted:
            continue
        if scope == ALL:
            level = max((column.level(config) for column in shifted), key=LEVELS.index)
            reasons.append(Reason(level, check, group, _shift_in_words(group, shifted, len(members), check)))
        elif any(column.level(config) == "retrain" for column in shifted):
            offices.setdefault(scope, []).append(group)
    said = {reason.subject for reason in reasons}
    own = {office: [group for group in groups if group not in said] for office, groups in offices.items()}
    named = tuple(
        Message("{text} ({aside})", {"text": office, "aside": tuple(_name(check, group) for group in groups)})
        for office, groups in own.items()
        if groups
    )
    if named:
        told = Message("shifted at single offices only: {offices}", {"offices": named})
        reasons.append(Reason("watch", check, "offices", told))
    return reasons


def _name(check: str, group: str) -> Message:
    return Message(group, kind="risk" if check == "score drift" else "block")


def _shift_in_words(group: str, shifted: Sequence[ShiftedColumn], of: int, check: str) -> Message:
    top = strongest(shifted)
    figures = Message(
        "stability index {index:.2f}, by chance and ordinary days below {limit:.2f}",
        {"index": top.shift.psi, "limit": top.shift.limit},
    )
    values: dict[str, object] = {"group": _name(check, group), "figures": figures}
    if check == "score drift":
        return Message("scores of {group} have shifted from those of the weeks before: {figures}", values)
    values |= {"shifted": len(shifted), "of": of, "column": top.column}
    if is_from_results(group):
        return Message(
            "{group}: {shifted} of {of} features have shifted, as results came in: past findings of parties "
            "and goods are others; most of all {column} ({figures})",
            values,
        )
    return Message(
        "{group}: {shifted} of {of} features have shifted; most of all {column} ({figures})", values
    )


def result_reasons(results: Mapping[str, RiskResults], config: MonitoringConfig) -> list[Reason]:
    """Calibration, lift over the random share and hit rates of every risk."""
    level = 1.0 - config.false_alarm_rate / max(1, 2 * len(results))
    return [
        reason
        for risk, found in results.items()
        for reason in (
            *_calibration(risk, found, config, level),
            *_lift(risk, found, config, level),
            *_hit_rate(risk, found, config, level),
        )
    ]


def _calibration(risk: str, results: RiskResults, config: MonitoringConfig, level: float) -> Iterator[Reason]:
    for row in results.calibration:
        if not row.tells(results.least_findings):
            continue
        found = deflated_over_expected(row.findings, row.expected, effect=row.effect, level=level)
        factor = config.calibration_factor
        if found.low <= 1.0 <= found.high:
            continue
        told = (
            Message(
                "{risk}: more findings than the probabilities said on {share}: {findings:,} where "
                "{expected:,.1f} were expected, {times:.2f} times [{low:.2f}, {high:.2f}]"
            )
            if found.value > 1.0
            else Message(
                "{risk}: fewer findings than the probabilities said on {share}: {findings:,} where "
                "{expected:,.1f} were expected, {times:.2f} times [{low:.2f}, {high:.2f}]"
            )
        )
        values = {
            "risk": Message(risk, kind="risk"), "share": Message(row.share, kind="share"),
            "findings": row.findings, "expected": row.expected,
            "times": found.value, "low": found.low, "high": found.high,
        }  # fmt: skip
        grave = found.low > factor or found.high < 1.0 / factor
        yield Reason(
            "retrain" if grave else "watch",
            "calibration",
            risk,
            replace(told, values=values),
        )


def _lift(risk: str, results: RiskResults, config: MonitoringConfig, level: float) -> Iterator[Reason]:
    found = ratio(results.chosen, results.random, level)
    if results.chosen_findings + results.random_findings < results.least_findings:
        return
    if found.high < config.least_lift:
        yield Reason(
            "retrain",
            "lift",
            risk,
            Message(
                "{risk}: what was chosen by risk has {chosen:.1%} findings, the random share {random:.1%}: "
                "hardly more than random picks (at most {high:.2f} times)",
                {
                    "risk": Message(risk, kind="risk"),
                    "chosen": results.chosen.rate,
                    "random": results.random.rate,
                    "high": found.high,
                },
            ),
        )


def _hit_rate(risk: str, results: RiskResults, config: MonitoringConfig, level: float) -> Iterator[Reason]:
    if len(results.weeks) < 2:
        return
    newest = results.weeks[-1].chosen
    earlier = HitRate(
        sum(week.chosen.examined for week in results.weeks[:-1]),
        sum(week.chosen.findings for week in results.weeks[:-1]),
    )
    if newest.findings + earlier.findings < results.least_findings:
        return
    found = ratio(newest, earlier, level)
    if found.high < 1.0 and newest.rate < config.hit_rate_fall * earlier.rate:
        yield Reason(
            "watch",
            "hit rate",
            risk,
            Message(
                "{risk}: of what was chosen by risk, {newest:.1%} had a finding in the newest week whose "
                "results are in, {earlier:.1%} in the weeks before",
                {"risk": Message(risk, kind="risk"), "newest": newest.rate, "earlier": earlier.rate},
            ),
        )


def delay_reasons(delays: Mapping[str, Delay], config: MonitoringConfig) -> list[Reason]:
    """Risks whose results come surely and much later than before."""
    allowed = config.false_alarm_rate / max(1, len(delays))
    return [
        Reason(
            "watch",
            "label delay",
            risk,
            Message(
                "{risk}: results took {days:.0f} days in the middle in the newest week, {before:.0f} in the "
                "weeks before; see whether its maturity_days still hold",
                {
                    "risk": Message(risk, kind="risk"),
                    "days": found.median,
                    "before": found.median_before,
                },
            ),
        )
        for risk, found in delays.items()
        if found.chance < allowed and found.longer_by >= config.delay_days
    ]


def newcomer_reasons(found: Mapping[str, Newcomers], config: MonitoringConfig) -> list[Reason]:
    """Parties or goods of which surely and much more than before were never seen."""
    return [
        Reason(
            "watch",
            "newcomers",
            name,
            Message(
                "{who} never seen before stand on {share:.1%} of the lines, on {before:.1%} in the weeks "
                "before (ordinary days stay below {limit:.1%})",
                {
                    "who": Message(name, kind="newcomers"),
                    "share": who.share,
                    "before": who.share_before,
                    "limit": who.limit,
                },
            ),
        )
        for name, who in found.items()
        if who.alarms and who.share >= config.newcomers_ratio * who.share_before
    ]
