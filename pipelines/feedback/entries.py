"""What a returned row says of its parcel, as values of the contract's types, and which returns agree."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

from configs.schema.risk import RiskConfig
from features.contract.reject_reasons import RejectReason
from pipelines.feedback.columns import LISTED_RISK, RawRow
from pipelines.feedback.values import days_in, number_in, result_in, text_of
from pipelines.lists.fields import RESULT_WORDS, ResultValue, result_field, risk_of

_SAME = 1e-9
_MOST_CHARS = 2000
_NOTHING_SAID = "not_examined"


@dataclass(frozen=True)
class Entries:
    """What was filled in: results by risk, and the other fields, None where they were left empty."""

    results: Mapping[str, ResultValue] = field(default_factory=dict)
    inspected_on: date | None = None
    reported_on: date | None = None
    assessed_unit_price: float | None = None
    recovered_tax_cny: float | None = None
    note: str | None = None
    opened_instead: str | None = None
    override_reason: str | None = None

    @property
    def has_outcome(self) -> bool:
        """Whether it says what came of an inspection."""
        figures = (self.assessed_unit_price, self.recovered_tax_cny)
        return bool(self.results) or any(figure is not None for figure in figures)

    @property
    def is_inspection(self) -> bool:
        """Whether a parcel was opened, or a day named on which it was: a note alone says neither."""
        return self.has_outcome or self.opened_instead is not None or self.inspected_on is not None

    def labels(self, risks: Mapping[str, RiskConfig]) -> dict[str, bool | None]:
        """The contract's labels of the answered risks: found is True, nothing False, else None."""
        said: dict[str, bool | None] = {"found": True, "nothing": False}
        found: dict[str, bool | None] = {}
        for risk, value in self.results.items():
            if risk in risks and found.get(risks[risk].label) is None:
                found[risks[risk].label] = said.get(value)
        return found


@dataclass(frozen=True)
class Window:
    """The days that a row may name: not before its list's, not after that of the report.

    `reported_on` is None where nobody named it: then a day of the row's own may lie after `today` only if the
    list is of a day to come, as simulated ones are.
    """

    list_day: date
    reported_on: date | None
    today: date

    def report_day(self, inspected_on: date | None, row_reported_on: date | None) -> date:
        """The day on which the row counts as reported."""
        named = row_reported_on or self.reported_on
        if named is not None:
            return named
        if self.list_day > self.today:
            return max(self.list_day, inspected_on or self.list_day)
        return self.today


class UnreadableRowError(Exception):
    """A row that cannot be taken, with every reason and what to do about it."""

    def __init__(self, faults: list[tuple[str, str]]) -> None:
        super().__init__("; ".join(words for _, words in faults))
        self.reasons = [reason for reason, _ in faults]


def entries_of(
    row: RawRow,
    listed_risk: str | None,
    risks: Mapping[str, RiskConfig],
    window: Window,
    *,
    decimal_comma: bool = False,
    overlay: Path | None = None,
) -> Entries:
    """What a row says, every value checked.

    Raises UnreadableRowError where a value cannot be read, or two of them contradict each other.
    """
    reader = _Reader(row, decimal_comma, overlay)
    results: dict[str, ResultValue] = {}
    for name in row.cells:
        risk = listed_risk if name == LISTED_RISK else risk_of(name)
        if name != LISTED_RISK and risk is None:
            continue
        value = reader.result(name, risk, risks)
        if risk is None or value is None:
            continue
        if results.setdefault(risk, value) != value:
            reader.fault(RejectReason.CONTRADICTION.of(name), f"{risk} is answered twice, differently")
    inspected = reader.day("inspected_on", window)
    reported = reader.day("reported_on", window)
    found = Entries(
        results=results,
        inspected_on=inspected,
        reported_on=reported,
        assessed_unit_price=reader.number("assessed_unit_price", above_zero=True),
        recovered_tax_cny=reader.number("recovered_tax_cny", above_zero=False),
        note=reader.text("note"),
        opened_instead=reader.text("opened_instead"),
        override_reason=reader.text("override_reason"),
    )
    reader.check_days(found, window)
    reader.check_labels(found, risks)
    if reader.faults:
        raise UnreadableRowError(reader.faults)
    return found


