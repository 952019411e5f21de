"""What twelve new worlds said: ours beside the released program and the reference, and what was promised."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from statistics import fmean
from typing import Any

from benchmarks.judging.released import RELEASED
from benchmarks.judging.world_report import in_cell, over_worlds

Figures = dict[str, Any]
GOALS = {"undervaluation": 1.15, "prohibited_items": 1.1, "food_safety": 1.15}
"""Least geometric mean of average precision over that of the released program."""
_WHOSE = ("ours", "released", "reference")
_ENOUGH_DRAWS = 20
_FACTOR_WITH_DRAWS, _FACTOR_WITHOUT = 1.5, 3.0


def new_worlds_section(worlds: Sequence[Figures]) -> str:
    """All tables about the twelve worlds."""
    return "\n".join(
        [_introduction(worlds), _ranking(worlds), _tax(worlds), _calibration(worlds), _mechanisms(worlds)]
    )


def _introduction(worlds: Sequence[Figures]) -> str:
    days, parcels, scored = worlds[0]["size"]
    rows = [
        f"| {world['name']} | {world['seed']} | {world['text']} | {world['lines']:,} | "
        + "; ".join(
            f"{name.replace('_', ' ')} {risk['inspected_lines']:,} ({risk['inspected_findings']:,}; "
            f"at random {risk['random_findings']})"
            for name, risk in world["risks"].items()
        )
        + " |"
        for world in worlds
    ]
    return "\n".join(
        [
            "## Twelve new worlds\n",
            f"{days} days of {parcels:,} parcels, the last {scored} scored; seeds that nothing was developed "
            f"on. *ours* and *reference* as models.md says; *released*: commit {RELEASED}, trained and run "
            "by its own command line on the same declarations and results.\n",
            "| world | seed | what is special | lines | inspected lines (findings; of the random share) |",
            "|---|---|---|---|---|",
            *rows,
            "",
        ]
    )


def _ranking(worlds: Sequence[Figures]) -> str:
    said, verdict = ["### Average precision\n"], []
    for name, measured in _by_risk(worlds):
        said += [
            f"**{name.replace('_', ' ')}**\n",
            "| world | findings | ours | released | reference | ours / released | ours / reference |",
            "|---|---|---|---|---|---|---|",
        ]
        for world, risk in measured:
            cells = " | ".join(in_cell(risk["average_precision"][whose]) for whose in _WHOSE)
            ratios = " | ".join(in_cell(risk["ratios"][f"ours over {other}"], 2) for other in _WHOSE[1:])
            said.append(f"| {world['name']} | {risk['findings']:,} | {cells} | {ratios} |")
        said.append("")
        over = {other: [risk["ratios"][f"ours over {other}"] for _, risk in measured] for other in _WHOSE[1:]}
        means = [over_worlds([ratio for ratio, _, _ in over[other]]) for other in _WHOSE[1:]]
        below = [
            world["name"]
            for (world, _), (_, _, high) in zip(measured, over["reference"], strict=True)
            if high < 1
        ]
        reached = means[0][0] >= GOALS[name] and means[0][1] > 1.0 and not below
        verdict.append(
            f"| {name.replace('_', ' ')} | {in_cell(means[0], 2)} | {GOALS[name]} "
            f"| {in_cell(means[1], 2)} | {', '.join(below) or 'none'} | {'yes' if reached else 'no'} |"
        )
    head = [
        "Geometric means over the worlds with the interval that their differences give (Student's t of the "
        "logarithms):\n",
        "| risk | ours / released | goal | ours / reference | surely below the reference in | reached |",
        "|---|---|---|---|---|---|",
    ]
    return "\n".join([*said, *head, *verdict, ""])


def _tax(worlds: Sequence[Figures]) -> str:
    said = [
        "### Tax shortfall found in the top 1% of lines\n",
        "| world | ours | released | reference | ours / released | ours / reference |",
        "|---|---|---|---|---|---|",
    ]
    for world in worlds:
        for risk in world["risks"].values():
            if "tax" in risk:
                tax = risk["tax"]["lines"]
                cells = [in_cell(tax[whose]) for whose in _WHOSE]
                cells += [in_cell(tax["ratios"][f"ours over {other}"], 2) for other in _WHOSE[1:]]
                said.append(f"| {world['name']} | {' | '.join(cells)} |")
    return "\n".join([*said, ""])


def _calibration(worlds: Sequence[Figures]) -> str:
    said = [
        "### Said over recorded\n",
        "*by the share*: the mean moved to the share of findings among all lines of the random share (half a "
        "finding where it had none), over what inspections of all lines would record.\n",
        "| risk | world | findings of draws | said / recorded | contains 1 | by the share |",
        "|---|---|---|---|---|---|",
    ]
    ours, shifts, contained, within = [], [], 0, []
    for name, measured in _by_risk(worlds):
        for world, risk in measured:
            ratio, low, high = risk["calibration"]["ratio"]
            shift = _by_the_share(world, risk)
            enough = risk["random_findings"] >= _ENOUGH_DRAWS
            most = _FACTOR_WITH_DRAWS if enough else _FACTOR_WITHOUT
            within.append(abs(math.log(ratio)) <= math.log(most))
            contained += low <= 1.0 <= high
            ours.append(abs(math.log(ratio)))
            shifts.append(abs(math.log(shift)))
            said.append(
                f"| {name.replace('_', ' ')} | {world['name']} | {risk['random_findings']} | "
                f"{in_cell((ratio, low, high), 2)} | {'yes' if low <= 1.0 <= high else '**no**'} "
                f"| {shift:.2f} |"
            )
    return "\n".join(
        [
            *said,
            f"\nMean distance |log|: ours {fmean(ours):.2f}, by the share {fmean(shifts):.2f}. Intervals "
            f"that contain 1: {contained} of {len(ours)}. Within {_FACTOR_WITH_DRAWS} where draws hold "
            f"{_ENOUGH_DRAWS} findings, else within {_FACTOR_WITHOUT:g}: {sum(within)} of {len(within)}.\n",
        ]
    )


def _by_the_share(world: Figures, risk: Figures) -> float:
    found = risk["random_findings"] or 0.5
    return float(found / risk["random_lines"] * world["lines"] / risk["calibration"]["recorded"])


def _mechanisms(worlds: Sequence[Figures]) -> str:
    said = [
        "### What was done, and how much of it stands in the top 1%\n",
        "All worlds together, each scored by its own models.\n",
        "| risk | mechanism | findings | ours | released | reference |",
        "|---|---|---|---|---|---|",
    ]
    for name, measured in _by_risk(worlds):
        sums: dict[str, dict[str, float]] = {}
        for _, risk in measured:
            for mechanism, shares in risk["mechanisms"].items():
                total = sums.setdefault(mechanism, dict.fromkeys(("findings", *_WHOSE), 0.0))
                total["findings"] += shares["findings"]
                for whose in _WHOSE:
                    total[whose] += shares[whose] * shares["findings"]
        for mechanism, total in sorted(sums.items()):
            cells = " | ".join(f"{total[whose] / total['findings']:.3f}" for whose in _WHOSE)
            words = f"{name.replace('_', ' ')} | {mechanism.replace('_', ' ')}"
            said.append(f"| {words} | {total['findings']:,.0f} | {cells} |")
    return "\n".join([*said, ""])


def _by_risk(worlds: Sequence[Figures]) -> Iterator[tuple[str, list[tuple[Figures, Figures]]]]:
    for name in dict.fromkeys(name for world in worlds for name in world["risks"]):
        measured = [(world, world["risks"][name]) for world in worlds if "findings" in world["risks"][name]]
        if measured:
            yield name, measured
