"""The history as a frame of lines sees it on its day: what every feature block is given."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from configs.errors import ConfigurationError
from configs.schema.pipeline import FeaturesConfig
from features.arrays.key_index import NO_KEY, Rows, taken, wanted_keys
from features.arrays.types import BoolArray, UInt64Array
from features.history.day_tables import DayTables
from features.history.keys import KeySpec, key_column, key_specs
from features.history.needs import NOTHING, KeyKind, Needs
from features.history.peers import look_up_peers
from features.history.state import History, forward_weight

_BITS = 64.0


@dataclass(frozen=True)
class DayContext:
    """Everything a line of `day` may look up: the history of the eve and the sums of the whole day."""

    day: date
    history: History
    today: DayTables
    config: FeaturesConfig


class KeyRows:
    """The rows of one table that belong to some lines; a column is read when it is asked for.

    Numbers are zero for a key that is not in the table, everything is null where a line has no such key.
    `rows` (lines,) are those of `History.rows_of`.
    """

    def __init__(self, table: pl.DataFrame, rows: Rows) -> None:
        self.rows = rows
        self._table = table
        has_key = rows != NO_KEY
        self._has_key = None if has_key.all() else has_key
        self._read: dict[str, pl.Series] = {}

    def table_column(self, column: str) -> npt.NDArray[Any]:
        """A numeric column of the table itself (rows of the table,), zero for null."""
        values = self._table[column]
        return (values.fill_null(0) if values.null_count() else values).to_numpy()

    def __getitem__(self, column: str) -> pl.Series:
        """A column of the table, a row a line."""
        if column not in self._read:
            values = self._table[column]
            whole = values.n_chunks() == 1 and not values.null_count()
            if whole and values.dtype.is_numeric():
                self._read[column] = masked(column, taken(values.to_numpy(), self.rows), self._has_key)
            else:
                self._read[column] = self._gathered(values)
        return self._read[column]

    def _gathered(self, values: pl.Series) -> pl.Series:
        known = pl.Series(np.maximum(self.rows, 0), dtype=pl.get_index_type())
        gathered = values.gather(known.set(pl.Series(self.rows < 0), None))
        if not values.dtype.is_numeric():
            return gathered
        filled = gathered.fill_null(0)
        return filled if self._has_key is None else filled.set(pl.Series(~self._has_key), None)


@dataclass(frozen=True)
class HistoryView:
    """Look-ups of a `DayContext`, aligned with `lines`, a prepared and keyed frame of that day.

    Only what `needs` declare can be looked up, so that a block cannot depend on the label of one risk and be
    shared by all.
    """

    lines: pl.DataFrame
    _context: DayContext
    needs: Needs = NOTHING
    _label: str | None = None
    _cache: dict[tuple[str, str], KeyRows] = field(default_factory=dict, repr=False, compare=False)

    @property
    def day(self) -> date:
        """The day of the lines."""
        return self._context.day

    @property
    def config(self) -> FeaturesConfig:
        """The settings that features are made by."""
        return self._context.config

    @property
    def label(self) -> str:
        """The label of the risk.

        Raises:
            ConfigurationError: the block does not declare that it depends on one.
        """
        if self._label is None:
            raise ConfigurationError(
                f"feature block {self.needs.block}: asks for the label of the risk, which it does not "
                "declare; expected @block(label=True) above its build"
            )
        return self._label

    @cached_property
    def specs(self) -> tuple[KeySpec, ...]:
        """The keys of the configuration that the block declares."""
        return tuple(spec for spec in key_specs(self.config.history) if self.needs.include(spec))

    def for_block(self, needs: Needs, label: str) -> HistoryView:
        """The same look-ups for a block with these needs, of a risk with this label."""
        return replace(self, needs=needs, _label=label if needs.label else None)

    def of(self, rows: pl.Series) -> HistoryView:
        """The same look-ups for some of the lines, those for which `rows` (Boolean) is true."""
        return replace(self, lines=self.lines.filter(rows), _cache={})

    def has(self, key: str) -> bool:
        """Whether the configuration has a key that the block declares.

        Raises:
            ConfigurationError: the block does not declare the key.
        """
        if any(spec.name == key for spec in self.specs):
            return True
        if key in self.needs.keys or KeyKind.EVERY in self.needs.keys:
            return False
        declared = ", ".join(key if isinstance(key, str) else key.value for key in self.needs.keys)
        raise ConfigurationError(
            f"feature block {self.needs.block}: looks up the key {key!r} of the history, which it does not "
            f"declare; declared: {declared or 'none'}. Add it to the keys of @block above its build"
        )

    def before(self, key: str) -> KeyRows:
        """The history table of `key` at the close of the eve, a row a line; zero counts for a key never seen,
        null where the line has no such key.

        Raises:
            ConfigurationError: the block does not declare the key.
            KeyError: the history does not count by it.
        """
        history = self._context.history
        return self._look_up("before", key, history.tables, history.rows_of)

    def today(self, key: str) -> KeyRows:
        """The sums of `key`, a party or a pair with `same_day`, over the whole day, a row a line.

        Raises:
            ConfigurationError: the block does not declare the key.
            KeyError: the history does not count by it.
        """
        today = self._context.today
        return self._look_up("today", key, today.parties, today.rows_of)

    def strengths(self) -> dict[str, float]:
        """By key, how many inspections the hit rate of the shorter key weighs as much as for the label."""
        return self._context.history.strengths(self.label, self.config)

    def decayed(self, key: str, column: str, half_life_days: float) -> pl.Series:
        """A forward-decayed sum of `before(key)`, as it counts on the day of the lines."""
        return self.before(key)[column] / forward_weight(
            self.day, self.config.history.landmark, half_life_days
        )

    def peers(self, measure: str, *, goods: bool = False) -> pl.DataFrame:
        """`peers`, `median`, `sigma`, `level` (0 = the longest) of the most specific level with enough peers,
        a row a line; null where no level has enough. `measure` is one of `features.history.peers.MEASURES`;
        `goods` asks the levels of what the declaration calls the goods, whatever heading it claims.

        Raises:
            KeyError: there is no such measure.
        """
        config = self.config.peers
        levels = config.goods_levels if goods else config.levels
        peers = self._context.history.peers(self.day, self.config)
        return look_up_peers(self.lines, peers, measure, [level.name for level in levels])

    def _look_up(
        self,
        kind: str,
        key: str,
        tables: Mapping[str, pl.DataFrame],
        rows_of: Callable[[str, UInt64Array], Rows],
    ) -> KeyRows:
        if not self.has(key):
            raise KeyError(key)
        if (kind, key) not in self._cache:
            wanted = wanted_keys(self.lines[key_column(key)])
            self._cache[kind, key] = KeyRows(tables[key], rows_of(key, wanted))
        return self._cache[kind, key]


def masked(name: str, values: npt.NDArray[Any], known: BoolArray | None) -> pl.Series:
    """The numbers (lines,) as a column that is null where they are not known, without a copy.

    >>> masked("a", np.array([1.0, 2.0]), np.array([True, False])).to_list()
    [1.0, None]
    """
    if known is None:
        return pl.Series(name, values)
    bits = pa.py_buffer(np.packbits(known, bitorder="little"))
    kind = pa.from_numpy_dtype(values.dtype)
    return pl.Series(name, pa.Array.from_buffers(kind, len(values), [bits, pa.py_buffer(values)]))


def distinct(bitmap: pl.Series) -> pl.Series:
    """The number of distinct values behind a 64-bit bitmap, by linear counting; null where the bitmap is
    null.

    >>> distinct(pl.Series([0, 0b101, None], dtype=pl.UInt64)).round(2).to_list()
    [0.0, 2.03, None]
    """
    ones = bitmap.bitwise_count_ones().cast(pl.Float64)
    zeros = (_BITS - ones).clip(1.0)
    return (_BITS * (_BITS / zeros).log()).alias(bitmap.name)


def share_of(part: pl.Series, whole: pl.Series) -> pl.Series:
    """Part / whole a row, null where the whole is not above zero.

    >>> share_of(pl.Series([1.0, 1.0]), pl.Series([4, 0])).to_list()
    [0.25, None]
    """
    return pl.select(pl.when(whole > 0).then(part / whole)).to_series()


def days_since(day: date, dates: pl.Series) -> pl.Series:
    """Whole days from each date to `day`, as Float64."""
    return (pl.select(pl.lit(day) - dates).to_series().dt.total_days()).cast(pl.Float64).alias(dates.name)
