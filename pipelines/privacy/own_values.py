"""A message's own names, telephones, numbers and addresses, found wherever the message repeats them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from features.arrays.types import BoolArray
from pipelines.privacy.person_numbers import Span
from pipelines.privacy.text_candidates import FoldedTexts

# Of a telephone the part without the country's number, of an address the part behind its town.
_NATIONAL: Final = r"^[^0-9]*(?:00)?86[^0-9]*(1[0-9 \-]{10,})$"
_STREET: Final = r"^.+?(?:市|省|自治区)(?:[^路街]*?[区县旗])?(.+)$"
_WORDS: Final = re.compile(r"[^\W\d_]", re.ASCII)
_FEWEST_DIGITS: Final = 7
_FEWEST_LETTERS: Final = 3
_FEWEST_IN_NUMBERS: Final = 6
_FEWEST_OF_STREET: Final = 5
_FEWEST_BYTES: Final = 3


class OwnValues:
    """What names the persons of each row, from columns of raw values that are not stored.

    >>> own = OwnValues(pl.DataFrame({"name": ["王小明", "Li Na"], "telephone": ["+86 138 0013 8000", None]}))
    >>> own.among(pl.Series(["茶 王 小明", "linen"])).tolist()
    [True, False]
    >>> own.spans(0, "茶 王 小明 13800138000")
    [(2, 6), (7, 18)]
    """

    def __init__(self, values: pl.DataFrame) -> None:
        self._parts: list[_Part] = []
        for column in values.get_columns():
            texts = column.cast(pl.String)
            for part, fewest in (
                (texts, 1),
                (texts.str.extract(_NATIONAL), _FEWEST_DIGITS),
                (texts.str.extract(_STREET), _FEWEST_OF_STREET),
            ):
                if part.null_count() < len(part):
                    self._parts.append(_Part(part, FoldedTexts(part), fewest))

    def __bool__(self) -> bool:
        return bool(self._parts)

    def among(self, texts: pl.Series) -> BoolArray:
        """Where a text may hold one of its row's values (rows,)."""
        found = np.zeros(len(texts), dtype=np.bool_)
        if self._parts and texts.null_count() < len(texts):
            folded = FoldedTexts(texts)
            for part in self._parts:
                found |= folded.contain(part.folded, _FEWEST_BYTES)
        return found

    def spans(self, row: int, text: str) -> list[Span]:
        """Where a text repeats what is known of a row's persons: from, to."""
        folded, places = _folded(text)
        return [
            (places[first], places[end - 1] + 1)
            for own in self._of_row(row)
            for first, end in _occurrences(own, folded)
            if _stands_alone(own, text, places[first], places[end - 1] + 1)
        ]

    def in_number(self, row: int, number: str) -> bool:
        """Whether an official number holds a telephone or another number of the row's persons, or a name
        that no such number holds by chance.
        """
        folded, _ = _folded(number)
        return any(own in folded for own in self._of_row(row) if _is_telling(own))

    def _of_row(self, row: int) -> Iterator[str]:
        for part in self._parts:
            own, _ = _folded(part.texts[row] or "")
            if len(own) >= part.fewest and _is_long_enough(own):
                yield own


@dataclass(frozen=True)
class _Part:
    """A column of values, as it came and folded, and how many letters and digits make it one that counts."""

    texts: pl.Series
    folded: FoldedTexts
    fewest: int


def _folded(text: str) -> tuple[str, list[int]]:
    """The letters and digits of a text in plain width and upper case, and where each stands in it."""
    folded, places = [], []
    for place, character in enumerate(text):
        for each in unicodedata.normalize("NFKC", character).upper():
            if each.isalnum():
                folded.append(each)
                places.append(place)
    return "".join(folded), places


def _occurrences(own: str, folded: str) -> Iterator[Span]:
    first = folded.find(own)
    while first >= 0:
        yield first, first + len(own)
        first = folded.find(own, first + len(own))


def _is_long_enough(own: str) -> bool:
    """Whether a value can be told from what stands in a text by chance."""
    if own.isdigit():
        return len(own) >= _FEWEST_DIGITS
    return len(own) >= (_FEWEST_LETTERS if own.isascii() else 2)


def _is_telling(own: str) -> bool:
    return not own.isascii() or len(own) >= _FEWEST_IN_NUMBERS


def _stands_alone(own: str, text: str, first: int, end: int) -> bool:
    """Letters of the Latin script are a name only as whole words: Li is not in Linen."""
    before, after = text[first - 1 : first], text[end : end + 1]
    return not (
        (_WORDS.match(own) and _WORDS.match(before)) or (_WORDS.match(own[-1]) and _WORDS.match(after))
    )
