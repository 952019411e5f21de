"""Why a listed parcel that risk alone did not choose is on its list: said before what models say of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from configs.language import Language, language
from configs.parcel_ways import way_of
from configs.reference.table_names import TableNames, table_names
from configs.schema.capacity import EXPORTS_LIST, MustInspect
from configs.schema.checks import LAW_CHECKS
from configs.schema.settings import Settings
from features.words.channel_reasons import exploration_reason, must_inspect_reason
from features.words.finding_teller import FAILED, FindingTeller
from features.words.reasons import NOTHING_STANDS_OUT, random_check_reason
from models.selection.select import Selection
from pipelines.night.explain import reasons_by_language
from pipelines.scoring.parcels import CHECK

_Findings = Mapping[str, Sequence[Mapping[str, Any]]]


@dataclass(frozen=True)
class _Channels:
    """What is known of why parcels are listed.

    Attributes:
        words, names: of the language.
        must_inspect: the entries of the configuration.
        at_random: the sentence for what was drawn at random, by office, mode and whether exports have a list.
        found: what checks found, by parcel.
    """

    words: Language
    names: TableNames
    must_inspect: Sequence[MustInspect]
    at_random: Mapping[tuple[str, str, bool], str]
    found: _Findings

    def reasons(self, row: Mapping[str, Any]) -> list[str]:
        """Why a parcel is listed, the first reason first; none where it is for its risk."""
        words = self.words.of(way_of(row["direction"], row["trade_mode"]))
        if row["selection"] == "random":
            is_of_exports = row["shift"] == EXPORTS_LIST
            return [self.at_random[row["customs_office"], row["trade_mode"], is_of_exports]]
        if row["selection"] == "exploration":
            return [exploration_reason(row["inspection_probability"], words)]
        if row["must_inspect"] is None:
            return []
        entry = self.must_inspect[row["must_inspect"]]
        watched = must_inspect_reason(entry.kind, entry.since, entry.reason, self.words)
        return [*self._verdict(row["declaration_id"], entry, words), watched]

    def _verdict(self, parcel: str, entry: MustInspect, words: Language) -> list[str]:
        """What the law says, where that is why the entry wants the parcel opened."""
        if entry.column != CHECK or entry.value not in LAW_CHECKS:
            return []
        found = [
            each
            for each in self.found.get(parcel, ())
            if each["check"] == entry.value and each["outcome"] == FAILED
        ]
        return FindingTeller(words, self.names).verdicts(found)


def with_channel_reasons(
    selection: Selection, listed: pl.DataFrame, found: pl.DataFrame, settings: Settings
) -> pl.DataFrame:
    """The listed parcels with their reasons; one not listed for its risk says why first, then what else fits.

    Args:
        selection: of the day.
        listed: the parcels, with the reasons of models in every language of the documents.
        found: what the checks of the day found of them (`pipelines.history.checked.findings_of`).
        settings: what has to be opened, and the languages.
    """
    by_parcel: _Findings = dict(found.iter_rows())
    strata = selection.strata.select("customs_office", "trade_mode", "exports", "parcels", "drawn")
    for code, names in reasons_by_language(settings.capacity.languages).items():
        words = language(code, settings.overlay)
        at_random = {
            (office, mode, exports): random_check_reason(
                drawn, parcels, words.of(way_of("export" if exports else None, mode))
            )
            for office, mode, exports, parcels, drawn in strata.iter_rows()
        }
        of_tables = table_names(code, settings.overlay)
        channels = _Channels(words, of_tables, settings.capacity.must_inspect, at_random, by_parcel)
        listed = _channel_first(listed, channels, names)
    return listed


def _channel_first(listed: pl.DataFrame, channels: _Channels, names: Sequence[str]) -> pl.DataFrame:
    # Why a parcel was drawn or wanted is reason enough.
    nothing, rows = channels.words(NOTHING_STANDS_OUT), []
    for row in listed.iter_rows(named=True):
        by_model = [row[name] for name in names]
        if by_channel := channels.reasons(row):
            known = [each for each in by_model if each not in (None, nothing)]
            by_model = [*by_channel, *known, *[None] * len(names)][: len(names)]
        rows.append(by_model)
    told = pl.DataFrame(rows, dict.fromkeys(names, pl.String()), orient="row")
    return listed.with_columns(told)
