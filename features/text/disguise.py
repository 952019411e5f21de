"""Undoes what is done to a declared name to keep a search from finding it, whatever the goods are.

Letters of another script that look like Latin ones (Cyrillic `а` in `аnt`), characters that nobody sees
(zero-width spaces, soft hyphens, direction marks), strokes laid over letters, and words spelled out letter by
letter (`a.n.t.s`). Look-alikes are only replaced in a text that mixes both scripts within one word: Russian
and Greek stay as they are.

Source of the look-alikes: Unicode Technical Standard 39, "Unicode Security Mechanisms" (confusables), letters
of Cyrillic and Greek whose small or capital form looks like a Latin one.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import polars as pl

_LOOK_ALIKES = {
    **dict(zip("авгеікмнорстухѕјԛԝһԁьз", "abreikmhopctyxsjqwhdb3", strict=True)),
    **dict(zip("αβεηικνορτυχ", "abenikvoptux", strict=True)),
    "ı": "i",
    "ɑ": "a",
    "ɡ": "g",
}
_OTHERS = "".join(letter for letter in _LOOK_ALIKES if letter not in "гзь")
_MIXED = rf"[a-z][{_OTHERS}]|[{_OTHERS}][a-z]"
# Format characters, and fillers that are shown as nothing.
_HIDDEN = r"[\p{Cf}\x{34f}\x{115f}\x{1160}\x{17b4}\x{17b5}\x{3164}\x{2800}]"
# Between signs of emoji, or in scripts whose letters they join, format characters are in their place.
_LETTER = r"[\p{Latin}\p{Han}\p{Cyrillic}\p{Greek}\p{Nd}]"
_HIDDEN_IN_WORD = rf"{_LETTER}{_HIDDEN}+{_LETTER}"
_OVERLAID = r"[\x{300}-\x{36f}]"
# Anything else than ASCII and the common ideographs: what is left out reads as it stands, but for its case.
_UNUSUAL = r"[^\x00-\x7f\x{4e00}-\x{9fff}]"
_GAP = r"[ ._*·~|\-]"
_SPELLED = rf"(?:^|[^\p{{L}}\p{{N}}])(?:[a-z]{_GAP}){{2,}}[a-z](?:$|[^\p{{L}}\p{{N}}])"


def readable(text: pl.Series) -> pl.Series:
    """The text as a person reads it: lower case, compatibility form (NFKC), nothing hidden or laid over,
    letters of one script within a word. Null stays null.

    >>> readable(pl.Series(["Live аnts", "ро\u200bза"])).to_list()
    ['live ants', 'роза']
    """
    return _where(text.str.contains(_UNUSUAL), text, _readable, text.str.to_lowercase())


def undisguised(text: pl.Series) -> pl.Series:
    """The readable text; words that were spelled out stand once more, whole, at its end. Null stays null.

    >>> undisguised(pl.Series(["Live аnts", "a.n.t.s"])).to_list()
    ['live ants', 'a.n.t.s ants']
    """
    plain = readable(text)
    return _where(plain.str.contains(_SPELLED), plain, _with_words, plain)


def is_disguised(text: pl.Series) -> pl.Series:
    """Whether the text hides characters within a word, mixes scripts in one or spells one out, a Boolean a
    row; null stays null.

    >>> is_disguised(pl.Series(["Live аnts", "live ants", "μm 10", None])).to_list()
    [True, False, False, None]
    """
    spelled = text.str.to_lowercase().str.contains(_SPELLED)
    return _where(text.str.contains(_UNUSUAL), text, _is_disguised, spelled)


def _is_disguised(text: pl.Series) -> pl.Series:
    plain = _visible(text)
    hidden = text.str.contains(_HIDDEN_IN_WORD) | text.str.normalize("NFC").str.contains(_OVERLAID)
    return hidden | plain.str.contains(_MIXED) | plain.str.contains(_SPELLED)


def _readable(text: pl.Series) -> pl.Series:
    plain = _visible(text)
    return _where(plain.str.contains(_MIXED), plain, _of_one_script, plain)


def _of_one_script(plain: pl.Series) -> pl.Series:
    return plain.str.replace_many(_LOOK_ALIKES)


def _with_words(plain: pl.Series) -> pl.Series:
    spelled = plain.str.extract_all(_SPELLED)
    words = spelled.list.eval(pl.element().str.replace_all(r"[^\p{L}\p{N}]", ""))
    return plain + " " + words.list.join(" ")


def _visible(text: pl.Series) -> pl.Series:
    shown = text.str.normalize("NFKC").str.to_lowercase().str.replace_all(_HIDDEN, "")
    return shown.str.replace_all(_OVERLAID, "").alias(text.name)


def _where(
    mask: pl.Series, source: pl.Series, make: Callable[[pl.Series], pl.Series], otherwise: pl.Series
) -> pl.Series:
    """`otherwise`, but what is made of the `source` where the mask is true: the dear step for few rows."""
    chosen = mask.arg_true()
    if chosen.is_empty():
        return otherwise.alias(source.name)
    places = np.arange(len(source))
    places[chosen.to_numpy()] = len(source) + np.arange(len(chosen))
    return pl.concat([otherwise, make(source.gather(chosen))]).gather(places).alias(source.name)
