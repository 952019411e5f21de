"""What else is hidden where a hidden cell or entry is bounded too closely."""

from __future__ import annotations

import numpy as np

from pipelines.statistics.suppression.cell_table import TABLES, CellTable
from pipelines.statistics.suppression.disclosure import Exposed, entries_by_size

_DIRECTION = len(TABLES) - 1


def widen(table: CellTable, each: Exposed, least_interval: float) -> bool:
    """Hide what takes a step towards protecting a cell or entry; the smallest that helps.

    Returns:
        Whether there was anything left to hide.
    """
    return (_widen_entry if each.is_entry else _widen_cell)(table, each.number, least_interval)


def _widen_cell(table: CellTable, cell: int, least: float) -> bool:
    """Others of its entries hide with it; where an entry has no others, it is hidden itself."""
    needed = float(table.values[0][cell]) * least
    shown = table.shown_entries(cell)
    done = False
    for entry in shown:
        others = table.members(entry)
        others = others[table.hidden[others] & (others != cell)]
        if len(others) and table.values[0][others].sum() >= needed:
            continue
        if len(table.shown(entry)):
            _hide_cells(table, entry, needed)
            done = True
        elif not len(others) and table.table_of[entry] != _DIRECTION:
            table.hidden_entries[entry] = True
            done = True
    if done:
        return True
    with_cells = [entry for entry in shown if len(table.shown(entry))]
    if with_cells:
        _hide_cells(table, min(with_cells, key=lambda entry: len(table.members(entry))), 0.0)
        return True
    return _hide_smallest(table, shown) or _hide_anything(table)


def _widen_entry(table: CellTable, entry: int, least: float) -> bool:
    """Its own cells hide, then an entry within it, then one beside it with some of its cells, then the one
    above it.
    """
    needed = float(table.values_of_entries[0][entry]) * least
    if table.hidden_sum(entry) < needed and len(table.shown(entry)):
        _hide_cells(table, entry, needed)
        return True
    if _hide_within(table, entry):
        return True
    for beside in _beside(table, entry)[:1]:
        table.hidden_entries[beside] = True
        if table.hidden_sum(beside) < needed and len(table.shown(beside)):
            _hide_cells(table, beside, needed)
        return True
    if len(table.shown(entry)):
        _hide_cells(table, entry, needed)
        return True
    cells = table.members(entry)
    above = [
        each
        for each in table.shown_entries(int(cells[0]))
        if len(np.unique(table.entry_of[table.table_of[each], cells])) == 1
    ]
    return _hide_smallest(table, above) or _hide_anything(table)


def _hide_within(table: CellTable, entry: int) -> bool:
    """Hide the smallest entry of each table whose entries add up to an entry, where none of them is hidden.

    Those of a chapter are its headings; those of a direction are all its tables.
    """
    name = TABLES[table.table_of[entry]]
    parts = {"hs2": ("hs4",), TABLES[_DIRECTION]: TABLES[:_DIRECTION]}.get(name, ())
    done = False
    for part in parts:
        inner = np.unique(table.entry_of[TABLES.index(part), table.members(entry)])
        if not table.hidden_entries[inner].any():
            done |= _hide_smallest(table, [int(each) for each in inner])
    return done


def _hide_cells(table: CellTable, entry: int, needed: float) -> None:
    """Hide the smallest cells of an entry, at least one, until they are worth so much."""
    cells = table.shown(entry)
    worth = np.cumsum(table.values[0][cells])
    table.hidden[cells[: int(np.searchsorted(worth, needed)) + 1]] = True


def _hide_smallest(table: CellTable, entries: list[int]) -> bool:
    """Hide the smallest of some entries, a direction only where there is no other."""
    others = [each for each in entries if table.table_of[each] != _DIRECTION]
    for each in entries_by_size(table, np.asarray(others or entries, dtype=np.int64)):
        table.hidden_entries[each] = True
        return True
    return False


def _hide_anything(table: CellTable) -> bool:
    """Hide the smallest cell that is shown, else the smallest entry."""
    shown = np.flatnonzero(~table.hidden)
    if len(shown):
        table.hidden[shown[np.argmin(table.values[0][shown])]] = True
        return True
    return _hide_smallest(table, [int(each) for each in np.flatnonzero(~table.hidden_entries)])


def _beside(table: CellTable, entry: int) -> list[int]:
    """Entries of the same table and direction that are shown, the smallest first; of a heading, those of its
    chapter first. Of directions, the others.
    """
    row = table.entries.row(entry, named=True)
    same = table.table_of == table.table_of[entry]
    if row["dimension"] != TABLES[_DIRECTION]:
        same &= table.entries["direction"].eq_missing(row["direction"]).to_numpy()
    same &= ~table.hidden_entries
    found = entries_by_size(table, np.flatnonzero(same))
    if row["dimension"] == "hs4":
        chapter = (row["entry"] or "")[:2]
        found.sort(key=lambda each: (table.entries["entry"][each] or "")[:2] != chapter)
    return found
