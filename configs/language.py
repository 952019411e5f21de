"""The language of documents: message catalogues, and numbers, dates and money as its readers write them.

Messages are named by their English text. A catalogue is a gettext file, `locale/<language>.po`, which any
editor for translations opens; it is read as it is, nothing has to be compiled.
"""

from __future__ import annotations

import io
import re
import string
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from functools import cache, lru_cache
from importlib import resources
from pathlib import Path
from typing import Any

from babel import Locale
from babel.dates import format_date
from babel.messages.mofile import write_mo
from babel.messages.pofile import PoFileError, read_po
from babel.numbers import format_currency, format_decimal, format_percent
from babel.support import Translations

from configs.errors import ConfigurationError
from configs.language_codes import LanguageCode
from configs.parcel_ways import MORE_PLACEHOLDERS, WAY_PLACEHOLDERS, WAY_WORDS, ParcelWay

_CURRENCY = re.compile(r"[A-Z]{3}")
_MOST_KEPT = 1 << 14
MOST_EXAMPLES = 5
_MOST_IN_WORDS = 1e15


@dataclass(frozen=True)
class Language:
    """One language. A message that its catalogue lacks is shown in English.

    Placeholders that stand for words of a parcel's way (`WAY_PLACEHOLDERS`) are filled in by the language.

    >>> chinese = language("zh-CN")
    >>> chinese("Rank"), chinese.money(1234.5, "CNY"), chinese.day(date(2026, 11, 20))
    ('序号', '¥1,234.50', '2026年11月20日')
    >>> language("en").money(1234.5, "USD"), language("en").number(2.50)
    ('$1,234.50', '2.5')
    >>> [language("en").of(way)("{seller} never seen before") for way in ("retail", "mail")]
    ['seller never seen before', 'sender never seen before']
    """

    code: LanguageCode
    catalogues: tuple[Translations, ...]
    locale: Locale
    way: ParcelWay = "retail"

    def of(self, way: ParcelWay) -> Language:
        """The same for parcels that travel in this way."""
        return self if way == self.way else replace(self, way=way)

    def __call__(self, message: str, /, **values: Any) -> str:
        """The message with its placeholders filled in, by the rules of `str.format`."""
        words = self.words(message)
        return words.format(**values) if values else words

    def words(self, message: str) -> str:
        """The message as the first catalogue that has it says it, all placeholders but the way's in it."""
        said = self._said(message)
        for placeholder, word in WAY_WORDS[self.way].items() if "{" in said else ():
            mark = f"{{{placeholder}}}"
            if mark in said:
                said = said.replace(mark, self._said(word))
        return said

    def _said(self, message: str) -> str:
        for catalogue in self.catalogues:
            translated = catalogue.gettext(message)
            if translated != message:
                return translated
        return message

    def listed(self, names: Iterable[str], most: int | None = None) -> str:
        """Names one after the other, at most so many, and how many more there are.

        >>> language("en").listed("abc"), language("zh-CN").listed("abc"), ENGLISH.listed("abc", 1)
        ('a, b, c', 'a、b、c', 'a and 2 more')
        """
        first, *others = [*names] or [""]
        more = 0 if most is None else 1 + len(others) - most
        for name in others[: None if most is None else most - 1]:
            first = self("{names}, {name}", names=first, name=name)
        return self("{names} and {more:,} more", names=first, more=more) if more > 0 else first

    def name(self, kind: str, name: str) -> str:
        """A name of files and options as people say it: English takes it as it is.

        A catalogue has it under the kind as its context (`msgctxt`).

        >>> language("zh-CN").name("channel", "random"), ENGLISH.name("channel", "random")
        ('随机布控', 'random')
        """
        for catalogue in self.catalogues:
            translated = str(catalogue.pgettext(kind, name))
            if translated != name:
                return translated
        return name

    def number(self, value: float) -> str:
        """Up to three decimals, none that say nothing; a number beyond words as Python writes it."""
        if _is_beyond_words(value):
            return f"{value:g}"
        return _decimal(str(value), "#,##0.###", self.locale)

    def money(self, value: float, currency: str) -> str:
        """An amount with the sign of its currency; a text that is no currency's code stands beside it."""
        if _is_beyond_words(value):
            return f"{currency} {value:g}"
        if _CURRENCY.fullmatch(currency):
            return _amount(str(value), currency, self.locale)
        return f"{currency} {_decimal(str(value), '#,##0.00', self.locale)}".strip()

    def percent(self, value: float) -> str:
        """A share with one decimal."""
        if _is_beyond_words(value):
            return f"{value:g}"
        return format_percent(value, "0.0%", locale=self.locale)

    def day(self, day: date) -> str:
        """A date as people write it, the month in words or marked, so that it is not taken for the day."""
        return _date(day, self.locale)


