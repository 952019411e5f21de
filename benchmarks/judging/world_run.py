"""One simulated world from its first day to its figures: simulate, train, score nights, compare.

Training and scoring are the verbs that a user runs. The nights of the last days know what was reported before
each of them; the models learned from what was reported by the eve of the first.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from benchmarks.judging.bound import all_lines, bound_scores
from benchmarks.judging.compare import Scored, compared
from benchmarks.judging.later_lines import later_lines, recorded
from benchmarks.judging.reference_features import plain_columns
from benchmarks.judging.reference_model import reference_scores
from benchmarks.judging.released import nights_of
from benchmarks.shared.clock import Clock
from benchmarks.shared.figures import Level
from configs.reference.facts import load_reference
from configs.schema.risk import RiskConfig
from configs.schema.settings import Settings
from features.history.results import known_labels
from models.risk.risk_model import RiskModel
from pipelines.history.chronicle import Chronicle
from pipelines.night.score import score
from pipelines.scoring.models_in_use import models_in_use
from pipelines.simulation import World, WorldParameters, simulate
from pipelines.simulation.world.seasons import days_until
from pipelines.store.store import Store
from pipelines.training.train import train
from pipelines.work.progress import Progress

_END = date(2026, 11, 20)


@dataclass(frozen=True)
class BenchWorld:
    """A world to be judged on: its seed, its parameters, what is special about it, whether it changes,
    whether a bound, which takes as long as all the rest, stands beside the scores, and its last day.
    """

    name: str
    seed: int
    parameters: WorldParameters
    text: str
    drift: bool = False
    bounded: bool = True
    end: date = _END


@dataclass(frozen=True)
class Size:
    """How long and how busy a world is, and how many of its last days are scored."""

    days: int = 90
    parcels_per_day: int = 6000
    scored_days: int = 7
    end: date = _END

    @property
    def calendar(self) -> list[date]:
        """All days, oldest first."""
        return days_until(self.end, self.days)

    @property
    def until(self) -> date:
        """The eve of the first scored day."""
        return self.calendar[-self.scored_days - 1]


def run_world(
    bench: BenchWorld,
    folder: Path,
    size: Size,
    settings: Settings,
    threads: int,
    program: Path | None = None,
) -> dict[str, Any]:
    """The figures of a world as JSON can hold them; its store is made in `folder`.

    With the files of a released `program` its scores of the same nights stand beside ours.
    """
    clock = Clock(bench.name)
    with clock.step("simulate"):
        store = _simulated(bench, folder / "store", size, settings)
        records = recorded(
            World.make(bench.seed, bench.parameters),
            size.calendar,
            size.parcels_per_day,
            size.scored_days,
            drift=bench.drift,
        )
    with clock.step("train"):
        trained = train(store.path, risks=[], until=size.until, settings=settings, progress=Progress.silent())
    print("\n".join(f"{bench.name}: {line}" for line in trained.lines()), flush=True)
    nights = size.calendar[-size.scored_days :]
    with clock.step("score"):
        score(
            store.path, first=nights[0], last=nights[-1], workers=threads, threads=1, scheduler=None,
            settings=settings, progress=Progress.silent(),
        )  # fmt: skip
    released = None
    if program is not None:
        with clock.step("released: train and score"):
            released = nights_of(program, store, folder / "released", until=size.until, nights=nights)
    later = later_lines(store, nights, records, released)
    return {
        "name": bench.name,
        "text": bench.text,
        "seed": bench.seed,
        "drift": bench.drift,
        "size": [size.days, size.parcels_per_day, size.scored_days],
        "lines": later.height,
        "parcels": later["declaration_id"].n_unique(),
        "risks": _figures(bench, store, later, size, settings, threads, clock),
        "seconds": clock.seconds,
    }


def _simulated(bench: BenchWorld, path: Path, size: Size, settings: Settings) -> Store:
    simulate(
        path,
        days=size.days,
        parcels_per_day=size.parcels_per_day,
        end=size.end,
        seed=bench.seed,
        drift=bench.drift,
        settings=settings,
        progress=Progress.silent(),
        parameters=bench.parameters,
    )
    return Store.open(path)


def _figures(
    bench: BenchWorld,
    store: Store,
    later: pl.DataFrame,
    size: Size,
    settings: Settings,
    threads: int,
    clock: Clock,
) -> dict[str, Any]:
    """By risk: what was learned from, and every score on all later lines."""
    inspections, risks = store.read_inspections(), list(settings.risks.values())
    known = {
        risk.name: _learned(inspections, risk, size.until) | _drawn_at_random(inspections, risk, size.until)
        for risk in risks
    }
    enough = [
        risk
        for risk in risks
        if known[risk.name]["inspected_findings"] >= settings.pipeline.training.min_findings
    ]
    with clock.step("reference: prices, volumes"):
        every = pl.concat(store.read_declarations(day) for day in store.declaration_days())
        plain = plain_columns(every, load_reference(settings.overlay))
    references = {}
    for risk in enough:
        with clock.step(f"reference: {risk.name}"):
            references[risk.name] = reference_scores(
                plain, inspections, later, label=risk.label, until=size.until, seed=bench.seed,
                threads=threads,
            )  # fmt: skip
    del every, plain
    lines = None
    if bench.bounded:
        with clock.step("bound: features of all lines"):
            lines = all_lines(Chronicle(store, settings), enough, size.calendar[-size.scored_days])
    done: dict[str, Any] = {name: {**counts} for name, counts in known.items()}
    levels = _levels(store, settings)
    for risk in enough:
        bound = None
        if lines is not None:
            with clock.step(f"bound: {risk.name}"):
                bound = bound_scores(lines, risk, later, seed=bench.seed, threads=threads)
        with clock.step(f"figures: {risk.name}"):
            scored = Scored.of(risk, later, references[risk.name], bound)
            done[risk.name] |= compared(scored, later, seed=bench.seed, level=levels.get(risk.name, Level()))
    return done


def _levels(store: Store, settings: Settings) -> dict[str, Level]:
    """By risk with a model: how sure the level of its probabilities is."""
    used = models_in_use(store, settings.risks).models
    said = {name: RiskModel.load(model.folder).metadata for name, model in used.items()}
    return {
        name: Level(float(metadata.get("level_findings", 0.0)), float(metadata.get("level_spread", 0.0)))
        for name, metadata in said.items()
    }


def write_figures(done: dict[str, Any], path: Path) -> None:
    """Write the figures beside their place and rename them into it, so that a killed run leaves none."""
    beside = path.with_suffix(".new")
    beside.write_text(json.dumps(done, indent=1) + "\n", encoding="utf-8")
    beside.replace(path)


def _learned(inspections: pl.DataFrame, risk: RiskConfig, until: date) -> dict[str, int]:
    known = known_labels(inspections, until)[risk.label].drop_nulls()
    return {"inspected_lines": len(known), "inspected_findings": int(known.sum())}


def _drawn_at_random(inspections: pl.DataFrame, risk: RiskConfig, until: date) -> dict[str, int]:
    """Lines of the random share whose first result was known, and findings of the risk among them."""
    known = known_labels(inspections, until).filter(pl.col("selection") == "random")
    return {"random_lines": known.height, "random_findings": int(known[risk.label].sum() or 0)}
