"""Declared text as a document may show it: nothing hidden, nothing that reorders, nothing endless.

Goods names are written by people who may want to deceive an inspector: a right-to-left override turns
`gnp.exe` around, a zero-width space breaks a search, ten thousand characters push the next row off the
page. Categories are those of the Unicode Character Database; the ways to deceive are those of Unicode
Technical Report 36.
"""

from __future__ import annotations

import re
import unicodedata

from configs.language import ENGLISH, Language

MAX_MARKS = 3
"""Combining marks in a row that a real script needs; more of them are a way to paint over other lines."""

_HIDDEN_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
# Letters, marks and symbols by category, and yet nothing to see.
_BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0")
_ORDINARY_SPACES = frozenset(" \u00a0\u3000")
_MARKS = frozenset({"Mn", "Me"})
# Most texts have nothing but these, none of which is hidden or a mark.
_PLAIN = re.compile("[ -~·‘-”•\u3000-〠一-鿿！-～]*")


def visible_text(text: str, limit: int = 200, language: Language = ENGLISH) -> str:
    """The text with every hidden character spelled out, shortened to about `limit` characters of the
    original.

    Controls, format characters (overrides, zero-width), surrogates, unassigned and private characters, line
    separators, odd spaces and blank letters appear as `⟦U+202E⟧`. A shortened text says in `language` how
    much is missing. Whatever is shown, its length stays below ten times `limit` plus 40.

    >>> visible_text("toy\\u202egnp.exe")
    'toy⟦U+202E⟧gnp.exe'
    >>> visible_text("儿童玩具 👶")
    '儿童玩具 👶'
    >>> visible_text("a" * 10_000, limit=8)
    'aaaaaaaa … [9,992 more characters]'

    Raises:
        ValueError: `limit` is below 1.
    """
    if limit < 1:
        raise ValueError(f"limit must be at least 1, got {limit}")
    if len(text) <= limit and _PLAIN.fullmatch(text):
        return text
    shown: list[str] = []
    marks = 0
    for character in text[:limit]:
        category = unicodedata.category(character)
        marks = marks + 1 if category in _MARKS else 0
        hidden = (
            category in _HIDDEN_CATEGORIES
            or character in _BLANK
            or (category == "Zs" and character not in _ORDINARY_SPACES)
            or marks > MAX_MARKS
        )
        shown.append(f"⟦U+{ord(character):04X}⟧" if hidden else character)
    if len(text) > limit:
        missing = language.number(len(text) - limit)
        shown.append(" … " + language("[{missing} more characters]", missing=missing))
    return "".join(shown)
