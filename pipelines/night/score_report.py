"""What `score` reports to its user and to other programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from pipelines.night.score_day import DayReport
from pipelines.scoring.models_in_use import ModelInUse, doubts_of
from pipelines.store.manifest import UNPROVEN
from pipelines.work.report import Report


@dataclass(frozen=True)
class ScoreReport(Report):
    """What became of the days of a run.

    `unlisted` are the days that should have been listed by now and never were, and why; `to_fold_again` is
    how many days' histories still lack late data.
    """

    days: Sequence[DayReport]
    champions: Mapping[str, ModelInUse]
    unmodelled: Sequence[str]
    notes: Sequence[str] = ()
    unlisted: Mapping[date, str] = field(default_factory=dict)
    withdrawn: Sequence[str] = ()
    to_fold_again: int = 0

    @property
    def exit_code(self) -> int:
        """0, or 5 where a day has gaps or lacks a document, one before is without lists, a risk has lost its
        model, or late data is not in the history yet.
        """
        short = self.unlisted or self.withdrawn or self.to_fold_again
        return 5 if short or any(day.gaps or day.set_aside for day in self.days) else 0

    def _lines(self) -> list[str]:
        lines = [
            f"{risk}: model version {champion.version}"
            + (f", which {champion.doubt}" if champion.doubt else "")
            for risk, champion in sorted(self.champions.items())
        ]
        lines += [f"{risk}: no model in use, its scores are null" for risk in self.unmodelled]
        for day in self.days:
            lines.append(
                f"{day.day}: {day.scored:,} of {day.lines:,} lines scored, "
                f"{day.listed:,} parcels on the lists "
                f"of {day.offices:,} offices, in {day.folder}" + (f" ({day.note})" if day.note else "")
            )
            if day.unpriced:
                lines.append(
                    f"{day.day}: {day.unpriced:,} lines are in a currency without an exchange rate: they "
                    "were scored without a value in CNY; the known ones are in reference/exchange_rates.csv"
                )
            if day.changed_later:
                lines.append(
                    f"{day.day}: {day.changed_later:,} lines were changed or withdrawn after the close of "
                    "the day: they are scored as they were known then"
                )
            if day.added_later:
                lines.append(
                    f"{day.day}: {day.added_later:,} lines came with such changes: they count from their "
                    "day, and have scores, but no place on the lists"
                )
            if day.gaps:
                lines.append(
                    f"{day.day}: INCOMPLETE: {day.lines - day.scored:,} lines have no score, and the lists "
                    "say so. Score the day again when the cause is gone"
                )
            lines += [f"{day.day}: {gap}" for gap in day.gaps]
            lines += [f"{day.day}: {each}. The next score of the day tries again" for each in day.set_aside]
        lines += [
            f"{day} STILL HAS NO LISTS: {reason}. The next run of score tries again"
            for day, reason in self.unlisted.items()
        ]
        if self.to_fold_again:
            lines.append(
                f"late data: the history of {self.to_fold_again:,} days is still to be folded again: that "
                "goes on the next night (night.refold_days at a time), and until then it serves as it was"
            )
        return [*lines, *self.notes]

    def _facts(self) -> dict[str, Any]:
        return {
            "models": {risk: champion.version for risk, champion in sorted(self.champions.items())},
            UNPROVEN: doubts_of(self.champions),
            "without_model": self.unmodelled,
            "days_to_fold_again": self.to_fold_again,
            "lost_model": self.withdrawn,
            "days": [
                {
                    "day": day.day,
                    "lines": day.lines,
                    "rows_scored": day.scored,
                    "parcels_listed": day.listed,
                    "lines_without_exchange_rate": day.unpriced,
                    "lines_changed_later": day.changed_later,
                    "lines_added_later": day.added_later,
                    "lists": day.folder,
                    "gaps": [gap.as_dict() for gap in day.gaps],
                    "documents_set_aside": [each.as_dict() for each in day.set_aside],
                }
                for day in self.days
            ],
            "days_without_lists": {str(day): reason for day, reason in self.unlisted.items()},
        }
