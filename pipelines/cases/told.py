"""A case in words: what its page shows, made harmless."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from configs.language import Language
from configs.reference.table_names import NO_NAMES, TableNames
from features.contract.result_words import FOUND_HOW
from features.text.visible import visible_text
from features.words.finding_teller import FindingTeller

_TEXT, _CODE = 160, 60
NAMES = {
    "seller": "{seller}", "buyer": "{buyer}", "address": "delivery address",
    "waybill": "waybill", "order": "order number",
}  # fmt: skip
"""What two parcels may have in common, in the words of the parcel's way."""
LEVELS = {"barcode": "barcode", "item_model": "name and model", "item_key": "name"}
"""By what goods are the same; a level of a user's own has its name."""


@dataclass(frozen=True)
class ToldParty:
    """A party: what it declared before, on the day, and what came of inspections."""

    name: str
    is_seller: bool
    before: str
    today: str
    results: tuple[str, ...]


@dataclass(frozen=True)
class ToldPrice:
    """What was declared before for the goods of a line, and what is declared now."""

    line_no: int
    same: str
    lines: str
    median: str
    usual: str
    now: str
    apart: str
    when: str


@dataclass(frozen=True)
class ToldEarlier:
    """An earlier inspected parcel; `is_finding` where something was found."""

    declared: str
    parcel: str
    same: str
    goods: str
    price: str
    results: tuple[str, ...]
    is_finding: bool


@dataclass(frozen=True)
class ToldCompanion:
    """A parcel of the day that travels with the listed one."""

    parcel: str
    waybill: str
    office: str
    same: str
    goods: str
    lines: int
    value: str


@dataclass(frozen=True)
class ToldFinding:
    """What a check found: in a sentence, with figures, and by which rule since when; what there is not is
    empty.
    """

    text: str
    line: str
    figures: str
    source: str


@dataclass(frozen=True)
class ToldCase:
    """A case as a page shows it; counts are of parcels, beyond those that are shown too.

    `verdicts` are what the law says of the parcel, each in one sentence.
    """

    basis: str
    parties: tuple[ToldParty, ...]
    prices: tuple[ToldPrice, ...]
    earlier: tuple[ToldEarlier, ...]
    earlier_parcels: int
    companions: tuple[ToldCompanion, ...]
    companion_parcels: int
    findings: tuple[ToldFinding, ...]
    verdicts: tuple[str, ...]


