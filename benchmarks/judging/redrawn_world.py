"""A simulated world with a fixed model, whose officers draw the random share and choose again and again."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from configs.schema.settings import Settings
from features.arrays.types import BoolArray, FloatArray, IntArray
from pipelines.monitoring.performance import flagged_of_day, scored_parcels
from pipelines.night.score import score
from pipelines.simulation import World, WorldParameters, simulate, simulate_days
from pipelines.simulation.days.day import SimulatedDay
from pipelines.simulation.inspections.channels import RANDOM
from pipelines.simulation.inspections.inspectorate import examine
from pipelines.simulation.inspections.memory import Memory
from pipelines.simulation.inspections.officers import OpenedParcels, choose_parcels
from pipelines.simulation.world.state import Today
from pipelines.store.store import Store
from pipelines.training.train import train
from pipelines.work.progress import Progress

END = date(2026, 11, 20)


@dataclass(frozen=True)
class Scored:
    """All parcels of the scored days under one risk, in the order of the simulated days."""

    risk: str
    probability: FloatArray
    tax_cny: FloatArray
    found: BoolArray
    recovered: FloatArray


@dataclass(frozen=True)
class Parcels:
    """All parcels of the scored days: their strata and the place of each day's first parcel."""

    days: list[SimulatedDay]
    starts: IntArray
    declaration_id: pl.Series
    office: IntArray
    stratum: IntArray
    memory: Memory
    scored: list[Scored]

    def flagged(self, score: FloatArray, capacity: float) -> BoolArray:
        """The parcels of each day that stand in its `capacity` share of highest scores."""
        return np.concatenate(
            [
                flagged_of_day(score[first:last], self.declaration_id[int(first) : int(last)], capacity)
                for first, last in zip(self.starts[:-1], self.starts[1:], strict=True)
            ]
        )


@dataclass(frozen=True, eq=False)
class _Redrawn(World):
    """The same world whose inspectorate draws other lots."""

    draw: int = 0

    def generator(self, today: Today, purpose: int) -> np.random.Generator:
        return np.random.default_rng([self.seed, 1 + purpose, today.ordinal, self.draw])


def make_parcels(
    store: Path, *, parcels_per_day: int, days: int, training_days: int, settings: Settings, seed: int
) -> Parcels:
    """A world in `store`, models of its first `training_days`, and all parcels of the `days` after those."""
    silent, until = Progress.silent(), END - timedelta(days=days)
    simulate(
        store, days=training_days + days, parcels_per_day=parcels_per_day, end=END, seed=seed, drift=False,
        settings=settings, progress=silent,
    )  # fmt: skip
    train(store, risks=[], until=until, settings=settings, progress=silent)
    score(
        store, first=until + timedelta(days=1), last=END, workers=1, threads=1, scheduler=None,
        settings=settings, progress=silent,
    )  # fmt: skip
    world = World.make(seed, WorldParameters.for_volume(parcels_per_day))
    simulated = list(simulate_days(world, training_days + days, parcels_per_day, END))
    later = simulated[training_days:]
    scores = pl.concat(scored_parcels(Store.open(store), day.day, settings.risks) for day in later)
    return parcels_of(later, scores, _memory(simulated[:training_days], until), settings)


def _memory(days: Sequence[SimulatedDay], until: date) -> Memory:
    """What officers remember at the close of `until`; it does not change while they draw again."""
    memory = Memory()
    for day in days:
        for risk, (reported, senders) in enumerate(examine(day, choose_parcels(day, memory)).findings):
            memory.learn(risk, senders[reported <= until.toordinal()])
    return memory


def parcels_of(days: list[SimulatedDay], scores: pl.DataFrame, memory: Memory, settings: Settings) -> Parcels:
    """All parcels of some days with scores as `pipelines.monitoring.performance.scored_parcels` has them."""
    keys, recorded = [], []
    for day in days:
        place = pl.Series("parcel", day.lines.parcel)
        keys.append(day.declarations.select("declaration_id", place).unique("parcel").sort("parcel"))
        every = np.arange(len(day.parcels))
        recorded.append(
            examine(day, OpenedParcels(every, np.full_like(every, RANDOM), np.ones(len(every)))).table
        )
    order, results = pl.concat(keys).select("declaration_id"), pl.concat(recorded)
    table = order.join(scores, on="declaration_id", how="left", maintain_order="left", validate="1:1")
    scored = []
    for name, risk in settings.risks.items():
        if not table[f"probability_{name}"].count():
            continue
        known = results.group_by("declaration_id").agg(
            pl.col(risk.label).any().alias("found"), pl.col("recovered_tax_cny").sum().alias("tax")
        )
        truth = order.join(known, on="declaration_id", how="left", maintain_order="left")
        has_tax = risk.finding_value.kind == "tax_shortfall"
        scored.append(
            Scored(
                name,
                table[f"probability_{name}"].to_numpy(),
                table[f"expected_{name}"].to_numpy(),
                truth["found"].fill_null(False).to_numpy(),
                truth["tax"].to_numpy() if has_tax else np.zeros(table.height),
            )
        )
    office, stratum = (
        table.select(pl.struct(names).rank("dense")).to_series().to_numpy().astype(np.int64) - 1
        for names in (["customs_office"], ["customs_office", "trade_mode"])
    )
    starts = np.cumsum([0, *(frame.height for frame in keys)])
    return Parcels(days, starts, order["declaration_id"], office, stratum, memory, scored)


def redraw(parcels: Parcels, draw: int) -> tuple[IntArray, IntArray, FloatArray]:
    """Who is opened when all lots are drawn again: places, channels, and chances (NaN where not recorded)."""
    chosen = []
    for first, day in zip(parcels.starts[:-1], parcels.days, strict=True):
        world = day.today.world
        other = _Redrawn(**{item.name: getattr(world, item.name) for item in fields(World)}, draw=draw)
        one = choose_parcels(replace(day, today=replace(day.today, world=other)), parcels.memory)
        chosen.append((one.parcel + first, one.selection, one.probability))
    place, selection, chance = (np.concatenate(part) for part in zip(*chosen, strict=True))
    return place, selection, chance
