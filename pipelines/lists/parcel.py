"""A listed parcel as documents show it: texts made harmless, words chosen, figures kept as numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import polars as pl

from configs.language import ENGLISH, Language
from configs.parcel_ways import way_of
from configs.reference.table_names import NO_NAMES, TableNames
from configs.schema.risk import RiskConfig
from features.text.visible import visible_text
from features.words.reasons import NOTHING_STANDS_OUT
from pipelines.cases.case import CASE
from pipelines.cases.told import CaseTeller, ToldCase
from pipelines.lists.caveats import Caveats
from pipelines.lists.chances import CHANCES
from pipelines.lists.fields import REASON_COLUMNS, fields_of, in_language
from pipelines.lists.lines import LINES

Value = str | float | None
READING = "_reading"
"""The column with what a disguised name of the goods reads as."""
CODE_CHARACTERS = 60
TEXT_CHARACTERS = 160
SENTENCE_CHARACTERS = 400
CHOSEN = {
    "risk": "by risk",
    "random": "at random",
    "exploration": "to explore",
    "rule": "by a rule",
    "referral": "by referral",
}
"""How a parcel came onto the list, in words."""
WAYS = {
    "import": "import",
    "export": "export",
    "9610": "cross-border e-commerce (9610)",
    "1210": "bonded cross-border e-commerce (1210)",
    "1239": "bonded cross-border e-commerce A (1239)",
    "9710": "cross-border direct export to enterprises (9710)",
    "9810": "cross-border export to overseas warehouses (9810)",
    "mail": "mail",
    "express": "express",
    "other": "other",
}
"""Directions and supervision modes, in words."""


@dataclass(frozen=True)
class ListedChance:
    """One of a parcel's chances.

    Attributes:
        title: the risk's name for people.
        line_no: the line that speaks most for it.
        probability: that the risk is found in the parcel.
        words: the same in words.
        reason: what speaks most for it, empty where nothing does by itself.
        is_headline: whether the parcel is listed for this risk.
        sentence: what to say of it where it is larger than that of the listed risk.
    """

    title: str
    line_no: int
    probability: float
    words: str
    reason: str
    is_headline: bool
    sentence: str


@dataclass(frozen=True)
class ListedLine:
    """A line of a listed parcel: what was declared, and the language to declare for its name."""

    line_no: int
    name: str
    model: str
    hs_code: str
    quantity: float | None
    unit: str
    total_price_cny: float | None
    language: str | None


@dataclass(frozen=True)
class ListRow:
    """One parcel as documents may show it.

    Attributes:
        values: of each field by its technical name; numbers are None where unknown.
        risk: the risk's technical name, empty where there is none.
        selection: the technical name of what chose the parcel.
        goods_language: the language to declare for the goods' name.
        reads_as: what a disguised name of the goods reads as, in words.
        reasons: one to three sentences, the strongest first.
        chances: all that are told, the largest first.
        lines: all of the parcel, where they are known.
        words: the list's language, in the words of the parcel's way.
        is_export: whether the parcel leaves the country.
        case: what else was known of it, None where nothing was kept.
        verdicts: what the law says of it beyond the reasons, whatever it was chosen for.
    """

    values: Mapping[str, Value]
    risk: str
    selection: str
    goods_language: str | None
    reads_as: str
    reasons: tuple[str, ...]
    chances: tuple[ListedChance, ...] = ()
    lines: tuple[ListedLine, ...] = ()
    words: Language = ENGLISH
    is_export: bool = False
    case: ToldCase | None = None
    verdicts: tuple[str, ...] = ()

    @property
    def total_cny(self) -> float | None:
        """What all lines were declared at, None where that of one is not known."""
        totals = [each.total_price_cny for each in self.lines if each.total_price_cny is not None]
        return sum(totals) if totals and len(totals) == len(self.lines) else None

    @property
    def likelier(self) -> tuple[ListedChance, ...]:
        """Chances of other risks that are larger than that of the risk it is listed for."""
        own = max((each.probability for each in self.chances if each.is_headline), default=0.0)
        return tuple(each for each in self.chances if each.probability > own)


@dataclass(frozen=True)
class Teller:
    """How the parcels of a list are told: its language, the risks by name, how sure their chances are, and
    what tables call things in the language.
    """

    words: Language
    risks: Mapping[str, RiskConfig]
    caveats: Caveats
    names: TableNames = NO_NAMES

    def row(self, row: Mapping[str, Any], ranks: Mapping[int, list[int]]) -> ListRow:
        """A row of the list; `ranks` are those of the parcels of each group that travels together."""
        words, name = self.words.of(way_of(row["direction"], row["trade_mode"])), row["item_name"] or ""
        probability, selection = row["probability"], row["selection"] or ""
        reading = visible_text(row[READING] or "", TEXT_CHARACTERS, words)
        values: dict[str, Value] = {}
        for each in fields_of("selection", "declaration", "night"):
            value = row[each.name]
            if each.dtype == pl.String:
                value = self._text(value, TEXT_CHARACTERS if each.text == "free" else CODE_CHARACTERS)
            values[each.name] = value
        unscored = words("not scored")
        reasons = tuple(self._sentence(row[name]) for name in REASON_COLUMNS if row[name])
        case = CaseTeller(words, self._titles, self.title, self.names).case(row[CASE])
        verdicts = [] if case is None else [self._sentence(verdict) for verdict in case.verdicts]
        return ListRow(
            values={
                **values,
                "risk": "" if row["risk"] is None else self.title(row["risk"]),
                "chance": unscored
                if probability is None
                else self.caveats.chance(row["risk"], probability, words),
                "selection": words(CHOSEN[selection])
                if selection in CHOSEN
                else visible_text(selection, CODE_CHARACTERS),
                **{name: self._way(row[name]) for name in ("direction", "trade_mode")},
                "likely_headings": words.listed(str(values["likely_headings"]).split(", ")),
                "together": words.listed(
                    str(rank) for rank in ranks.get(row["together"], []) if rank != row["rank"]
                ),
            },
            risk=row["risk"] or "",
            selection=selection,
            goods_language=language_of(name),
            reads_as=words("reads as: {text}", text=reading) if reading else "",
            reasons=reasons,
            chances=tuple(self._chance(each, row["risk"], words) for each in row[CHANCES] or ()),
            lines=tuple(map(self._line, row[LINES] or ())),
            words=words,
            is_export=row["direction"] == "export",
            case=case,
            verdicts=tuple(each for each in verdicts if each not in reasons),
        )

    def title(self, risk: str) -> str:
        """A list may be issued again after a risk was taken out of the configuration."""
        if risk in self.risks:
            return self.risks[risk].title.in_language(self.words)
        return risk.replace("_", " ").capitalize()

    @cached_property
    def _titles(self) -> dict[str, str]:
        """The titles of the risks by their labels."""
        return {risk.label: self.title(name) for name, risk in self.risks.items()}

    def _chance(self, chance: Mapping[str, Any], listed: str | None, words: Language) -> ListedChance:
        first, title = REASON_COLUMNS[0], self.title(chance["risk"])
        reason = chance.get(in_language(first, words.code)) or chance[first] or ""
        if reason == words(NOTHING_STANDS_OUT):
            reason = ""
        said = self.caveats.chance(chance["risk"], chance["probability"], words)
        return ListedChance(
            title=title,
            line_no=chance["line_no"],
            probability=chance["probability"],
            words=said,
            reason=self._sentence(reason),
            is_headline=chance["risk"] == listed,
            sentence=words("more likely: {risk}, {chance}", risk=title, chance=said),
        )

    def _line(self, line: Mapping[str, Any]) -> ListedLine:
        name = line["item_name"] or ""
        return ListedLine(
            line_no=line["line_no"],
            name=self._text(name, TEXT_CHARACTERS),
            model=self._text(line["item_model"], TEXT_CHARACTERS),
            hs_code=self._text(line["hs_code"], CODE_CHARACTERS),
            quantity=line["quantity"],
            unit=self._text(line.get(in_language("unit", self.words.code)) or line["unit"], CODE_CHARACTERS),
            total_price_cny=line["total_price_cny"],
            language=language_of(name),
        )

    def _way(self, code: str | None) -> str:
        return self.words(WAYS[code]) if code in WAYS else self._text(code, CODE_CHARACTERS)

    def _sentence(self, reason: str) -> str:
        return self._text(reason, SENTENCE_CHARACTERS)

    def _text(self, text: str | None, most: int) -> str:
        return visible_text(text or "", most, self.words)


def language_of(text: str) -> str | None:
    """The language to declare for a text, so that its characters are drawn as readers of it expect.

    >>> [language_of(text) for text in ("儿童玩具", "おもちゃ箱", "장난감", "toy")]
    ['zh', 'ja', 'ko', None]
    """
    if any("\u3040" <= character <= "\u30ff" for character in text):
        return "ja"
    if any("\uac00" <= character <= "\ud7af" for character in text):
        return "ko"
    if any("\u3400" <= character <= "\u9fff" or character >= "\U00020000" for character in text):
        return "zh"
    return None
