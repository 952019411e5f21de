"""An office's list as its documents show it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date

import polars as pl

from configs.language import Language, language
from configs.parcel_ways import way_of
from configs.reference.table_names import table_names
from configs.schema.capacity import EXPORTS_LIST
from configs.schema.settings import Settings
from features.text.disguise import is_disguised, undisguised
from features.text.visible import visible_text
from pipelines.lists.caveats import NO_CAVEATS, Caveats
from pipelines.lists.fields import display_columns, in_language
from pipelines.lists.parcel import CODE_CHARACTERS, READING, ListRow, Teller


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
class OfficeList:
    """Everything that the documents of an office, of one of its shifts, or of its exports, say.

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
        if self.shift == EXPORTS_LIST:
            return self.language(
                "Sampling list of exports, customs office {office}", office=self.shown_office
            )
        return self.language(
            "Sampling list of customs office {office}, shift {shift}",
            office=self.shown_office, shift=self.shown_shift,
        )  # fmt: skip

    @property
    def summary(self) -> str:
        """How many parcels, and how they were chosen."""
        count = Counter(row.values["selection"] for row in self.rows)
        how = self.language.listed(
            self.language("{chosen}: {parcels}", chosen=chosen, parcels=self.language.number(number))
            for chosen, number in count.most_common()
        )
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
                    risks=self.language.listed(titles),
                )
            )
        return " ".join(said) or None

    @property
    def results(self) -> tuple[Guide, ...]:
        """The risks that have a result to fill in."""
        return tuple(guide for guide in self.guides if guide.configured)


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
        ways = {way_of(*each) for each in rows.select("direction", "trade_mode").iter_rows()}
        words = language(code, settings.overlay)
        words = words.of(ways.pop() if len(ways) == 1 else "several")
        worded = [name for name in rows.columns if in_language(name, code) in rows.columns]
        shown = rows.with_columns(pl.coalesce(in_language(name, code), name).alias(name) for name in worded)
        ranks = _ranks_together(rows)
        teller = Teller(words, settings.risks, caveats, table_names(code, settings.overlay))
        mentioned = set(rows["risk"].drop_nulls().to_list()) - set(settings.risks)
        lists.append(
            OfficeList(
                office=str(office),
                shift=None if shift is None else str(shift),
                list_id=rows["list_id"][0] or "",
                day=day,
                caveats=caveats,
                rows=tuple(teller.row(row, ranks) for row in shown.iter_rows(named=True)),
                guides=tuple(_guide(name, teller) for name in (*settings.risks, *sorted(mentioned))),
                language=words,
            )
        )
    return lists


def _guide(name: str, teller: Teller) -> Guide:
    risk = teller.risks.get(name)
    look_for = () if risk is None else tuple(map(teller.words.words, risk.look_for))
    seen = risk is not None and risk.seen_on_opening
    return Guide(name, teller.title(name), look_for, risk is not None, seen)


def _reading(names: pl.Series) -> pl.Series:
    """What a disguised name reads as without look-alikes, hidden characters and gaps; null for others."""
    named = names.cast(pl.String)
    return pl.select(pl.when(is_disguised(named)).then(undisguised(named))).to_series().alias(READING)


def _ranks_together(rows: pl.DataFrame) -> dict[int, list[int]]:
    """The ranks of the parcels that travel together, by the number of their group."""
    groups = rows.drop_nulls("together").sort("rank").group_by("together", maintain_order=True).agg("rank")
    return dict(groups.iter_rows())
