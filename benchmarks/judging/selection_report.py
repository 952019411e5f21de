"""What the worlds of `benchmarks.selection` say, as Markdown."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np
from scipy.stats import t as student

GOAL = 0.98
WHOLE, SORT = "full", "model"
_FIGURES = {
    "findings": "parcels with a finding",
    "recovered_tax_cny": "recovered tax, CNY",
    "value_cny": "value, CNY",
}


def report(worlds: Sequence[Mapping[str, Any]], changes_on: date) -> str:
    """The whole report; `worlds` are figures of `run_seed`, all of one size."""
    weeks, before, parcels, retrain = worlds[0]["size"]
    commits = ", ".join(sorted({str(world["commit"]) for world in worlds}))
    seconds = sum(world["seconds"] for world in worlds)
    said = [
        "# The whole list against a sort\n",
        f"`make bench-selection`, commit {commits}, Python {sys.version.split()[0]}, {seconds:,.0f} s. "
        f"{len(worlds)} simulated worlds (seeds {', '.join(str(world['seed']) for world in worlds)}), "
        f"{weeks} weeks of nights with {parcels:,} parcels a day after {before} days of history, trained "
        f"every {retrain} days, capacity as packaged; every world changes on {changes_on}. How it is "
        "done stands at the top of [selection.py](../selection.py). Intervals: 95%, Student's t over worlds, "
        "each world paired.\n",
        f"## {WHOLE} less {SORT}\n",
        *_whole_against_sort(worlds),
        "\n## What each part of a list costs on the night itself\n",
        *_shares(worlds),
        "\n## Each strategy\n",
        *_strategies(worlds),
    ]
    return "\n".join(said) + "\n"


def mean_interval(values: Sequence[float]) -> tuple[float, float, float]:
    """Mean with the 95% interval of Student's t; NaN ends with fewer than two values.

    >>> [round(end, 2) for end in mean_interval([1.0, 2.0, 3.0])]
    [2.0, -0.48, 4.48]
    """
    known = np.array([value for value in values if value is not None], dtype=np.float64)
    if len(known) < 2:
        return (float(known.mean()) if len(known) else math.nan), math.nan, math.nan
    half = float(student.ppf(0.975, len(known) - 1) * known.std(ddof=1) / math.sqrt(len(known)))
    return float(known.mean()), float(known.mean()) - half, float(known.mean()) + half


def _whole_against_sort(worlds: Sequence[Mapping[str, Any]]) -> list[str]:
    said = [
        "The whole (random share, exploration, caps) less the uncapped sort with no random share.\n",
        "| | all weeks | in % of the sort | before the change | after it | by world |",
        "|---|---|---|---|---|---|",
    ]
    for figure, words in _FIGURES.items():
        gains = [_of(world, WHOLE, figure) - _of(world, SORT, figure) for world in worlds]
        shares = [
            100.0 * gain / _of(world, SORT, figure) if _of(world, SORT, figure) else math.nan
            for gain, world in zip(gains, worlds, strict=True)
        ]
        halves = [
            [_half(world, WHOLE, half, figure) - _half(world, SORT, half, figure) for world in worlds]
            for half in ("before", "after")
        ]
        cells = [_cell(gains), _cell(shares, "+.1f"), *(_cell(half) for half in halves)]
        said.append(f"| {words} | {' | '.join(cells)} | {', '.join(f'{gain:+,.0f}' for gain in gains)} |")
    return said


def _shares(worlds: Sequence[Mapping[str, Any]]) -> list[str]:
    kept = [_of(world, WHOLE, "risk_share_of_sort") for world in worlds]
    mean, low, high = mean_interval(kept)
    verdict = "met" if mean >= GOAL else "NOT met"
    said = [
        "Value found over that of as many parcels of the highest expected values, with the same models on "
        "the same nights. It tells what a list costs tonight, not what is learned from it.\n",
        f"**The part chosen by risk finds {mean:.1%} [{low:.1%}, {high:.1%}] of the value of an uncapped "
        f"sort of equal size: the goal of {GOAL:.0%} is {verdict}.**\n",
        f"The places of {WHOLE}, by what gave them. *A sort would bring*: a place by risk, what the highest "
        "expected values bring on as many places; a place of another kind, what the next ones of the sort "
        "bring. The cost is the difference over all its places, in % of the value that a sort brings on the "
        "whole list.\n",
        "| given by | places | hit rate, % | value a place, CNY | a sort would bring, CNY | cost, % |",
        "|---" * 6 + "|",
    ]
    parts = {world["seed"]: parts_of(world) for world in worlds}
    for name in dict.fromkeys(name for part in parts.values() for name in part):
        rows = [part[name] for part in parts.values() if name in part]
        forms = {"places": ",.0f", "hit_rate": ".2f", "value": ",.0f", "sort_value": ",.0f", "cost": "+.2f"}
        cells = [_cell([row[figure] for row in rows], form) for figure, form in forms.items()]
        said.append(f"| {name} | {' | '.join(cells)} |")
    whole = [100.0 * (1.0 - _of(world, WHOLE, "list_share_of_sort")) for world in worlds]
    said.append(f"| all | | | | | {_cell(whole, '+.2f')} |")
    return said


def parts_of(world: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    """What the places of the whole list bring in a world, by what gave them.

    Keys of a part: places, hit_rate in %, value and sort_value in CNY a place, cost in % of the value of a
    sort of the whole list's size. The costs of all parts add up to what the whole list costs.
    """
    sums = next(row for row in world["sorts"] if row["strategy"] == WHOLE)
    by_risk = sums["sort_value_cny"] / sums["sort_opened"] if sums["sort_opened"] else math.nan
    others = sums["full_sort_opened"] - sums["sort_opened"]
    next_ones = (sums["full_sort_value_cny"] - sums["sort_value_cny"]) / others if others else math.nan
    parts = {}
    for row in world["selections"]:
        if row["strategy"] != WHOLE or not row["opened"]:
            continue
        sort_value = by_risk if row["selection"] == "risk" else next_ones
        lost = sort_value * row["opened"] - row["value_cny"]
        parts[row["selection"]] = {
            "places": row["opened"],
            "hit_rate": 100.0 * row["findings"] / row["opened"],
            "value": row["value_cny"] / row["opened"],
            "sort_value": sort_value,
            "cost": 100.0 * lost / sums["full_sort_value_cny"] if sums["full_sort_value_cny"] else math.nan,
        }
    return parts


def _strategies(worlds: Sequence[Mapping[str, Any]]) -> list[str]:
    said = [
        "| strategy | opened | findings | hit rate, % | recovered tax, CNY | value, CNY |",
        "|---" * 6 + "|",
    ]
    for row in worlds[0]["strategies"]:
        name = row["strategy"]
        rates = [100.0 * _of(world, name, "hit_rate") for world in worlds]
        cells = [
            _cell([_of(world, name, "opened") for world in worlds], ",.0f"),
            _cell([_of(world, name, "findings") for world in worlds], ",.0f"),
            _cell(rates, ".2f"),
            *(_cell([_of(world, name, figure) for world in worlds], ",.0f") for figure in list(_FIGURES)[1:]),
        ]
        said.append(f"| {name} | {' | '.join(cells)} |")
    return said


def _of(world: Mapping[str, Any], strategy: str, figure: str) -> float:
    row = next(row for row in world["strategies"] if row["strategy"] == strategy)
    return math.nan if row[figure] is None else float(row[figure])


def _half(world: Mapping[str, Any], strategy: str, half: str, figure: str) -> float:
    rows = (row for row in world["halves"] if (row["strategy"], row["half"]) == (strategy, half))
    return float(next((row[figure] for row in rows), 0.0))


def _cell(values: Sequence[float], form: str = "+,.0f") -> str:
    mean, low, high = mean_interval(values)
    shown = format(mean, form)
    return shown if math.isnan(low) else f"{shown} [{format(low, form)}, {format(high, form)}]"
