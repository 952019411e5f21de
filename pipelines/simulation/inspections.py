"""What inspections find and when they say so: imperfect detection, results that come days or weeks late."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import numpy as np
import polars as pl

from features.inspections import INSPECTION_COLUMNS
from pipelines.simulation.days import SimulatedDay
from pipelines.simulation.officers import SELECTIONS, Chosen, Memory, choose
from pipelines.simulation.places import CNY_PER_UNIT
from pipelines.simulation.randomness import Flags, Floats, Ints, Keys
from pipelines.simulation.schemes_food import is_food
from pipelines.simulation.schemes_undervaluation import CHEAPER_HEADING, QUANTITY, SPLITTING

VISUAL_DAYS: Final = (0, 2)
VALUATION_DAYS: Final = (3, 20)
LABORATORY_DAYS: Final = (10, 35)
_LABELS: Final = ("undervaluation", "prohibited_item", "food_safety")


@dataclass(frozen=True)
class Results:
    """Results of the parcels opened on a day: `table` by report, and per risk the findings to remember."""

    table: pl.DataFrame
    findings: tuple[tuple[Ints, Keys], tuple[Ints, Keys], tuple[Ints, Keys]]


class Inspectorate:
    """The officers of all offices over time: what was reported before a day steers whom they stop on it.

    >>> Inspectorate().pending
    0
    """

    def __init__(self) -> None:
        self._memory = Memory()
        self._to_learn: dict[int, list[tuple[int, Keys]]] = {}
        self._reports: dict[date, list[pl.DataFrame]] = {}

    @property
    def pending(self) -> int:
        """Return the number of results that are still to be reported."""
        return sum(frame.height for frames in self._reports.values() for frame in frames)

    def inspect(self, day: SimulatedDay) -> pl.DataFrame:
        """Inspect parcels of a day; return all their results, those reported later included.

        Days must come one after the other, oldest first.
        """
        for ordinal in sorted(key for key in self._to_learn if key < day.today.ordinal):
            for risk, senders in self._to_learn.pop(ordinal):
                self._memory.learn(risk, senders)
        results = examine(day, choose(day, self._memory))
        for risk, (reported, senders) in enumerate(results.findings):
            for ordinal in np.unique(reported):
                self._to_learn.setdefault(int(ordinal), []).append((risk, senders[reported == ordinal]))
        for (reported_on,), frame in results.table.group_by("reported_on", maintain_order=True):
            if isinstance(reported_on, date):
                self._reports.setdefault(reported_on, []).append(frame)
        return results.table

    def reports_until(self, day: date) -> Iterator[tuple[date, pl.DataFrame]]:
        """Yield and forget the results reported up to and including `day`, one frame a day of report."""
        for reported_on in sorted(key for key in self._reports if key <= day):
            yield reported_on, pl.concat(self._reports.pop(reported_on))


def examine(day: SimulatedDay, chosen: Chosen) -> Results:
    """Return what the inspection of the chosen parcels records: a row a line and report."""
    world = day.today.world
    rng = world.generator(day.today, 13)
    place = np.full(len(day.parcels), -1)
    place[chosen.parcel] = np.arange(len(chosen.parcel))
    rows = np.flatnonzero(place[day.lines.parcel] >= 0)
    of = place[day.lines.parcel[rows]]
    opened = day.today.ordinal + rng.choice(3, size=len(chosen.parcel), p=[0.7, 0.25, 0.05])
    visual = opened + rng.integers(VISUAL_DAYS[0], VISUAL_DAYS[1] + 1, len(chosen.parcel))
    undervalued, assessed, recovered = _value(day, rng, rows)
    parameters = world.parameters
    seen = _detect(
        rng,
        day.lines.prohibited[rows] > 0,
        parameters.sensitivity_prohibited,
        parameters.false_positive_prohibited,
    )
    failed = _detect(
        rng, day.lines.food[rows] > 0, parameters.sensitivity_food, parameters.false_positive_food
    )
    tested = is_food(day.today, day.parcels, day.lines)[rows] & (
        rng.random(len(rows)) < parameters.food_tested_share
    )
    contested = np.bincount(of, undervalued, minlength=len(chosen.parcel)) > 0
    valued = opened + _delay(rng, len(chosen.parcel), VALUATION_DAYS, np.where(contested, 0.45, 0.3))
    laboratory = opened[of] + _delay(rng, len(rows), LABORATORY_DAYS, np.full(len(rows), 0.4))
    # One report a day and line: a laboratory that answers with the valuers stands in their row.
    together = tested & (laboratory == valued[of])
    base = pl.DataFrame(
        {
            "declaration_id": day.declarations["declaration_id"][rows],
            "line_no": day.declarations["line_no"][rows],
            "inspected_on": _dates(opened[of]),
            "selection": pl.Series(SELECTIONS)[chosen.selection[of]],
            "inspection_probability": pl.Series(chosen.probability[of]).fill_nan(None),
            "undervaluation": undervalued,
            "prohibited_item": seen,
            "food_safety": failed,
            "assessed_unit_price": pl.Series(assessed).fill_nan(None),
            "recovered_tax_cny": pl.Series(recovered).fill_nan(None),
        }
    )
    first = _report(base, visual[of], np.ones(len(rows), dtype=bool), ["prohibited_item"])
    second = _report(
        base.with_columns(pl.when(pl.Series(together)).then("food_safety").alias("food_safety")),
        valued[of],
        np.ones(len(rows), dtype=bool),
        ["undervaluation", "assessed_unit_price", "recovered_tax_cny", "food_safety"],
    )
    third = _report(base, laboratory, tested & ~together, ["food_safety"])
    sender = day.parcels.sender[day.lines.parcel[rows]]
    found = (undervalued, seen, failed & tested)
    when = (valued[of], visual[of], laboratory)
    one, two, three = ((days[hit], sender[hit]) for hit, days in zip(found, when, strict=True))
    return Results(pl.concat([first, second, third]), (one, two, three))


def _value(day: SimulatedDay, rng: np.random.Generator, rows: Ints) -> tuple[Flags, Floats, Floats]:
    """Return what the valuers conclude: finding, established unit price, tax recovered in CNY (NaN: none)."""
    parameters, kind, count = day.today.world.parameters, day.lines.valuation[rows], len(rows)
    ease = np.select(
        [kind == SPLITTING, kind == CHEAPER_HEADING, kind == QUANTITY], [0.7, 0.9, 1.1], default=1.0
    )
    sensitivity = np.minimum(parameters.sensitivity_undervaluation * ease, 0.99)
    found = rng.random(count) < np.where(kind > 0, sensitivity, parameters.false_positive_undervaluation)
    true_price = day.truth["true_unit_price"].to_numpy()[rows]
    declared = day.declarations["total_price"].to_numpy()[rows] / np.maximum(
        np.where(day.lines.in_kg, day.lines.declared_weight_kg, day.lines.declared_quantity)[rows], 1e-3
    )
    estimate = true_price * np.exp(0.06 * rng.normal(size=count))
    price = np.where(kind > 0, np.maximum(estimate, declared), declared * rng.uniform(1.1, 1.6, count))
    tax = day.truth["tax_shortfall_cny"].to_numpy()[rows] * rng.uniform(0.75, 1.0, count)
    rate = CNY_PER_UNIT[day.parcels.currency][day.lines.parcel[rows]]
    mistaken = (price - declared) * day.lines.declared_quantity[rows] * rate * 0.1
    tax = np.where(kind > 0, tax, mistaken)
    return (
        found,
        np.where(found, np.round(np.maximum(price, 0.01), 2), np.nan),
        np.where(found, np.round(np.maximum(tax, 0.0), 2), np.nan),
    )


def _detect(rng: np.random.Generator, true: Flags, sensitivity: float, false_positive: float) -> Flags:
    return rng.random(len(true)) < np.where(true, sensitivity, false_positive)


def _delay(rng: np.random.Generator, count: int, span: tuple[int, int], chance: Floats) -> Ints:
    """Return days within a span, most of them in its first half."""
    return span[0] + rng.binomial(span[1] - span[0], chance, count)


def _dates(ordinals: Ints) -> pl.Series:
    return pl.Series(ordinals - date(1970, 1, 1).toordinal(), dtype=pl.Int32).cast(pl.Date)


def _report(base: pl.DataFrame, reported: Ints, rows: Flags, known: list[str]) -> pl.DataFrame:
    values = [*_LABELS, "assessed_unit_price", "recovered_tax_cny"]
    hidden = [
        pl.lit(None, dtype=INSPECTION_COLUMNS[name]).alias(name) for name in values if name not in known
    ]
    frame = base.with_columns(*hidden, _dates(reported).alias("reported_on")).filter(pl.Series(rows))
    return frame.select(*INSPECTION_COLUMNS).cast(pl.Schema(INSPECTION_COLUMNS))


def last_report(day: date) -> date:
    """Return the day by which every result of parcels declared on `day` is in."""
    return day + timedelta(days=2 + LABORATORY_DAYS[1])
