"""What inspections find and when they say so: imperfect detection, results that come days or weeks late."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
import polars as pl

from features.contract.declarations import LINE_KEY
from pipelines.simulation.days.day import SimulatedDay
from pipelines.simulation.inspections.channels import CHANNELS
from pipelines.simulation.inspections.memory import Memory
from pipelines.simulation.inspections.officers import OpenedParcels, choose_parcels
from pipelines.simulation.inspections.recording import RECORDED_COLUMNS, as_recorded
from pipelines.simulation.schemes.borrowed import BORROWED, REFUND
from pipelines.simulation.schemes.food import is_food
from pipelines.simulation.schemes.undervaluation import CHEAPER_HEADING, QUANTITY, SPLITTING
from pipelines.simulation.world.places import CNY_PER_UNIT
from pipelines.simulation.world.randomness import Flags, Floats, Ints, Keys

VISUAL_DAYS: Final = (0, 2)
VALUATION_DAYS: Final = (3, 20)
LABORATORY_DAYS: Final = (10, 35)
DISPUTED, UNDISPUTED = 0.45, 0.3
"""Where in its span a valuation comes, on average, for parcels with a finding and others."""
LABORATORY_PACE: Final = 0.4
EASE: Final = {SPLITTING: 0.7, CHEAPER_HEADING: 0.9, QUANTITY: 1.1, BORROWED: 0.7, REFUND: 0.7}
"""How easily a method of undervaluation is noticed, against a price that is too low."""
PRICE_ERROR: Final = 0.06
MISTAKEN_PRICE: Final = (1.1, 1.6)
RECOVERED: Final = (0.75, 1.0)
MISTAKEN_TAX_RATE: Final = 0.1
_VISUAL, _VALUATION, _LABORATORY = range(3)


@dataclass(frozen=True)
class Results:
    """Results of the parcels opened on a day, sorted by the day of report.

    `findings` are per risk when, and about whom, to remember.
    """

    table: pl.DataFrame
    findings: list[tuple[Ints, Keys]]


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
        chosen = choose_parcels(day, self._memory)
        results = examine(day, chosen)
        for risk, (reported, senders) in enumerate(results.findings):
            for ordinal in np.unique(reported):
                self._to_learn.setdefault(int(ordinal), []).append((risk, senders[reported == ordinal]))
        table = as_recorded(day, chosen, results.table)
        for frame in table.partition_by("reported_on", maintain_order=True):
            self._reports.setdefault(frame["reported_on"][0], []).append(frame)
        return table

    def reports_until(self, day: date) -> Iterator[tuple[date, pl.DataFrame]]:
        """Yield and forget the results reported up to and including `day`, one frame a day of report."""
        for reported_on in sorted(key for key in self._reports if key <= day):
            yield reported_on, pl.concat(self._reports.pop(reported_on))


def examine(day: SimulatedDay, chosen: OpenedParcels) -> Results:
    """Return what the inspection of the chosen parcels shows: a row a line and report.

    What was not looked at is no finding; `as_recorded` makes it null.
    """
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
    shows = np.where(
        day.lines.prohibited[rows] > 0,
        parameters.sensitivity_prohibited,
        parameters.false_positive_prohibited,
    )
    seen = rng.random(len(rows)) < shows
    fails = np.where(day.lines.food[rows] > 0, parameters.sensitivity_food, parameters.false_positive_food)
    failed = rng.random(len(rows)) < fails
    sampled = rng.random(len(rows)) < parameters.food_tested_share
    tested = is_food(day.today, day.parcels, day.lines)[rows] & sampled
    if chosen.examined is not None:
        looked = chosen.examined[of]
        undervalued, seen, tested = undervalued & looked[:, 0], seen & looked[:, 1], tested & looked[:, 2]
        assessed, recovered = (np.where(undervalued, value, np.nan) for value in (assessed, recovered))
    contested = np.bincount(of, undervalued, minlength=len(chosen.parcel)) > 0
    pace = np.where(contested, DISPUTED, UNDISPUTED)
    valued = opened + _delay(rng, len(chosen.parcel), VALUATION_DAYS, pace)
    laboratory = opened[of] + _delay(rng, len(rows), LABORATORY_DAYS, np.full(len(rows), LABORATORY_PACE))
    # One report a day and line: a laboratory that answers with the valuers stands in their row.
    together = tested & (laboratory == valued[of])
    everything, later = np.arange(len(rows)), np.flatnonzero(tested & ~together)
    line = np.concatenate([everything, everything, later])
    report = np.repeat([_VISUAL, _VALUATION, _LABORATORY], [len(rows), len(rows), len(later)])
    reported = np.concatenate([visual[of], valued[of], laboratory[later]])
    order = np.argsort(reported, kind="stable")
    line, report, reported = line[order], report[order], reported[order]
    knows_food = (report == _LABORATORY) | ((report == _VALUATION) & together[line])
    opinion = report == _VALUATION
    key = day.declarations.select(*LINE_KEY)[pl.Series(rows[line], dtype=pl.UInt32)]
    table = key.with_columns(
        inspected_on=_dates(opened[of][line]),
        reported_on=_dates(reported),
        selection=pl.Series(CHANNELS)[chosen.selection[of][line]],
        inspection_probability=pl.Series(chosen.probability[of][line]).fill_nan(None),
        undervaluation=_where_known(undervalued[line], opinion),
        prohibited_item=_where_known(seen[line], report == _VISUAL),
        food_safety=_where_known(failed[line], knows_food),
        assessed_unit_price=pl.Series(np.where(opinion, assessed[line], np.nan)).fill_nan(None),
        recovered_tax_cny=pl.Series(np.where(opinion, recovered[line], np.nan)).fill_nan(None),
    )
    by_risk = ((undervalued, valued[of]), (seen, visual[of]), (failed & tested, laboratory))
    findings = [_to_remember(day, rows[hit], days[hit]) for hit, days in by_risk]
    return Results(table.select(RECORDED_COLUMNS), findings)


def _to_remember(day: SimulatedDay, rows: Ints, reported: Ints) -> tuple[Ints, Keys]:
    """Return when officers learn of findings in some lines, and about whom: a watch list has addresses."""
    parcel = day.lines.parcel[rows]
    sender = day.parcels.sender[parcel]
    if day.today.world.parameters.officers == "programmes":
        return reported, sender
    return np.tile(reported, 2), np.concatenate([sender, day.parcels.address[parcel]])


def _value(day: SimulatedDay, rng: np.random.Generator, rows: Ints) -> tuple[Flags, Floats, Floats]:
    """Return what the valuers conclude: finding, established unit price, tax recovered in CNY (NaN: none)."""
    parameters, kind, count = day.today.world.parameters, day.lines.valuation[rows], len(rows)
    ease = np.select([kind == method for method in EASE], list(EASE.values()), default=1.0)
    sensitivity = np.minimum(parameters.sensitivity_undervaluation * ease, 0.99)
    detected = rng.random(count) < np.where(kind > 0, sensitivity, parameters.false_positive_undervaluation)
    true_price = day.truth["true_unit_price"].to_numpy()[rows]
    declared = day.declarations["total_price"].to_numpy()[rows] / np.maximum(
        np.where(day.lines.in_kg, day.lines.declared_weight_kg, day.lines.declared_quantity)[rows], 1e-3
    )
    estimate = true_price * np.exp(PRICE_ERROR * rng.normal(size=count))
    price = np.where(kind > 0, np.maximum(estimate, declared), declared * rng.uniform(*MISTAKEN_PRICE, count))
    tax = day.truth["tax_shortfall_cny"].to_numpy()[rows] * rng.uniform(*RECOVERED, count)
    rate = CNY_PER_UNIT[day.parcels.currency][day.lines.parcel[rows]]
    mistaken = (price - declared) * day.lines.declared_quantity[rows] * rate * MISTAKEN_TAX_RATE
    assessed = np.round(np.maximum(price, 0.01), 2)
    recovered = np.round(np.maximum(np.where(kind > 0, tax, mistaken), 0.0), 2)
    return detected, np.where(detected, assessed, np.nan), np.where(detected, recovered, np.nan)


def _delay(rng: np.random.Generator, count: int, span: tuple[int, int], chance: Floats) -> Ints:
    """Return days within a span, most of them in its first half."""
    return span[0] + rng.binomial(span[1] - span[0], chance, count)


def _dates(ordinals: Ints) -> pl.Series:
    return pl.Series(ordinals - date(1970, 1, 1).toordinal(), dtype=pl.Int32).cast(pl.Date)


def _where_known(values: Flags, known: Flags) -> pl.Series:
    """Return 1, 0 and null as Booleans: a label that a report does not speak of is null."""
    return pl.Series(np.where(known, values.astype(np.float64), np.nan)).fill_nan(None).cast(pl.Boolean)