@dataclass(frozen=True)
class Message:
    """Something to tell, in whatever language its reader has; what stands in a tuple is listed, five at most.

    With a `kind` the text is a name (see `Language.name`).

    >>> message = Message("no {day}", {"day": ("1", "2")})
    >>> str(message), message.in_language(language("zh-CN"))
    ('no 1, 2', 'no 1、2')
    """

    text: str
    values: Mapping[str, object] = field(default_factory=dict)
    kind: str | None = None

    def __str__(self) -> str:
        return self.in_language(ENGLISH)

    def in_language(self, words: Language) -> str:
        """The message in a language."""
        if self.kind is not None:
            return words.name(self.kind, self.text)

        def said(value: object) -> object:
            if isinstance(value, tuple):
                return words.listed((str(said(each)) for each in value), MOST_EXAMPLES)
            return value.in_language(words) if isinstance(value, Message) else value

        return words(self.text, **{name: said(value) for name, value in self.values.items()})


# Babel takes a tenth of a millisecond a number, and a list says the same ones over and over.
@lru_cache(maxsize=_MOST_KEPT)
def _decimal(value: str, pattern: str, locale: Locale) -> str:
    return format_decimal(Decimal(value), pattern, locale=locale)


@lru_cache(maxsize=_MOST_KEPT)
def _amount(value: str, currency: str, locale: Locale) -> str:
    return format_currency(Decimal(value), currency, locale=locale)


@lru_cache(maxsize=_MOST_KEPT)
def _date(day: date, locale: Locale) -> str:
    return format_date(day, "medium", locale=locale)


def _is_beyond_words(value: float) -> bool:
    """Infinite, undefined, or so large that its digits are no longer its own."""
    return not abs(value) < _MOST_IN_WORDS


@cache
def language(code: LanguageCode, overlay: Path | None = None) -> Language:
    """The language with this code; messages of the `overlay` folder's catalogue come before packaged ones.

    Raises:
        ConfigurationError: a catalogue is no gettext file, or a message lacks a placeholder.
    """
    roots = [overlay, Path(str(resources.files("configs")))]
    files = [root / "locale" / f"{code}.po" for root in roots if root is not None]
    return Language(
        code,
        tuple(_catalogue(path) for path in files if path.is_file()),
        Locale.parse(code, sep="-"),
    )


ENGLISH = language("en")
"""The language of the messages themselves."""


def _catalogue(path: Path) -> Translations:
    try:
        with path.open(encoding="utf-8") as file:
            messages = read_po(file, abort_invalid=True)
    except (PoFileError, UnicodeDecodeError, ValueError) as error:
        raise ConfigurationError(f"{path}: expected a gettext catalogue in UTF-8 ({error})") from error
    for message in messages:
        # The first message of a catalogue is its header.
        translated, meant = str(message.string), str(message.id)
        # Only reasons, which name columns of features, are told with figures of their day.
        free = MORE_PLACEHOLDERS if "__" in meant else WAY_PLACEHOLDERS
        if meant and translated and _filled_in(translated, free) != _filled_in(meant, free):
            raise ConfigurationError(
                f"{path}, line {message.lineno}: expected the placeholders of {meant!r} in {translated!r}, "
                f"each written the same"
            )
    compiled = io.BytesIO()
    write_mo(compiled, messages)
    compiled.seek(0)
    return Translations(compiled)


def _filled_in(message: str, free: Collection[str]) -> list[tuple[str, str]] | None:
    """The placeholders that whoever says the message fills in, without those that any translation may use."""
    named = placeholders(message)
    return named and [each for each in named if each[0] not in free]


def placeholders(message: str) -> list[tuple[str, str]] | None:
    """Name and format of each placeholder, sorted; None where the braces do not match.

    >>> placeholders("{parcels:,.0f} of {all}")
    [('all', ''), ('parcels', ',.0f')]
    """
    try:
        parts = string.Formatter().parse(message)
        return sorted({(field, spec or "") for _, field, spec, _ in parts if field is not None})
    except ValueError:
        return None
