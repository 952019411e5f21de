"""What any parcel of a simulated store would show if it were opened, from the truth that lies beside it.

The world is simulated with the inspections of its own officers; a strategy that opens other parcels needs the
results of those. Detection, delays and amounts follow the same numbers as
`pipelines.simulation.inspections.inspectorate`, but each is drawn by the number of the parcel or line and a
seed: a parcel shows the same whoever opens it, and two strategies differ in what they choose, not in their
luck.
"""

from typing import Final

import numpy as np
import polars as pl
from scipy.stats import binom

from features.arrays.hashing import hash_text
from features.contract.declarations import LINE_KEY
from features.contract.inspections import CONTRACT_LABELS, FOUND_COLUMNS, INSPECTION_COLUMNS, INSPECTION_KEY
from pipelines.simulation.days.declarations import VALUATION
from pipelines.simulation.inspections.inspectorate import (
    DISPUTED,
    EASE,
    LABORATORY_DAYS,
    LABORATORY_PACE,
    MISTAKEN_PRICE,
    MISTAKEN_TAX_RATE,
    PRICE_ERROR,
    RECOVERED,
    UNDISPUTED,
    VALUATION_DAYS,
    VISUAL_DAYS,
)
from pipelines.simulation.world.parameters import WorldParameters
from pipelines.simulation.world.randomness import Flags, Floats, Ints, Keys, normal, salt, uniform

NEEDED: Final = (
    *("declaration_id", "line_no", "direction", "hs_code", "quantity", "unit_price"),
    *(*CONTRACT_LABELS, "true_unit_price", "tax_shortfall_cny", "mechanism"),
)
"""Columns of lines and their truth that results are made from, beside `cny_rate` (CNY for one unit)."""
# Chapters of food for people; the others up to 22 are live animals, plants and the like.
_FOOD_CHAPTERS: Final = [f"{chapter:02d}" for chapter in range(2, 23) if chapter not in (5, 6, 13, 14)]
_EASE: Final = {VALUATION[method]: ease for method, ease in EASE.items()}


def examined(lines: pl.DataFrame, seed: int, parameters: WorldParameters | None = None) -> pl.DataFrame:
    """What the inspection of some lines records: a row a line and report, sorted by key and day.

    `lines` are whole parcels with the columns `NEEDED`, `cny_rate` and `opened_on` (Date), the day of their
    inspection. Results come as they do in the simulated world: what is seen at once, what the valuers find
    days later, and what a laboratory says of food.

    Columns: those of an inspection, without `selection` and `inspection_probability`.
    """
    world = parameters or WorldParameters()
    parcel = hash_text(lines["declaration_id"]).to_numpy()
    draw = _Draws(seed, parcel, lines["line_no"].to_numpy().astype(np.uint64))
    undervalued = _undervalued(lines, draw, world)
    seen = _detected(
        lines, "prohibited_item", draw, world.sensitivity_prohibited, world.false_positive_prohibited
    )
    failed = _detected(lines, "food_safety", draw, world.sensitivity_food, world.false_positive_food)
    tested = _is_food(lines) & (draw.of_line("sample") < world.food_tested_share)
    assessed, recovered = _amounts(lines, draw)
    contested = np.isin(parcel, parcel[undervalued])
    first, last = VISUAL_DAYS
    visual = (first + draw.of_parcel("visual") * (last - first + 1)).astype(np.int64)
    pace = np.where(contested, DISPUTED, UNDISPUTED)
    valued = _delay(draw.of_parcel("valuation"), VALUATION_DAYS, pace)
    laboratory = _delay(draw.of_line("laboratory"), LABORATORY_DAYS, np.full(len(parcel), LABORATORY_PACE))
    results = lines.select(
        *LINE_KEY,
        pl.col("opened_on").alias("inspected_on"),
        pl.Series("_visual", visual),
        pl.Series("_valued", valued),
        pl.Series("_laboratory", laboratory),
        pl.Series("_undervaluation", undervalued),
        pl.Series("_prohibited_item", seen),
        pl.Series("_food_safety", failed),
        pl.Series("_tested", tested),
        pl.Series("_assessed", np.round(assessed, 2)),
        pl.Series("_recovered", np.round(recovered, 2)),
    )
    # One report a day and line: a laboratory that answers with the valuers stands in their row.
    together = pl.col("_tested") & (pl.col("_laboratory") == pl.col("_valued"))
    opinion = pl.col("_undervaluation")
    reports = [
        results.select(*_report("_visual"), prohibited_item="_prohibited_item"),
        results.select(
            *_report("_valued"),
            undervaluation="_undervaluation",
            food_safety=pl.when(together).then("_food_safety"),
            assessed_unit_price=pl.when(opinion).then("_assessed"),
            recovered_tax_cny=pl.when(opinion).then("_recovered"),
        ),
        results.filter(pl.col("_tested") & ~together).select(
            *_report("_laboratory"), food_safety="_food_safety"
        ),
    ]
    unknown = ("selection", "inspection_probability", *FOUND_COLUMNS)
    columns = [name for name in INSPECTION_COLUMNS if name not in unknown]
    return pl.concat(reports, how="diagonal").select(columns).sort(*INSPECTION_KEY)