@dataclass(frozen=True)
class CaseTeller:
    """How cases are told: the language of their way, the titles of risks by label, that of a risk, and what
    tables call things in the language.
    """

    words: Language
    titles: Mapping[str, str]
    title: Callable[[str], str]
    names: TableNames = NO_NAMES

    def case(self, case: Mapping[str, Any] | None) -> ToldCase | None:
        """The case of a parcel, None where none was kept."""
        if case is None:
            return None
        return ToldCase(
            basis=self._basis(case),
            parties=tuple(self._party(each) for each in case["parties"] or ()),
            prices=tuple(self._price(each) for each in case["prices"] or ()),
            earlier=tuple(self._earlier(each) for each in case["earlier"] or ()),
            earlier_parcels=case["earlier_parcels"] or 0,
            companions=tuple(self._companion(each) for each in case["companions"] or ()),
            companion_parcels=case["companion_parcels"] or 0,
            findings=tuple(self._finding(each) for each in case["findings"] or ()),
            verdicts=tuple(self._findings.verdicts(case["findings"] or ())),
        )

    def _basis(self, case: Mapping[str, Any]) -> str:
        words = self.words
        models = words("; ").join(
            words("{risk} version {version}", risk=self.title(each["risk"]), version=each["version"])
            for each in case["models"] or ()
        )
        if case["history_day"] is None:
            return words("Models: {models}.", models=models)
        return words(
            "As it was known when the list was issued: declarations and results up to the close of {day}. "
            "Models: {models}.",
            day=words.day(case["history_day"]), models=models,
        )  # fmt: skip

    def _party(self, party: Mapping[str, Any]) -> ToldParty:
        words, lines, name = self.words, party["lines"] or 0, NAMES[party["party"]]
        on_day = words.number(party["lines_today"] or 0)
        today = words("Lines: {lines}", lines=on_day)
        if party["party"] == "seller" and lines:
            usual = round(party["usual_lines"], 1)
            today = words("Lines: {lines}, lately hardly any", lines=on_day)
            if usual > 0.0:
                today = words("Lines: {lines}, lately {usual} a day", lines=on_day, usual=words.number(usual))
        examined = [each for each in party["results"] or () if each["inspected"]]
        return ToldParty(
            name=words(name),
            is_seller=party["party"] == "seller",
            before=self._before(party) if lines else words("never seen before"),
            today=today,
            results=tuple(
                words(
                    "{risk}: {findings} of {inspected}",
                    risk=self._title_of(each["label"]),
                    findings=words.number(each["findings"]),
                    inspected=words.number(each["inspected"]),
                )
                for each in examined
            ),
        )

    def _before(self, party: Mapping[str, Any]) -> str:
        words, first, last = self.words, party["first_day"], party["last_day"]
        lines, value = words.number(party["lines"]), words.money(party["value_cny"], "CNY")
        if first == last:
            return words(
                "Lines: {lines}, on {day}, worth {value}", lines=lines, day=words.day(first), value=value
            )
        return words(
            "Lines: {lines}, from {first} to {last}, worth {value}",
            lines=lines, first=words.day(first), last=words.day(last), value=value,
        )  # fmt: skip

    def _price(self, price: Mapping[str, Any]) -> ToldPrice:
        words, level = self.words, price["level"]
        when, first, last = "", price["first_day"], price["last_day"]
        if first is not None:
            when = words.day(first)
            if first != last:
                when = words("{first} to {last}", first=when, last=words.day(last))
        return ToldPrice(
            line_no=price["line_no"],
            same=words(LEVELS[level]) if level in LEVELS else level,
            lines=words.number(price["lines"]),
            median=self._cny(price["median"]),
            usual=words("{low} to {high}", low=self._cny(price["low"]), high=self._cny(price["high"])),
            now=self._cny(price["unit_price_cny"]),
            apart=self._apart(price),
            when=when,
        )

    def _apart(self, price: Mapping[str, Any]) -> str:
        """Where the declared price is outside of what 8 in 10 were declared at."""
        now = price["unit_price_cny"]
        if now is None or price["low"] <= now <= price["high"]:
            return ""
        return self.words("below that") if now < price["low"] else self.words("above that")

    def _earlier(self, row: Mapping[str, Any]) -> ToldEarlier:
        words, currency = self.words, row["currency"] or ""
        found = self._titles(row["found"])
        results = [words("Found: {risk}", risk=each) for each in found]
        others = [each for each in self._titles(row["examined"]) if each not in found]
        if others:
            results.append(words("nothing found: {risks}", risks=words("; ").join(others)))
        if row["assessed_unit_price"] is not None:
            price = words.money(row["assessed_unit_price"], currency)
            results.append(words("assessed at {price} a unit", price=price))
        if row["recovered_tax_cny"]:
            results.append(words("{tax} of tax recovered", tax=words.money(row["recovered_tax_cny"], "CNY")))
        if row["found_item"]:
            results.append(words("goods found: {goods}", goods=self._text(row["found_item"])))
        if (how := FOUND_HOW.get(row["found_how"])) is not None:
            results.append(words(how))
        price = row["unit_price"]
        return ToldEarlier(
            declared="" if row["declared_on"] is None else words.day(row["declared_on"]),
            parcel=self._text(row["declaration_id"], _CODE),
            same=self._names(row["by"]),
            goods=self._text(row["item_name"]),
            price="" if price is None else words.money(price, currency),
            results=tuple(results),
            is_finding=bool(found),
        )

    def _companion(self, row: Mapping[str, Any]) -> ToldCompanion:
        return ToldCompanion(
            parcel=self._text(row["declaration_id"], _CODE),
            waybill=self._text(row["waybill_id"], _CODE),
            office=self._text(row["customs_office"], _CODE),
            same=self._names(row["by"]),
            goods=self._text(row["item_name"]),
            lines=row["lines"] or 0,
            value="" if row["total_cny"] is None else self._cny(row["total_cny"]),
        )

    @cached_property
    def _findings(self) -> FindingTeller:
        return FindingTeller(self.words, self.names)

    def _finding(self, row: Mapping[str, Any]) -> ToldFinding:
        told = self._findings
        return ToldFinding(told.sentence(row), told.line(row), told.figures(row), told.source(row))

    def _titles(self, labels: Sequence[str] | None) -> list[str]:
        return [self._title_of(label) for label in labels or ()]

    def _title_of(self, label: str) -> str:
        return self.titles.get(label) or self.title(label)

    def _names(self, by: Sequence[str] | None) -> str:
        return self.words.listed(self.words(NAMES[each]) for each in by or ())

    def _cny(self, value: float | None) -> str:
        return "–" if value is None else self.words.money(round(value, 2), "CNY")

    def _text(self, text: str | None, most: int = _TEXT) -> str:
        return visible_text(text or "", most, self.words)
