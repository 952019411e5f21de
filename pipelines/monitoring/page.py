"""The page of `monitor`: one file with its charts inside, from which no request leaves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from jinja2 import Environment
from markupsafe import Markup

from models.report.page import page_environment
from models.stats.intervals import too_few
from models.watch.column_shifts import ALL
from pipelines.pages.report_page import styled_page
from pipelines.pages.svg_charts import Bar, bars, intervals, lines

_UNKNOWN = "not known"
_MEANING = {
    "fine": "Nothing beyond what chance and ordinary days explain.",
    "watch": "Something has changed. Look at the reasons; the models may still do.",
    "retrain": "What the models learned no longer holds. Train anew and look at the gate's report.",
}


def monitor_page(content: Mapping[str, Any]) -> str:
    """Return the page of a report with this content as text."""
    return styled_page(
        _environment(),
        "monitor.html.j2",
        report=content,
        meaning=_MEANING[content["verdict"]],
        charts=_charts(content),
        offices=[row for row in content["blocks"] if row["scope"] != ALL and row["level"] != "fine"],
        measured=_headline(content["measured_performance"]),
        share=_share,
        number=_number,
    )


def _charts(content: Mapping[str, Any]) -> dict[str, Markup]:
    charts = {}
    overall = [row for row in content["blocks"] if row["scope"] == ALL]
    if overall:
        tops = [(row, row["strongest"]) for row in overall]
        rows = [
            Bar(row["block"], top["psi"], None, top["limit"], row["level"] != "fine") for row, top in tops
        ]
        charts["blocks"] = bars("Largest stability index of each block", rows)
    scores = [row for row in content["scores"] if row["scope"] == ALL]
    if scores:
        rows = [Bar(row["group"], row["psi"], None, row["limit"], row["level"] != "fine") for row in scores]
        charts["scores"] = bars("Stability index of the scores", rows)
    calibration = [
        Bar(f"{risk}, {_short(row['share'])}", row["ratio"], row["low"], row["high"], not _holds_one(row))
        for risk, found in content["results"].items()
        for row in found["calibration"]
        if row["ratio"] is not None
    ]
    if calibration:
        charts["calibration"] = intervals("Findings over expected findings", calibration, reference=1.0)
    charts |= {
        f"hit_rate {risk}": _weeks(risk, found["weeks"])
        for risk, found in content["results"].items()
        if found["weeks"]
    }
    if content["newcomers_by_day"]:
        charts["newcomers"] = _newcomers(content["newcomers_by_day"])
    return charts


def _holds_one(row: Mapping[str, Any]) -> bool:
    return bool(row["low"] <= 1.0 and (row["high"] is None or row["high"] >= 1.0))


def _short(share: str) -> str:
    return "random" if share == "the random share" else "all"


def _weeks(risk: str, weeks: Sequence[Mapping[str, Any]]) -> Markup:
    return lines(
        f"Hit rate of {risk} by week of declaration",
        [week["to"] for week in weeks],
        {
            "chosen by risk": [week["chosen_rate"]["value"] for week in weeks],
            "all parcels, by the random share": [week["random_rate"]["value"] for week in weeks],
        },
    )


def _newcomers(rows: Sequence[Mapping[str, Any]]) -> Markup:
    days = sorted({row["day"] for row in rows})
    shares = {(row["key"], row["day"]): row["new"] / row["lines"] if row["lines"] else None for row in rows}
    names = list(dict.fromkeys(row["key"] for row in rows))
    return lines(
        "Share of lines whose party or goods were never seen before",
        days,
        {name: [shares.get((name, day)) for day in days] for name in names},
    )


def _headline(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Precision and recall by risk and capacity: the random share, beside it the doubly robust estimate."""
    table: dict[tuple[str, float, str], dict[str, Any]] = {}
    for row in rows:
        if row["quantity"] in ("precision", "recall"):
            key = (row["risk"], row["capacity"], row["quantity"])
            named = {"risk": key[0], "capacity": key[1], "quantity": key[2]}
            table.setdefault(key, named)[row["method"]] = row
    return list(table.values())


@cache
def _environment() -> Environment:
    return page_environment("pipelines.monitoring", {"share": _share, "number": _number, "too_few": too_few})


def _share(value: float | None) -> str:
    return _UNKNOWN if value is None else f"{value:.1%}"


def _number(value: float | None, digits: int = 2) -> str:
    return _UNKNOWN if value is None else f"{value:,.{digits}f}"
