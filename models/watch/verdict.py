"""From what was measured to `fine`, `watch` or `retrain`, each with its reasons in plain words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from configs.schema.monitoring import MonitoringConfig
from models.watch.column_shifts import ALL, FROM_RESULTS, ShiftedColumn, by_group, strongest
from models.watch.monitoring import LEVELS, Delay, HitRate, Level, Newcomers, deflated_over_expected, ratio
from models.watch.risk_results import RiskResults

_OFFICES_NAMED = 5


@dataclass(frozen=True)
class Reason:
    """Why a verdict is not `fine`: how grave, which kind of check about what subject, in words."""

    level: Level
    check: str
    subject: str
    text: str

    def as_dict(self) -> dict[str, Any]:
        """The reason by name."""
        return {"level": self.level, "check": self.check, "subject": self.subject, "text": self.text}


def verdict(reasons: Sequence[Reason]) -> Level:
    """The gravest level of the reasons, `fine` where there is none.

    >>> verdict([Reason("watch", "drift", "price", "…")]), verdict([])
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
    named = [f"{office} ({', '.join(groups)})" for office, groups in own.items() if groups]
    if named:
        more = f" and {len(named) - _OFFICES_NAMED} more" if len(named) > _OFFICES_NAMED else ""
        listed = ", ".join(named[:_OFFICES_NAMED]) + more
        reasons.append(Reason("watch", check, "offices", f"shifted at single offices only: {listed}"))
    return reasons


def _shift_in_words(group: str, shifted: Sequence[ShiftedColumn], of: int, check: str) -> str:
    top = strongest(shifted)
    figures = f"stability index {top.shift.psi:.2f}, by chance and ordinary days below {top.shift.limit:.2f}"
    if check == "score drift":
        return f"scores of {group} have shifted from those of the weeks before: {figures}"
    why = (
        ", as results came in: past findings of parties and goods are others" if group == FROM_RESULTS else ""
    )
    return f"{group}: {len(shifted)} of {of} features have shifted{why}; most of all {top.column} ({figures})"


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
        more = "more" if found.value > 1.0 else "fewer"
        grave = found.low > factor or found.high < 1.0 / factor
        yield Reason(
            "retrain" if grave else "watch",
            "calibration",
            risk,
            f"{risk}: {more} findings than the probabilities said on {row.share}: {row.findings:,} where "
            f"{row.expected:,.1f} were expected, {found.value:.2f} times [{found.low:.2f}, {found.high:.2f}]",
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
            f"{risk}: what was chosen by risk has {results.chosen.rate:.1%} findings, the random share "
            f"{results.random.rate:.1%}: hardly more than random picks (at most {found.high:.2f} times)",
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
            f"{risk}: of what was chosen by risk, {newest.rate:.1%} had a finding in the newest week whose "
            f"results are in, {earlier.rate:.1%} in the weeks before",
        )


def delay_reasons(delays: Mapping[str, Delay], config: MonitoringConfig) -> list[Reason]:
    """Risks whose results come surely and much later than before."""
    allowed = config.false_alarm_rate / max(1, len(delays))
    return [
        Reason(
            "watch",
            "label delay",
            risk,
            f"{risk}: results took {found.median:.0f} days in the middle in the newest week, "
            f"{found.median_before:.0f} in the weeks before; see whether its maturity_days still hold",
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
            f"{name} never seen before stand on {who.share:.1%} of the lines, "
            f"on {who.share_before:.1%} in the weeks before (ordinary days stay below {who.limit:.1%})",
        )
        for name, who in found.items()
        if who.alarms and who.share >= config.newcomers_ratio * who.share_before
    ]
