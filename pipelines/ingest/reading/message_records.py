"""Rejected rows of official messages as they came, for the quarantine, naming nobody."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

import polars as pl

from pipelines.ingest.reading.message_format import PERSONS_SEPARATOR, MessageFormat
from pipelines.privacy.log_masking import MASK, masked_at
from pipelines.privacy.own_values import OwnValues
from pipelines.privacy.person_numbers import holds_birthday, joined, number_spans, person_spans
from pipelines.privacy.pseudonyms import Pseudonymiser

_OFFICIAL: Final = ("No", "Code", "guid", "POD")
_SHORTEST: Final = 6


def persons_of_messages(texts: pl.Series) -> pl.DataFrame:
    """The values of `_persons`, a column each; empty ones are null.

    >>> persons_of_messages(pl.Series(["Li Na\\x1f", None])).rows()
    [('Li Na', None), (None, None)]
    """
    separators = max((text.count(PERSONS_SEPARATOR) for text in texts if text is not None), default=None)
    if separators is None:
        return pl.DataFrame()
    values = pl.lit(texts).str.split_exact(PERSONS_SEPARATOR, separators).struct.field("*")
    return pl.select(values.replace({"": None}))


def safe_message(
    record: str,
    own: OwnValues,
    row: int,
    formats: Mapping[str, type[MessageFormat]],
    pseudonymiser: Pseudonymiser,
) -> str:
    """A record of `MessageFormat` with what its clear fields say of somebody masked or hashed.

    `own` is what names the persons of each row, `row` the record's place among them.
    """
    content: dict[str, Any] = json.loads(record)
    format_ = formats[content["message"]]
    screen = _Screen(format_, own, row, pseudonymiser)
    for part, clear in (("head", format_.clear_head_fields), ("line", format_.clear_line_fields)):
        fields: dict[str, str] = content[part] or {}
        for field in clear.intersection(fields):
            fields[field] = screen.safe(field, fields[field])
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"))


class _Screen:
    def __init__(
        self, format_: type[MessageFormat], own: OwnValues, row: int, pseudonymiser: Pseudonymiser
    ) -> None:
        self._format, self._own, self._row, self._pseudonymiser = format_, own, row, pseudonymiser

    def safe(self, field: str, value: str) -> str:
        if len(value) < _SHORTEST and value.isascii() and not value.isalpha():
            return value
        if field.endswith(_OFFICIAL) and field not in self._format.word_fields:
            if not (holds_birthday(value, old_form=True) or self._own.in_number(self._row, value)):
                return value
            column = self._format.hashed_as.get(field, field)
            return f"hashed:{self._pseudonymiser.hash_value(value, column) or MASK}"
        spans = person_spans if field in self._format.word_fields else number_spans
        return masked_at(value, joined([*spans(value), *self._own.spans(self._row, value)]))
