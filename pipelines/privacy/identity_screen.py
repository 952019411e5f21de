"""Takes what names a person out of the rows of any source: the one screen that every text passes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Final

import numpy as np
import polars as pl

from features.arrays.types import BoolArray, IntArray
from features.contract.conversions import to_text
from features.contract.declarations import DECLARATION_COLUMNS
from features.contract.documents import DOCUMENT_TABLES, PERSON_COLUMNS, hashed_as
from features.contract.inspections import INSPECTION_COLUMNS
from pipelines.privacy.log_masking import masked_at
from pipelines.privacy.own_values import OwnValues
from pipelines.privacy.person_numbers import (
    WORD_BEFORE_NUMBER,
    holds_birthday,
    joined,
    number_spans,
    person_spans,
)
from pipelines.privacy.pseudonyms import Pseudonymiser
from pipelines.privacy.text_candidates import may_hold_birthdays, may_hold_numbers

PSEUDONYM_COLUMNS: Final = PERSON_COLUMNS
FREE_TEXT_COLUMNS: Final = ("item_name", "item_model")
RESULT_TEXTS: Final = tuple(
    name
    for name, dtype in INSPECTION_COLUMNS.items()
    if dtype == pl.String() and name not in ("declaration_id", "selection")
)
"""What inspectors write in words."""
# Official numbers of 11 to 18 digits are what these hold, so length alone says nothing there.
NUMBER_COLUMNS: Final = (
    *("declaration_id", "order_id", "waybill_id", "barcode"),
    *("own_number", "item_no", "transaction_id", "master_bill_id", "tax_bill_id"),
)
# Of shops and firms, which may be one person's; numbers of 15 digits are rare among them.
CODE_COLUMNS: Final = (
    "order_id",
    "platform_id",
    "seller_id",
    "agent_id",
    "carrier_id",
    "payment_company_id",
    "customs_office",
    "port",
)
OFFICIAL_COLUMNS: Final = tuple(dict.fromkeys((*NUMBER_COLUMNS, *CODE_COLUMNS, "transport_mode")))
# A text in one of these that repeats what names the row's persons is masked, an amount of a document too.
_STATED: Final = frozenset(DECLARATION_COLUMNS).union(*(table.columns for table in DOCUMENT_TABLES.values()))
# Working columns of messages that hold what a stored column holds, too.
_SAME_AS: Final = {"_seller": "seller_id", "_own_number": "own_number", "_item_no": "item_no"}
WITHHELD: Final = "(withheld: may be personal data)"
# Between two digits of one number: any wide sign may stand for a blank or hyphen, of the plain ones some do.
_GAP: Final = r"[^0-9A-Za-z!-'*+:-@\[-^`{-~]{0,3}"
_MOBILE: Final = rf"1{_GAP}[3-9](?:{_GAP}\d){{9}}"
_LANDLINE: Final = rf"0\d{{2,3}}[^0-9A-Za-z]{_GAP}[2-8]\d\d|00\d{{2,3}}{_GAP}\d"
_WIDE_DIGIT: Final = r"[٠-٩۰-۹０-９①-⑨\x{1D7CE}-\x{1D7FF}]"
_WORD_IN_FRONT: Final = WORD_BEFORE_NUMBER.replace("(?<![a-z])", "(?:^|[^a-z])")
# Wide figures are looked at one by one; elsewhere what `person_spans` looks for begins so. Model numbers, of
# which every row may have one, are not to be among it.
_MAY_BE_NUMBER: Final = (
    rf"(?i){_MOBILE}|\d(?:{_GAP}\d){{14}}|[a-z]\d{{6}}[^a-z]|\+[1-9]|(?:^|[^0-9])(?:{_LANDLINE})"
    rf"|(?:{_WORD_IN_FRONT}).{{0,16}}\d|{_WIDE_DIGIT}"
)
# The same of numbers that stand alone, so that of hashes and codes, which are full of digits, few are left.
_MAY_STAND_ALONE: Final = (
    rf"(?:^|[^0-9A-Za-z.])[A-Za-z]*(?:{_MOBILE}|\d(?:{_GAP}\d){{12}}|{_LANDLINE})|{_WIDE_DIGIT}"
)
_SIGNS: Final = r"\p{Han}\p{Hangul}\p{Hiragana}\p{Katakana}\p{Cyrillic}\p{Arabic}@"
_TWO_WORDS: Final = r"\p{L}{2}\S*\s+\S*\p{L}{2}"
_MOST_CHARS: Final = 10**9


@dataclass(frozen=True)
class Screened:
    """Rows without what names somebody.

    Attributes:
        rows: the rows.
        hashed: by column, values that were replaced by their keyed hash.
        masked: by column, texts of which a part was masked, and figures that became null.
    """

    rows: pl.DataFrame
    hashed: Counter[str] = field(default_factory=Counter)
    masked: Counter[str] = field(default_factory=Counter)


def holds_number(texts: pl.Series, *, of_words: bool) -> pl.Series:
    """Whether each text holds a person's number; of a code or figure (not `of_words`) one that stands alone.

    >>> holds_number(pl.Series(["tea 138 0013 8000", "tea 500 g", None]), of_words=True).to_list()
    [True, False, False]
    """
    found = np.zeros(len(texts), dtype=np.bool_)
    rows = _number_candidates(texts, of_words=of_words)
    if len(rows):
        spans = cache(person_spans if of_words else number_spans)
        found[rows] = [bool(spans(text)) for text in texts.gather(rows)]
    return pl.Series(texts.name, found)


def holds_a_persons_number(text: str) -> bool:
    """Return whether a text of words holds an identity number or a telephone.

    >>> holds_a_persons_number("call 13800138000"), holds_a_persons_number("箱内有 3 只手表")
    (True, False)
    """
    return bool(person_spans(text))


def looks_personal(values: pl.Series) -> pl.Series:
    """Return whether each text looks like an identity or mobile number, a name or an address; null is False.

    >>> looks_personal(pl.Series(["QLRUBN9", "13800138000", "王小明", "12 High Street", None])).to_list()
    [False, True, True, True, False]
    """
    text = values.cast(pl.String).str.strip_chars()
    odd = text.str.contains(rf"[{_SIGNS}\s]").fill_null(False)
    return odd | holds_number(text, of_words=False)


def names_somebody(values: pl.Series) -> pl.Series:
    """Return the same for columns of codes and figures, where a blank alone (`2026-11-20 10:00`) is harmless.

    >>> names_somebody(pl.Series(["2026-11-20 10:00", "12AB", "John Smith", "13800138000"])).to_list()
    [False, False, True, True]
    """
    text = values.cast(pl.String)
    words = (text.str.contains(f"[{_SIGNS}]") | text.str.contains(_TWO_WORDS)).fill_null(False)
    return words | holds_number(text, of_words=False)


def is_persons_number(values: pl.Series, column: str, own: OwnValues) -> BoolArray:
    """Where an official number is a person's: by its day of birth, or because the row names somebody so."""
    texts = _as_text(values)
    old_form = column in CODE_COLUMNS
    found = may_hold_birthdays(texts, old_form=old_form)
    rows = np.flatnonzero(found)
    found[rows] = [holds_birthday(text, old_form=old_form) for text in texts.gather(rows)]
    if own:
        rows = np.flatnonzero(own.among(texts))
        found[rows] |= np.array([own.in_number(row, texts[row]) for row in rows.tolist()], dtype=np.bool_)
    return found


