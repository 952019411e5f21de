"""An office's list as its documents show it: texts made harmless, words chosen, figures kept as numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import polars as pl

from configs.language import Language, language
from configs.language_codes import LanguageCode
from configs.schema.risk import RiskConfig
from configs.schema.settings import Settings
from features.text.disguise import is_disguised, undisguised
from features.text.visible import visible_text
from features.words.chance import chance_between, chance_in_words
from models.risk.level import Level
from pipelines.lists.fields import REASON_COLUMNS, display_columns, fields_of

Value = str | float | None
_READING = "_reading"
CODE_CHARACTERS = 60
# Ends that are closer than this are told as their middle.
_FAR_APART = 2.5
TEXT_CHARACTERS = 160
CHOSEN = {
    "risk": "by risk",
    "random": "at random",
    "exploration": "to explore",
    "rule": "by a rule",
    "referral": "by referral",
}
"""How a parcel came onto the list, in words."""


@dataclass(frozen=True)
class Guide:
    """What an inspector should know of a risk; only one that is configured has a result to fill in.

    `seen` is whether opening the parcel settles it.
    """

    risk: str
    title: str
    look_for: tuple[str, ...]
    configured: bool
    seen: bool


@dataclass(frozen=True)
class Caveats:
    """What a reader of a list has to know before he relies on it.

    Attributes:
        incomplete: some parcels of the day have no score.
        unproven: risks whose model failed its gate, or was never judged.
        levels: how sure the level of each risk's probabilities is, where that is known.
    """

    incomplete: bool = False
    unproven: tuple[str, ...] = ()
    levels: Mapping[str, Level] = field(default_factory=dict)

    def chance(self, risk: str | None, probability: float, words: Language) -> str:
        """A probability as a list says it: both ends where these are far apart."""
        level = self.levels.get(risk or "")
        if level is not None:
            low, high = level.around(probability)
            if high >= _FAR_APART * low:
                return chance_between(low, high, words)
        return chance_in_words(probability, words)


NO_CAVEATS = Caveats()


@dataclass(frozen=True)
class ListRow:
    """One parcel as documents may show it.

    Attributes:
        values: of each field by its technical name; numbers are None where unknown.
        risk: the risk's technical name, empty where there is none.
        selection: the technical name of what chose the parcel.
        goods_language: the language to declare for the goods' name.
        reads_as: what a disguised name of the goods reads as, in words.
        reasons: one to three sentences, the strongest first.
    """

    values: Mapping[str, Value]
    risk: str
    selection: str
    goods_language: str | None
    reads_as: str
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class OfficeList:
    """Everything that the documents of an office, or of one of its shifts, say.

    `office` and `shift` are as declared and configured: the names of files and the exported JSON need them
    so; no document may show them other than through `shown_office` and `title`.
    """

    office: str
    shift: str | None
    list_id: str
    day: date
    caveats: Caveats
    rows: tuple[ListRow, ...]
    guides: tuple[Guide, ...]
    language: Language

    @property
    def shown_office(self) -> str:
        """The office as it may be shown."""
        return visible_text(self.office, CODE_CHARACTERS, self.language)

    @property
    def shown_shift(self) -> str:
        """The shift as it may be shown, empty where the office has one list."""
        return visible_text(self.shift or "", CODE_CHARACTERS, self.language)

    @property
    def title(self) -> str:
        """The heading of every document."""
        if self.shift is None:
            return self.language("Sampling list of customs office {office}", office=self.shown_office)
        return self.language(
            "Sampling list of customs office {office}, shift {shift}",
            office=self.shown_office, shift=self.shown_shift,
        )  # fmt: skip

    @property
    def summary(self) -> str:
        """How many parcels, and how they were chosen."""
        count = Counter(row.values["selection"] for row in self.rows)
        how = ", ".join(f"{chosen}: {self.language.number(number)}" for chosen, number in count.most_common())
        parcels = self.language.number(len(self.rows))
        return self.language("Parcels: {parcels} ({how})", parcels=parcels, how=how)

    @property
    def warning(self) -> str | None:
        """What to say where parcels of the day are missing, or nothing shows that a model is of use."""
        said = []
        if self.caveats.incomplete:
            said.append(
                self.language(
                    "INCOMPLETE: some parcels of the day have no score and had no chance to be chosen by "
                    "risk."
                )
            )
        titles = [guide.title for guide in self.guides if guide.risk in self.caveats.unproven]
        if titles:
            said.append(
                self.language(
                    "NOT PROVEN: nothing shows yet that these models are of use: {risks}.",
                    risks=", ".join(titles),
                )
            )
        return " ".join(said) or None

    @property
    def results(self) -> tuple[Guide, ...]:
        """The risks that have a result to fill in."""
        return tuple(guide for guide in self.guides if guide.configured)


def in_language(column: str, code: LanguageCode) -> str:
    """The name of the column with the words of `column` in another language than the default.

    >>> in_language("reason_1", "zh-CN")
    'reason_1@zh-CN'
    """
    return f"{column}@{code}"


def office_lists(
    listed: pl.DataFrame, day: date, settings: Settings, *, caveats: Caveats = NO_CAVEATS
) -> list[OfficeList]:
    """The lists of all offices and shifts that have one, in this order; `listed` has the sampling list's
    columns and, as far as known, those of `pipelines.lists.fields.display_columns`.
    """
    absent = [
        pl.lit(None, dtype).alias(name)
        for name, dtype in display_columns().items()
        if name not in listed.columns
    ]
    complete = listed.with_columns(absent).sort("customs_office", "shift", "rank")
    complete = complete.with_columns(_reading(complete["item_name"]))
    lists = []
    for (office, shift), rows in complete.group_by("customs_office", "shift", maintain_order=True):
        code = settings.capacity.language_of(str(office))
        words = language(code, settings.overlay)
        worded = [name for name in rows.columns if in_language(name, code) in rows.columns]
        shown = rows.with_columns(pl.coalesce(in_language(name, code), name).alias(name) for name in worded)
        ranks = _ranks_together(rows)
        mentioned = set(rows["risk"].drop_nulls().to_list()) - set(settings.risks)
        lists.append(
            OfficeList(
                office=str(office),
                shift=None if shift is None else str(shift),
                list_id=rows["list_id"][0] or "",
                day=day,
                caveats=caveats,
                rows=tuple(
                    _row(row, settings.risks, caveats, words, ranks) for row in shown.iter_rows(named=True)
                ),
                guides=tuple(
                    _guide(name, settings.risks, words) for name in (*settings.risks, *sorted(mentioned))
                ),
                language=words,
            )
        )
    return lists


def language_of(text: str) -> str | None:
    """The language to declare for a text, so that its characters are drawn as readers of it expect.

    >>> [language_of(text) for text in ("儿童玩具", "おもちゃ箱", "장난감", "toy")]
    ['zh', 'ja', 'ko', None]
    """
    if any("\u3040" <= character <= "\u30ff" for character in text):
        return "ja"
    if any("\uac00" <= character <= "\ud7af" for character in text):
        return "ko"
    if any("\u3400" <= character <= "\u9fff" or character >= "\U00020000" for character in text):
        return "zh"
    return None


def _guide(name: str, risks: Mapping[str, RiskConfig], words: Language) -> Guide:
    risk = risks.get(name)
    look_for = () if risk is None else tuple(map(words.words, risk.look_for))
    seen = risk is not None and risk.seen_on_opening
    return Guide(name, _title(name, risks, words), look_for, risk is not None, seen)


def _title(name: str, risks: Mapping[str, RiskConfig], words: Language) -> str:
    """A list may be issued again after a risk was taken out of the configuration."""
    return risks[name].title.in_language(words) if name in risks else name.replace("_", " ").capitalize()


def _reading(names: pl.Series) -> pl.Series:
    """What a disguised name reads as without look-alikes, hidden characters and gaps; null for others."""
    named = names.cast(pl.String)
    return pl.select(pl.when(is_disguised(named)).then(undisguised(named))).to_series().alias(_READING)


def _ranks_together(rows: pl.DataFrame) -> dict[int, list[int]]:
    """The ranks of the parcels that travel together, by the number of their group."""
    groups = rows.drop_nulls("together").sort("rank").group_by("together", maintain_order=True).agg("rank")
    return dict(groups.iter_rows())


def _row(
    row: Mapping[str, Any],
    risks: Mapping[str, RiskConfig],
    caveats: Caveats,
    words: Language,
    ranks: Mapping[int, list[int]],
) -> ListRow:
    probability, selection, name = row["probability"], row["selection"] or "", row["item_name"] or ""
    reading = visible_text(row[_READING] or "", TEXT_CHARACTERS, words)
    values: dict[str, Value] = {}
    for each in fields_of("selection", "declaration", "night"):
        value = row[each.name]
        if each.dtype == pl.String:
            limit = TEXT_CHARACTERS if each.text == "free" else CODE_CHARACTERS
            value = visible_text(value or "", limit, words)
        values[each.name] = value
    reasons = [row[name] for name in REASON_COLUMNS]
    return ListRow(
        values={
            **values,
            "risk": "" if row["risk"] is None else _title(row["risk"], risks, words),
            "chance": words("not scored")
            if probability is None
            else caveats.chance(row["risk"], probability, words),
            "selection": words(CHOSEN[selection])
            if selection in CHOSEN
            else visible_text(selection, CODE_CHARACTERS),
            "together": ", ".join(
                str(rank) for rank in ranks.get(row["together"], []) if rank != row["rank"]
            ),
        },
        risk=row["risk"] or "",
        selection=selection,
        goods_language=language_of(name),
        reads_as=words("reads as: {text}", text=reading) if reading else "",
        reasons=tuple(visible_text(reason, 2 * TEXT_CHARACTERS, words) for reason in reasons if reason),
    )
