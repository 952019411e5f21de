"""Words that stand in a form where there is nothing to say, and that name nobody and nothing."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from functools import cached_property, lru_cache

import numpy as np
import polars as pl

from features.arrays.types import BoolArray
from features.contract.text_screen import has_ends

_AROUND = "()[]{}<>\"'`“”‘’「」『』《》〈〉【】«»‹›.,;:!?。、·…"
"""Brackets, quotes and points around a word do not change it."""
_ROOM_AROUND = 6
_WIDE = "\x80"
_CACHED = 2**14


class NullWords:
    """A list of words that mean "nothing", in any width and case, with brackets or quotes around them or not.

    A word of one sign stands for any number of it: `0` for `000`, `-` for `--`.

    >>> words = NullWords(["null", "n/a", "无", "0", "-"])
    >>> [words.hold(text) for text in ("NULL", "（ｎｕｌｌ）", "N / A", "0000", "—", "10", "nullable")]
    [True, True, True, True, True, False, False]
    >>> words.without(pl.Series(["S1", "N/A", None])).to_list()
    ['S1', None, None]
    """

    def __init__(self, words: Iterable[str] = ()) -> None:
        self.words = tuple(words)
        self._whole = frozenset(map(_spelled, self.words))
        self._signs = frozenset(word for word in self._whole if len(word) == 1)
        # What a text that means nothing may begin and end with: others are told at a glance.
        around = {*_AROUND, " "} if self._whole else set[str]()
        self._heads = (
            frozenset(sign for word in self._whole for sign in (word[:1], word[:1].upper())) | around
        )
        self._tails = (
            frozenset(sign for word in self._whole for sign in (word[-1:], word[-1:].upper())) | around
        )
        self._most = max(map(len, self._whole), default=0) + _ROOM_AROUND
        self._cached = lru_cache(_CACHED)(self._hold)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, NullWords) and self.words == other.words

    def __hash__(self) -> int:
        return hash(self.words)

    def __reduce__(self) -> tuple[type[NullWords], tuple[tuple[str, ...]]]:
        return NullWords, (self.words,)

    def hold(self, text: str) -> bool:
        """Whether a text means nothing."""
        if not text:
            return True
        first, last = text[0], text[-1]
        if (first < _WIDE and first not in self._heads) or (last < _WIDE and last not in self._tails):
            return False
        return self._cached(text)

    def without(self, text: pl.Series) -> pl.Series:
        """A text column with null where a text means nothing."""
        if not self._whole:
            return text
        rows = np.flatnonzero(has_ends(text, *self._ends, self._most))
        if not len(rows):
            return text
        some = text.gather(rows)
        distinct = some.unique()
        nothing = distinct.filter(pl.Series([self._cached(each) for each in distinct], dtype=pl.Boolean))
        if nothing.is_empty():
            return text
        return text.clone().scatter(rows, some.set(some.is_in(nothing.implode()), None))

    def _hold(self, text: str) -> bool:
        if len(text) > self._most and text != text[0] * len(text):
            return False
        word = _spelled(text)
        return word in self._whole or not word or (word[0] in self._signs and len(set(word)) == 1)

    @cached_property
    def _ends(self) -> tuple[BoolArray, BoolArray, BoolArray]:
        """The same as flags of bytes, those of wide signs all let through; and with which only runs begin."""
        heads, tails, runs = (np.zeros(256, dtype=np.bool_) for _ in range(3))
        for flags, signs in ((heads, self._heads), (tails, self._tails)):
            flags[128:] = True
            flags[[ord(sign) for sign in signs if sign < _WIDE]] = True
        longer = {*_AROUND, *(sign for word in self._whole - self._signs for sign in word[:1])}
        runs[[ord(sign) for sign in self._signs - longer if sign < _WIDE]] = True
        return heads, tails, runs


def _spelled(text: str) -> str:
    """A word in one spelling: plain width, small letters, one kind of dash, no blanks and nothing around."""
    if text.isascii():
        return "".join(text.casefold().split()).strip(_AROUND)
    plain = unicodedata.normalize("NFKC", text).casefold()
    plain = "".join(
        "-" if unicodedata.category(sign) == "Pd" else sign for sign in plain if not sign.isspace()
    )
    return plain.strip(_AROUND)
