"""A backtest in words and tables, as the command line shows it and the record in MLflow keeps it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from models.stats.intervals import too_few
from pipelines.backtest.outcome import FOUND_PREFIX
from pipelines.pages.text_table import cut_to_width, text_table
from pipelines.work.report import Report

_SAID_WIDTH = 100
_WORDS = {"findings": "findings", "recovered_tax_cny": "CNY of recovered tax", "value_cny": "CNY of value"}


@dataclass(frozen=True)
class BacktestReport(Report):
    """What every strategy found, and where the tables are."""

    first: date
    last: date
    source: str
    knows_tax: bool
    folder: Path
    totals: pl.DataFrame
    weeks: pl.DataFrame
    selections: pl.DataFrame
    differences: pl.DataFrame
    trainings: Mapping[str, Sequence[tuple[date, Mapping[str, str], Mapping[str, str]]]]
    tracking: str
    warnings: Sequence[str] = ()

    def _lines(self) -> list[str]:
        return [
            *self.tables(),
            f"tables and picture: {self.folder}",
            f"runs: {self.tracking}",
            *self.warnings,
        ]

    def tables(self) -> list[str]:
        """The part of the report that depends on the figures alone."""
        lines = [f"{self.first} to {self.last}, results from {self.source}", ""]
        lines += text_table(self._totals())
        if not self.knows_tax:
            lines += ["", "these results tell no recovered tax; a finding counts what the risk's file says"]
        if self.totals["risk_share_of_sort"].count():
            lines += [
                "",
                "risk/sort: value found by the part chosen by risk over that of as many parcels of the",
                "highest expected values alone, with the same models and nights; list/sort: of whole lists",
            ]
        lines += ["", "hit rate by way of selection", *text_table(self._selections(), lefts=2)]
        lines += ["", "hit rate by week, % [95% interval]", *text_table(self._weeks(), lefts=2)]
        if self.differences.height:
            lines += ["", "differences over the period [95% interval over weeks, the same for both]"]
            lines += self._differences()
        for name, done in self.trainings.items():
            lines += ["", f"{name}: models in use after each training", *_trainings(done)]
        return lines

    def _facts(self) -> dict[str, Any]:
        return {
            "from": self.first,
            "to": self.last,
            "source": self.source,
            "strategies": self.totals.to_dicts(),
            "differences": self.differences.to_dicts(),
            "folder": self.folder,
            "tracking_uri": self.tracking,
            "warnings": self.warnings,
        }

    def _totals(self) -> list[list[str]]:
        risks = [name for name in self.totals.columns if name.startswith(FOUND_PREFIX)]
        tax = ["recovered tax, CNY"] if self.knows_tax else []
        head = ["strategy", "opened", "findings", "hit rate, % [95%]", *tax]
        head += ["value, CNY", "risk/sort", "list/sort"]
        rows = [[*head, *(name.removeprefix(FOUND_PREFIX) for name in risks)]]
        for row in self.totals.iter_rows(named=True):
            amount = [f"{row['recovered_tax_cny']:,.0f}"] if self.knows_tax else []
            shares = (row["risk_share_of_sort"], row["list_share_of_sort"])
            rows.append(
                [
                    row["strategy"],
                    *_counts(row),
                    *amount,
                    f"{row['value_cny']:,.0f}",
                    *("–" if share is None else f"{share:.1%}" for share in shares),
                    *(f"{row[name]:,}" for name in risks),
                ]
            )
        return rows

    def _selections(self) -> list[list[str]]:
        rows = [["strategy", "selection", "opened", "findings", "hit rate, % [95%]", "value a parcel, CNY"]]
        return rows + [
            [
                row["strategy"],
                row["selection"],
                *_counts(row),
                f"{row['value_cny'] / row['opened']:,.0f}",
            ]
            for row in self.selections.iter_rows(named=True)
        ]

    def _weeks(self) -> list[list[str]]:
        names = self.totals["strategy"].to_list()
        rows = [["week", "from", *names]]
        for (number, start), part in self.weeks.group_by("week", "week_from", maintain_order=True):
            by_name = {row["strategy"]: row for row in part.iter_rows(named=True)}
            rows.append([str(number), str(start), *(_rate(by_name[name]) for name in names)])
        return rows

    def _differences(self) -> list[str]:
        lines = []
        for row in self.differences.iter_rows(named=True):
            if row["figure"] == "recovered_tax_cny" and not self.knows_tax:
                continue
            known = row["low"] is not None
            ends = f"[{row['low']:+,.0f}, {row['high']:+,.0f}]" if known else "[too few weeks]"
            words = _WORDS[row["figure"]]
            lines.append(f"{row['strategy']} less {row['against']}: {row['difference']:+,.0f} {ends} {words}")
        return lines


def _counts(row: Mapping[str, Any]) -> list[str]:
    return [f"{row['opened']:,}", f"{row['findings']:,}", _rate(row)]


def _rate(row: Mapping[str, Any]) -> str:
    if row["hit_rate"] is None:
        return too_few(row["findings"]) if row["opened"] else "–"
    shown = (100.0 * row[name] for name in ("hit_rate", "hit_rate_low", "hit_rate_high"))
    return "{:.1f} [{:.1f}, {:.1f}]".format(*shown)


def _trainings(done: Sequence[tuple[date, Mapping[str, str], Mapping[str, str]]]) -> list[str]:
    rows = [["until", "risk", "model of", "what was said"]]
    for until, models, said in done:
        for risk, words in said.items():
            rows.append([str(until), risk, models.get(risk, "none"), cut_to_width(words, _SAID_WIDTH)])
    return text_table(rows, lefts=4)
