"""The checks of one day: its lines with their documents, part by part, and the tables of what was found."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

import polars as pl

from configs.reference.facts import ReferenceDay
from configs.schema.checks import ChecksConfig
from features.check import FINDING_COLUMNS, CheckedDay
from features.contract.china_time import closing_moment
from features.patterns.returns import lines_applied_for
from features.patterns.rings import find_rings
from features.verdicts import run_checks
from pipelines.checks.known_declarations import known_declarations, sent_later
from pipelines.checks.matching import Matcher
from pipelines.checks.patterns import write_patterns
from pipelines.checks.returned import returned_on
from pipelines.checks.shared import SharedLookUp
from pipelines.store.day_table import DayTable
from pipelines.store.files import row_count, write_table
from pipelines.store.journal import Transaction
from pipelines.store.manifest import ManifestBuilder
from pipelines.store.store import Store

_LINES: Final = (
    *("declaration_id", "line_no", "direction", "trade_mode", "platform_id", "order_id", "carrier_id"),
    *("waybill_id", "buyer_id", "address_id", "quantity", "unit_price", "total_price", "currency"),
    *("gross_weight_kg", "item_no"),
)
_READ: Final = (
    *(DayTable.DECLARATIONS, DayTable.ORDERS, DayTable.PAYMENTS, DayTable.WAYBILLS),
    *(DayTable.RETURNS, DayTable.RECEIPTS),
)


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
        file: the table; None where nothing was declared or applied for.
    """

    day: date
    parcels: int
    lines: int
    late: int
    returns: int
    findings: dict[tuple[str, ...], int]
    not_known: dict[str, int]
    file: Path | None

    def as_dict(self) -> dict[str, Any]:
        """Return the figures for a manifest or a program: findings by check, then by outcome."""
        findings: dict[str, dict[str, int]] = {}
        for (check, outcome), count in self.findings.items():
            findings.setdefault(check, {})[outcome] = count
        return {
            "parcels": self.parcels,
            "lines": self.lines,
            "late": self.late,
            "returns": self.returns,
            "findings": findings,
            "not_known": self.not_known,
        }


def check_day(
    store: Store, day: date, config: ChecksConfig, reference: ReferenceDay, t: Transaction
) -> DayChecks:
    """Check a day with what was known at its close, and replace its manifest and its tables of `checks/` and
    `patterns/`.

    A day on which nothing was declared or applied for has no tables. The bytes depend on the store's content
    alone. The caller holds the lock.

    Args:
        store: where declarations and documents are.
        day: the day.
        config: how far documents may differ, and how many lines are held at once.
        reference: the reference tables of the day.
        t: what the tables and the manifest are staged in.

    Raises:
        StoreError: a file that is read is damaged.
    """
    manifest = ManifestBuilder("check")
    verdicts, applied, rings, parcels, returns = [], [], [], 0, 0
    sharing = SharedLookUp(store, day, config)
    for facts in _facts(store, day, config, reference, manifest):
        with manifest.step("check"):
            verdicts.append(run_checks(facts))
        with manifest.step("patterns"), _damage_named(store):
            applied.append(lines_applied_for(facts))
            rings.append(find_rings(facts, sharing.of(facts)))
        parcels += facts.lines["declaration_id"].n_unique()
        returns += facts.returns.filter("is_new").height
        manifest.add_rows(rows_in=facts.lines.height, kept=facts.lines.height)
    findings = pl.concat([verdict.findings for verdict in verdicts]).sort(list(FINDING_COLUMNS))
    not_known = pl.concat([verdict.not_known for verdict in verdicts])
    with manifest.step("write"):
        folder, beside = (
            t.stage(store.layout.partition(table, day)) for table in (DayTable.CHECKS, DayTable.PATTERNS)
        )
        if manifest.rows_in or returns:
            write_table(findings, folder / DayTable.CHECKS.file)
            write_patterns(store.layout, day, beside, pl.concat(applied), rings, config.returns_days)
    checks = DayChecks(
        day,
        parcels,
        manifest.rows_in,
        sent_later(store, day, closing_moment(day)),
        returns,
        _counts(findings, "check", "outcome"),
        {check: count for (check,), count in _counts(not_known, "check").items()},
        store.layout.file(DayTable.CHECKS, day) if manifest.rows_in or returns else None,
    )
    manifest.further.update(checks.as_dict())
    store.write_manifest(t, "check", day, manifest.as_dict())
    return checks


def _facts(
    store: Store, day: date, config: ChecksConfig, reference: ReferenceDay, manifest: ManifestBuilder
) -> Iterator[CheckedDay]:
    """What is known of a day, part by part; returns stand with the first."""
    with _damage_named(store):
        with manifest.step("returns"):
            returned = returned_on(store, day)
        matcher = Matcher(store, day, config.lookback_days)
        for part in _parts(store, day, config.lines_at_once):
            with manifest.step("match"):
                match = matcher.match(part)
            yield CheckedDay(
                day,
                closing_moment(day),
                part,
                **vars(match),
                **vars(returned),
                config=config,
                reference=reference,
            )
            returned = returned.without_rows()


@contextmanager
def _damage_named(store: Store) -> Iterator[None]:
    """Name the file at which a scan of many failed: Polars does not.

    Raises:
        StoreError: one of the files cannot be read, or is damaged.
    """
    try:
        yield
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError):
        for table in (*_READ, *(each.changed for each in _READ)):
            for day in store.days(table):
                for file in store.layout.files(table, day):
                    row_count(file)
        raise


def _parts(store: Store, day: date, most: int) -> Iterator[pl.DataFrame]:
    """The day's lines, about so many at once and whole declarations; one empty part where it has none."""
    known = known_declarations(store, day, closing_moment(day))
    count = max(1, math.ceil(known.select(pl.len()).collect(engine="streaming").item() / most))
    part = pl.col("declaration_id").hash() % count
    for number in range(count):
        yield known.filter(part == number).select(_LINES).collect(engine="streaming")


def _counts(rows: pl.DataFrame, *names: str) -> dict[tuple[str, ...], int]:
    counted = rows.group_by(names).len().sort(names)
    return {tuple(row[:-1]): row[-1] for row in counted.iter_rows()}
