"""Which word of a description speaks most for a finding, for the sentence that an inspector reads.

A word is taken out of the text and the text scored anew; what it loses is what the word adds. Chinese is
written without blanks, so there every stretch of two to four ideographs is tried as a word, and a whole run
of up to eight; a stretch that leaves a single ideograph of its run is a fragment (保健食 of 保健食品). That
is leave one out (Zeiler and Fergus 2014, "Visualizing and Understanding Convolutional Networks", occlusion),
on text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import polars as pl

from features.arrays.types import FloatArray
from models.text.grams import clean_text, linear_score
from models.text.stop_words import STOP_WORDS

# Letters, digits and ideographs.
_WORD = re.compile(r"[^\W_]+")
_IDEOGRAPHS = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+")
_SHORTEST, _LONGEST, _LONGEST_WHOLE = 2, 4, 8
_LEAST_LETTERS = 3
_MOST_WORDS = 40
_LEAST_ODDS = 1.2


def telling_words(
    frame: pl.DataFrame, weights: npt.NDArray[np.float32], intercept: float
) -> tuple[pl.Series, FloatArray]:
    """The word of each line's name and model that adds most to a linear text score (`models.text.grams`), and
    how many times the odds are what they would be without it (lines,).

    The words are in the plain script that the score reads, without case. Null and NaN where there is no text,
    or no word makes the odds at least 1.2 times as high.
    """
    text = clean_text(frame)
    distinct = text.drop_nulls().unique(maintain_order=True)
    words, odds = _of_texts(distinct.to_list(), weights, intercept)
    table = pl.DataFrame(
        {"text": distinct, "word": words, "odds": odds},
        schema={"text": pl.String, "word": pl.String, "odds": pl.Float64},
    )
    joined = text.to_frame("text").join(table, on="text", how="left", maintain_order="left")
    return joined["word"], joined["odds"].fill_null(np.nan).to_numpy()


def words_of(text: str) -> dict[str, list[tuple[int, int]]]:
    """The words of a text that may be taken out, at most 40, the first ones, and from where to where each
    stands.

    >>> list(words_of(" honey and 12g 蜂蜜糖pot 500 "))
    ['honey', '蜂蜜糖', 'pot']
    >>> words_of("tea steak tea")["tea"]
    [(0, 3), (10, 13)]
    """
    places: dict[str, list[tuple[int, int]]] = {}
    for run in _WORD.finditer(text):
        for first, last in _pieces(run.group()):
            word = run.group()[first:last]
            if _says_something(word) and (word in places or len(places) < _MOST_WORDS):
                places.setdefault(word, []).append((run.start() + first, run.start() + last))
    return places


def _says_something(word: str) -> bool:
    # What begins with a digit is a quantity, a size or a model.
    return not word[0].isdigit() and word not in STOP_WORDS


def _pieces(run: str) -> Iterator[tuple[int, int]]:
    """A run of letters as words: other scripts whole, ideographs in every stretch of two to four that leaves
    none alone and, up to eight, as a whole.
    """
    last = 0
    for match in _IDEOGRAPHS.finditer(run):
        if match.start() - last >= _LEAST_LETTERS:
            yield last, match.start()
        last = match.end()
        if run[: match.start()][-1:].isdigit() and last - match.start() <= _LONGEST:
            continue  # what is counted: 2件装, 30粒
        if _LONGEST < last - match.start() <= _LONGEST_WHOLE:
            yield match.start(), last
        for first in range(match.start(), last):
            for end in range(first + _SHORTEST, min(first + _LONGEST, last) + 1):
                if 1 not in (first - match.start(), last - end):
                    yield first, end
    if len(run) - last >= _LEAST_LETTERS:
        yield last, len(run)


def _without(text: str, places: list[tuple[int, int]]) -> str | None:
    """The text with a blank where a word stood; None where nothing is left to read."""
    kept, after = [], 0
    for first, last in places:
        # Stretches of one word may overlap, as in a row of the same ideograph.
        kept.append(text[after:first])
        after = last
    kept.append(text[after:])
    shorter = " ".join(kept)
    return shorter if shorter.strip() else None


def _of_texts(
    texts: list[str], weights: npt.NDArray[np.float32], intercept: float
) -> tuple[list[str | None], FloatArray]:
    every = [words_of(text) for text in texts]
    shorter = [
        _without(text, places) for text, words in zip(texts, every, strict=True) for places in words.values()
    ]
    whole = linear_score(pl.Series(texts, dtype=pl.String), weights, intercept)
    rest = linear_score(pl.Series(shorter, dtype=pl.String), weights, intercept)
    # Without a single gram the intercept is all that is left.
    rest = np.where(np.isfinite(rest), rest, intercept)
    best: list[str | None] = []
    odds = np.full(len(texts), np.nan)
    first = 0
    for row, words in enumerate(every):
        added = whole[row] - rest[first : first + len(words)]
        first += len(words)
        place = int(added.argmax()) if len(words) else 0
        telling = bool(len(words)) and bool(np.exp(added[place]) >= _LEAST_ODDS)
        best.append(list(words)[place] if telling else None)
        odds[row] = np.exp(added[place]) if telling else np.nan
    return best, odds
