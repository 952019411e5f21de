"""From lines, which a model scores, to parcels, which an inspector opens."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from features.arrays.types import BoolArray, FloatArray, IntArray
from features.contract.declarations import LINE_KEY

UNASSIGNED = "unassigned"
"""The office of parcels that name none."""
UNKNOWN_MODE = "unknown"
"""The trade mode of parcels that name none: a stratum of its own."""

_PARTIES = ("seller_id", "buyer_id", "address_id", "order_id")


def parcel_table(
    lines: pl.DataFrame, risks: Iterable[str], floors_cny: Mapping[str, float] | None = None
) -> pl.DataFrame:
    """One row a parcel, sorted by `declaration_id`: its risk, the line that raised it, its expected value
    in CNY.

    `lines` has `declaration_id`, `line_no`, `customs_office`, `trade_mode`, `seller_id`, `buyer_id` and,
    per risk, `probability_<risk>` (null where the risk has no champion or the line no score) and
    `value_<risk>` (CNY that a finding on that line is worth). It may have `address_id`, `order_id` (keys of
    any type), `goods` (a key of the goods, any type), `novelty` (0 to 1, how little like the line was
    inspected), `is_export` (false where unknown) and `must_inspect` (number of a rule that wants it opened,
    null for none); what is not there is unknown. Whole parcels may be handed over in any number of parts:
    the tables of the parts, one below the other, are the table of the whole.

    - The probability of a risk is 1 − Π(1 − p) over the lines, in the order of `line_no`, so that no bit
      depends on the order in which the lines come. For a parcel of one line it is that line's probability
      to the last bit.
    - The value of a finding is the mean of the lines' values weighted by their probabilities.
    - `expected_value_cny` is the sum over risks of probability × value; `risk` is the one with the largest
      term (the first by name among equals), `probability` that risk's, `line_no` the line with the largest
      p × value for it (the lowest number among equals). A parcel without any score has nulls there and its
      lowest `line_no`.
    - Office, trade mode, parties and order are those of the first line that names one. Without an office a
      parcel belongs to `unassigned`, without a trade mode to `unknown`. `goods` is that of `line_no`,
      `must_inspect` the lowest number of its lines, `is_export` whether one of them is.
    - `expected_findings` is the probability that any risk is found, 1 − Π(1 − p) over the risks: a parcel
      is one finding, whatever is found in it. `expected_tax_cny` is what of
      `expected_value_cny` is tax: for the risks in `floors_cny`, the value above the floor named there.
    - `unsureness_cny` is the sum over risks and lines of value × √(p (1 − p)) × novelty: how far off the
      expected value may be where little is known (novelty counts as 1 where it is unknown).

    Columns: declaration_id, customs_office, trade_mode, seller_id, buyer_id (String), address_id, order_id,
    goods (as they come), must_inspect, is_export (Boolean), line_no (Int32), risk (String), probability,
    expected_value_cny, expected_findings, expected_tax_cny, unsureness_cny (Float64).

    >>> lines = pl.DataFrame({"declaration_id": ["A", "A", "B"], "line_no": [2, 1, 1],
    ...     "customs_office": ["0100", None, None], "trade_mode": "9610", "seller_id": "s", "buyer_id": "b",
    ...     "probability_food_safety": [0.5, 0.5, 0.1], "value_food_safety": 100.0})
    >>> table = parcel_table(lines, ["food_safety"])
    >>> table.select("declaration_id", "customs_office", "line_no", "expected_value_cny").rows()
    [('A', '0100', 1, 75.0), ('B', 'unassigned', 1, 10.0)]

    Raises:
        ValueError: a probability is outside [0, 1], or has no finite, non-negative value beside it.
    """
    names = sorted(risks)
    ordered = lines.sort(*LINE_KEY)
    return (
        _identities(ordered)
        .with_columns(_over_risks(ordered, names, floors_cny or {}))
        .select(
            *("declaration_id", "customs_office", "trade_mode", *_PARTIES, "goods", "must_inspect"),
            *("is_export", "line_no", "risk", "probability", "expected_value_cny"),
            *("expected_findings", "expected_tax_cny", "unsureness_cny"),
        )
    )


def _over_risks(
    ordered: pl.DataFrame, names: Sequence[str], floors_cny: Mapping[str, float]
) -> list[pl.Series]:
    """The columns of the table that rest on scores, and the line that they name with its goods."""
    grid, novelty = _Grid.of(ordered["declaration_id"]), _novelty(ordered)
    best_term, best_probability = np.full(grid.parcels, -1.0), np.full(grid.parcels, np.nan)
    best_risk, best_row = np.full(grid.parcels, -1, dtype=np.int64), grid.starts.copy()
    total, tax, unsure = np.zeros((3, grid.parcels))
    clean = np.ones(grid.parcels)
    for number, risk in enumerate(names):
        whole = _over_lines(grid, *_checked(ordered, risk), novelty)
        total += whole.term
        clean *= 1.0 - whole.probability
        unsure += whole.unsure
        if risk in floors_cny:
            tax += np.maximum(whole.term - whole.probability * floors_cny[risk], 0.0)
        better = whole.scored & (whole.term > best_term)
        best_term[better], best_risk[better] = whole.term[better], number
        best_probability[better], best_row[better] = whole.probability[better], whole.row[better]
    scored = best_risk >= 0
    sums = {"expected_value_cny": total, "expected_findings": 1.0 - clean, "expected_tax_cny": tax,
            "unsureness_cny": unsure}  # fmt: skip
    return [
        ordered["line_no"].cast(pl.Int32).gather(best_row).alias("line_no"),
        pl.Series("risk", names, dtype=pl.String).gather(pl.Series(best_risk).set(pl.Series(~scored), None)),
        pl.Series("probability", best_probability, nan_to_null=True),
        *(
            pl.Series(name, np.where(scored, values, np.nan), nan_to_null=True)
            for name, values in sums.items()
        ),
        _column(ordered, "goods").gather(best_row),
    ]


def _column(lines: pl.DataFrame, name: str) -> pl.Series:
    """The column, or one of nulls where there is none."""
    return lines[name] if name in lines.columns else pl.Series(name, [None] * lines.height, dtype=pl.UInt64)


def _novelty(lines: pl.DataFrame) -> FloatArray:
    """0 to 1 a line (lines,); 1 where unknown."""
    if "novelty" not in lines.columns:
        return np.ones(lines.height)
    return lines["novelty"].cast(pl.Float64).fill_null(1.0).to_numpy()


@dataclass(frozen=True)
class _Grid:
    """Where each parcel's lines stand in the sorted frame."""

    starts: IntArray
    lengths: IntArray

    @property
    def parcels(self) -> int:
        return len(self.starts)

    @classmethod
    def of(cls, declaration_id: pl.Series) -> _Grid:
        if not len(declaration_id):
            return cls(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64))
        changes = (declaration_id != declaration_id.shift(1)).fill_null(True).to_numpy()
        starts = np.flatnonzero(changes).astype(np.int64)
        return cls(starts, np.diff(np.append(starts, len(declaration_id))))


