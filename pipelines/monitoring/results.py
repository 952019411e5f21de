"""What `monitor` reads besides features: scores and their versions, reported results, and lists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import polars as pl

from configs.schema.risk import RiskConfig
from features.contract.declarations import LINE_KEY
from features.history.results import known_labels
from models.estimates.parcel_table import UNASSIGNED
from models.watch.column_shifts import Sampled
from models.watch.monitoring import Delay, delay
from models.watch.risk_results import RiskResults, risk_results
from pipelines.monitoring.days import sampled_parcels
from pipelines.store.day_table import DayTable
from pipelines.store.files import read_tables, read_whole
from pipelines.store.store import Store

_WEEK = 7
_LINE_COLUMNS = ["declaration_id", "line_no", "seller_id"]


def model_versions(store: Store, day: date) -> dict[str, str]:
    """The versions that scored `day`, by risk, as its newest manifest names them; empty without one."""
    versions = store.newest_manifest("score", day).get("model_versions", {})
    return {str(risk): str(version) for risk, version in versions.items()}


def version_changes(versions: Mapping[date, Mapping[str, str]]) -> list[dict[str, str | None]]:
    """Where the version of a risk's model changed from one scored day to the next.

    >>> version_changes({date(2026, 11, 1): {"r": "1"}, date(2026, 11, 2): {"r": "2"}})
    [{'risk': 'r', 'from_day': '2026-11-02', 'before': '1', 'after': '2'}]
    """
    changes = []
    days = sorted(versions)
    for earlier, later in pairwise(days):
        for risk in sorted({*versions[earlier], *versions[later]}):
            before, after = versions[earlier].get(risk), versions[later].get(risk)
            if before != after:
                changes.append(
                    {"risk": risk, "from_day": later.isoformat(), "before": before, "after": after}
                )
    return changes


def read_scores(store: Store, day: date, risks: Sequence[str]) -> pl.DataFrame:
    """The scores of a day: its key and one column a risk, null where the day has no such column."""
    schema: dict[str, pl.DataType] = {"declaration_id": pl.String(), "line_no": pl.Int32()}
    schema |= dict.fromkeys(risks, pl.Float64())
    return read_tables(store.layout.files(DayTable.SCORES, day), schema, None)


def sampled_scores(store: Store, day: date, risk: str, sample_lines: int) -> Sampled:
    """The scores of about `sample_lines` lines of a day, drawn by parcel, as a group named as the risk."""
    offices = store.read_declarations(day, [*LINE_KEY, "customs_office"])
    lines = read_scores(store, day, [risk]).join(offices, on=LINE_KEY, how="inner")
    drawn = sampled_parcels(lines, sample_lines)
    return Sampled(drawn["customs_office"].fill_null(UNASSIGNED), {risk: drawn.select(risk)})


@dataclass(frozen=True)
class ResultsRead:
    """Results by risk, delays by risk, and by week what was answered and is still to come."""

    by_risk: dict[str, RiskResults]
    delays: dict[str, Delay]
    to_come: list[dict[str, Any]]
    lists: list[dict[str, Any]]


def read_results(
    store: Store,
    risks: Sequence[RiskConfig],
    weeks: int,
    day: date,
    versions: Mapping[date, Mapping[str, str]],
    least_findings: int,
) -> ResultsRead:
    """Everything that was reported up to `day` about lines of the weeks before it.

    `versions` are those of every scored day of the period, and of `day` itself; figures of fewer findings
    than `least_findings` are none.
    """
    reports = store.read_inspections(reported_from=first_day(risks, weeks, day), reported_to=day)
    known = known_labels(reports, day)
    inspected = _with_scores(store, known, versions, risks)
    present = [risk for risk in risks if risk.label in known.columns]
    return ResultsRead(
        {
            risk.name: replace(
                risk_results(
                    inspected, risk.name, risk.label, mature_to=day - timedelta(days=risk.maturity_days),
                    weeks=weeks, version=versions.get(day, {}).get(risk.name),
                ),
                least_findings=least_findings,
            )
            for risk in present
        },
        {risk.name: _delay(known, risk.label, day, weeks) for risk in present},
        [row for risk in present for row in _to_come(known, risk, day, weeks)],
        _answered_lists(store, known, day, weeks),
    )  # fmt: skip


def first_day(risks: Sequence[RiskConfig], weeks: int, day: date) -> date:
    """The first day of the weeks whose results are in by `day`, for the risk that waits longest."""
    longest = max((risk.maturity_days for risk in risks), default=0)
    return day - timedelta(days=longest + _WEEK * weeks)


def _with_scores(
    store: Store,
    known: pl.DataFrame,
    versions: Mapping[date, Mapping[str, str]],
    risks: Sequence[RiskConfig],
) -> pl.DataFrame:
    """The inspected lines of every scored day with their probabilities, versions, day and seller."""
    parts, names = [], [risk.name for risk in risks]
    for day, by_risk in sorted(versions.items()):
        # A label may be called like its risk.
        scores = read_scores(store, day, names).rename({name: f"probability__{name}" for name in names})
        inspected = known.join(scores, on=LINE_KEY, how="inner")
        sellers = store.read_declarations(day, _LINE_COLUMNS)
        parts.append(
            inspected.join(sellers, on=LINE_KEY, how="left").with_columns(
                pl.lit(day).alias("declared_on"),
                *(pl.lit(by_risk.get(name), dtype=pl.String).alias(f"version__{name}") for name in names),
            )
        )
    return pl.concat(parts)


def _delay(known: pl.DataFrame, label: str, day: date, weeks: int) -> Delay:
    """Days from inspection to the label's report: of those reported in the newest week, and before it."""
    reported = pl.col(f"reported_on__{label}")
    timed = known.filter(reported.is_not_null()).select(
        reported.alias("reported"),
        (reported - pl.col("inspected_on")).dt.total_days().cast(pl.Float64).alias("days"),
    )
    newest_from = day - timedelta(days=_WEEK - 1)
    recent = timed.filter(pl.col("reported") >= newest_from)
    before = newest_from - timedelta(days=_WEEK * weeks), newest_from
    earlier = timed.filter(pl.col("reported").is_between(*before, closed="left"))
    return delay(recent["days"].to_numpy(), earlier["days"].to_numpy())


