"""How the values of columns stand in a message: numbers, times, codes of customs, persons."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import polars as pl

from configs.reference.facts import ReferenceDay
from features.contract.china_time import CHINA_ZONE
from pipelines.simulation.messages.layout import Fields
from pipelines.simulation.messages.persons import (
    identity_numbers,
    other_spelling,
    person_names,
    street_addresses,
    telephones,
)

_TIMES: Final = {"": "%Y%m%d%H%M%S", "day": "%Y%m%d", "long": "%Y%m%d%H%M%S000"}
_PERSONS: Final = {
    "identity": identity_numbers,
    "person": person_names,
    "telephone": telephones,
    "address": street_addresses,
}
# What is the same to a reader however it is spelled, and the spellings that make it so.
_SPELLINGS: Final = {
    "identity": ("case",),
    "item": ("case",),
    "address": ("width", "blanks", "punctuation"),
}
_DECIMALS: Final = 5


@dataclass(frozen=True)
class Wording:
    """What is needed to put pseudonyms and ISO codes into the words of a message.

    Attributes:
        seed: of the persons behind the pseudonyms.
        countries: customs' numeric code by ISO 3166-1 code.
        currencies: the same by ISO 4217 code.
    """

    seed: int
    countries: Mapping[str, str]
    currencies: Mapping[str, str]

    @classmethod
    def of(cls, seed: int, reference: ReferenceDay) -> Wording:
        """Return the wording with the codes of a day."""
        return cls(seed, _codes(reference["countries"]), _codes(reference["currencies"]))


def _codes(table: pl.DataFrame) -> dict[str, str]:
    known = table.drop_nulls(["customs_code", "iso"])
    return dict(zip(known["iso"], known["customs_code"].cast(pl.String), strict=True))


def shown(frame: pl.DataFrame, fields: Fields, wording: Wording) -> pl.DataFrame:
    """Return the texts of fields, a column each in their order and by their element; null: no element.

    A column that the frame does not have is null. `spelling`, where the frame has it, says which values stand
    in another spelling than the usual: see `persons.other_spelling`.
    """
    texts = []
    for element, source in fields:
        if source.column and source.column in frame.columns:
            text = _texts(frame[source.column], source.way, wording)
        else:
            text = pl.Series([None], dtype=pl.String).new_from_index(0, frame.height)
        if source.text is not None:
            text = text.fill_null(source.text)
        texts.append(_spelled(text, source.way, frame).alias(element))
    return pl.DataFrame(texts)


def _texts(values: pl.Series, way: str, wording: Wording) -> pl.Series:
    if way in _PERSONS:
        return _PERSONS[way](wording.seed, values)
    if way == "company":
        return "企业" + values.cast(pl.String)
    if way in ("country", "currency"):
        codes = wording.countries if way == "country" else wording.currencies
        return values.replace_strict(codes, default=values, return_dtype=pl.String)
    if isinstance(values.dtype, pl.Datetime):
        return values.dt.convert_time_zone(CHINA_ZONE).dt.strftime(_TIMES[way])
    if values.dtype.is_float():
        exact = values.round(_DECIMALS).cast(pl.Decimal(30, _DECIMALS)).cast(pl.String)
        return exact.str.strip_chars_end("0").str.strip_chars_end(".")
    return values.cast(pl.String)


def _spelled(text: pl.Series, way: str, frame: pl.DataFrame) -> pl.Series:
    if way not in _SPELLINGS or "spelling" not in frame.columns:
        return text
    spelling = pl.when(pl.col("spelling").is_in(_SPELLINGS[way])).then("spelling")
    both = pl.DataFrame({"text": text, "spelling": frame["spelling"]})
    return both.select(other_spelling(pl.col("text"), spelling).alias("text")).to_series()
