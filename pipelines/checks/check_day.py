"""The checks of one day: its lines with their documents, part by part, and the tables of what was found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from configs.reference.facts import Reference
from configs.schema.checks import DOCUMENT_CHECKS, RETURN_CHECKS, ChecksConfig
from features.assessments import Assessments, all_assessments, assess_lines
from features.check import FINDING_COLUMNS, CheckedDay
from features.contract.china_time import closing_moment
from features.patterns.returns import lines_applied_for
from features.patterns.rings import find_rings
from features.verdicts import Verdicts, run_checks
from pipelines.checks.day_facts import damage_named, day_facts
from pipelines.checks.known_declarations import sent_later
from pipelines.checks.patterns import write_patterns
from pipelines.checks.retail_sums import bring_up_to
from pipelines.checks.revised_rules import TABLES, RevisedRules, revised_rules
from pipelines.checks.shared import SharedLookUp
from pipelines.store.day_table import DayTable
from pipelines.store.files import write_table
from pipelines.store.journal import Transaction
from pipelines.store.layout import Layout
from pipelines.store.manifest import ManifestBuilder
from pipelines.store.store import Store


@dataclass(frozen=True)
class DayChecks:
    """What the checks of a day found.

    Attributes:
        day: the day.
        parcels, lines: how many were declared on it.
        late: parcels that were declared on it, but sent later; they are checked as they were first sent.
        returns: lines for whose return was applied on it.
        findings: how many there are by check and outcome, sorted.
        not_known: how many there may be of which the rules do not tell, by check.
        assessed: how many lines have an assessment, by regime.
        unknown: how many assessments have a null, by column.
        unassessed: how many lines have none, because a table of what decides has ended.
        files: the tables of findings; none where nothing was declared or applied for.
        revised: what tables changed that are others than when the day was checked before.
    """

    day: date
    parcels: int
    lines: int
    late: int
    returns: int
    findings: dict[tuple[str, ...], int]
    not_known: dict[str, int]
    assessed: Mapping[str, int]
    unknown: Mapping[str, int]
    unassessed: int
    files: Sequence[Path]
    revised: RevisedRules | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return the figures for a manifest or a program: findings by check, then by outcome."""
        findings: dict[str, dict[str, int]] = {}
        for (check, outcome), count in self.findings.items():
            findings.setdefault(check, {})[outcome] = count
        revised = {} if self.revised is None else {"revised": self.revised.as_dict()}
        return {
            **revised,
            "parcels": self.parcels,
            "lines": self.lines,
            "late": self.late,
            "returns": self.returns,
            "findings": findings,
            "not_known": self.not_known,
            "assessments": {
                "regimes": dict(self.assessed),
                "unknown": dict(self.unknown),
                "unassessed": self.unassessed,
            },
        }


@dataclass
class _Said:
    """What the parts of a day came to.

    Attributes:
        law_only: whether documents are left out.
        sharing: looks up who shares accounts and telephones.
    """

    law_only: bool
    sharing: SharedLookUp
    verdicts: list[Verdicts] = field(default_factory=list)
    assessed: list[Assessments] = field(default_factory=list)
    applied: list[pl.DataFrame] = field(default_factory=list)
    rings: list[pl.DataFrame] = field(default_factory=list)
    parcels: int = 0
    returns: int = 0

    def add(self, facts: CheckedDay, manifest: ManifestBuilder) -> None:
        """Take a part in."""
        self.parcels += facts.lines["declaration_id"].n_unique()
        self.returns += facts.returns.filter("is_new").height
        with manifest.step("assess"):
            self.assessed.append(assess_lines(facts))
        with manifest.step("check"):
            self.verdicts.append(run_checks(facts, DOCUMENT_CHECKS if self.law_only else ()))
        if self.law_only:
            return
        with manifest.step("patterns"), damage_named(self.sharing.store):
            self.applied.append(lines_applied_for(facts))
            self.rings.append(find_rings(facts, self.sharing.of(facts)))

    def write_patterns(self, layout: Layout, day: date, folder: Path, config: ChecksConfig) -> None:
        """Write the patterns of the day into a folder."""
        write_patterns(layout, day, folder, pl.concat(self.applied), self.rings, config.returns_days)

    @property
    def findings(self) -> pl.DataFrame:
        """What was found, in `FINDING_COLUMNS`, sorted."""
        return pl.concat([each.findings for each in self.verdicts]).sort(list(FINDING_COLUMNS))

    @property
    def not_known(self) -> pl.DataFrame:
        """The same of what the rules do not tell."""
        return pl.concat([each.not_known for each in self.verdicts])