def _weeks(day: date, weeks: int) -> list[tuple[date, date]]:
    """The first and the last day of each week up to `day`, oldest first."""
    lasts = [day - timedelta(days=_WEEK * back) for back in reversed(range(weeks))]
    return [(last - timedelta(days=_WEEK - 1), last) for last in lasts]


def _to_come(known: pl.DataFrame, risk: RiskConfig, day: date, weeks: int) -> list[dict[str, Any]]:
    """By week of inspection: lines inspected, with a result for the risk, and still within its maturity."""
    rows = []
    young = pl.col("inspected_on") > day - timedelta(days=risk.maturity_days)
    for first, last in _weeks(day, weeks):
        inside = known.filter(pl.col("inspected_on").is_between(first, last))
        answered = inside[risk.label].count()
        waiting = inside.filter(pl.col(risk.label).is_null() & young).height
        rows.append(
            {
                "risk": risk.name,
                "from": first.isoformat(),
                "to": last.isoformat(),
                "inspected": inside.height,
                "answered": answered,
                "may_still_come": waiting,
                "answered_share": answered / inside.height if inside.height else None,
            }
        )
    return rows


def _answered_lists(store: Store, known: pl.DataFrame, day: date, weeks: int) -> list[dict[str, Any]]:
    """By week: parcels on the lists, and those of which anything was reported."""
    reported = known.select("declaration_id").unique()
    rows = []
    for first, last in _weeks(day, weeks):
        listed = answered = 0
        for listed_on in (
            known_day for known_day in store.days(DayTable.LISTS) if first <= known_day <= last
        ):
            file = store.layout.file(DayTable.LISTS, listed_on)
            parcels = read_whole(file, ["declaration_id"])
            listed += parcels.height
            answered += parcels.join(reported, on="declaration_id", how="semi").height
        rows.append(
            {
                "from": first.isoformat(),
                "to": last.isoformat(),
                "listed": listed,
                "reported": answered,
                "reported_share": answered / listed if listed else None,
            }
        )
    return rows
