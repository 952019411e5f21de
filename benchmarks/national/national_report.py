"""The report of the national day: what a night took, beside what else does it, and what a larger one will."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from typing import Any

import numpy as np

from benchmarks.national import day_material
from benchmarks.national.national_night import REST

PROJECTED = (20_000_000, 52_000_000)
PEAK_DECLARATIONS = 3_407
CHECKS_AT_MOST = 0.1
_GB, _MB = 1e9, 1e6

Figures = dict[str, Any]


def report(figures: Sequence[Figures]) -> str:
    """The whole page from the figures that were kept, of nights, plain trees and naive days."""
    nights = [done for done in figures if done["kind"] == "night"]
    trees = {done["lines"]: done for done in figures if done["kind"] == "trees"}
    naive = max((done for done in figures if done["kind"] == "naive"), key=_lines, default=None)
    if not nights:
        return "# A national day in a night\n\nNothing was measured.\n"
    parts = [_head(nights), *_compared(nights, trees, naive)]
    if len(nights) > 1:
        parts += _by_size(nights)
    parts += _projection(nights)
    for night in nights:
        parts += _steps(night)
    if naive is not None:
        parts += _naive_steps(naive)
    return "\n".join(parts) + "\n"


def said(done: Figures) -> list[str]:
    """One measurement in a few lines for a terminal."""
    if done["kind"] == "night":
        return [f"night of {done['lines']:,} lines, {seconds_of(done):.1f} s", *_steps(done)[4:]]
    if done["kind"] == "trees":
        return [
            f"(a) plain LightGBM, {done['lines']:,} lines: {done['seconds']:.1f} s "
            f"with {done['threads']} threads, {len(done['trees'])} x {done['trees'][0]} trees of "
            f"{done['leaves']:.0f} leaves on average over {done['columns']} columns"
        ]
    spent = ", ".join(f"{name} {seconds:.1f}" for name, seconds in done["seconds"].items())
    return [f"(b) naive, {done['lines']:,} lines: {sum(done['seconds'].values()):.1f} s ({spent})"]


def seconds_of(night: Figures) -> float:
    """Wall clock of a night, from the first file that is opened to the last list that is written."""
    return float(sum(verb["seconds"] for verb in night["verbs"].values()))


def peak_of(night: Figures) -> int:
    """The highest memory of all processes at one moment, in bytes."""
    return int(max(verb["peak_bytes"] for verb in night["verbs"].values()))


def naive_seconds(naive: Figures, lines: int) -> float:
    """What the naive day would take for so many lines: what is spent on the month stays, the rest grows."""
    fixed = sum(naive["seconds"][name] for name in naive["fixed"])
    return float(fixed + (sum(naive["seconds"].values()) - fixed) * lines / naive["lines"])


def line_through(sizes: Sequence[float], values: Sequence[float]) -> tuple[float, float]:
    """Start and slope of the least-squares line through values by size.

    >>> [round(float(part), 6) for part in line_through([1.0, 2.0, 3.0], [3.0, 5.0, 7.0])]
    [1.0, 2.0]
    """
    slope, start = np.polyfit(np.asarray(sizes), np.asarray(values), 1)
    return float(start), float(slope)


def _head(nights: Sequence[Figures]) -> str:
    largest = nights[-1]
    made, history = largest["made"], largest["history"]
    known = ", ".join(f"{name.removesuffix('_id')} {share:.0%}" for name, share in made["known"].items())
    how = (day_material.__doc__ or "").split("\n\n", 2)[2].split("\n\nFiles hold")[0]
    models = ", ".join(
        f"{name} {size['trees']} x {size['leaves']:.0f}" for name, size in largest["models"].items()
    )
    return (
        "# A national day in a night\n\n"
        "Written by `make bench-day`; no figure here was typed.\n\n"
        f"- machine: {os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}; the "
        f"night used {largest['workers']} processes with {largest['threads']} thread each\n"
        f"- models in use (trees x leaves on average): {models}\n"
        f"- history of the eve: {history['rows']:,} rows of keys, {history['bytes'] / _MB:,.0f} MB on disk, "
        f"from a month of {history['month_parcels']:,} parcels a day\n"
        f"- parties of the largest day known to the history: {known}\n"
        "- memory: PSS of all processes of a verb, added up; read where their resident sizes, looked "
        "at four times a second, are a hundredth above any before, and every three seconds\n"
        "- the measured part starts with Parquet files in the contract's columns: `parcel-risk ingest`, then "
        "`parcel-risk score` with lists of one parcel for 500 lines\n\n"
        f"How a day is made:\n\n{how}\n"
    )


def _compared(nights: Sequence[Figures], trees: dict[int, Figures], naive: Figures | None) -> list[str]:
    rows = []
    for night in nights:
        taken, lines = seconds_of(night), night["lines"]
        cells = [f"{lines:,}", f"{taken:.1f} s", f"{lines / taken:,.0f}"]
        plain = trees.get(lines)
        cells += [f"{plain['seconds']:.1f} s", f"**{taken / plain['seconds']:.2f}**"] if plain else ["–", "–"]
        if naive is not None:
            other = naive_seconds(naive, lines)
            cells += [f"{other:,.0f} s", f"**1/{other / taken:.1f}**"]
        else:
            cells += ["–", "–"]
        rows.append("| " + " | ".join([*cells, night["commit"], night["measured_at"][:10]]) + " |")
    scaled = (
        f" (b) was run on {naive['lines']:,} lines and scaled linearly, but for the time that it spends on "
        f"the month before; its memory there was {naive['peak_bytes'] / _GB:.1f} GB."
        if naive is not None
        else ""
    )
    return [
        "## Beside plain trees and a plain night\n",
        "(a) is `lightgbm.Booster.predict` of three models of 400 trees x 63 leaves on a ready matrix of as "
        "many lines and 60 columns, with the threads of the night. (b) is the same night in pandas and "
        f"scikit-learn (`benchmarks/national/naive_day.py`), one process.{scaled}\n",
        "| lines | night, end to end | lines/s | (a) | night / (a) | (b) | night / (b) | commit | date |",
        "|---|---|---|---|---|---|---|---|---|",
        *rows,
        "\nGoal: night / (a) below 1, better below 0.5; night / (b) at most 1/8.\n",
    ]


def _by_size(nights: Sequence[Figures]) -> list[str]:
    first = nights[0]
    rate = seconds_of(first) / first["lines"]
    rows = [
        f"| {night['lines']:,} | {peak_of(night) / _GB:.2f} GB | {peak_of(night) / peak_of(first):.2f} | "
        f"{seconds_of(night):.1f} s | {seconds_of(night) / night['lines'] / rate:.2f} |"
        for night in nights
    ]
    return [
        "## By size\n",
        "| lines | peak memory | of the first | seconds | seconds a line, of the first |",
        "|---|---|---|---|---|",
        *rows,
        "\nGoal: memory within 10% and below 6 GB, time linear within 10%.\n",
    ]


def _projection(nights: Sequence[Figures]) -> list[str]:
    largest = nights[-1]
    rate = largest["lines"] / seconds_of(largest)
    of_a_declaration = largest["lines"] / largest["made"]["parcels"]
    needed = PEAK_DECLARATIONS * of_a_declaration
    rows = []
    for lines in PROJECTED:
        measured = next((night for night in nights if night["lines"] == lines), None)
        if measured is not None:
            rows.append(f"| {lines:,} | {seconds_of(measured) / 60:.1f} min | measured |")
            continue
        rows.append(f"| {lines:,} | {lines / rate / 60:.1f} min | at {rate:,.0f} lines/s |")
        if len(nights) > 1:
            start, slope = line_through([_lines(night) for night in nights], [*map(seconds_of, nights)])
            rows.append(
                f"| {lines:,} | {(start + slope * lines) / 60:.1f} min | line through the sizes measured |"
            )
    remarks = [f"{night['lines']:,} lines: {night['remark']}." for night in nights if night.get("remark")]
    return [
        "## Larger days on this machine\n",
        "| lines | end to end | |",
        "|---|---|---|",
        *rows,
        *(f"\n{remark}" for remark in remarks),
        f"\nThe peak of {PEAK_DECLARATIONS:,} declarations a second is {needed:,.0f} lines a second at "
        f"{of_a_declaration:.2f} lines a declaration; the night does {rate:,.0f}, "
        f"{rate / needed:.1f} times as many.\n",
    ]


def _steps(night: Figures) -> list[str]:
    lines, rows = night["lines"], []
    for verb, figures in night["verbs"].items():
        for step in figures["steps"]:
            if step["step"] == REST or step["seconds"] > 0.0:
                rows.append(_step_row(f"{verb}: {step['step']}", step, lines, None))
        rows.append(_step_row(f"**{verb}**", figures, lines, figures["written_bytes"]))
    for verb, figures in night.get("again", {}).items():
        rows.append(_step_row(f"{verb}, afterwards", figures, lines, figures["written_bytes"]))
    return [
        f"## The night of {lines:,} lines, by step\n",
        f"{night['made']['parcels']:,} parcels in {night['made']['files']} files of together "
        f"{night['made']['bytes'] / _MB:,.0f} MB; {night['kept']:,} lines kept, {night['quarantined']:,} in "
        f"quarantine, {night['scored']:,} scored, {night['listed']:,} parcels on the lists of "
        f"{night['offices']} offices. Commit {night['commit']}, {night['measured_at'][:10]}.\n",
        "| step | seconds | lines/s | CPU seconds | CPU µs a line | peak memory | written |",
        "|---|---|---|---|---|---|---|",
        *rows,
        "",
        *_checks(night),
    ]


def _checks(night: Figures) -> list[str]:
    """What checks and assessments take of the night; figures of before they were part of it have none."""
    if "checks" not in night:
        return []
    share = night["checks"] / seconds_of(night)
    verdict = "kept" if share <= CHECKS_AT_MOST else "missed"
    return [
        f"All checks and assessments, part of `score`: {night['checks']:.1f} s, **{share:.1%}** of the night "
        f"(goal: at most {CHECKS_AT_MOST:.0%}, {verdict}).\n"
    ]


def _step_row(name: str, step: Figures, lines: int, written: int | None) -> str:
    peak = "–" if step["peak_bytes"] is None else f"{step['peak_bytes'] / _GB:.2f} GB"
    rate = f"{lines / step['seconds']:,.0f}" if step["seconds"] > 0 else "–"
    return (
        f"| {name} | {step['seconds']:.1f} | {rate} | {step['cpu_seconds']:.1f} | "
        f"{step['cpu_seconds'] / lines * 1e6:.1f} | {peak} | "
        f"{'–' if written is None else f'{written / _MB:,.0f} MB'} |"
    )


def _naive_steps(naive: Figures) -> list[str]:
    rows = [
        f"| {name} | {seconds:.1f} | {'the month, once' if name in naive['fixed'] else ''} |"
        for name, seconds in naive["seconds"].items()
    ]
    return [
        f"## (b) by step, {naive['lines']:,} lines\n",
        f"{naive['columns']} columns; {naive['listed']:,} parcels listed.\n",
        "| step | seconds | |",
        "|---|---|---|",
        *rows,
        "",
    ]


def _lines(done: Figures) -> int:
    return int(done["lines"])
