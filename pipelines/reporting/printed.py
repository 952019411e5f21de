"""The report in plain text: what the command prints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from configs.language import Language
from features.text.visible import visible_text
from models.estimates.office_figures import LEAST_PARCELS
from models.stats.intervals import too_few
from pipelines.lists.parcel import CODE_CHARACTERS
from pipelines.pages.naming import Naming
from pipelines.pages.text_table import text_table

_MOST_NAMED = 12
Tables = Mapping[str, pl.DataFrame]


def printed(tables: Tables, least_findings: int, naming: Naming) -> list[str]:
    """The figures of an `OfficeReport` as lines."""
    words = naming.words
    return [
        *_missing(tables["lists"].filter(pl.col("returned") == 0), naming),
        _listed(tables, words),
        *_skipped(tables["draws_skipped"]["customs_office"].to_list(), words),
        "",
        *_by_office(tables, words),
        "",
        *_grid(tables["findings_by_risk"], naming),
        "",
        *_by_selection(tables["hit_rates_in_all"], naming),
        *_others(tables["other_inspections"], naming),
        "",
        _lift(tables["lifts"], least_findings, words),
        _delay(tables["delays"], words),
    ]


def glance(tables: Tables, least_findings: int, words: Language) -> list[str]:
    """What the head of an office wants to know first, in a sentence each: what became of the parcels, whether
    the choice finds more than chance, and how soon it is known.
    """
    return [
        _listed(tables, words),
        _lift(tables["lifts"], least_findings, words),
        _delay(tables["delays"], words),
    ]


def whose(office: str | None, words: Language) -> str:
    """Of which office a report is."""
    return words("all offices") if office is None else words("office {office}", office=_shown(office))


def _listed(tables: Tables, words: Language) -> str:
    counts = tables["became_of"].select(pl.exclude("customs_office", "selection").sum()).row(0, named=True)
    return words(
        "of {listed:,} parcels on these lists {opened:,} were opened, {found:,} of them with a finding; "
        "{at_laboratory:,} at the laboratory, {replaced:,} replaced by another, {not_opened:,} not opened, "
        "{no_result:,} without a result",
        found=int(tables["hit_rates_in_all"]["findings"].sum()),
        **counts,
    )


def _skipped(offices: Sequence[str], words: Language) -> list[str]:
    if not offices:
        return []
    return [
        words(
            "draws are skipped: {offices} opened surely fewer of the parcels drawn at random than of the "
            "others; hit rates, lift and the level of all probabilities rest on the draws",
            offices=words.listed(map(_shown, offices)),
        )
    ]


def _grid(table: pl.DataFrame, naming: Naming) -> list[str]:
    """Findings of parcels whose risk was examined, by office and risk."""
    words, risks = naming.words, table["risk"].unique(maintain_order=True).to_list()
    rows = [[words("findings"), *naming.each(risks)]]
    for (office,), cells in table.group_by("customs_office", maintain_order=True):
        known = {row["risk"]: row for row in cells.iter_rows(named=True)}
        rows.append(
            [
                words("all") if office is None else _shown(str(office)),
                *(_share(known[risk], words) if known[risk]["examined"] else "-" for risk in risks),
            ]
        )
    return text_table(rows) if risks else []


def _share(row: Mapping[str, Any], words: Language) -> str:
    return words("{findings:,} of {examined:,}", findings=row["findings"], examined=row["examined"])


def _others(table: pl.DataFrame, naming: Naming) -> list[str]:
    if table.is_empty():
        return []
    words = naming.words
    parts = (
        f"{naming.channel(row['selection'])} {_share(row, words)}" for row in table.iter_rows(named=True)
    )
    return [
        words(
            "inspections of parcels on no list, not counted above (findings of examined): {channels}",
            channels=words.listed(parts),
        )
    ]


def _shown(text: str) -> str:
    """An office or shift as a terminal may show it."""
    return visible_text(text, CODE_CHARACTERS)


def _missing(missing: pl.DataFrame, naming: Naming) -> list[str]:
    if missing.is_empty():
        return []
    words = naming.words
    named = [
        words(
            "{whose} of {day}",
            whose=_shown(office)
            if shift is None
            else words("{text} ({aside})", text=_shown(office), aside=_shown(naming.shift(shift))),
            day=day,
        )
        for day, office, shift in missing.select("declared_on", "customs_office", "shift").iter_rows()
    ]
    return [words("not returned: {lists}", lists=words.listed(named, _MOST_NAMED))]


def _by_office(tables: Tables, words: Language) -> list[str]:
    lists = (
        tables["lists"]
        .group_by("customs_office")
        .agg(
            pl.len().alias("lists"),
            (pl.col("returned") > 0).sum().alias("came_back"),
            pl.col("parcels", "returned", "in_conflict", "rejected").sum(),
        )
    )
    rows = [
        [
            words("office"), words("lists"), words("back"), words("parcels"), words("back"),
            words("in conflict"), words("rejected"), words("days to result"),
        ]
    ]  # fmt: skip
    delay = dict(tables["delays"].select("customs_office", "half_within_days").iter_rows())
    for office, *counts in lists.sort("customs_office").iter_rows():
        days = delay.get(office)
        rows.append(
            [
                _shown(office),
                *(f"{count:,}" for count in counts),
                words("too few") if days is None else f"{days:.0f}",
            ]
        )
    return text_table(rows)


def _by_selection(rates: pl.DataFrame, naming: Naming) -> list[str]:
    words = naming.words
    rows = [
        [
            words("chosen by"), words("listed"), words("examined"), words("findings"),
            words("hit rate (95%)"), words("tax an inspection, CNY"),
        ]
    ]  # fmt: skip
    for row in rates.iter_rows(named=True):
        rows.append(
            [
                naming.channel(row["selection"]),
                *(f"{row[name]:,}" for name in ("listed", "examined", "findings")),
                _rate(row, words),
                _tax(row, words),
            ]
        )
    return text_table(rows) if len(rows) > 1 else [words("no parcel stands on these lists")]


def _rate(row: Mapping[str, Any], words: Language) -> str:
    if row["hit_rate"] is None:
        return too_few(row["findings"], words)
    return words(
        "{rate:.1%} ({low:.1%} to {high:.1%})", rate=row["hit_rate"], low=row["low"], high=row["high"]
    )


def _tax(row: Mapping[str, Any], words: Language) -> str:
    if row["recovered_tax_cny"] is None:
        return "–"
    mean = row["tax_per_inspection"]
    return too_few(row["findings"], words) if mean is None else f"{mean:,.2f}"


def _lift(table: pl.DataFrame, least_findings: int, words: Language) -> str:
    row = table.row(0, named=True)
    sides = words(
        "{chosen_findings:,} of {chosen:,} chosen by risk, {random_findings:,} of {random:,} drawn at "
        "random, same offices and weeks",
        **{name: row[name] for name in ("chosen_findings", "chosen", "random_findings", "random")},
    )
    if row["lift"] is None:
        return words(
            "lift over the random share: {few} or parcels ({sides}; it takes {parcels} parcels each and "
            "{findings} findings, one of them at random)",
            few=too_few(row["chosen_findings"] + row["random_findings"], words),
            sides=sides,
            parcels=LEAST_PARCELS,
            findings=least_findings,
        )
    return words(
        "lift over the random share: {lift:.1f} ({low:.1f} to {high:.1f}); {sides}",
        lift=row["lift"],
        low=row["low"],
        high=row["high"],
        sides=sides,
    )


def _delay(table: pl.DataFrame, words: Language) -> str:
    row = table.row(0, named=True) if table.height else {"half_within_days": None}
    if row["half_within_days"] is None:
        return words("days from list to result: too few are known")
    return words(
        "days from list to result: half within {half:.0f}, 90% within {most:.0f}",
        half=row["half_within_days"],
        most=row["most_within_days"],
    )
