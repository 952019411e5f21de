"""What can be worked out of cells and entries that are hidden, by linear programs over all that is shown.

What is shown leaves the hidden cells a linear system: their sum, and their sum within each entry that is
shown, are known, and none is negative. A way of changing the hidden cells that keeps all these sums, and by
which no cell loses more than it has, shows of each cell that its value may as well be so much more or less.
One program finds such a way for many cells at once; what none covers gets programs of its own, which give its
interval.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import csr_array

from features.arrays.types import BoolArray, FloatArray, IntArray
from pipelines.statistics.suppression.cell_table import CellTable

_SEED: Final = 20140210
# A cell is not asked to give or take more than so many times what is looked at: solvers are exact to 1e-7.
_REACH: Final = 1e4
_BAND: Final = 100.0
_RESIDUAL: Final = 1e-5
_MOST_ROUNDS: Final = 12


@dataclass(frozen=True)
class Exposed:
    """A hidden cell or entry, by its number, that is bounded too closely."""

    number: int
    is_entry: bool


def exposed(table: CellTable, least_interval: float) -> list[Exposed]:
    """Return what is hidden and bounded too closely, smallest value first, of the first figure that
    does.

    An interval has to be at least `least_interval` times the value wide, and that of a sensitive one has to
    reach half of it to each side.
    """
    if found := _plainly_exposed(table, least_interval / 2):
        return found
    for values, of_entries in zip(table.values, table.values_of_entries, strict=True):
        system = _System.of(table, values, of_entries)
        if system is None:
            return []
        found = _unprotected(system, least_interval)
        if found:
            return found
    return []


def _plainly_exposed(table: CellTable, share: float) -> list[Exposed]:
    """What takes no program to see: a cell that is the only hidden one of a sum, or with too little beside
    it; an entry of which no cell is hidden.
    """
    values = table.values[0]
    count = len(table.hidden_entries)
    numbers = table.entry_of[:, table.hidden]
    worth = np.tile(values[table.hidden], (len(numbers), 1))
    hidden_sums = np.bincount(numbers.ravel(), worth.ravel(), count)
    hidden_counts = np.bincount(numbers.ravel(), minlength=count)
    few = hidden_sums[numbers] - worth < share * worth
    is_exposed = (hidden_counts[numbers] == 1) | (few & table.sensitive[table.hidden])
    found = (is_exposed & ~table.hidden_entries[numbers] & (worth > 0)).any(axis=0)
    cells = np.flatnonzero(table.hidden)[found]
    is_bare = table.hidden_entries & (hidden_counts == 0) & (table.values_of_entries[0] > 0)
    return [
        *(Exposed(int(cell), is_entry=False) for cell in cells[np.argsort(values[cells], kind="stable")]),
        *(Exposed(int(entry), is_entry=True) for entry in np.flatnonzero(is_bare)),
    ]


@dataclass(frozen=True)
class _System:
    """The hidden cells of a figure: the sums of them that are known, and what is to be protected.

    Attributes:
        values: by hidden cell.
        sums: a row for each sum that is known.
        asked: a row for each hidden cell and entry, which is a sum of hidden cells.
        worth: the value of each.
        is_sensitive: of each.
        names: of each.
    """

    values: FloatArray
    sums: csr_array
    asked: csr_array
    worth: FloatArray
    is_sensitive: BoolArray
    names: list[Exposed]

    @classmethod
    def of(cls, table: CellTable, values: FloatArray, of_entries: FloatArray) -> _System | None:
        """The system of a figure, None where nothing is hidden."""
        cells = np.flatnonzero(table.hidden)
        entries = np.flatnonzero(table.hidden_entries)
        if not len(cells):
            return None
        numbers = table.entry_of[:, cells]
        places = np.broadcast_to(np.arange(len(cells)), numbers.shape)
        shape = (len(table.hidden_entries), len(cells))
        ones = np.ones(numbers.size)
        by_entry = csr_array((ones, (numbers.ravel(), places.ravel())), shape=shape)
        whole = csr_array(np.ones((1, len(cells))))
        shown = np.unique(numbers[~table.hidden_entries[numbers]])
        identity = csr_array((np.ones(len(cells)), (np.arange(len(cells)),) * 2), shape=(len(cells),) * 2)
        return cls(
            values[cells],
            _stacked([whole, by_entry[shown]]),
            _stacked([identity, by_entry[entries]]),
            np.concatenate([values[cells], of_entries[entries]]),
            np.concatenate([table.sensitive[cells], table.sensitive_entries[entries]]),
            [
                *(Exposed(int(cell), is_entry=False) for cell in cells),
                *(Exposed(int(entry), is_entry=True) for entry in entries),
            ],
        )


def _stacked(parts: Sequence[csr_array]) -> csr_array:
    data = np.concatenate([part.data for part in parts])
    indices = np.concatenate([part.indices for part in parts])
    counts = np.concatenate([np.diff(part.indptr) for part in parts])
    pointers = np.concatenate([[0], np.cumsum(counts)])
    return csr_array((data, indices, pointers), shape=(len(counts), parts[0].shape[1]))


def _unprotected(system: _System, least: float) -> list[Exposed]:
    needed = system.worth * least / 2
    is_open = needed > 0
    for low in _bands(needed[is_open]):
        band = is_open & (needed >= low) & (needed < low * _BAND)
        is_open &= ~_covered(system, needed, band, low)
    left = np.flatnonzero(is_open)
    left = left[np.argsort(system.worth[left], kind="stable")]
    return [system.names[each] for each in left if not _is_wide(system, int(each), needed[each])]


def _bands(needed: FloatArray) -> list[float]:
    """The lower ends of ranges of magnitude, in which programs can be solved exactly enough."""
    if not len(needed):
        return []
    logs = np.floor(np.log(needed) / np.log(_BAND))
    return [float(_BAND**each) for each in np.unique(logs)]


def _covered(system: _System, needed: FloatArray, band: BoolArray, unit: float) -> BoolArray:
    """Which of some cells and entries one of several changes of all cells shows to be protected."""
    draw = np.random.default_rng(_SEED)
    done = np.zeros(len(needed), dtype=bool)
    reach = np.minimum(system.values / unit, _REACH)
    for _ in range(_MOST_ROUNDS):
        wanted = np.flatnonzero(band & ~done)
        if not len(wanted):
            break
        signs = draw.choice([-1.0, 1.0], len(wanted))
        gain = system.asked[wanted].T @ (signs * unit / needed[wanted])
        change = _solved(system.sums, gain, -reach, reach)
        if change is None:
            break
        covered = np.abs(system.asked[wanted] @ change) * unit >= needed[wanted]
        if not covered.any():
            break
        done[wanted[covered]] = True
    return done


def _is_wide(system: _System, each: int, needed: float) -> bool:
    """Whether the interval of a cell or entry is wide enough, by programs for its ends."""
    row = system.asked[[each]].toarray()[0]
    low = -np.minimum(system.values / needed, _REACH)
    high = np.full(len(row), _REACH)
    ends = [_solved(system.sums, sign * row, low, high) for sign in (1.0, -1.0)]
    up, down = (0.0 if end is None else abs(float(row @ end)) for end in ends)
    slack = 1.0 - _RESIDUAL
    if system.is_sensitive[each]:
        return min(up, down) >= slack
    return up + down >= 2 * slack


def _solved(sums: csr_array, gain: FloatArray, low: FloatArray, high: FloatArray) -> FloatArray | None:
    """The change of all cells with the most gain that keeps the sums; None where the solver fails."""
    bounds = np.stack([low, high], axis=1)
    result = linprog(-gain, A_eq=sums, b_eq=np.zeros(sums.shape[0]), bounds=bounds, method="highs")
    if result.x is None or np.abs(sums @ result.x).max(initial=0.0) > _RESIDUAL:
        return None
    return np.asarray(result.x, dtype=np.float64)


def entries_by_size(table: CellTable, entries: IntArray) -> list[int]:
    """Return entries, the smallest first."""
    return [int(each) for each in entries[np.argsort(table.values_of_entries[0][entries], kind="stable")]]