def check_day(
    store: Store,
    day: date,
    config: ChecksConfig,
    reference: Reference,
    t: Transaction,
    law_only: bool = False,
) -> DayChecks:
    """Check a day with what was known at its close, and replace its manifest and its tables of `checks/`,
    `assessments/` and `patterns/`.

    A day without declarations and returns has none. The bytes depend on the store's content alone. Sums of
    the year's days before are made first where they are missing. The caller holds the lock.

    Args:
        store: where declarations and documents are.
        day: the day.
        config: how far documents may differ, and how many lines are held at once.
        reference: the reference tables.
        t: what is staged.
        law_only: whether documents are left out.

    Raises:
        StoreError: a file that is read is damaged.
    """
    manifest = ManifestBuilder("check")
    with manifest.step("sums of the year"):
        bring_up_to(store, day, reference)
    said = _Said(law_only, SharedLookUp(store, day, config))
    for facts in day_facts(store, day, config, reference, manifest, law_only=law_only):
        said.add(facts, manifest)
        manifest.add_rows(rows_in=facts.lines.height, kept=facts.lines.height)
    findings, due = said.findings, all_assessments(said.assessed)
    tables = _tables(findings, law_only=law_only) if manifest.rows_in or said.returns else {}
    with manifest.step("write"):
        _stage(t, store.layout.partition(DayTable.CHECKS, day), tables)
        assessments = {DayTable.ASSESSMENTS: due.rows} if manifest.rows_in else {}
        _stage(t, store.layout.partition(DayTable.ASSESSMENTS, day), assessments)
        if not law_only:
            beside = t.stage(store.layout.partition(DayTable.PATTERNS, day))
            if tables:
                said.write_patterns(store.layout, day, beside, config)
    checks = DayChecks(
        day,
        said.parcels,
        manifest.rows_in,
        sent_later(store, day, closing_moment(day)),
        said.returns,
        _counts(findings, "check", "outcome"),
        dict(said.not_known.group_by("check").len().sort("check").iter_rows()),
        due.regimes,
        due.unknown,
        due.ended,
        [store.layout.file(table, day) for table in tables],
        revised_rules(store, day, reference, findings),
    )
    manifest.further.update(checks.as_dict())
    manifest.further[TABLES] = dict(reference.revisions)
    store.write_manifest(t, "check", day, manifest.as_dict())
    return checks


def _tables(findings: pl.DataFrame, *, law_only: bool) -> dict[DayTable, pl.DataFrame]:
    """What was found by the table in which it stands: of documents and returns, and of the law."""
    of_documents = pl.col("check").is_in((*DOCUMENT_CHECKS, *RETURN_CHECKS))
    tables = {DayTable.CHECKS: findings.filter(of_documents), DayTable.LAW: findings.filter(~of_documents)}
    return {table: rows for table, rows in tables.items() if table == DayTable.LAW or not law_only}


def _stage(t: Transaction, place: Path, tables: Mapping[DayTable, pl.DataFrame]) -> None:
    """Stage the tables of a folder, in place of those that it has."""
    folder = t.stage(place)
    for table, rows in tables.items():
        write_table(rows, folder / table.file)


def findings_of_day(store: Store, day: date, config: ChecksConfig, reference: Reference) -> pl.DataFrame:
    """Return what the checks of a day find with these tables, in `FINDING_COLUMNS`; nothing is written.

    Raises:
        StoreError: a file that is read is damaged.
    """
    parts = day_facts(store, day, config, reference, ManifestBuilder("check"), law_only=False)
    return pl.concat([run_checks(facts).findings for facts in parts]).sort(list(FINDING_COLUMNS))


def _counts(rows: pl.DataFrame, *names: str) -> dict[tuple[str, ...], int]:
    counted = rows.group_by(names).len().sort(names)
    return {tuple(row[:-1]): row[-1] for row in counted.iter_rows()}
