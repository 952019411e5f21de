"""Which features and scores of a day have shifted from those of days before it, over all and by office."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from configs.schema.monitoring import MonitoringConfig
from features.arrays.types import IntArray
from models.stats.drift import Coding, Shift, shift, tells_the_day
from models.watch.monitoring import Level

ALL = "all offices"
_FROM_RESULTS = "hit_rate"
"""The block whose columns are past results: they move with every result that comes in, which is their use."""


@dataclass(frozen=True)
class ShiftedColumn:
    """One column of one scope (`ALL` or an office) against the days before."""

    scope: str
    group: str
    column: str
    shift: Shift

    def level(self, config: MonitoringConfig) -> Level:
        """`fine`, `watch` or `retrain` by the size of the shift, where it is real; past results are at most
        watched.
        """
        if self.shift.reaches(config.drift_retrain) and not is_from_results(self.group):
            return "retrain"
        return "watch" if self.shift.reaches(config.drift_watch) else "fine"

    def as_dict(self, config: MonitoringConfig) -> dict[str, Any]:
        """The figures by name."""
        named = {"scope": self.scope, "group": self.group, "column": self.column}
        return named | self.shift.as_dict() | {"level": self.level(config)}


@dataclass(frozen=True)
class Sampled:
    """Columns of some lines of one day, by group (a feature block), and the office of each line."""

    offices: pl.Series
    groups: dict[str, pl.DataFrame]


def shifted_columns(
    today: Sampled, before: Sequence[Sampled], config: MonitoringConfig
) -> list[ShiftedColumn]:
    """Every column of today against the same column of the days before, over all and by office.

    An office counts where it has at least `office_lines` lines today. The false alarm rate is divided among
    all comparisons.
    """
    if not before:
        return []
    scopes = {ALL: None} | {
        str(office): office
        for office, lines in today.offices.value_counts().sort("count", descending=True).iter_rows()
        if lines >= config.office_lines
    }
    columns = [
        (group, column)
        for group, frame in today.groups.items()
        for column in frame.columns
        if not tells_the_day([day.groups[group][column] for day in (*before, today)])
    ]
    allowed = config.false_alarm_rate / max(1, len(scopes) * len(columns))
    masks = {
        scope: [_mask(day.offices, office) for day in (*before, today)] for scope, office in scopes.items()
    }
    shifted = []
    for group, column in columns:
        coding = Coding.of(pl.concat([day.groups[group][column] for day in before]))
        codes = [coding.codes(day.groups[group][column]) for day in (*before, today)]
        for scope in scopes:
            counts = _counts(codes, masks[scope], coding.cells)
            measured = shift(counts[-1], counts[:-1], allowed)
            if measured is not None:
                shifted.append(ShiftedColumn(scope, group, column, measured))
    return shifted


def strongest(columns: Sequence[ShiftedColumn]) -> ShiftedColumn:
    """The one that is farthest beyond its limit, alarms first."""
    return max(columns, key=lambda one: (one.shift.alarms, one.shift.excess))


def is_from_results(group: str) -> bool:
    """Whether a block holds past results, which move whenever results come in; it may name a label.

    >>> is_from_results("hit_rate (food_safety)"), is_from_results("price")
    (True, False)
    """
    return group.partition(" (")[0] == _FROM_RESULTS


def by_group(columns: Sequence[ShiftedColumn]) -> dict[tuple[str, str], list[ShiftedColumn]]:
    """The columns of each scope and group."""
    grouped: dict[tuple[str, str], list[ShiftedColumn]] = {}
    for column in columns:
        grouped.setdefault((column.scope, column.group), []).append(column)
    return grouped


def _mask(offices: pl.Series, office: str | None) -> Any:
    return slice(None) if office is None else (offices == office).to_numpy()


def _counts(codes: Sequence[IntArray], masks: Sequence[Any], cells: int) -> IntArray:
    return np.array([np.bincount(day[mask], minlength=cells) for day, mask in zip(codes, masks, strict=True)])
