"""One day after the other: parcels, schemes, declarations and truth; the days before a day are not kept."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from datetime import date
from typing import TypeVar

import numpy as np
import polars as pl

from pipelines.simulation.days.declarations import declaration_frames
from pipelines.simulation.days.missing import habits
from pipelines.simulation.schemes import borrowed, food, prohibited, undervaluation
from pipelines.simulation.world.parcels import Lines, Parcels, draw_lines, draw_parcels
from pipelines.simulation.world.randomness import Floats, Ints, scale_bounds
from pipelines.simulation.world.seasons import days_until, expected_parcels
from pipelines.simulation.world.state import Today, World

_CALIBRATION_PARCELS = 3000
_CALIBRATION_DAYS = (0, 23, 46, 69, 92, 115, 138, 161)
_Columns = TypeVar("_Columns", Parcels, Lines)


@dataclass(frozen=True)
class SimulatedDay:
    """A day of a world.

    `declarations` has the contract's columns, `truth` the same lines with their risks; `parcels` and
    `lines` are the numbers behind both, for the officers' simulation, in the same order.
    """

    today: Today
    declarations: pl.DataFrame
    truth: pl.DataFrame
    parcels: Parcels
    lines: Lines

    @property
    def day(self) -> date:
        """Return the date in China."""
        return self.today.day


@dataclass(frozen=True)
class Scales:
    """Factors that bring the schemes of a world to their base rates."""

    undervaluation: float
    hygiene: float
    lots: float


def simulate_days(
    world: World, days: int, parcels_per_day: int, end: date, *, drift: bool = False
) -> Iterator[SimulatedDay]:
    """Yield `days` days of a world that end on `end`, oldest first.

    Each day depends on the world and its date alone, so memory does not grow with the days. With `drift`
    the last third of the days has new concealment, other sellers and other prices; the days before are
    the same as without.

    >>> from pipelines.simulation.world.parameters import WorldParameters
    >>> world = World.make(7, WorldParameters.for_volume(200))
    >>> days = list(simulate_days(world, days=2, parcels_per_day=100, end=date(2026, 11, 20)))
    >>> [str(day.day) for day in days]
    ['2026-11-19', '2026-11-20']
    """
    calendar = days_until(end, days)
    expected = expected_parcels(calendar, parcels_per_day)
    scales, omissions = calibrate(world), habits(world)
    changes_at = days - days // 3
    for step, (day, parcels) in enumerate(zip(calendar, expected, strict=True)):
        yield simulate_day(
            Today(world, day, drifting=drift and step >= changes_at), float(parcels), scales, omissions
        )


def simulate_day(
    today: Today, expected: float, scales: Scales, omissions: Mapping[str, Floats]
) -> SimulatedDay:
    """Return one day with about `expected` parcels."""
    parameters = today.world.parameters
    rng = today.world.generator(today, 11)
    split_sizes = undervaluation.split_parcels_today(today, expected)
    hidden = prohibited.shipments_today(today, expected * parameters.lines_per_parcel)
    split, ringed = int(split_sizes.sum()), borrowed.borrowed_today(today, expected)
    honest = max(int(rng.poisson(expected)) - split - hidden - ringed, 0)
    total = honest + hidden + split + ringed
    parcels = draw_parcels(today, total)
    # The rows are drawn like all others first: what a scheme leaves alone is as honest as elsewhere.
    shipments = prohibited.plan_shipments(today, parcels, np.arange(honest, honest + hidden))
    splits = undervaluation.plan_splits(
        today, parcels, np.arange(honest + hidden, total - ringed), split_sizes
    )
    rings = borrowed.plan_rings(today, parcels, np.arange(total - ringed, total))
    lines = draw_lines(today, parcels)
    prohibited.hide(today, parcels, lines, shipments)
    undervaluation.split(today, parcels, lines, splits)
    borrowed.fill(today, parcels, lines, rings)
    borrowed.mark_refunds(today, parcels, lines)
    undervaluation.undervalue(today, parcels, lines, scales.undervaluation)
    food.spoil(today, parcels, lines, scales.hygiene, scales.lots)
    parcels, lines = _in_order(parcels, lines, rng)
    declarations, truth = declaration_frames(today, parcels, lines, omissions)
    return SimulatedDay(today, declarations, truth, parcels, lines)


def calibrate(world: World) -> Scales:
    """Return the factors at which a few sample days of the world have its base rates."""
    tendencies, hygiene, lots = [], [], []
    for offset in _CALIBRATION_DAYS:
        today = Today(world, date.fromordinal(date(2026, 6, 1).toordinal() + offset))
        parcels = draw_parcels(today, _CALIBRATION_PARCELS)
        lines = draw_lines(today, parcels)
        edible = food.is_food(today, parcels, lines)
        tendencies.append(undervaluation.tendency(today, parcels, lines))
        hygiene.append(food.hygiene(today, parcels, lines)[edible])
        lots.append(food.lot_badness(today, parcels, lines)[edible])
    parameters, most = world.parameters, food.MAX_FOOD_CHANCE
    plain = max(parameters.undervaluation_rate - undervaluation.splitting_share(world), 0.0)
    by_lot = parameters.food_rate * parameters.food_lot_share
    by_hygiene = parameters.food_rate * (1 - parameters.food_lot_share)
    bounds = scale_bounds(np.concatenate(tendencies), plain, undervaluation.MAX_CHANCE)
    return Scales(
        undervaluation=sum(bounds) / 2,
        hygiene=scale_bounds(np.concatenate(hygiene), by_hygiene, most)[0],
        lots=scale_bounds(np.concatenate(lots), by_lot, most)[0],
    )


def _in_order(parcels: Parcels, lines: Lines, rng: np.random.Generator) -> tuple[Parcels, Lines]:
    """Put parcels in the order of their declaration and shuffle the lines within each."""
    order = np.lexsort((rng.random(len(parcels)), parcels.seconds))
    place = np.empty(len(parcels), dtype=np.int64)
    place[order] = np.arange(len(parcels))
    parcel = place[lines.parcel]
    line_order = np.lexsort((rng.random(len(lines)), parcel))
    return _take(parcels, order), replace(_take(lines, line_order), parcel=parcel[line_order])


def _take(columns: _Columns, order: Ints) -> _Columns:
    return replace(columns, **{field.name: getattr(columns, field.name)[order] for field in fields(columns)})
