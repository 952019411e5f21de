"""What the documents call their columns and entries, in their language."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final

from configs.language import ENGLISH, Language
from configs.reference.facts import ReferenceDay
from pipelines.statistics.day_cells import ALL, BY_DIRECTION
from pipelines.statistics.month_cells import FINAL

HEADINGS: Final = {
    "month": "month",
    "direction": "direction",
    "trade_mode": "supervision mode",
    "partner": "partner country",
    "hs2": "chapter",
    "hs4": "heading",
    "customs_office": "office",
    "declarations": "declarations",
    "lines": "lines",
    "value_cny": "value, CNY",
    "value_usd": "value, USD",
    "net_weight_kg": "net weight, kg",
    "returned_value_cny": "returned, CNY",
    "net_value_cny": "less returned, CNY",
    "value_cny_before": "month before, CNY",
    "value_cny_year_ago": "same month last year, CNY",
    "change": "change on the year before",
    "value_cny_year": "year so far, CNY",
    "value_usd_year": "year so far, USD",
    "returned_value_cny_year": "returned in the year, CNY",
    "net_value_cny_year": "year less returned, CNY",
    "value_cny_year_before": "same part of last year, CNY",
    "year_change": "change of the year so far",
    "status": "status",
    "as_of": "as of",
}
"""Headings of columns."""
BY: Final = {
    "trade_mode": "By supervision mode",
    "partner": "By partner country",
    "hs2": "By chapter",
    "hs4": "By heading",
    "customs_office": "By office",
}
"""Headings of the tables of a direction."""
SECTIONS: Final = {"import": "Imports", "export": "Exports", "": "No direction stated"}
"""Headings of the directions' parts; the last is for those without one."""
UNITS: Final = ((1e9, "CNY billion"), (1e6, "CNY million"), (1e3, "CNY thousand"), (1.0, "CNY"))
CHINESE_UNITS: Final = ((1e8, "CNY 100 million"), (1e4, "CNY 10,000"), (1.0, "CNY"))
"""Units of amounts in pictures."""
STATUS_WORDS: Final = {"preliminary": "preliminary", FINAL: "final"}
UNVALUED_WORDS: Final = {
    "no_price": "no price",
    "no_currency": "no currency",
    "no_rate": "no exchange rate",
    "too_large": "too large to be true",
}
"""Why lines have no value."""
NOTES: Final = (
    "Value: of imports with their share of freight and insurance, of exports without; all modes, mail and "
    "express too. A line counts in whole fen.",
    "Exchange rates are those that the reference table has for the day of the declaration.",
    "Returned: what was applied for to be returned in the month, at the value and in the place of the line "
    "that goes back; rejected applications do not count.",
    "A declaration with lines of several headings counts under each: declarations do not add up.",
    "Cancelled and withdrawn declarations do not count.",
    "A dash: not known, since the store does not reach back so far or no line has a value.",
)
"""How to read the figures."""
SUPPRESSED_NOTE: Final = (
    "Cells and entries of few enterprises are not shown, and others with them, so that no sum gives them "
    "away. Beside them only values are shown by mode, partner, heading and office, and other months only in "
    "all. Totals are complete."
)
HIDDEN: Final = "not shown"


@dataclass(frozen=True)
class StatisticsWords:
    """The words of statistics, with the names of countries and headings as they are on a day."""

    words: Language
    reference: ReferenceDay

    def heading(self, column: str) -> str:
        """The heading of a column."""
        return self.words(HEADINGS[column])

    def direction(self, name: str | None, dimension: str = BY_DIRECTION) -> str:
        """A direction, or all of them."""
        if dimension == ALL:
            return self.words("all")
        return self.words("no direction stated") if name is None else self.words.name("direction", name)

    def entry(self, dimension: str, name: str | None) -> str:
        """An entry of a table: its code, and its name where it has one."""
        if name is None:
            return self.words("not stated")
        if dimension == "trade_mode":
            return self.words.name("mode", name)
        known = {"partner": self._countries, "hs2": self._headings, "hs4": self._headings}.get(dimension, {})
        return f"{name} {known[name]}" if name in known else name

    @cached_property
    def _countries(self) -> dict[str, str]:
        table = self.reference["countries"].unique("iso", keep="first", maintain_order=True)
        return dict(table.select("iso", self._name).iter_rows())

    @cached_property
    def _headings(self) -> dict[str, str]:
        return dict(self.reference["headings"].select("hs_prefix", self._name).iter_rows())

    @property
    def _name(self) -> str:
        return "name_en" if self.words.code == ENGLISH.code else "name_zh"