class _Draws:
    """Numbers in [0, 1) that a parcel or a line has for each purpose."""

    def __init__(self, seed: int, parcel: Keys, line: Keys) -> None:
        self._seed, self._parcel, self._line = seed, parcel, line

    def of_parcel(self, purpose: str) -> Floats:
        return uniform(salt(self._seed, f"opened {purpose}"), self._parcel)

    def of_line(self, purpose: str) -> Floats:
        return uniform(salt(self._seed, f"opened {purpose}"), self._parcel, self._line)

    def error(self, purpose: str) -> Floats:
        return normal(salt(self._seed, f"opened {purpose}"), self._parcel, self._line)


def _report(delay: str) -> list[pl.Expr]:
    reported_on = (pl.col("inspected_on") + pl.duration(days=delay)).alias("reported_on")
    return [pl.col(*LINE_KEY, "inspected_on"), reported_on]


def _undervalued(lines: pl.DataFrame, draw: _Draws, world: WorldParameters) -> Flags:
    method = lines["mechanism"].str.split(" + ").list.first()
    ease = method.replace_strict(_EASE, default=1.0, return_dtype=pl.Float64).to_numpy()
    sensitivity = np.minimum(world.sensitivity_undervaluation * ease, 0.99)
    true = lines["undervaluation"].to_numpy()
    return draw.of_line("undervaluation") < np.where(true, sensitivity, world.false_positive_undervaluation)


def _detected(
    lines: pl.DataFrame, label: str, draw: _Draws, sensitivity: float, false_positive: float
) -> Flags:
    return draw.of_line(label) < np.where(lines[label].to_numpy(), sensitivity, false_positive)


def _is_food(lines: pl.DataFrame) -> Flags:
    """Imported goods of a food heading, and what is unsafe food in truth whatever heading it claims."""
    declared = (pl.col("direction") == "import") & pl.col("hs_code").str.slice(0, 2).is_in(_FOOD_CHAPTERS)
    return lines.select((declared.fill_null(False) | pl.col("food_safety")).alias("food"))["food"].to_numpy()


def _amounts(lines: pl.DataFrame, draw: _Draws) -> tuple[Floats, Floats]:
    """Unit price that the valuers establish, in the currency of the declaration, and tax recovered in CNY."""
    true = lines["undervaluation"].to_numpy()
    declared = lines["unit_price"].fill_null(lines["true_unit_price"]).to_numpy()
    low, high = MISTAKEN_PRICE
    estimate = lines["true_unit_price"].to_numpy() * np.exp(PRICE_ERROR * draw.error("price"))
    mistaken = declared * (low + (high - low) * draw.of_line("mistaken price"))
    price = np.where(true, np.maximum(estimate, declared), mistaken)
    least, most = RECOVERED
    share = least + (most - least) * draw.of_line("recovered")
    quantity = lines["quantity"].fill_null(1.0).to_numpy()
    on_top = (price - declared) * quantity * lines["cny_rate"].fill_null(0.0).to_numpy() * MISTAKEN_TAX_RATE
    tax = np.where(true, lines["tax_shortfall_cny"].to_numpy() * share, on_top)
    return np.maximum(price, 0.01), np.maximum(tax, 0.0)


def _delay(draws: Floats, span: tuple[int, int], pace: Floats) -> Ints:
    """Days within a span, binomially distributed: the quantile of each draw."""
    return span[0] + np.asarray(binom.ppf(draws, span[1] - span[0], pace)).astype(np.int64)
