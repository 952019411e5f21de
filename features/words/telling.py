"""How the reasons of some lines are told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from configs.language import ENGLISH, Language
from configs.parcel_ways import ORDER_LIMIT, PARCEL_WAYS, ParcelWay
from features.text.visible import visible_text

MAX_VALUE_CHARACTERS = 60
_COUNTRIES = frozenset({"route__origin", "route__dispatch"})


@dataclass(frozen=True)
class Telling:
    """How reasons are told.

    Attributes:
        language: of the office.
        ways: of the parcel of each row, whose parties go by other names in each; none where nothing is known.
        countries: their names in the language, by code.
        order_limit_cny: of the day, where it is known.
    """

    language: Language = ENGLISH
    ways: Sequence[ParcelWay] = ()
    countries: Mapping[str, str] = field(default_factory=dict)
    order_limit_cny: float | None = None

    def languages(self, rows: int) -> list[Language]:
        """The language of each row, in the words of its parcel's way."""
        of_way = {way: self.language.of(way) for way in PARCEL_WAYS}
        return [of_way[way] for way in self.ways] if self.ways else [self.language] * rows

    @property
    def figures(self) -> dict[str, str]:
        """What a sentence in another language than English may name besides."""
        limit = self.order_limit_cny
        return {ORDER_LIMIT: "–" if limit is None else self.language.number(limit)}

    def shown(self, column: str, value: Any) -> Any:
        """A value as a sentence shows it: a country by its name, a text with nothing hidden in it."""
        if not isinstance(value, str):
            return value
        if column in _COUNTRIES:
            value = self.countries.get(value, value)
        return visible_text(value, MAX_VALUE_CHARACTERS)


IN_ENGLISH = Telling()
