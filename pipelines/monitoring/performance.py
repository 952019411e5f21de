"""What the models' rankings find among all parcels, measured on reported results.

Three methods stand side by side: `random_share` (the headline, see `models.estimates.survey`),
`doubly_robust` (the second opinion, see `models.estimates.doubly_robust`) and `naive` (the parcels chosen for
their risk, taken as if they had been drawn at random: it says nothing about all parcels and is shown for
comparison only).
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
import polars as pl

from configs.errors import UsageError
from configs.reference.regimes import is_export
from configs.schema.risk import RiskConfig
from features.arrays.hashing import hash_text
from features.arrays.types import BoolArray, FloatArray, IntArray
from features.contract.declarations import LINE_KEY
from features.history.results import known_labels
from models.estimates.doubly_robust import ExpectedOutcome, doubly_robust_estimates, reach_of
from models.estimates.parcel_table import parcel_table
from models.estimates.survey import Inspected, Performance, Population, survey_estimates
from models.stats.rankings import capacity_lines, ranking
from pipelines.store.day_table import DayTable
from pipelines.store.files import read_whole
from pipelines.store.store import Store

MEASURED_SCHEMA: dict[str, type[pl.DataType]] = {
    "risk": pl.String,
    "capacity": pl.Float64,
    "quantity": pl.String,
    "method": pl.String,
    "value": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "findings": pl.Int64,
    "sample": pl.Int64,
}
QUANTITIES = ("precision", "recall", "prevalence", "tax_per_flagged_cny", "tax_share")
METHODS = ("random_share", "doubly_robust", "naive")
_TAX = ("tax_per_flagged_cny", "tax_share")
_LIST = ["customs_office", "exports"]
_LINE_COLUMNS = [*LINE_KEY, "customs_office", "direction", "trade_mode", "seller_id", "buyer_id"]


def measured_performance(
    store: Store,
    risks: Mapping[str, RiskConfig],
    days: Sequence[date],
    as_of: date,
    capacities: Sequence[float],
) -> pl.DataFrame:
    """The performance on all parcels of `days`: one row a risk, capacity, quantity and method, by
    `MEASURED_SCHEMA`.

    A parcel is flagged at a capacity where its probability of the risk is among that share of the day's
    highest; for the two tax quantities, where its probability x value is. Only scored days whose results are
    in by the close of `as_of` count: those declared at least the risk's `maturity_days` before it. A parcel
    opened too late for its result to be in is treated as not opened; an opened one without a result after
    that time was not examined, so the inspection recorded no finding.

    - `precision`: share of flagged parcels in which an inspection would record the finding.
    - `recall`: share of the parcels in which one would that are flagged.
    - `prevalence`: share of all parcels in which one would; it does not depend on the capacity.
    - `tax_per_flagged_cny`: tax that inspections of the flagged parcels would recover, CNY a parcel.
    - `tax_share`: share of all tax that inspections would recover that is in flagged parcels.

    The tax quantities are there only for risks whose finding is worth the tax shortfall. `value` is null
    where it cannot be estimated, `high` where nothing bounds it; `findings` and `sample` are the findings and
    parcels that a figure rests on. A risk without scored days whose results are in has no rows.

    Args:
        store: with scores, values, declarations and inspections.
        risks: with their labels and maturity.
        days: the period; days without scores are passed over.
        as_of: results reported up to and including this day count.
        capacities: shares of each day's parcels, in (0, 1].

    Raises:
        UsageError: a capacity is no such share.
    """
    wrong = [capacity for capacity in capacities if not 0.0 < capacity <= 1.0]
    if wrong:
        raise UsageError(f"expected capacities as shares of a day's parcels, above 0 up to 1; got {wrong}")
    soonest = min((risk.maturity_days for risk in risks.values()), default=0)
    scored = {
        day: scored_parcels(store, day, risks)
        for day in sorted({*days} & {*store.days(DayTable.SCORES)})
        if day + timedelta(days=soonest) <= as_of
    }
    rows: list[dict[str, object]] = []
    for name, risk in risks.items():
        maturity = timedelta(days=risk.maturity_days)
        matured = {day: table for day, table in scored.items() if day + maturity <= as_of}
        seen = _seen(store, risk, matured, as_of)
        if seen is not None:
            for capacity in capacities:
                rows += _rows(name, capacity, seen, with_tax=risk.finding_value.kind == "tax_shortfall")
    return pl.DataFrame(rows, schema=MEASURED_SCHEMA)


def scored_parcels(store: Store, day: date, risks: Collection[str]) -> pl.DataFrame:
    """One row a scored parcel of a day, sorted by number: declaration_id, customs_office, trade_mode,
    `exports` (it belongs to a list of exports alone), `expected_value_cny` (all risks, what lists are sorted
    by) and, per risk, `probability_<risk>` and `expected_<risk>` (probability x value, CNY), null where the
    risk had no model.
    """
    lines = store.read_declarations(day, _LINE_COLUMNS)
    known = []
    for kind, prefix in ((DayTable.SCORES, "probability"), (DayTable.VALUES, "value")):
        table = pl.concat(map(read_whole, store.layout.files(kind, day)))
        named = [risk for risk in risks if risk in table.columns]
        known.append(named)
        # Lines that came after the day was scored had no place in its ranking.
        columns = [pl.col(risk).alias(f"{prefix}_{risk}") for risk in named]
        lines = lines.join(table.select(*LINE_KEY, *columns), on=LINE_KEY, how="inner")
    both = [risk for risk in known[0] if risk in known[1]]
    has_list = pl.col("customs_office").is_in(_with_list_of_exports(store, day))
    parcels = parcel_table(lines.with_columns(is_export().alias("is_export")), both).select(
        *("declaration_id", "customs_office", "trade_mode"),
        (pl.col("is_export") & has_list).alias("exports"),
        pl.col("expected_value_cny").fill_null(0.0),
    )
    for risk in both:
        own = parcel_table(lines, [risk]).select(
            pl.col("probability").alias(f"probability_{risk}"),
            pl.col("expected_value_cny").alias(f"expected_{risk}"),
        )
        parcels = parcels.hstack(own)
    return parcels


def _with_list_of_exports(store: Store, day: date) -> list[str]:
    """The offices whose exports were chosen for a list of their own on a day."""
    file = store.layout.file(DayTable.STRATA, day)
    strata = read_whole(file) if file.exists() else pl.DataFrame()
    # Days that were listed before there were such lists have no column of them.
    if "exports" not in strata.columns:
        return []
    return strata.filter("exports")["customs_office"].unique().sort().to_list()


def flagged_of_day(score: FloatArray, declaration_id: pl.Series, capacity: float) -> BoolArray:
    """Which parcels of a day are among its `capacity` share of highest scores; equal ones by their hash."""
    flagged = np.zeros(len(score), dtype=np.bool_)
    order = ranking(score, hash_text(declaration_id).to_numpy())
    flagged[order[: capacity_lines(capacity, len(score))]] = True
    return flagged


@dataclass(frozen=True)
class _Seen:
    """The parcels of the days that count for one risk, and what was inspected of them."""

    days: Sequence[pl.DataFrame]
    stratum: IntArray
    reach: IntArray
    probability: FloatArray
    expected: FloatArray
    drawn: Inspected
    by_risk: Inspected

    def flagged(self, column: str, capacity: float) -> BoolArray:
        return np.concatenate(
            [flagged_of_day(day[column].to_numpy(), day["declaration_id"], capacity) for day in self.days]
        )


def _seen(store: Store, risk: RiskConfig, scored: Mapping[date, pl.DataFrame], as_of: date) -> _Seen | None:
    """What is known about a risk on some days; None where it was not scored or nothing was examined."""
    parcels = [
        table.select(
            pl.lit(day).alias("declared_on"), "declaration_id", "customs_office", "trade_mode", "exports",
            "expected_value_cny", pl.col(f"probability_{risk.name}").fill_null(0.0).alias("probability"),
            pl.col(f"expected_{risk.name}").fill_null(0.0).alias("expected"),
        )
        for day, table in scored.items()
        if f"probability_{risk.name}" in table.columns and table[f"probability_{risk.name}"].count()
    ]  # fmt: skip
    if not parcels:
        return None
    everything = pl.concat(parcels)
    results = _results(store, risk, everything, as_of)
    if results is None:
        return None
    office, office_day, stratum = (
        everything.select(pl.struct(names).rank("dense")).to_series().to_numpy().astype(np.int64) - 1
        for names in (_LIST, ["declared_on", *_LIST], [*_LIST, "trade_mode"])
    )
    drawn, by_risk = _inspected(results, "random"), _inspected(results, "risk")
    value = everything["expected_value_cny"].to_numpy()
    reach = reach_of(office, office_day, value, by_risk.parcel, by_risk.chance)
    probability, expected = (everything[name].to_numpy() for name in ("probability", "expected"))
    return _Seen(parcels, stratum, reach, probability, expected, _of_known_chance(drawn), by_risk)


def _results(store: Store, risk: RiskConfig, parcels: pl.DataFrame, as_of: date) -> pl.DataFrame | None:
    """Inspected parcels with `place`, `selection`, `chance`, `found` and `tax`, each in the first channel
    that chose it: the random share draws before the others. None where no line was examined for the risk.
    """
    places = parcels.select("declaration_id", pl.int_range(pl.len()).alias("place"))
    in_time = as_of - timedelta(days=risk.maturity_days)
    reports = store.read_inspections(reported_to=as_of)
    if risk.label not in reports.columns:
        return None
    reports = reports.filter(pl.col("inspected_on") <= in_time).join(places, on="declaration_id", how="semi")
    channels = []
    for selection in ("random", "risk"):
        lines = known_labels(reports.filter(selection=selection), as_of)
        if not lines[risk.label].count():
            continue
        is_finding = pl.col(risk.label).fill_null(False)
        channels.append(
            lines.group_by("declaration_id").agg(
                pl.lit(selection).alias("selection"),
                pl.col("inspection_probability").max().alias("chance"),
                is_finding.any().alias("found"),
                pl.col("recovered_tax_cny").filter(is_finding).sum().alias("tax"),
            )
        )
    if not channels:
        return None
    opened = pl.concat(channels).unique("declaration_id", keep="first", maintain_order=True)
    return opened.join(places, on="declaration_id").sort("place")


def _inspected(results: pl.DataFrame, selection: str) -> Inspected:
    chosen = results.filter(selection=selection)
    return Inspected(
        chosen["place"].cast(pl.Int64).to_numpy(),
        chosen["chance"].fill_null(math.nan).to_numpy(),
        chosen["found"].to_numpy(),
        chosen["tax"].to_numpy(),
    )


def _of_known_chance(inspected: Inspected) -> Inspected:
    known = ~np.isnan(inspected.chance)
    return Inspected(
        inspected.parcel[known], inspected.chance[known], inspected.found[known], inspected.tax_cny[known]
    )


def _rows(name: str, capacity: float, seen: _Seen, *, with_tax: bool) -> Iterator[dict[str, object]]:
    population = Population(
        seen.stratum, seen.flagged("probability", capacity), seen.flagged("expected", capacity)
    )
    outcome = ExpectedOutcome(seen.probability, seen.expected, seen.reach)
    for method, performance in estimates(population, outcome, seen.drawn, seen.by_risk).items():
        for quantity in QUANTITIES:
            if with_tax or quantity not in _TAX:
                figure = performance.figures[quantity]
                ends = {
                    end: number if math.isfinite(number) else None
                    for end, number in (("value", figure.value), ("low", figure.low), ("high", figure.high))
                }
                yield {
                    "risk": name, "capacity": capacity, "quantity": quantity, "method": method, **ends,
                    "findings": figure.findings, "sample": performance.sample[quantity],
                }  # fmt: skip


def estimates(
    population: Population, outcome: ExpectedOutcome, drawn: Inspected, by_risk: Inspected
) -> Mapping[str, Performance]:
    """The performance by each of `METHODS`; `by_risk` are all choices by risk, chance NaN where unknown."""
    # As anybody would who does not ask how they were chosen: each counts the same.
    one_stratum = replace(population, stratum=np.zeros_like(population.stratum))
    as_if_drawn = replace(by_risk, chance=np.ones(len(by_risk.parcel)))
    return {
        "random_share": survey_estimates(population, drawn),
        "doubly_robust": doubly_robust_estimates(population, outcome, drawn, _of_known_chance(by_risk)),
        "naive": survey_estimates(one_stratum, as_if_drawn),
    }