def mask_words(values: pl.Series, own: OwnValues) -> tuple[pl.Series, int]:
    """Return texts of words with persons' numbers, and what the row repeats of its persons, masked."""
    texts = _as_text(values)
    candidates = np.zeros(len(texts), dtype=np.bool_)
    candidates[_number_candidates(texts, of_words=True)] = True
    repeats = own.among(texts) if own else np.zeros(len(texts), dtype=np.bool_)
    rows, masked, numbers = [], [], cache(person_spans)
    for row in np.flatnonzero(candidates | repeats).tolist():
        text = texts[row]
        spans = numbers(text)
        if own and (spans or repeats[row]):
            spans = joined([*spans, *own.spans(row, text)])
        if spans:
            rows.append(row)
            masked.append(masked_at(text, spans))
    if not rows:
        return values, 0
    return texts.clone().scatter(rows, masked).alias(values.name), len(rows)


def screen_rows(
    rows: pl.DataFrame,
    persons: pl.DataFrame | None,
    pseudonymiser: Callable[[], Pseudonymiser],
    *,
    words: Sequence[str] = FREE_TEXT_COLUMNS,
    figures: Sequence[str] = (),
) -> Screened:
    """Take what names a person out of rows in the contract's columns, of any types.

    Pseudonyms that are none, and official numbers that are a person's, are hashed. Of other texts only the
    number, name or address is masked.

    Args:
        rows: declarations or results.
        persons: raw values that name the persons of each row; None where the source has none.
        pseudonymiser: called only where something has to be hashed, so that clean tables need no key.
        words: columns of words.
        figures: numeric columns beyond the contract's, which have no bounds: a telephone there becomes null.
    """
    screened = Screened(rows)
    columns: dict[str, pl.Series] = {}
    named = [] if persons is None else persons.get_columns()
    for name in PSEUDONYM_COLUMNS:
        if name in rows.columns and not rows[name].dtype.is_nested():
            values = rows[name].cast(pl.String)
            personal = looks_personal(values)
            if personal.any():
                hashed = pseudonymiser().hash(values.filter(personal), hashed_as(name))
                columns[name] = values.scatter(personal.arg_true(), hashed).alias(name)
                screened.hashed[name] += int(personal.sum())
                named = [*named, values.set(~personal, None).alias(f"own {name}")]
    own = OwnValues(pl.DataFrame(named) if named else pl.DataFrame())
    for name in rows.columns:
        values = rows[name]
        if name in PSEUDONYM_COLUMNS or values.dtype.is_nested():
            continue
        if name in OFFICIAL_COLUMNS or name in _SAME_AS:
            field_ = _SAME_AS.get(name, name)
            official = is_persons_number(values, field_, own)
            if official.any():
                chosen = np.flatnonzero(official)
                texts = _as_text(values)
                hashed = pseudonymiser().hash(texts.gather(chosen), field_)
                columns[name] = texts.clone().scatter(chosen, hashed).alias(name)
                if name not in _SAME_AS:
                    screened.hashed[name] += len(chosen)
        elif name in words or (own and values.dtype == pl.String and name in _STATED):
            shown, count = mask_words(values, own)
            if count:
                columns[name] = shown
                screened.masked[name] += count
        elif name in figures:
            wrong = holds_number(_as_text(values), of_words=False)
            if wrong.any():
                columns[name] = values.set(wrong, None)
                screened.masked[name] += int(wrong.sum())
    if not columns:
        return screened
    return Screened(rows.with_columns(**columns), screened.hashed, screened.masked)


def _number_candidates(texts: pl.Series, *, of_words: bool) -> IntArray:
    """Rows in which a person's number may stand; in others there is surely none."""
    rows = np.flatnonzero(may_hold_numbers(texts, alone=not of_words))
    if not len(rows):
        return rows
    pattern = _MAY_BE_NUMBER if of_words else _MAY_STAND_ALONE
    found = texts.gather(rows).str.contains(pattern).fill_null(False)
    chosen: IntArray = rows[found.to_numpy()]
    return chosen


def _as_text(values: pl.Series) -> pl.Series:
    """As text; a number without the `.0` of a table with gaps."""
    return values if values.dtype == pl.String else to_text(values, _MOST_CHARS)
