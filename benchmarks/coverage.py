"""How often the interval of an estimate contains the truth, over redrawn random shares of a simulated world.

    python -m benchmarks.coverage [PARCELS_PER_DAY] [DAYS] [REDRAWS]

The models are trained on the first days and stay as they are; the later days are scored. What an inspection
of each parcel would record is drawn once and is the truth. Then the simulator's own officers draw the random
share, hear hints and choose by risk again and again, and each time the estimators see only what was opened.
"""

import os

from features.arrays.types import BoolArray, FloatArray, IntArray

os.environ["POLARS_MAX_THREADS"] = "1"
os.environ["OMP_NUM_THREADS"] = "1"

import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.judging.redrawn_world import Parcels, Scored, make_parcels, redraw
from configs.loader import load_settings
from models.estimates.doubly_robust import ExpectedOutcome, reach_of
from models.estimates.survey import Inspected, Performance, Population
from models.stats.intervals import Estimate
from pipelines.monitoring.performance import METHODS, estimates
from pipelines.simulation.inspections.officers import RANDOM, RISK
from pipelines.work.progress import Progress

SEED = 41
TRAINING_DAYS = 45
CAPACITIES = (0.01, 0.02, 0.05)


@dataclass(frozen=True)
class Coverage:
    """One estimate over all redraws.

    `covered` of `redraws` intervals contain the truth; `estimated` of them have a value, whose mean less the
    truth is `error`, itself only known to `noise` (standard error of a mean of so many redraws); `width` is
    the median of the intervals.
    """

    risk: str
    capacity: float
    quantity: str
    method: str
    truth: float
    redraws: int
    covered: int
    estimated: int
    error: float
    noise: float
    width: float


def coverage(
    parcels: Parcels, *, redraws: int, capacities: Sequence[float], progress: Progress
) -> list[Coverage]:
    """The coverage of every risk, capacity, quantity and method."""
    cases = [
        (scored, capacity, _population(parcels, scored, capacity))
        for scored in parcels.scored
        for capacity in capacities
    ]
    truths = [_truth(scored, population) for scored, _, population in cases]
    seen: dict[tuple[int, str, str], list[Estimate]] = {}
    with progress.task("redraws", total=redraws) as task:
        for draw in range(redraws):
            place, selection, chance = redraw(parcels, draw)
            for number, (scored, _, population) in enumerate(cases):
                measured = _estimates(parcels, scored, population, place, selection, chance)
                for method, performance in measured.items():
                    for quantity in truths[number]:
                        key = (number, quantity, method)
                        seen.setdefault(key, []).append(performance.figures[quantity])
            task.advance()
    return [
        _row(cases[number][0].risk, cases[number][1], quantity, method, truths[number][quantity], found)
        for (number, quantity, method), found in seen.items()
    ]


def _population(parcels: Parcels, scored: Scored, capacity: float) -> Population:
    return Population(
        parcels.stratum,
        parcels.flagged(scored.probability, capacity),
        parcels.flagged(scored.tax_cny, capacity),
    )


def _truth(scored: Scored, population: Population) -> dict[str, float]:
    flagged, taxed = population.flagged, population.flagged_for_tax
    truth = {
        "precision": scored.found[flagged].mean(),
        "recall": scored.found[flagged].sum() / scored.found.sum(),
    }
    if scored.recovered.any():
        truth["tax_per_flagged_cny"] = scored.recovered[taxed].mean()
        truth["tax_share"] = scored.recovered[taxed].sum() / scored.recovered.sum()
    return {name: float(value) for name, value in truth.items()}


def _estimates(
    parcels: Parcels,
    scored: Scored,
    population: Population,
    place: IntArray,
    selection: IntArray,
    chance: FloatArray,
) -> Mapping[str, Performance]:
    def inspected(mask: BoolArray) -> Inspected:
        return Inspected(place[mask], chance[mask], scored.found[place[mask]], scored.recovered[place[mask]])

    drawn, by_risk = inspected(selection == RANDOM), inspected(selection == RISK)
    # The officers' choices are never certain, so it does not matter on which day they were made.
    reach = reach_of(parcels.office, parcels.office, scored.tax_cny, by_risk.parcel, by_risk.chance)
    outcome = ExpectedOutcome(scored.probability, scored.tax_cny, reach)
    return estimates(population, outcome, drawn, by_risk)


