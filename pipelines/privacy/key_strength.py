"""Says why a key would soon be guessed, without repeating it."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Final

FEWEST_CHARS: Final = 16
_FEWEST_DISTINCT: Final = 6
_LONGEST_UNIT: Final = 12
_MOST_STEPS: Final = 0.7
_MOST_WORDS: Final = 4
_MOST_BESIDE: Final = 4
_ROWS: Final = ("qwertyuiop", "asdfghjkl", "zxcvbnm", "1234567890", "abcdefghijklmnopqrstuvwxyz")
# What the lists of leaked passwords begin with, and the words of well-known phrases.
_WORDS: Final = frozenset(
    (  # noqa: SIM905 - a line each would be a page
        "password passwort passwd secret letmein welcome admin administrator root user login "
        "master dragon monkey football baseball iloveyou love princess sunshine shadow superman "
        "batman trustno qwerty azerty asdf zxcvbn changeme change default access hello "
        "world freedom whatever starwars ninja mustang michael jordan charlie summer winter "
        "spring autumn monday friday january december please open sesame correct horse "
        "battery staple the quick brown fox jumps over lazy dog to "
        "be or not is it my your our this that me "
        "in on of and a an i you we one two "
        "three four five six seven eight nine ten zero abc super "
        "mega best good god money home test key pass word customs "
        "china beijing shanghai company office server database private public new old "
        "first "
    ).split()
)
_PHRASES: Final = ("thequickbrownfox", "correcthorsebattery", "tobeornottobe", "loremipsum")


def weakness(key: str) -> str | None:
    """Why the key is weak, None where nothing says so.

    >>> weakness("aaaaaaaaaaaaaaaa")
    'it has 1 different characters'
    >>> weakness("1234567890123456")
    'it counts, or follows the keyboard'
    >>> weakness("correct horse battery staple")
    'it is a phrase of few common words'
    >>> weakness("4f1c0e9b7d2a86355e0b9c7f1a2d3e48") is None
    True
    """
    if len(key) < FEWEST_CHARS:
        return f"it has {len(key)} characters"
    lower = key.lower()
    if len(set(lower)) < _FEWEST_DISTINCT:
        return f"it has {len(set(lower))} different characters"
    units = range(1, min(_LONGEST_UNIT, len(lower) // 2) + 1)
    if any(lower == (lower[:unit] * len(lower))[: len(lower)] for unit in units):
        return "it repeats a few characters"
    steps = sum(_is_step(one, other) for one, other in pairwise(lower))
    if steps >= _MOST_STEPS * (len(lower) - 1):
        return "it counts, or follows the keyboard"
    letters = re.sub(r"\d{3,}", _uncounted, re.sub(r"[^a-z0-9]", "", lower))
    known = any(phrase in letters and 2 * len(phrase) > len(letters) for phrase in _PHRASES)
    if known or _is_phrase(letters):
        return "it is a phrase of few common words"
    return None


def _uncounted(digits: re.Match[str]) -> str:
    """Nothing where digits count, else the digits."""
    number = digits[0]
    counts = all(_is_step(one, other) for one, other in pairwise(number))
    return "" if counts else number


def _is_step(one: str, other: str) -> bool:
    if one == other or f"{one}{other}" in ("90", "09"):
        return True
    return any(f"{one}{other}" in row or f"{other}{one}" in row for row in _ROWS)


def _is_phrase(letters: str) -> bool:
    """Whether a few words and hardly anything else make up the key."""
    # Fewest words, and characters beside them, that each beginning of the key takes.
    costs = [(0, 0)]
    for end in range(1, len(letters) + 1):
        words, beside = costs[end - 1]
        options = [(words, beside + 1)]
        for first in range(max(0, end - 14), end):
            if letters[first:end] in _WORDS:
                options.append((costs[first][0] + 1, costs[first][1]))
        costs.append(min(options, key=lambda cost: (cost[0] + cost[1], cost[1])))
    words, beside = costs[-1]
    return words <= _MOST_WORDS and beside <= _MOST_BESIDE
