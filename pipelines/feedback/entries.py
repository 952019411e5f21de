"""What a returned row says of its parcel, as values of the contract's types."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from configs.schema.risk import RiskConfig
from features.contract.inspections import FOUND_COLUMNS
from features.contract.reject_reasons import RejectReason
from features.contract.result_words import (
    RESULT_LABELS,
    RESULT_WORDS,
    ResultValue,
    choice_of,
    result_of,
)
from pipelines.feedback.columns import RawRow
from pipelines.feedback.values import Money, days_in, heading_in, money_in, number_in, text_of
from pipelines.ingest.tables.workbook_cells import Cell
from pipelines.lists.fields import LISTED_RISK, Field, fields_of, result_field, risk_of

T = TypeVar("T")
_MOST_CHARS = 2000
UNANSWERED: tuple[ResultValue, ...] = ("not_examined", "sent")
"""From the least that is known to the most: an answer may follow, and none is taken back by these."""


@dataclass(frozen=True)
class Entries:
    """What was filled in: results by risk, and values of the other fields by name, none where left empty.

    `written` has those of them that came with a currency, until it is known what the parcel's is.
    """

    results: Mapping[str, ResultValue] = field(default_factory=dict)
    values: Mapping[str, Any] = field(default_factory=dict)
    written: Mapping[str, Money] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Any:
        return self.values.get(name)

    @property
    def opened_instead(self) -> str | None:
        """The parcel that was opened in place of the listed one."""
        opened: str | None = self["opened_instead"]
        return opened

    @property
    def has_outcome(self) -> bool:
        """Whether it says what came of an inspection."""
        return bool(self.results) or any(each.name in self.values for each in outcome_fields())

    @property
    def is_inspection(self) -> bool:
        """Whether a parcel was opened, or a day named on which it was: a note alone says neither."""
        if self["not_opened"] is not None and self.opened_instead is None:
            return False
        return self.has_outcome or bool({"opened_instead", "inspected_on"} & self.values.keys())

    def line_among(self, lines: Collection[int], listed: int) -> int:
        """The line with the results: the one that is named, else the listed one, or the first of `lines`
        where these are of a parcel that was opened instead.
        """
        if (line := self["found_line"]) is not None:
            return int(line)
        return listed if self.opened_instead is None else min(lines, default=1)

    def labels(self, risks: Mapping[str, RiskConfig]) -> dict[str, bool | None]:
        """The contract's labels of the answered risks."""
        labels: dict[str, bool | None] = {}
        for risk, value in self.results.items():
            if risk in risks and labels.get(risks[risk].label) is None:
                labels[risks[risk].label] = RESULT_LABELS[value]
        return labels