class _Reader:
    def __init__(self, row: RawRow, decimal_comma: bool, overlay: Path | None) -> None:
        self._overlay = overlay
        self._cells = row.cells
        self._decimal_comma = decimal_comma
        self.faults: list[tuple[str, str]] = []
        for name in row.twice:
            self.fault(RejectReason.CONTRADICTION.of(name), f"{name} stands twice, with different values")

    def fault(self, reason: str, words: str) -> None:
        self.faults.append((reason, words))

    def result(self, name: str, risk: str | None, risks: Mapping[str, RiskConfig]) -> ResultValue | None:
        if risk is None:
            self.fault(
                RejectReason.NOT_IN_LIST.of(name),
                "the list names no risk for this parcel: give the result as result_<risk>",
            )
            return None
        if risk not in risks:
            known = ", ".join(map(result_field, risks))
            self.fault(RejectReason.NOT_IN_LIST.of(name), f"{name} is no risk: expected {known}")
            return None
        try:
            return result_in(self._cells[name], self._overlay)
        except ValueError:
            words = ", ".join(map(repr, RESULT_WORDS.values()))
            came = text_of(self._cells[name]) or ""
            said = f"{name}: expected one of {words}, or empty, came {came[:40]!r}"
            self.fault(RejectReason.NOT_IN_LIST.of(name), said)
            return None

    def day(self, name: str, window: Window) -> date | None:
        try:
            days = days_in(self._cells.get(name))
        except ValueError as error:
            self.fault(RejectReason.NOT_A_DATE.of(name), f"{name}: {error}")
            return None
        # Of 5/11/26 one reading is usually before the list or to come.
        latest = window.report_day(None, None)
        likely = [day for day in days if window.list_day <= day <= latest] if len(days) > 1 else days
        if len(likely) > 1 or (days and not likely):
            came = text_of(self._cells[name])
            self.fault(
                RejectReason.NOT_A_DATE.of(name), f"{name}: {came!r} may be several days: write 2026-11-21"
            )
            return None
        return likely[0] if likely else None

    def number(self, name: str, *, above_zero: bool) -> float | None:
        try:
            number = number_in(self._cells.get(name), decimal_comma=self._decimal_comma)
        except ValueError as error:
            self.fault(RejectReason.NOT_A_NUMBER.of(name), f"{name}: {error}")
            return None
        if number is not None and (number < 0 or (above_zero and number == 0)):
            bound = "above 0" if above_zero else "of at least 0"
            self.fault(
                RejectReason.OUT_OF_RANGE.of(name), f"{name}: expected a number {bound}, came {number:g}"
            )
            return None
        return number

    def text(self, name: str) -> str | None:
        text = text_of(self._cells.get(name))
        if text is not None and len(text) > _MOST_CHARS:
            said = f"{name}: expected at most {_MOST_CHARS:,} characters, came {len(text):,}"
            self.fault(RejectReason.TEXT_TOO_LONG.of(name), said)
            return None
        return text

    def check_days(self, found: Entries, window: Window) -> None:
        reported = window.report_day(found.inspected_on, found.reported_on)
        if reported < window.list_day:
            said = f"reported on {reported}, before the day of the list, {window.list_day}: name a later day"
            self.fault(RejectReason.OUT_OF_RANGE.of("reported_on"), said)
        if found.inspected_on is not None and found.inspected_on > reported:
            said = (
                f"inspected on {found.inspected_on}, after it was reported, {reported}: correct one of them"
            )
            self.fault(RejectReason.REPORTED_BEFORE_INSPECTED.of("reported_on"), said)
        if found.inspected_on is not None and found.inspected_on < window.list_day:
            said = f"inspected on {found.inspected_on}, before the day of the list, {window.list_day}"
            self.fault(RejectReason.OUT_OF_RANGE.of("inspected_on"), said)

    def check_labels(self, found: Entries, risks: Mapping[str, RiskConfig]) -> None:
        """Two risks may have one label; then they cannot be answered differently."""
        said: dict[str, ResultValue] = {}
        for risk, value in found.results.items():
            label = risks[risk].label
            if value != _NOTHING_SAID and said.setdefault(label, value) != value:
                words = f"the risks with the label {label} are answered differently"
                self.fault(RejectReason.CONTRADICTION.of(label), words)


def contradictions(before: Entries, now: Entries) -> dict[str, tuple[object, object]]:
    """Fields in which a row says something else than earlier returns of its parcel, with both values.

    What was left empty, or not examined, by then may be said now. Another day of inspection contradicts only
    where nothing new is said that could belong to it. The note and the reason of an override never do.
    """
    found: dict[str, tuple[object, object]] = {}
    for risk, value in now.results.items():
        known = before.results.get(risk)
        if known not in (None, value, _NOTHING_SAID):
            found[result_field(risk)] = (known, value)
    for name in ("assessed_unit_price", "recovered_tax_cny"):
        old, new = getattr(before, name), getattr(now, name)
        if old is not None and new is not None and not math.isclose(old, new, rel_tol=_SAME):
            found[name] = (old, new)
    says = now.has_outcome or now.opened_instead is not None
    said = before.has_outcome or before.opened_instead is not None
    if says and said and before.opened_instead != now.opened_instead:
        found["opened_instead"] = (before.opened_instead, now.opened_instead)
    days = (before.inspected_on, now.inspected_on)
    if None not in days and days[0] != days[1] and not _adds(before, now):
        found["inspected_on"] = days
    return found


def together(before: Entries, now: Entries, *, corrected: bool = False) -> Entries:
    """What is known of a parcel after two returns; where they contradict each other, the later counts."""
    later = {
        risk: value
        for risk, value in now.results.items()
        if corrected or value != _NOTHING_SAID or risk not in before.results
    }
    given = {
        name: value
        for name in ("inspected_on", "assessed_unit_price", "recovered_tax_cny", "note", "override_reason")
        if (value := getattr(now, name)) is not None
    }
    opened = now.opened_instead
    if opened is None and not (corrected and now.has_outcome):
        opened = before.opened_instead
    return replace(before, results={**before.results, **later}, opened_instead=opened, **given)


def _adds(before: Entries, now: Entries) -> bool:
    """Whether it says something of the inspection that was not known."""
    known = {risk for risk, value in before.results.items() if value != _NOTHING_SAID}
    if any(risk not in known for risk, value in now.results.items() if value != _NOTHING_SAID):
        return True
    return any(
        getattr(now, name) is not None and getattr(before, name) is None
        for name in ("assessed_unit_price", "recovered_tax_cny")
    )