def _row(
    risk: str, capacity: float, quantity: str, method: str, truth: float, found: Sequence[Estimate]
) -> Coverage:
    values = np.array([estimate.value for estimate in found])
    known = values[np.isfinite(values)]
    return Coverage(
        risk,
        capacity,
        quantity,
        method,
        truth,
        redraws=len(found),
        covered=sum(estimate.low <= truth <= estimate.high for estimate in found),
        estimated=len(known),
        error=float(known.mean() - truth) if len(known) else float("nan"),
        noise=float(known.std(ddof=1) / len(known) ** 0.5) if len(known) > 1 else float("nan"),
        width=float(np.median([estimate.high - estimate.low for estimate in found])),
    )


def section(progress: Progress, *, parcels_per_day: int = 3000, days: int = 30, redraws: int = 200) -> str:
    """The measurement as a part of a Markdown report."""
    with tempfile.TemporaryDirectory() as folder:
        parcels = make_parcels(
            Path(folder) / "store", parcels_per_day=parcels_per_day, days=days, training_days=TRAINING_DAYS,
            settings=load_settings(), seed=SEED,
        )  # fmt: skip
    rows = coverage(parcels, redraws=redraws, capacities=CAPACITIES, progress=progress)
    drawn = int((redraw(parcels, 0)[1] == RANDOM).sum())
    needed = -(-9 * redraws // 10)
    precise = [row for row in rows if row.quantity == "precision"]
    lines = [
        "## Estimates from redrawn random shares",
        "",
        f"Seed {SEED}: models of {TRAINING_DAYS} days, then {days} days with {len(parcels.stratum):,}",
        f"parcels, of which the random share draws about {drawn:,}; {redraws} redraws of random share,",
        "hints and choices by risk. The truth is what an inspection of each parcel would record. A method",
        f"holds where the 95% interval of precision contains the truth in at least {needed} redraws and the",
        "mean error is within 2 percentage points.",
        "",
        *(_verdict(precise, method, needed) for method in METHODS),
        "",
        "| risk | capacity | quantity | method | truth | interval contains it | mean error | median width |",
        "|---|---|---|---|---|---|---|---|",
        *(_table_row(row) for row in rows),
        "",
        "Precision, recall and the share of tax are shares, their errors percentage points; tax per flagged",
        "parcel is in CNY. Beside a mean error stands its standard error from so many redraws. A redraw",
        "without a single flagged parcel has no value; its interval counts.",
    ]
    return "\n".join(lines) + "\n"


def holds(row: Coverage, needed: int) -> bool:
    """Whether enough intervals of a share contain the truth, and its mean error is within 2 points."""
    return row.covered >= needed and abs(row.error) <= 0.02


def _verdict(rows: Sequence[Coverage], method: str, needed: int) -> str:
    own = [row for row in rows if row.method == method]
    least = min(row.covered for row in own)
    most = max(abs(row.error) for row in own)
    return (
        f"- {method}: holds in {sum(holds(row, needed) for row in own)} of {len(own)} cases; the least "
        f"coverage is {least} of {own[0].redraws}, the largest mean error {100 * most:.1f} points."
    )


def _table_row(row: Coverage) -> str:
    if row.quantity == "tax_per_flagged_cny":
        figures = [f"{row.truth:.1f}", f"{row.error:+.1f} ± {row.noise:.1f}", f"{row.width:.1f}"]
    else:
        error = f"{100 * row.error:+.1f} ± {100 * row.noise:.1f}"
        figures = [f"{row.truth:.3f}", error, f"{row.width:.3f}"]
    truth, error, width = figures
    contains = f"{row.covered} of {row.redraws}"
    return (
        f"| {row.risk} | {row.capacity:.0%} | {row.quantity} | {row.method} | {truth} | {contains} | {error} "
        f"| {width} |"
    )


def main() -> None:
    """Print the section at the size given on the command line."""
    sizes = [int(word) for word in sys.argv[1:]]
    named = dict(zip(("parcels_per_day", "days", "redraws"), sizes, strict=False))
    print(section(Progress.silent(), **named))


if __name__ == "__main__":
    main()
