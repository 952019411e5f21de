"""What an inspector fills in for a parcel: names and words that documents and `feedback` agree on.

A field has a technical name, which stands in the workbook's hidden row and in the exported JSON and never
changes, and a heading for people, which depends on the language.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal, get_args

from configs.language import Language, language
from configs.language_codes import LANGUAGES
from configs.schema.risk import RiskConfig

JSON_FORMAT = "parcel-risk results 1"
"""The value of `format` in what the page exports; another number means another layout."""
LIST_ID = "list_id"
"""The technical label of the issued list's fingerprint: it stands in the workbook left of the value."""

ResultValue = Literal["found", "nothing", "not_examined"]
RESULT_VALUES: tuple[ResultValue, ...] = get_args(ResultValue)
RESULT_WORDS: dict[ResultValue, str] = {
    "found": "found",
    "nothing": "nothing found",
    "not_examined": "not examined",
}
"""What an inspector chooses from, by what it means."""
_OTHER_RESULT_WORDS: dict[str, ResultValue] = {
    "true": "found", "1": "found", "1.0": "found", "yes": "found", "y": "found", "finding": "found",
    "false": "nothing", "0": "nothing", "0.0": "nothing", "no": "nothing", "n": "nothing",
    "not opened": "not_examined",
}  # fmt: skip

EntryKind = Literal["result", "date", "price", "amount", "text", "parcel"]
ENTRY_FIELDS: dict[str, EntryKind] = {
    "inspected_on": "date",
    "assessed_unit_price": "price",
    "recovered_tax_cny": "amount",
    "note": "text",
    "opened_instead": "parcel",
    "override_reason": "text",
}
"""The fields beside the results: `price` is above 0 in the declaration's currency a unit, `amount` at least 0
in CNY, `parcel` the declaration_id of another parcel, opened instead of the listed one.
"""
ENTRY_HEADINGS: dict[str, str] = {
    "inspected_on": "Inspected on",
    "assessed_unit_price": "Assessed price a unit",
    "recovered_tax_cny": "Recovered tax, CNY",
    "note": "Note",
    "opened_instead": "Opened instead",
    "override_reason": "Why another one",
}
LIST_HEADINGS: dict[str, str] = {
    "rank": "Rank",
    "declaration_id": "Parcel",
    "waybill_id": "Waybill",
    "item_name": "Goods as declared",
    "risk": "Risk",
    "chance": "Chance",
    "reasons": "Why",
    "total_price_cny": "Declared CNY",
    "expected_price_cny": "Usual CNY",
    "gross_weight_kg": "Gross kg",
    "line_no": "Line",
    "hs_code": "HS code",
    "origin_country": "Made in",
    "dispatch_country": "Sent from",
    "quantity": "Quantity",
    "unit": "Unit",
    "total_price": "Declared price",
    "currency": "Currency",
    "trade_mode": "Trade mode",
    "together": "Travels with rank",
    "seller_id": "Seller",
    "selection": "Chosen",
    "probability": "Probability",
    "expected_value_cny": "Expected value CNY",
}
"""Headings of what the list says itself, by technical name: the columns of the workbook that are locked."""
RESULT_HEADING = "Result: {risk}"
_RESULT_PREFIX = "result_"


def result_field(risk: str) -> str:
    """The technical name of a risk's result.

    >>> result_field("undervaluation")
    'result_undervaluation'
    """
    return f"{_RESULT_PREFIX}{risk}"


def risk_of(field: str) -> str | None:
    """The risk whose result a field is, None for any other field.

    >>> risk_of("result_undervaluation"), risk_of("note")
    ('undervaluation', None)
    """
    return field.removeprefix(_RESULT_PREFIX) if field.startswith(_RESULT_PREFIX) else None


def fields_to_fill_in(risks: Iterable[str]) -> tuple[str, ...]:
    """Technical names of all fields, in the documents' order: a result for each risk, then the rest.

    >>> fields_to_fill_in(["undervaluation"])[:2]
    ('result_undervaluation', 'inspected_on')
    """
    return (*map(result_field, risks), *ENTRY_FIELDS)


def result_heading(title: str, words: Language) -> str:
    """The heading of the result of a risk with this title."""
    return words(RESULT_HEADING, risk=title)


def result_of(words: str, overlay: Path | None = None) -> ResultValue | None:
    """What someone meant by the words in a result's cell, in any language of the documents; None if empty.

    `overlay` is the user's folder of the configuration, whose catalogues count too.

    Raises ValueError where the words mean no result.

    >>> [result_of(words) for words in ("nothing found", "TRUE", "未查验", "")]
    ['nothing', 'found', 'not_examined', None]
    """
    plain = _plain(words)
    if not plain:
        return None
    meaning = _meanings(overlay).get(plain)
    if meaning is None:
        raise ValueError(f"expected one of {', '.join(map(repr, RESULT_WORDS.values()))}, came {words!r}")
    return meaning


def field_of_heading(words: str, risks: Mapping[str, RiskConfig], overlay: Path | None = None) -> str | None:
    """The technical name of the column with this heading, in any language of the documents; None if unknown.

    A technical name is a heading too. `risks` is the configuration's, by name, `overlay` its folder.

    >>> [field_of_heading(words, {}) for words in ("Why another  one", "序号", "rank", "Colour")]
    ['override_reason', 'rank', 'rank', None]
    """
    return _headings(risks, overlay).get(_plain(words))


def _plain(words: str) -> str:
    return " ".join(words.split()).casefold()


def _spoken(overlay: Path | None) -> list[Language]:
    return [language(code, overlay) for code in LANGUAGES]


def _meanings(overlay: Path | None) -> dict[str, ResultValue]:
    said = {
        _plain(spoken(word)): value for spoken in _spoken(overlay) for value, word in RESULT_WORDS.items()
    }
    return _OTHER_RESULT_WORDS | said | {value: value for value in RESULT_VALUES}


def _headings(risks: Mapping[str, RiskConfig], overlay: Path | None) -> dict[str, str]:
    known = {}
    for spoken in _spoken(overlay):
        for field, words in (LIST_HEADINGS | ENTRY_HEADINGS).items():
            known[_plain(spoken(words))] = field
        for name, risk in risks.items():
            known[_plain(result_heading(risk.title.in_language(spoken), spoken))] = result_field(name)
    technical = [*LIST_HEADINGS, *fields_to_fill_in(risks), LIST_ID]
    return known | {_plain(field): field for field in technical}
