"""Rows of a table as they came, as text that names nobody: what the quarantine keeps of them."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import polars as pl

from pipelines.privacy.identity_screen import (
    WITHHELD,
    holds_number,
    is_persons_number,
    mask_words,
    names_somebody,
)
from pipelines.privacy.own_values import OwnValues
from pipelines.privacy.pseudonyms import Pseudonymiser

_MOST_CHARS: Final = 2000


@dataclass(frozen=True)
class RecordColumns:
    """What the columns of a source hold.

    Attributes:
        hash_always: identity fields, with the field that their hash is keyed for.
        known: columns that the contract or a mapping uses; any text elsewhere may be personal.
        words: columns of words, of which only the part that names somebody is masked.
        official: columns of official numbers, with the column of the contract that each fills.
    """

    hash_always: Mapping[str, str] = field(default_factory=dict)
    known: Collection[str] = ()
    words: Collection[str] = ()
    official: Mapping[str, str] = field(default_factory=dict)


def safe_records(
    rows: pl.DataFrame,
    columns: RecordColumns,
    persons: pl.DataFrame | None,
    pseudonymiser: Pseudonymiser | None,
) -> pl.Series:
    """Return the source's rows as JSON text that names nobody.

    Args:
        rows: the source's rows and columns.
        columns: what they hold.
        persons: raw values that name the persons of each row; None where the source has none.
        pseudonymiser: None where there is no key; values are then withheld instead of hashed.

    Returns:
        String (rows,); a value that may be personal is hashed or `WITHHELD`, of words a part is masked, and
        a long text is cut off.
    """
    own = OwnValues(pl.DataFrame() if persons is None else persons)
    shown = []
    for name in rows.columns:
        values = _as_text(rows[name])
        if name in columns.words:
            shown.append(_cut(mask_words(values, own)[0]))
            continue
        personal = _is_personal(values, name, columns, own, is_text=rows[name].dtype == pl.String)
        if personal.any():
            if pseudonymiser is None:
                values = values.set(personal, WITHHELD)
            else:
                field_ = columns.hash_always.get(name, columns.official.get(name, name))
                hashed = "hashed:" + pseudonymiser.hash(values.filter(personal), field_)
                values = values.scatter(personal.arg_true(), hashed)
        shown.append(_cut(values))
    texts = [
        json.dumps(row, ensure_ascii=False, separators=(",", ":"))
        for row in pl.DataFrame(shown).iter_rows(named=True)
    ]
    return pl.Series("record", texts, dtype=pl.String)


def _is_personal(
    values: pl.Series, name: str, columns: RecordColumns, own: OwnValues, *, is_text: bool
) -> pl.Series:
    if name in columns.hash_always:
        return values.is_not_null()
    if name in columns.official:
        return pl.Series(is_persons_number(values, columns.official[name], own))
    if name in columns.known:
        repeats = own.among(values) if own else np.zeros(len(values), dtype=np.bool_)
        return names_somebody(values) | pl.Series(repeats)
    return values.is_not_null() if is_text else holds_number(values, of_words=False)


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
