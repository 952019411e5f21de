"""How little like a line was ever inspected: what exploration looks for."""

from __future__ import annotations

from collections.abc import Iterable

import numba
import numpy as np
import polars as pl

from features.arrays.types import FloatArray

_BEGINS, _ENDS = "hit_rate__", "_inspected"


def novelty(frames: Iterable[pl.DataFrame], lines: int) -> pl.Series:
    """Novelty of each line (lines,), from 0 to 1: the mean over the keys of the history (its seller, its
    address, its goods on its route …) of 1 / (1 + lines inspected with that key).

    `frames` are the assembled features of the risks, a row a line each; what one risk did not examine
    another may have, so the mean is over all of them. Keys that a line does not have are left out; a line
    without any, or features without hit rates, count as entirely new.

    >>> seen = pl.DataFrame({"hit_rate__seller_inspected": [0, 3], "hit_rate__hs4_inspected": [1, None]})
    >>> novelty([seen], 2).to_list()
    [0.75, 0.25]
    """
    total, known = np.zeros(lines), np.zeros(lines)
    for frame in frames:
        for column in frame.columns:
            if column.startswith(_BEGINS) and column.endswith(_ENDS):
                _add(frame[column].cast(pl.Float64).fill_null(np.nan).to_numpy(), total, known)
    return pl.Series("novelty", np.divide(total, known, out=np.ones(lines), where=known > 0.0))


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _add(inspected: FloatArray, total: FloatArray, known: FloatArray) -> None:
    for line in range(inspected.shape[0]):
        if not np.isnan(inspected[line]):
            total[line] += 1.0 / (1.0 + inspected[line])
            known[line] += 1.0