@dataclass(frozen=True)
class _Whole:
    """One risk over whole parcels."""

    probability: FloatArray
    term: FloatArray
    unsure: FloatArray
    row: IntArray
    scored: BoolArray


def _checked(ordered: pl.DataFrame, risk: str) -> tuple[FloatArray, FloatArray]:
    """Probabilities (NaN where there is none) and values of the lines."""
    probability = ordered[f"probability_{risk}"].cast(pl.Float64).fill_null(float("nan")).to_numpy()
    value = ordered[f"value_{risk}"].cast(pl.Float64).fill_null(float("nan")).to_numpy()
    known = ~np.isnan(probability)
    outside = known & ~((probability >= 0.0) & (probability <= 1.0))
    if outside.any():
        example = probability[outside][0]
        raise ValueError(
            f"probability_{risk} must lie in [0, 1]: {outside.sum()} lines do not, such as {example}"
        )
    worthless = known & ~(np.isfinite(value) & (value >= 0.0))
    if worthless.any():
        example = ordered["declaration_id"][int(np.flatnonzero(worthless)[0])]
        raise ValueError(
            f"value_{risk} must be a number of CNY from 0 up wherever probability_{risk} is known: "
            f"{worthless.sum()} lines have none, such as one of declaration {example}"
        )
    return probability, value


def _over_lines(grid: _Grid, probability: FloatArray, value: FloatArray, novelty: FloatArray) -> _Whole:
    """Goes over all first lines, then all second ones: a fixed order, each step vectorised over parcels."""
    whole, mass, weighted = np.zeros(grid.parcels), np.zeros(grid.parcels), np.zeros(grid.parcels)
    best, row, unsure = np.full(grid.parcels, -1.0), grid.starts.copy(), np.zeros(grid.parcels)
    scored = np.zeros(grid.parcels, dtype=np.bool_)
    parcels = np.arange(grid.parcels)
    position = 0
    while len(parcels):
        rows = grid.starts[parcels] + position
        known = ~np.isnan(probability[rows])
        here, at = parcels[known], rows[known]
        p = probability[at]
        term = p * value[at]
        # q + p(1 − q) is 1 − (1 − q)(1 − p) without the loss of digits that small probabilities suffer.
        whole[here] += p * (1.0 - whole[here])
        mass[here] += p
        weighted[here] += term
        unsure[here] += value[at] * np.sqrt(p * (1.0 - p)) * novelty[at]
        scored[here] = True
        better = term > best[here]
        best[here[better]], row[here[better]] = term[better], at[better]
        position += 1
        parcels = parcels[grid.lengths[parcels] > position]
    np.minimum(whole, 1.0, out=whole)
    share = np.divide(whole, mass, out=np.zeros(grid.parcels), where=mass > 0.0)
    return _Whole(whole, weighted * share, unsure, row, scored)


def _identities(ordered: pl.DataFrame) -> pl.DataFrame:
    named = [pl.col(name).cast(pl.String).replace("", None) for name in ("customs_office", "trade_mode")]
    parties = [pl.col(name).cast(pl.String) for name in _PARTIES[:2]]
    rule = pl.col("must_inspect").cast(pl.Int32).min()
    known = ordered.with_columns(
        _column(ordered, name)
        for name in (*_PARTIES[2:], "must_inspect", "is_export")
        if name not in ordered.columns
    )
    return (
        known.group_by("declaration_id", maintain_order=True)
        .agg(
            *(column.drop_nulls().first() for column in [*named, *parties, *map(pl.col, _PARTIES[2:])]),
            pl.col("is_export").cast(pl.Boolean).any(),
            rule,
        )
        .with_columns(
            pl.col("customs_office").fill_null(UNASSIGNED),
            pl.col("trade_mode").fill_null(UNKNOWN_MODE),
        )
    )
