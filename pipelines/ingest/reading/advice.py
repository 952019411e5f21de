"""What a wrong value should have been, and what a mapping has to say so that it is: the end of a message."""

from __future__ import annotations

import json
import re
from typing import Final

import polars as pl

from configs.schema.source import SourceMapping
from features.contract.declarations import COUNTRY_COLUMNS, DIRECTIONS, TRADE_MODES, UNIT_COLUMNS
from features.contract.inspections import SELECTIONS
from features.contract.reject_reasons import RejectReason
from pipelines.ingest.reading.written_numbers import format_of

_CODES: Final[dict[str, str]] = {
    **dict.fromkeys(COUNTRY_COLUMNS, "two letters of ISO 3166-1, such as CN"),
    "currency": "three letters of ISO 4217, such as CNY",
    **dict.fromkeys(UNIT_COLUMNS, "three digits of customs' units, such as 035"),
    "direction": " or ".join(DIRECTIONS),
    "trade_mode": f"one of {', '.join(TRADE_MODES)}",
    "selection": f"one of {', '.join(SELECTIONS)}",
}
_EXPECTED: Final[dict[str, str]] = {
    RejectReason.NOT_A_NUMBER: "a number such as 1234.5",
    RejectReason.NOT_A_WHOLE_NUMBER: "a whole number such as 12",
    RejectReason.NOT_A_TIME: "a time such as 2026-11-20T09:30:00+08:00, or a day such as 2026-11-20",
    RejectReason.NOT_A_DATE: "a day such as 2026-11-20",
    RejectReason.NOT_YES_OR_NO: "yes or no",
}
_NUMBERS: Final = (RejectReason.NOT_A_NUMBER, RejectReason.NOT_A_WHOLE_NUMBER)
_PLACE: Final = "??"


def expected(column: str, kind: str) -> str | None:
    """What the contract expects where it met this fault, None where the fault says it.

    >>> expected("hs_code", "bad_format"), expected("quantity", "missing")
    ('6 to 10 digits', None)
    """
    if kind in (RejectReason.BAD_FORMAT, RejectReason.NOT_IN_LIST):
        return "6 to 10 digits" if column == "hs_code" else _CODES.get(column)
    return _EXPECTED.get(kind)


def mapping_line(
    mapping: SourceMapping, column: str, kind: str, value: str, countries: pl.DataFrame
) -> str | None:
    """The line of a mapping that would make a value what the contract expects, None where none does.

    `countries` is the reference table of that name: it knows the code behind a name.
    """
    if kind in _NUMBERS and mapping.number_format is None:
        written = format_of(value)
        return None if written is None else f"number_format: {json.dumps(written)}"
    if column in _CODES and kind in (RejectReason.BAD_FORMAT, RejectReason.NOT_IN_LIST):
        code = _country(value, countries) if column in COUNTRY_COLUMNS else _PLACE
        return f"values: {{{column}: {{{json.dumps(value, ensure_ascii=False)}: {code}}}}}"
    if kind == RejectReason.NOT_YES_OR_NO:
        return f"labels: {{{column}: {{column: …, true_when: […], false_when: […]}}}}"
    return None


def _country(value: str, countries: pl.DataFrame) -> str:
    name = re.sub(r"\s+", " ", value).strip().casefold()
    same = countries.filter(
        (pl.col("name_en").str.to_lowercase() == name) | (pl.col("name_zh") == value.strip())
    )
    return str(same["iso"][0]) if same.height else _PLACE
