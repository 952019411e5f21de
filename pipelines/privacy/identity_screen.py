"""Finds values that look like a person where a pseudonym or a code belongs, and takes them out."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Mapping
from typing import Final

import polars as pl

from pipelines.privacy.pseudonyms import Pseudonymiser

PSEUDONYM_COLUMNS: Final[tuple[str, ...]] = ("buyer_id", "address_id")
FREE_TEXT_COLUMNS: Final = ("item_name", "item_model")
# Official numbers of 11 to 18 digits are what these hold, so length alone says nothing there.
NUMBER_COLUMNS: Final = ("declaration_id", "order_id", "waybill_id", "barcode")
WITHHELD: Final = "(withheld: may be personal data)"
# An identity number (GB 11643) has the day of birth in its middle; a mobile number has 11 digits.
_WITH_BIRTHDAY: Final = (
    r"(?:^|[^0-9])[1-9][0-9]{5}(?:18|19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])[0-9]{3}[0-9Xx]"
)
_NUMBER: Final = r"(?:^|[^0-9])(?:[1-9][0-9]{16}[0-9Xx]|(?:\+?86[ -]?)?1[3-9][0-9]{9})(?:$|[^0-9A-Za-z])"
_SCRIPT: Final = r"[\p{Han}\p{Hangul}\p{Hiragana}\p{Katakana}\p{Cyrillic}\p{Arabic}@]"
_TWO_WORDS: Final = r"\p{L}{2}\S*\s+\S*\p{L}{2}"
_MOST_CHARS: Final = 2000


def looks_personal(values: pl.Series) -> pl.Series:
    """Return whether each text looks like an identity or mobile number, a name or an address; null is False.

    >>> looks_personal(pl.Series(["QLRUBN9", "13800138000", "王小明", "12 High Street", None])).to_list()
    [False, True, True, True, False]
    """
    text = values.cast(pl.String).str.strip_chars()
    return (text.str.contains(_NUMBER) | text.str.contains(_SCRIPT) | text.str.contains(r"\s")).fill_null(
        False
    )


def names_somebody(values: pl.Series) -> pl.Series:
    """Return the same for columns of codes and figures, where a blank alone (`2026-11-20 10:00`) is harmless.

    >>> names_somebody(pl.Series(["2026-11-20 10:00", "12AB", "John Smith", "13800138000"])).to_list()
    [False, False, True, True]
    """
    text = values.cast(pl.String)
    named = text.str.contains(_NUMBER) | text.str.contains(_SCRIPT) | text.str.contains(_TWO_WORDS)
    return named.fill_null(False)


def holds_a_persons_number(text: str) -> bool:
    """Return whether a text of words holds an identity number or a mobile number.

    >>> holds_a_persons_number("call 13800138000"), holds_a_persons_number("箱内有 3 只手表")
    (True, False)
    """
    return re.search(_NUMBER, text) is not None


def screen_pseudonyms(
    frame: pl.DataFrame, pseudonymiser: Callable[[], Pseudonymiser]
) -> tuple[pl.DataFrame, dict[str, int]]:
    """Hash what looks like a person in the columns that should hold pseudonyms.

    Args:
        frame: declarations in the contract's columns, any types.
        pseudonymiser: called only where something has to be hashed, so that clean tables need no key.

    Returns:
        The frame, and how many values were hashed by column.
    """
    counts: dict[str, int] = {}
    for name in PSEUDONYM_COLUMNS:
        if name not in frame.columns or frame[name].dtype.is_nested():
            continue
        values = frame[name].cast(pl.String)
        personal = looks_personal(values)
        if personal.any():
            hashed = pseudonymiser().hash(values.filter(personal), name)
            frame = frame.with_columns(values.scatter(personal.arg_true(), hashed).alias(name))
            counts[name] = int(personal.sum())
    return frame, counts


def safe_records(
    rows: pl.DataFrame,
    *,
    hash_always: Mapping[str, str],
    known: Collection[str],
    free_text: Collection[str],
    exempt: Collection[str],
    pseudonymiser: Pseudonymiser | None,
) -> pl.Series:
    """Return the source's rows as JSON text that names nobody.

    Args:
        rows: the source's rows and columns.
        hash_always: columns of identity fields, with the field that their hash is keyed for.
        known: columns that the contract or a mapping uses; any text elsewhere may be personal.
        free_text: columns of words, in which only numbers of persons are looked for.
        exempt: columns of official numbers, which only a birthday in its place shows to be a person's.
        pseudonymiser: None where there is no key; values are then withheld instead of hashed.

    Returns:
        String (rows,); a value that may be personal is hashed or `WITHHELD`, a long one is cut off.
    """
    columns = []
    for name in rows.columns:
        values = _as_text(rows[name])
        if name in hash_always:
            personal = values.is_not_null()
        elif name in free_text:
            personal = values.str.contains(_NUMBER).fill_null(False)
        elif name in exempt:
            personal = values.str.contains(_WITH_BIRTHDAY).fill_null(False)
        elif name in known:
            personal = names_somebody(values)
        else:
            personal = values.is_not_null() & (rows[name].dtype == pl.String)
        if personal.any():
            if pseudonymiser is None:
                values = values.set(personal, WITHHELD)
            else:
                hashed = "hashed:" + pseudonymiser.hash(values.filter(personal), hash_always.get(name, name))
                values = values.scatter(personal.arg_true(), hashed)
        columns.append(_cut(values))
    texts = [
        json.dumps(row, ensure_ascii=False, separators=(",", ":"))
        for row in pl.DataFrame(columns).iter_rows(named=True)
    ]
    return pl.Series("record", texts, dtype=pl.String)


def _as_text(values: pl.Series) -> pl.Series:
    if values.dtype.is_nested() or values.dtype in (pl.Binary, pl.Object):
        return pl.Series(values.name, [f"({values.dtype})"], dtype=pl.String).new_from_index(0, len(values))
    return values.cast(pl.String)


def _cut(text: pl.Series) -> pl.Series:
    long = (text.str.len_chars() > _MOST_CHARS).fill_null(False)
    if not long.any():
        return text
    cut = text.str.slice(0, _MOST_CHARS) + "… (" + text.str.len_chars().cast(pl.String) + " characters)"
    return cut.zip_with(long, text)
