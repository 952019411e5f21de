"""Decides what becomes of each returned row, and which inspections follow from it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import polars as pl

from configs.schema.risk import RiskConfig
from features.contract.inspections import INSPECTION_COLUMNS
from pipelines.feedback.agreement import contradictions, together
from pipelines.feedback.entries import Entries, outcome_fields
from pipelines.feedback.log import Known
from pipelines.feedback.places import Place
from pipelines.feedback.rows import ACCEPTED, CONFLICT, CORRECTED, REPEATED, Decision
from pipelines.ingest.merging.result_writer import Withdrawn
from pipelines.store.store import Store

Line = tuple[str, int]
Values = dict[str, Any]


class Decisions:
    """Takes rows one after the other; each is compared with all that came before it.

    `known` is what earlier runs accepted, by listed parcel; it grows with the rows. `lines` are those of each
    parcel that a row is about. With `corrections` a row that contradicts earlier ones counts.
    """

    def __init__(
        self,
        store: Store,
        known: dict[str, Known],
        risks: Mapping[str, RiskConfig],
        lines: Mapping[str, Sequence[int]],
        *,
        corrections: bool,
    ) -> None:
        self._store, self._known, self._risks, self._lines = store, known, risks, lines
        self._corrections = corrections
        self._stored: dict[date, dict[Line, Values]] = {}
        self._values_of: dict[Line, dict[str, Values]] = defaultdict(dict)
        for parcel, each in known.items():
            for line, values in self._rows(each.place, each.entries).items():
                self._values_of[line][parcel] = values
        self.inspections: dict[tuple[str, int, date], Values] = {}
        self.withdrawn: list[Withdrawn] = []

    def decide(self, place: Place, entries: Entries, reported_on: date, source: str) -> Decision:
        """What becomes of a row about a place; `reported_on` is the day that it names."""
        parcel = place.declaration_id
        known = self._known.get(parcel) or Known(place, Entries())
        place = known.place
        conflicts = contradictions(known.entries, entries)
        merged = together(known.entries, entries, corrected=bool(conflicts))
        if conflicts:
            # Of a line the latest report counts, so a correction is not older than what it corrects.
            reported_on = max(reported_on, *known.days)
        before, now = self._rows(place, known.entries), self._rows(place, merged)
        conflicts |= self._elsewhere(parcel, before, now, reported_on)
        if conflicts and not self._corrections:
            return Decision(CONFLICT, reported_on, conflicts, before=known.source)
        if merged == known.entries and parcel in self._known:
            return Decision(REPEATED, reported_on, before=known.source)
        first = min([reported_on, *known.days])
        if merged["inspected_on"] not in (None, known.entries["inspected_on"]):
            for line in before.keys() & now.keys():
                for day in known.days:
                    # Without a channel: it changes what was reported that day, and adds nothing.
                    row = self.inspections.setdefault((*line, day), {})
                    row["inspected_on"] = min(merged["inspected_on"], day)
        written, others = self._write(place, merged, before, now, (first, reported_on))
        self._withdraw(before, now, known.days)
        self._known[parcel] = Known(place, merged, known.days | {reported_on}, source)
        for line in before:
            self._values_of[line].pop(parcel, None)
        for line, values in now.items():
            self._values_of[line][parcel] = values
        outcome = CORRECTED if conflicts else ACCEPTED
        return Decision(outcome, reported_on, conflicts, written, others, before=known.source)

    def _rows(self, place: Place, entries: Entries) -> dict[Line, Values]:
        """The values that returns of a parcel give to its lines; none where no parcel was opened.

        One line has what was answered (see `Entries.line_among`). A parcel is opened as a whole: a risk of
        which nothing was found is False on its other lines too. Where something was found, nothing is known
        of them.
        """
        if not entries.is_inspection:
            return {}
        parcel = entries.opened_instead or place.declaration_id
        known = self._lines.get(parcel, ())
        line = entries.line_among(known, place.line_no)
        labels = entries.labels(self._risks)
        told = {each.name: entries[each.name] for each in outcome_fields() if each.name in INSPECTION_COLUMNS}
        nothing = {label: False for label, value in labels.items() if value is False}
        others = {(parcel, other): dict(nothing) for other in known if other != line and nothing}
        return {(parcel, line): {**labels, **told}, **others}

    def _elsewhere(
        self, parcel: str, before: Mapping[Line, Values], now: Mapping[Line, Values], day: date
    ) -> dict[str, tuple[object, object]]:
        """Other values for the same lines: from the return of another listed parcel, or reported that day."""
        conflicts = {}
        own = day in self._known[parcel].days if parcel in self._known else False
        for line, values in now.items():
            rivals = [theirs for other, theirs in self._values_of[line].items() if other != parcel]
            if not own:
                rivals.append(self._stored_on(day).get(line, {}))
            for name, value in _fresh(values, before.get(line)).items():
                others = [rival[name] for rival in rivals if rival.get(name) is not None]
                if any(other != value for other in others):
                    conflicts[name] = (others[0], value)
        return conflicts

    def _stored_on(self, day: date) -> dict[Line, Values]:
        if day not in self._stored:
            wanted = pl.Series(sorted(self._lines), dtype=pl.String).implode()
            rows = self._store.read_results(day).filter(pl.col("declaration_id").is_in(wanted))
            self._stored[day] = {
                (row["declaration_id"], row["line_no"]): row for row in rows.iter_rows(named=True)
            }
        return self._stored[day]

    def _write(
        self,
        place: Place,
        merged: Entries,
        before: Mapping[Line, Values],
        now: Mapping[Line, Values],
        days: tuple[date, date],
    ) -> tuple[int, int]:
        """Rows with what is new of each line; how many they are, and how many about lines not listed.

        `days` are those of the first return, on which the parcel was opened if nothing else is said, and of
        this one.
        """
        first, day = days
        listed = next(iter(now), None)
        written = others = 0
        for line, values in now.items():
            old = before.get(line)
            fresh = _fresh(values, old)
            if old is not None and not fresh:
                continue
            row = self.inspections.setdefault((*line, day), {})
            override = merged.opened_instead is not None
            row |= fresh
            row["inspected_on"] = min(merged["inspected_on"] or first, day)
            if not override or "selection" not in row:
                row["selection"] = "override" if override else place.selection
                row["inspection_probability"] = None if override else place.inspection_probability
            written += 1
            others += line != listed
        return written, others

    def _withdraw(self, before: Mapping[Line, Values], now: Mapping[Line, Values], days: set[date]) -> None:
        """Null counts for nothing beside an earlier value: what is no longer said is taken back."""
        for line, values in before.items():
            rest = now.get(line)
            gone = tuple(
                name for name, value in values.items() if value is not None and (rest or {}).get(name) is None
            )
            if rest is not None and not gone:
                continue
            self.withdrawn.append(Withdrawn(*line, frozenset(days), None if rest is None else gone))
            for day in days & {key[2] for key in self.inspections if key[:2] == line}:
                if rest is None:
                    del self.inspections[(*line, day)]
                else:
                    for name in gone:
                        self.inspections[(*line, day)].pop(name, None)


def _fresh(values: Values, before: Values | None) -> Values:
    """Values that are known and were not before."""
    return {
        name: value
        for name, value in values.items()
        if value is not None and (before or {}).get(name) != value
    }
