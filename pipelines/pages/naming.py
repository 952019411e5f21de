"""What reports call things: their language, and the names of risks and channels in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from configs.language import ENGLISH, Language, Message, language
from configs.schema.capacity import EXPORTS_LIST
from configs.schema.settings import Settings


@dataclass(frozen=True)
class Naming:
    """The words of a report.

    Attributes:
        words: its language.
        titles: of risks, by their names and labels; one without goes by its technical name.
    """

    words: Language
    titles: Mapping[str, str]

    @classmethod
    def of(cls, settings: Settings, office: str | None = None) -> Naming:
        """The words of an office, or those of all documents."""
        capacity = settings.capacity
        code = capacity.language if office is None else capacity.language_of(office)
        words = language(code, settings.overlay)
        if code == ENGLISH.code:
            # As in files and on the command line, which this reader looks at beside the report.
            return cls(words, {})
        titles = {name: risk.title.in_language(words) for name, risk in settings.risks.items()}
        return cls(words, {risk.label: titles[name] for name, risk in settings.risks.items()} | titles)

    def risk(self, name: str) -> str:
        """A risk."""
        return self.titles.get(name, name)

    def each(self, names: Iterable[str]) -> list[str]:
        """Several risks."""
        return list(map(self.risk, names))

    def told(self, message: Message) -> str:
        """A message, with risks by their titles."""
        return self._titled(message).in_language(self.words)

    def _titled(self, message: Message) -> Message:
        named = {"risk": self.risk, "block": self.block}.get(message.kind or "")
        if named is not None:
            return replace(message, text=named(message.text), kind="title")
        titled = {
            name: self._titled(value) if isinstance(value, Message) else value
            for name, value in message.values.items()
        }
        return replace(message, values=titled)

    def block(self, name: str) -> str:
        """A block of features, which may name the label that it is about."""
        block, _, label = name.removesuffix(")").partition(" (")
        said = self.words.name("block", block)
        return self.words("{text} ({aside})", text=said, aside=self.risk(label)) if label else said

    def shift(self, name: str | None) -> str:
        """A shift of an office, or its exports; empty where the office has one list."""
        return self.words("exports") if name == EXPORTS_LIST else name or ""

    def channel(self, name: str | None) -> str:
        """What chose a parcel."""
        return self.words("not known") if name is None else self.words.name("channel", name)