def outcome_fields() -> list[Field]:
    """Return the fields that say, beside the results, what came of an inspection: amounts and goods found."""
    return [
        each
        for each in fields_of("inspector")
        if each.kind in ("price", "amount") or each.name in FOUND_COLUMNS
    ]


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
    """Return what a row says, every value checked.

    Raises:
        UnreadableRowError: a value cannot be read, or two of them contradict each other.
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
    values = {
        each.name: reader.value(each, window) for each in fields_of("inspector") if each.kind != "result"
    }
    known = {name: value for name, value in values.items() if value is not None}
    entries = Entries(results, known, reader.written)
    reader.check_days(entries, window)
    reader.check_opened(entries)
    reader.check_labels(entries, risks)
    if reader.faults:
        raise UnreadableRowError(reader.faults)
    return entries


class _Reader:
    def __init__(self, row: RawRow, decimal_comma: bool, overlay: Path | None) -> None:
        self._overlay = overlay
        self._cells = row.cells
        self._decimal_comma = decimal_comma
        self.faults: list[tuple[str, str]] = []
        self.written: dict[str, Money] = {}
        for name in row.twice:
            self.fault(RejectReason.CONTRADICTION.of(name), f"{name} stands twice, with different values")

    def fault(self, reason: str, words: str) -> None:
        self.faults.append((reason, words))

    def value(self, of: Field, window: Window) -> Any:
        if of.kind == "date":
            return self.day(of.name, window)
        if of.kind in ("price", "amount", "count"):
            return self.amount(of)
        if of.kind == "line":
            return self.line(of.name)
        if of.kind == "choice":
            chosen = partial(choice_of, choices=of.choices, overlay=self._overlay)
            return self.read(of.name, RejectReason.NOT_IN_LIST, lambda cell: chosen(text_of(cell) or ""))
        if of.kind == "heading":
            return self.read(of.name, RejectReason.BAD_FORMAT, heading_in)
        return self.text(of.name)

    def read(self, name: str, reason: RejectReason, parse: Callable[[Cell], T]) -> T | None:
        try:
            return parse(self._cells.get(name))
        except ValueError as error:
            self.fault(reason.of(name), f"{name}: {error}")
            return None

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
            return result_of(text_of(self._cells[name]) or "", self._overlay)
        except ValueError:
            words = ", ".join(map(repr, RESULT_WORDS.values()))
            given = text_of(self._cells[name]) or ""
            message = f"{name}: expected one of {words}, or empty, came {given[:40]!r}"
            self.fault(RejectReason.NOT_IN_LIST.of(name), message)
            return None

    def day(self, name: str, window: Window) -> date | None:
        days = self.read(name, RejectReason.NOT_A_DATE, partial(days_in, near=window.list_day)) or []
        # Of 5/11/26 one reading is usually before the list or to come.
        latest = window.report_day(None, None)
        likely = [day for day in days if window.list_day <= day <= latest] if len(days) > 1 else days
        if len(likely) > 1 or (days and not likely):
            given = text_of(self._cells[name])
            self.fault(
                RejectReason.NOT_A_DATE.of(name), f"{name}: {given!r} may be several days: write 2026-11-21"
            )
            return None
        return likely[0] if likely else None

    def amount(self, of: Field) -> float | None:
        parse = partial(money_in, decimal_comma=self._decimal_comma)
        money = self.read(of.name, RejectReason.NOT_A_NUMBER, parse)
        if money is None:
            return None
        above_zero = of.kind != "amount"
        if money.amount < 0 or (above_zero and money.amount == 0):
            bound = "above 0" if above_zero else "of at least 0"
            message = f"{of.name}: expected a number {bound}, came {money.amount:g}"
            self.fault(RejectReason.OUT_OF_RANGE.of(of.name), message)
            return None
        if money.currencies and of.kind != "count":
            self.written[of.name] = money
        return money.amount

    def line(self, name: str) -> int | None:
        number = self.read(name, RejectReason.NOT_A_NUMBER, number_in)
        if number is not None and (number < 1 or number != int(number)):
            message = f"{name}: expected the number of a line, came {number:g}"
            self.fault(RejectReason.NOT_A_WHOLE_NUMBER.of(name), message)
            return None
        return None if number is None else int(number)

    def text(self, name: str) -> str | None:
        text = text_of(self._cells.get(name))
        if text is not None and len(text) > _MOST_CHARS:
            message = f"{name}: expected at most {_MOST_CHARS:,} characters, came {len(text):,}"
            self.fault(RejectReason.TEXT_TOO_LONG.of(name), message)
            return None
        return text

    def check_days(self, entries: Entries, window: Window) -> None:
        inspected = entries["inspected_on"]
        reported = window.report_day(inspected, entries["reported_on"])
        if reported < window.list_day:
            message = (
                f"reported on {reported}, before the day of the list, {window.list_day}: name a later day"
            )
            self.fault(RejectReason.OUT_OF_RANGE.of("reported_on"), message)
        if inspected is not None and inspected > reported:
            message = f"inspected on {inspected}, after it was reported, {reported}: correct one of them"
            self.fault(RejectReason.REPORTED_BEFORE_INSPECTED.of("reported_on"), message)
        if inspected is not None and inspected < window.list_day:
            message = f"inspected on {inspected}, before the day of the list, {window.list_day}"
            self.fault(RejectReason.OUT_OF_RANGE.of("inspected_on"), message)

    def check_opened(self, entries: Entries) -> None:
        """What was not opened has no result of its own."""
        if entries["not_opened"] is None or entries.opened_instead is not None:
            return
        told = [result_field(risk) for risk, value in entries.results.items() if value != "not_examined"]
        of_inspections = ("inspected_on", *(each.name for each in outcome_fields()))
        told += [name for name in of_inspections if name in entries.values]
        if told:
            words = f"not_opened and {', '.join(told)}: a parcel that was not opened has no result"
            self.fault(RejectReason.CONTRADICTION.of("not_opened"), words)

    def check_labels(self, entries: Entries, risks: Mapping[str, RiskConfig]) -> None:
        """Two risks may have one label; then they cannot be answered differently."""
        answers: dict[str, ResultValue] = {}
        for risk, value in entries.results.items():
            label = risks[risk].label
            if value not in UNANSWERED and answers.setdefault(label, value) != value:
                words = f"the risks with the label {label} are answered differently"
                self.fault(RejectReason.CONTRADICTION.of(label), words)
