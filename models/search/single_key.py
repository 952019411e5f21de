"""The best single key: the smoothed rate of one column, or of a pair of them, that ranks findings best.

Whoever knows the table would write such a look-up by hand, so a model has to be worth more. Which columns and
how much smoothing is chosen on the past alone: the middle and the newest third of it, each ranked by what was
known before, decide by average precision.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from math import inf

import numpy as np

from features.arrays.types import BoolArray, FloatArray, IntArray
from models.search.combination_rates import InspectedLines, key_rates
from models.stats.rankings import Areas

_SMOOTHINGS = (1.0, 5.0, 20.0, 100.0)
_LEAST_FINDINGS = 5


@dataclass(frozen=True)
class SingleKey:
    """One column or two, and how many lines of the overall rate are added to those of a value."""

    columns: tuple[str, ...]
    smoothing: float

    @property
    def words(self) -> str:
        """Its columns in words."""
        return " x ".join(self.columns)


def best_single_key(past: InspectedLines, *, moving: bool, pairs_of: int | None = None) -> SingleKey | None:
    """The key whose rate ranked later lines of the past best; None where the past is too thin to choose.

    With `moving`, a line is ranked by all results that were known before its day; without, by those known
    before the first day of its third, as later lines will be. With `pairs_of`, pairs are tried of the so many
    columns that are best alone, without of all.
    """
    blocks = [block for start, end in _thirds(past) if (block := _Block.of(past, start, end, moving=moving))]
    if not blocks:
        return None
    alone = _scores(((name,) for name in past.columns), blocks)
    ranked = sorted(alone, key=lambda key: -alone[key])
    best = list(dict.fromkeys(key.columns[0] for key in ranked))[:pairs_of]
    # In the order of the columns: it decides between equal scores.
    scores = alone | _scores(combinations([name for name in past.columns if name in best], 2), blocks)
    return max(scores, key=lambda key: scores[key], default=None)


def single_key_rates(known: InspectedLines, later: InspectedLines, key: SingleKey) -> FloatArray:
    """The smoothed rate of each of the `later` lines (lines,): findings among the `known` lines of its value
    whose result was known before its day. A value that was never seen has the overall rate.
    """
    block = _Block(_joined(known, later), np.arange(len(known.found), len(known.found) + len(later.found)))
    return block.rates(key.columns, (key.smoothing,))[key.smoothing]


@dataclass(frozen=True)
class _Block:
    """Lines at the places `judged`, among all that may be known of them."""

    lines: InspectedLines
    judged: IntArray

    @classmethod
    def of(cls, past: InspectedLines, start: int, end: int, *, moving: bool) -> _Block | None:
        """The lines declared from day `start` on and before day `end`; None where they hold too little."""
        inside = (past.declared >= start) & (past.declared < end)
        findings = past.found[inside].sum()
        earlier = past.known < start
        if findings < _LEAST_FINDINGS or not past.found[earlier].any() or findings == inside.sum():
            return None
        known = _only(past, np.ones_like(inside) if moving else earlier)
        later = _only(past, inside)
        places = np.arange(len(known.found), len(known.found) + len(later.found))
        return cls(_joined(known, later), places)

    def rates(
        self, columns: tuple[str, ...], smoothings: tuple[float, ...] = _SMOOTHINGS
    ) -> Mapping[float, FloatArray]:
        """The rate of each judged line by smoothing."""
        inspected, findings = self._counts(columns)
        return {add: (findings + add * self._overall) / (inspected + add) for add in smoothings}

    def average_precision(self, rate: FloatArray) -> float:
        """How well a rate ranks the judged lines."""
        found = self.lines.found[self.judged]
        return float(Areas.of(rate, found).average_precision(np.ones(len(found))))

    @cached_property
    def _overall(self) -> FloatArray:
        """The rate of all lines that were inspected before, whatever their key."""
        inspected, findings = self._counts(())
        return np.divide(findings, inspected, out=np.zeros_like(inspected), where=inspected > 0)

    def _counts(self, columns: tuple[str, ...]) -> tuple[FloatArray, FloatArray]:
        """Lines of the key that were inspected before, and findings among them."""
        counted = key_rates(self.lines, columns, 0.0, smoothing=1.0, half_life_days=inf)
        inspected = counted.inspected[self.judged]
        return inspected, counted.rate[self.judged] * (inspected + 1.0)


def _scores(candidates: Iterable[tuple[str, ...]], blocks: Sequence[_Block]) -> dict[SingleKey, float]:
    """Average precision of keys with each smoothing, all blocks together."""
    scores: dict[SingleKey, float] = {}
    for columns in candidates:
        for block in blocks:
            for smoothing, rate in block.rates(columns).items():
                key = SingleKey(columns, smoothing)
                scores[key] = scores.get(key, 0.0) + block.average_precision(rate)
    return scores


def _thirds(past: InspectedLines) -> list[tuple[int, int]]:
    """First day, and the day after the last one, of the middle and of the newest third of the findings."""
    days = np.sort(past.declared[past.found])
    if not len(days):
        return []
    first, second = int(days[len(days) // 3]), int(days[2 * len(days) // 3])
    return [(first, second), (second, int(past.declared.max()) + 1)]


def _only(lines: InspectedLines, mask: BoolArray) -> InspectedLines:
    return InspectedLines(
        {name: values[mask] for name, values in lines.columns.items()},
        lines.declared[mask],
        lines.known[mask],
        lines.found[mask],
        lines.chosen[mask],
    )


def _joined(known: InspectedLines, later: InspectedLines) -> InspectedLines:
    """The known lines, and below them the later ones, whose own results nobody ever learns."""
    never = max(int(part.max()) for part in (known.known, known.declared, later.declared) if len(part)) + 1
    return InspectedLines(
        {name: np.concatenate([values, later.columns[name]]) for name, values in known.columns.items()},
        np.concatenate([known.declared, later.declared]),
        np.concatenate([known.known, np.full(len(later.found), never)]),
        np.concatenate([known.found, later.found]),
        np.concatenate([known.chosen, later.chosen]),
    )
