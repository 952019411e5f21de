"""What revised tables change in a day that was checked with others before."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import polars as pl

from configs.errors import StoreError
from configs.reference.facts import Reference
from configs.schema.checks import LAW_CHECKS
from features.check import FINDING_COLUMNS
from features.contract.declarations import LINE_KEY
from pipelines.store.day_table import DayTable
from pipelines.store.files import read_json, read_tables
from pipelines.store.store import Store

TABLES: Final = "tables"
"""Where a manifest of `check` has the revision of each reference table."""
_BY_RULES: Final = (*LAW_CHECKS, "return_late")
_FINDING: Final = [*LINE_KEY, "check", "outcome"]
_CHANGES: Final = ("newly", "no_longer")
_Counts = Mapping[tuple[str, str], tuple[int, int]]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class RevisedRules:
    """Which tables are others than when the day was checked last, and what its rules find since.

    Attributes:
        tables: by name the revision then and now; None where the table was not there.
        changes: by check and outcome how many findings are new, and how many are none any more: one a line,
            or one a parcel where the check is of the whole parcel.
    """

    tables: Mapping[str, tuple[str | None, str | None]]
    changes: _Counts

    def as_dict(self) -> dict[str, Any]:
        """For the manifest: tables, and changes by check and outcome."""
        changes: dict[str, dict[str, dict[str, int]]] = {}
        for (check, outcome), counts in self.changes.items():
            changes.setdefault(check, {})[outcome] = dict(zip(_CHANGES, counts, strict=True))
        tables = {name: {"was": was, "is": now} for name, (was, now) in self.tables.items()}
        return {"tables": tables, "changes": changes}

    @classmethod
    def together(cls, days: Iterable[RevisedRules]) -> RevisedRules:
        """The same of several days; a table that was revised more than once has its first and last."""
        tables: dict[str, tuple[str | None, str | None]] = {}
        newly: Counter[tuple[str, str]] = Counter()
        no_longer: Counter[tuple[str, str]] = Counter()
        for each in days:
            for name, (was, now) in each.tables.items():
                tables[name] = (tables.get(name, (was, now))[0], now)
            for key, (more, less) in each.changes.items():
                newly[key] += more
                no_longer[key] += less
        return cls(
            dict(sorted(tables.items())),
            {key: (newly[key], no_longer[key]) for key in sorted({*newly, *no_longer})},
        )

    def lines(self) -> Iterator[str]:
        """What to tell a person."""
        yield f"tables revised since it was checked before: {', '.join(self.tables)}"
        if not self.changes:
            yield "  the rules find the same"
        for (check, outcome), (newly, no_longer) in self.changes.items():
            yield f"  {check:<18} {outcome:<8} {newly:>9,} newly, {no_longer:,} no longer"


def revised_rules(
    store: Store, day: date, reference: Reference, findings: pl.DataFrame
) -> RevisedRules | None:
    """Return what is changed by tables that are others than those with which a day was checked last.

    None where the day was not checked before or the tables are the same, and where what was found then cannot
    be read any more: that is no reason not to check it.

    Args:
        store: which still has the findings of then.
        day: the day.
        reference: the tables of now.
        findings: what they find, in `FINDING_COLUMNS`.
    """
    try:
        before, then = _revisions(store, day), _findings(store, day)
    except StoreError as error:
        logger.warning("%s: what revised tables change cannot be told: %s", day, error)
        return None
    now = dict(reference.revisions)
    tables = {
        name: (before.get(name), now.get(name))
        for name in sorted({*before, *now})
        if before.get(name) != now.get(name)
    }
    if not before or not tables or then is None:
        return None
    newly, no_longer = _only(findings, then), _only(then, findings)
    changes = {key: (newly[key], no_longer[key]) for key in sorted({*newly, *no_longer})}
    return RevisedRules(tables, changes)


def _revisions(store: Store, day: date) -> Mapping[str, str]:
    """The tables of the newest check of a day, empty where it has none."""
    manifests: Sequence[Any] = store.layout.manifests_of_day("check", day)
    return dict(read_json(manifests[-1]).get(TABLES, {})) if manifests else {}


def _findings(store: Store, day: date) -> pl.DataFrame | None:
    """What was found, None where the law was not checked."""
    if not store.layout.file(DayTable.LAW, day).exists():
        return None
    files = (store.layout.file(table, day) for table in (DayTable.CHECKS, DayTable.LAW))
    return read_tables([file for file in files if file.exists()], FINDING_COLUMNS, _FINDING)


def _only(findings: pl.DataFrame, others: pl.DataFrame) -> Counter[tuple[str, str]]:
    rows = findings.filter(pl.col("check").is_in(_BY_RULES))
    rows = rows.join(others, on=_FINDING, how="anti", nulls_equal=True)
    counted = rows.group_by("check", "outcome").len()
    return Counter({(check, outcome): count for check, outcome, count in counted.iter_rows()})
