"""Hit rates of keys, each smoothed towards that of the shorter key."""

from __future__ import annotations

import numba
import numpy as np
import polars as pl

from features.arrays.key_index import NO_KEY, Rows
from features.arrays.types import BoolArray, FloatArray, IntArray
from features.history.state import forward_weight
from features.history.view import HistoryView, masked

PRIOR_RATE = 0.01
_KINDS = ("inspected", "findings")


def key_hit_rates(view: HistoryView) -> pl.DataFrame:
    """Return `<key>_rate`, `<key>_inspected` and `<key>_findings` of each key of the history, a row a line:
    hit rate, lines inspected and findings for the label of the risk.

    The rate is decayed, and smoothed towards that of the shorter key: (findings + a x rate of the back-off) /
    (inspected + a), with a learned by key (`features.history.prior_strength`; Micci-Barreca, SIGKDD
    Explorations 3(1), 2001). It is null where nothing with the key was inspected, and the rate of all lines
    is no column: what is the same for every line of a day tells a model the date and nothing else.
    """
    config = view.config
    weight_now = forward_weight(view.day, config.history.landmark, config.history.result_half_life_days)
    label, strength = view.label, view.strengths()
    rates: dict[str | None, FloatArray] = {None: np.full(view.lines.height, PRIOR_RATE)}
    columns: dict[str, list[pl.Series]] = {}
    waiting = list(view.specs)
    while waiting:
        ready = [spec for spec in waiting if spec.backoff in rates]
        for spec in ready:
            known = view.before(spec.name)
            decayed = [known.table_column(f"{kind}_decayed__{label}") for kind in _KINDS]
            ever = [known.table_column(f"{kind}__{label}") for kind in _KINDS]
            rates[spec.name], counts, shown = _smoothed(
                known.rows, decayed[0], decayed[1], ever[0], ever[1],
                rates[spec.backoff], 1.0 / weight_now, strength[spec.name],
            )  # fmt: skip
            has_key = known.rows != NO_KEY
            columns[spec.name] = [
                masked(f"{spec.name}_rate", rates[spec.name], shown),
                *(masked(f"{spec.name}_{kind}", counts[place], has_key) for place, kind in enumerate(_KINDS)),
            ]
        waiting = [spec for spec in waiting if spec not in ready]
    return pl.DataFrame([column for spec in view.specs if spec.columns for column in columns[spec.name]])


@numba.njit(cache=True, nogil=True)
def _smoothed(
    rows: Rows,
    inspected_decayed: FloatArray,
    findings_decayed: FloatArray,
    inspected: IntArray,
    findings: IntArray,
    prior: FloatArray,
    now: float,
    smoothing: float,
) -> tuple[FloatArray, FloatArray, BoolArray]:
    """Rates (lines,), counts (2, lines) of lines inspected and findings, and where a rate rests on any."""
    lines = rows.shape[0]
    rates, counts = np.empty(lines), np.empty((2, lines))
    shown = np.empty(lines, dtype=np.bool_)
    for line in range(lines):
        row = rows[line]
        if row >= 0:
            above = findings_decayed[row] * now + prior[line] * smoothing
            rates[line] = above / (inspected_decayed[row] * now + smoothing)
            counts[0, line], counts[1, line] = inspected[row], findings[row]
            shown[line] = inspected[row] > 0
            continue
        # As for a key that was seen and never inspected, to the last bit.
        rates[line] = prior[line] if row == NO_KEY else prior[line] * smoothing / smoothing
        counts[0, line] = counts[1, line] = 0.0
        shown[line] = False
    return rates, counts, shown
