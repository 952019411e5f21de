"""A rule tried before it is used: what changed tables would have found in past days."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

import polars as pl

from configs.reference.facts import load_reference, tables_in
from configs.schema.settings import Settings
from features.contract.china_time import closing_moment
from features.contract.declarations import LINE_KEY
from pipelines.checks.check_day import findings_of_day
from pipelines.checks.check_days import checked_days
from pipelines.checks.known_declarations import known_declarations
from pipelines.store.store import Store
from pipelines.work.progress import Progress
from pipelines.work.report import Report

_FINDING: Final = [*LINE_KEY, "check", "outcome"]
_MOST_OFFICES: Final = 10
_NO_OFFICE: Final = "unassigned"


@dataclass(frozen=True)
class RuleTrial(Report):
    """What the days from `first` to `last` would have had more and less of with the tables of a folder.

    Attributes:
        first, last: the range, and how many `days` of it there are to check.
        rules: the folder.
        tables: the names of its tables.
        changes: one row a check, outcome and change (more, less): findings, parcels, inspected parcels,
            parcels in which something was found, and of which labels; and the findings of each office.
    """

    first: date
    last: date
    days: int
    rules: Path
    tables: tuple[str, ...]
    changes: tuple[Mapping[str, Any], ...]

    def _lines(self) -> Iterable[str]:
        range_ = str(self.first) if self.first == self.last else f"{self.first} to {self.last}"
        tables = ", ".join(self.tables)
        yield f"{range_}, {self.days:,} days with {tables} of {self.rules}; nothing was written"
        if not self.changes:
            yield "the findings would have been the same"
            return
        for row in self.changes:
            yield (
                f"  {row['change']:<5} {row['check']:<18} {row['outcome']:<7} {row['findings']:>9,} findings "
                f"in {row['parcels']:,} parcels; {row['inspected']:,} were inspected, "
                f"in {row['confirmed']:,} something was found{_in_words(row['labels'])}"
            )
            offices = list(row["offices"].items())
            shown = [f"{office} {count:,}" for office, count in offices[:_MOST_OFFICES]]
            if len(offices) > len(shown):
                shown.append(f"and {len(offices) - len(shown)} offices more")
            yield f"        by office: {', '.join(shown)}"

    def _facts(self) -> Mapping[str, Any]:
        return {
            "first": self.first,
            "last": self.last,
            "days": self.days,
            "rules": self.rules,
            "tables": self.tables,
            "changes": list(self.changes),
        }


def try_rules(
    store: Path, rules: Path, *, first: date, last: date, settings: Settings, progress: Progress
) -> RuleTrial:
    """Check every day from `first` to `last` with the configured tables and with those of a folder.

    Nothing is written.

    Args:
        store: where declarations and documents are.
        rules: a folder with the layout of `configs/`, whose tables are laid over the configured ones.
        first: the first day.
        last: the last day.
        settings: the settings; their tables are what is compared with.
        progress: where to show how far it is.

    Raises:
        ConfigurationError: the folder has no table, or one that is not as expected.
        StoreError: there is no store, or a table of it is damaged.
    """
    opened = Store.open(store)
    usual, tried = load_reference(settings.overlay), load_reference(settings.overlay, rules)
    config, found = settings.pipeline.checks, []
    days = checked_days(opened.layout, first, last)
    with progress.task("check", total=len(days)) as task:
        for day in days:
            before = findings_of_day(opened, day, config, usual)
            after = findings_of_day(opened, day, config, tried)
            changed = pl.concat([_only(after, before, "more"), _only(before, after, "less")])
            found.append(changed.join(_offices(opened, day), on="declaration_id", how="left"))
            task.advance()
    changes = _summed(pl.concat(found), _results(opened, first)) if found else ()
    return RuleTrial(first, last, len(days), rules, tuple(tables_in(rules)), changes)


def _only(findings: pl.DataFrame, others: pl.DataFrame, change: str) -> pl.DataFrame:
    rows = findings.join(others, on=_FINDING, how="anti", nulls_equal=True)
    return rows.select(*_FINDING, change=pl.lit(change))


def _offices(store: Store, day: date) -> pl.DataFrame:
    known = known_declarations(store, day, closing_moment(day))
    offices = known.group_by("declaration_id").agg(pl.col("customs_office").drop_nulls().min())
    return offices.collect(engine="streaming")


def _results(store: Store, first: date) -> pl.DataFrame:
    """One row an inspected parcel: the labels of what was found in it, by what is known now."""
    results = store.read_inspections(reported_from=first)
    labels = [name for name, dtype in results.schema.items() if dtype == pl.Boolean]
    newest = results.sort("reported_on").group_by(LINE_KEY).agg(pl.col(labels).drop_nulls().last())
    return newest.group_by("declaration_id").agg(
        pl.concat_list(pl.when(pl.col(label).any().fill_null(False)).then(pl.lit(label)) for label in labels)
        .list.drop_nulls()
        .alias("labels")
    )


def _summed(found: pl.DataFrame, results: pl.DataFrame) -> tuple[Mapping[str, Any], ...]:
    keys = ["change", "check", "outcome"]
    found = found.with_columns(pl.col("customs_office").fill_null(_NO_OFFICE)).join(
        results, on="declaration_id", how="left"
    )
    rows = []
    for (change, check, outcome), some in sorted(found.partition_by(keys, as_dict=True).items()):
        parcels = some.unique("declaration_id")
        offices = (
            some["customs_office"]
            .value_counts(sort=True)
            .sort("count", "customs_office", descending=[True, False])
        )
        labels = parcels["labels"].explode().drop_nulls().value_counts().sort("labels")
        rows.append(
            {
                "change": change,
                "check": check,
                "outcome": outcome,
                "findings": some.height,
                "parcels": parcels.height,
                "inspected": parcels["labels"].is_not_null().sum(),
                "confirmed": int((parcels["labels"].list.len() > 0).sum()),
                "labels": dict(labels.iter_rows()),
                "offices": dict(offices.iter_rows()),
            }
        )
    return tuple(rows)


def _in_words(labels: Mapping[str, int]) -> str:
    return f" ({', '.join(f'{label} {count:,}' for label, count in labels.items())})" if labels else ""
