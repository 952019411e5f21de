"""The report in plain text: what the command prints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from features.text.visible import visible_text
from models.estimates.office_figures import LEAST_PARCELS
from models.stats.intervals import too_few
from pipelines.lists.parcel import CODE_CHARACTERS
from pipelines.pages.text_table import text_table

_MOST_NAMED = 12
Tables = Mapping[str, pl.DataFrame]


def printed(tables: Tables, least_findings: int) -> list[str]:
    """The figures of an `OfficeReport` as lines."""
    return [
        *_missing(tables["lists"].filter(pl.col("returned") == 0)),
        _listed(tables),
        *_skipped(tables["draws_skipped"]["customs_office"].to_list()),
        "",
        *_by_office(tables),
        "",
        *_grid(tables["findings_by_risk"]),
        "",
        *_by_selection(tables["hit_rates_in_all"]),
        *_others(tables["other_inspections"]),
        "",
        _lift(tables["lifts"], least_findings),
        _delay(tables["delays"]),
    ]


def _listed(tables: Tables) -> str:
    counts = tables["became_of"].select(pl.exclude("customs_office", "selection").sum()).row(0, named=True)
    found = int(tables["hit_rates_in_all"]["findings"].sum())
    return (
        f"of {counts['listed']:,} parcels on these lists {counts['opened']:,} were opened, {found:,} of them "
        f"with a finding; {counts['replaced']:,} replaced by another, {counts['not_opened']:,} not opened, "
        f"{counts['no_result']:,} without a result"
    )


def _skipped(offices: Sequence[str]) -> list[str]:
    if not offices:
        return []
    return [
        f"draws are skipped: {', '.join(map(shown, offices))} opened surely fewer of the parcels drawn at "
        "random than of the others; hit rates, lift and the level of all probabilities rest on the draws"
    ]


def _grid(table: pl.DataFrame) -> list[str]:
    """Findings of parcels whose risk was examined, by office and risk."""
    risks = table["risk"].unique(maintain_order=True).to_list()
    rows = [["findings", *risks]]
    for (office,), cells in table.group_by("customs_office", maintain_order=True):
        known = {row["risk"]: row for row in cells.iter_rows(named=True)}
        rows.append(
            [
                "all" if office is None else shown(str(office)),
                *(
                    f"{known[risk]['findings']:,} of {known[risk]['examined']:,}"
                    if known[risk]["examined"]
                    else "-"
                    for risk in risks
                ),
            ]
        )
    return text_table(rows) if risks else []


def _others(table: pl.DataFrame) -> list[str]:
    if table.is_empty():
        return []
    parts = (
        f"{row['selection'] or 'not known'} {row['findings']:,} of {row['examined']:,}"
        for row in table.iter_rows(named=True)
    )
    return [
        f"inspections of parcels on no list, not counted above (findings of examined): {', '.join(parts)}"
    ]


def shown(text: str) -> str:
    """An office or shift as a terminal may show it."""
    return visible_text(text, CODE_CHARACTERS)


def _missing(missing: pl.DataFrame) -> list[str]:
    if missing.is_empty():
        return []
    named = [
        f"{shown(office)}{'' if shift is None else f' ({shown(shift)})'} of {day}"
        for day, office, shift in missing.select("declared_on", "customs_office", "shift").iter_rows()
    ]
    more = f" and {len(named) - _MOST_NAMED:,} more" if len(named) > _MOST_NAMED else ""
    return [f"not returned: {', '.join(named[:_MOST_NAMED])}{more}"]


def _by_office(tables: Tables) -> list[str]:
    lists = (
        tables["lists"]
        .group_by("customs_office")
        .agg(
            pl.len().alias("lists"),
            (pl.col("returned") > 0).sum().alias("came_back"),
            pl.col("parcels", "returned", "in_conflict", "rejected").sum(),
        )
    )
    rows = [["office", "lists", "back", "parcels", "back", "in conflict", "rejected", "days to result"]]
    delay = dict(tables["delays"].select("customs_office", "half_within_days").iter_rows())
    for office, *counts in lists.sort("customs_office").iter_rows():
        days = delay.get(office)
        rows.append(
            [
                shown(office),
                *(f"{count:,}" for count in counts),
                "too few" if days is None else f"{days:.0f}",
            ]
        )
    return text_table(rows)


def _by_selection(rates: pl.DataFrame) -> list[str]:
    rows = [["chosen by", "listed", "examined", "findings", "hit rate (95%)", "tax an inspection, CNY"]]
    for row in rates.iter_rows(named=True):
        tax = row["tax_per_inspection"]
        rows.append(
            [
                row["selection"] or "not known",
                *(f"{row[name]:,}" for name in ("listed", "examined", "findings")),
                _rate(row),
                too_few(row["findings"]) if tax is None else f"{tax:,.2f}",
            ]
        )
    return text_table(rows) if len(rows) > 1 else ["no parcel stands on these lists"]


def _rate(row: Mapping[str, Any]) -> str:
    if row["hit_rate"] is None:
        return too_few(row["findings"])
    return f"{row['hit_rate']:.1%} ({row['low']:.1%} to {row['high']:.1%})"


def _lift(table: pl.DataFrame, least_findings: int) -> str:
    row = table.row(0, named=True)
    sides = (
        f"{row['chosen_findings']:,} of {row['chosen']:,} chosen by risk, {row['random_findings']:,} of "
        f"{row['random']:,} drawn at random, same offices and weeks"
    )
    if row["lift"] is None:
        few = too_few(row["chosen_findings"] + row["random_findings"])
        return (
            f"lift over the random share: {few} or parcels ({sides}; it takes {LEAST_PARCELS} parcels "
            f"each and {least_findings} findings, one of them at random)"
        )
    return f"lift over the random share: {row['lift']:.1f} ({row['low']:.1f} to {row['high']:.1f}); {sides}"


def _delay(table: pl.DataFrame) -> str:
    row = table.row(0, named=True) if table.height else {"half_within_days": None}
    if row["half_within_days"] is None:
        return "days from list to result: too few are known"
    return (
        f"days from list to result: half within {row['half_within_days']:.0f}, 90% within "
        f"{row['most_within_days']:.0f}"
    )
