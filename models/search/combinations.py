"""Which combinations of columns have a hit rate that tells more than those already counted.

Days are in three parts. On the first a combination's weight is fitted beside all that is configured, on the
second it has to show a gain, and the newest part, which chooses nothing, says what the chosen ones are worth
together. Longer combinations are only tried where the shorter one showed some gain (a beam), and one that
repeats what another says gains nothing once that one is in.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import NormalDist

import numpy as np

from features.arrays.types import BoolArray, FloatArray
from models.search.combination_rates import PRIOR, InspectedLines, KeyRates, key_rates
from models.stats.intervals import Estimate, bootstrap_interval, bootstrap_weights

_RISK_OF_ERROR = 0.05
_BEAM = 12
# A key that hardly ever meets one inspected before cannot tell anything.
_LEAST_SEEN = 0.02
_LEAST_FINDINGS = 20
# In log-likelihood a finding; less is not worth the memory of another table.
_LEAST_GAIN = 0.002
_C = 0.03
_STEPS = 25
# Digits of one code: a combination needs only one of them.
_NESTED = ({"hs2", "hs4", "hs6", "hs_code"},)


@dataclass(frozen=True)
class CombinationKey:
    """A combination: its name, its columns and the shorter key that it backs off to."""

    name: str
    columns: tuple[str, ...]
    backoff: str | None


@dataclass(frozen=True)
class Found:
    """A chosen combination, and its gain in log-likelihood for every finding: of the days that chose it, and
    what it adds to those chosen before it on the newest days, which chose nothing.
    """

    key: CombinationKey
    gain: Estimate
    later: Estimate

    @property
    def holds(self) -> bool:
        """Whether later days gain too, and may gain half of what the days that chose it did."""
        return self.later.value > 0.0 and self.later.high >= self.gain.value / 2.0


@dataclass(frozen=True)
class Search:
    """How many were tried, which were chosen, and the gain of all chosen ones together on the newest days,
    for every finding there; None where nothing was chosen. `enough` is false where one of the three parts
    has too few findings to try anything.
    """

    tried: int
    chosen: tuple[Found, ...] = ()
    judged: Estimate | None = None
    enough: bool = True

    @property
    def promised(self) -> float:
        """What the days that chose say all chosen ones gain together."""
        return sum(each.gain.value for each in self.chosen)

    @property
    def holds(self) -> bool:
        """Whether later days surely show a gain, and one that may be what was promised."""
        return self.judged is not None and self.judged.low > 0.0 and self.judged.high >= self.promised

    @property
    def kept(self) -> tuple[Found, ...]:
        """The chosen ones that later days bear out."""
        return tuple(each for each in self.chosen if each.holds)


@dataclass(frozen=True)
class SearchOptions:
    """How rates are smoothed and forgotten, the columns of the longest combination that is tried, and the
    most that are chosen. A part of the days with fewer than `least_findings` is too thin to search in.
    """

    smoothing: float
    half_life_days: float
    largest: int
    most: int
    seed: int
    least_findings: int = _LEAST_FINDINGS


def find_combinations(
    lines: InspectedLines,
    configured: Sequence[CombinationKey],
    options: SearchOptions,
    *,
    advance: Callable[[], None] | None = None,
) -> Search:
    """Try combinations of the columns of `lines`, and choose those that tell more than is already counted.

    `configured` are the keys already counted, each after the one it backs off to; one over a column that the
    lines lack counts nothing.
    """
    configured = [key for key in configured if set(key.columns) <= set(lines.columns)]
    parts = _thirds(lines)
    least = max(_LEAST_FINDINGS, options.least_findings)
    if any(lines.found[part].sum() < least for part in parts):
        return Search(0, enough=False)
    decay = {"smoothing": options.smoothing, "half_life_days": options.half_life_days}
    rates: dict[str, KeyRates] = {}
    for key in configured:
        prior = rates[key.backoff].rate if key.backoff in rates else PRIOR
        rates[key.name] = key_rates(lines, key.columns, prior, **decay)
    base = _base(lines, list(rates.values()), parts[0])
    shifts: dict[CombinationKey, FloatArray] = {}

    def shift(key: CombinationKey) -> FloatArray:
        """How far a key's rate is from that of its shorter key, in log-odds (lines,)."""
        prior = rates[key.backoff] if key.backoff in rates else KeyRates(np.full_like(base, PRIOR), base)
        own = key_rates(lines, key.columns, prior.rate, **decay)
        seen = (own.inspected > 0.0)[lines.chosen].mean()
        return own.log_odds - prior.log_odds if seen >= _LEAST_SEEN else np.zeros_like(base)

    known = {frozenset(key.columns) for key in configured}
    taken = {key.name for key in configured}
    level: list[tuple[str, ...]] = [()]
    for _ in range(2, options.largest + 1):
        fresh = _longer(level, lines, known | {frozenset(key.columns) for key in shifts})
        for columns in fresh:
            key = CombinationKey(
                _name(columns, taken), columns, _backoff(columns, configured, lines, rates, parts[0])
            )
            shifts[key] = shift(key)
            if advance:
                advance()
        ranked = sorted(
            (key for key in shifts if key.columns in set(fresh)),
            key=lambda key: -_surely(lines, base, shifts[key], parts)[0],
        )
        level = [key.columns for key in ranked[:_BEAM]]
    chosen, score = _choose(lines, base, shifts, parts, options)
    judged = _gain(lines, base, score, parts[2], options.seed) if chosen else None
    return Search(len(shifts), tuple(chosen), judged)


def _thirds(lines: InspectedLines) -> tuple[BoolArray, BoolArray, BoolArray]:
    """Lines of the oldest, the middle and the newest days, with about as many findings each; only lines that
    chance or a score chose.
    """
    days = np.sort(lines.declared[lines.chosen & lines.found])
    if not len(days):
        nothing = np.zeros(len(lines.found), dtype=bool)
        return nothing, nothing, nothing
    first, second = days[len(days) // 3], days[2 * len(days) // 3]
    day = lines.declared
    return (
        lines.chosen & (day < first),
        lines.chosen & (day >= first) & (day < second),
        lines.chosen & (day >= second),
    )


def _longer(
    level: Sequence[tuple[str, ...]], lines: InspectedLines, known: set[frozenset[str]]
) -> list[tuple[str, ...]]:
    """Every combination one column longer than those of the level (all pairs to begin with), once."""
    names = list(lines.columns)
    if list(level) == [()]:
        grown = [tuple(pair) for pair in combinations(names, 2)]
    else:
        grown = [(*columns, name) for columns in level for name in names if name not in columns]
    unique = {frozenset(columns): columns for columns in grown}
    return [
        columns
        for members, columns in unique.items()
        if members not in known and all(len(members & nested) <= 1 for nested in _NESTED)
    ]


def _name(columns: tuple[str, ...], taken: set[str]) -> str:
    """The columns without their endings, or with them where that name is taken."""
    short = "_".join(name.removesuffix("_id").removesuffix("_country") for name in columns)
    return short if short not in taken else "_".join(columns)


def _backoff(
    columns: tuple[str, ...],
    configured: Sequence[CombinationKey],
    lines: InspectedLines,
    rates: Mapping[str, KeyRates],
    part: BoolArray,
) -> str | None:
    """The longest counted key within the columns; of several, the one that foretells findings best."""
    inside = [key for key in configured if set(key.columns) < set(columns)]
    longest = max((len(key.columns) for key in inside), default=0)
    found = lines.found[part]

    def likelihood(key: CombinationKey) -> float:
        rate = np.clip(rates[key.name].rate[part], 1e-4, 0.999)
        return float(np.where(found, np.log(rate), np.log1p(-rate)).sum())

    rivals = [key for key in inside if len(key.columns) == longest]
    return max(rivals, key=likelihood).name if rivals else None


def _base(lines: InspectedLines, rates: Sequence[KeyRates], part: BoolArray) -> FloatArray:
    """Log-odds of every line (lines,) from all configured rates, weighed on the first days."""
    from sklearn.linear_model import LogisticRegression
    from threadpoolctl import threadpool_limits

    values = np.column_stack([each.log_odds for each in rates])
    mean, scale = values[part].mean(axis=0), values[part].std(axis=0)
    scaled = (values - mean) / np.where(scale > 1e-9, scale, 1.0)
    with threadpool_limits(limits=1):
        model = LogisticRegression(C=_C, max_iter=2000).fit(scaled[part], lines.found[part])
    return np.asarray(model.decision_function(scaled), dtype=np.float64)


def _weighed(lines: InspectedLines, base: FloatArray, shift: FloatArray, part: BoolArray) -> FloatArray:
    """The base moved by a level and by the shift, times a weight of at least zero; both fitted on `part`."""
    level, weight = 0.0, 0.0
    x, found, offset = shift[part], lines.found[part].astype(np.float64), base[part]
    for _ in range(_STEPS):
        p = 1.0 / (1.0 + np.exp(-(offset + level + weight * x)))
        rest, spread = found - p, p * (1.0 - p)
        slope = np.array([rest.sum(), rest @ x - weight])
        curve = np.array([[spread.sum(), spread @ x], [spread @ x, spread @ x**2 + 1.0]])
        step = np.linalg.solve(curve + 1e-9 * np.eye(2), slope)
        level, weight = level + step[0], weight + step[1]
        if np.abs(step).max() < 1e-8:
            break
    return base + level + weight * shift if weight > 0.0 else base


def _gains(lines: InspectedLines, base: FloatArray, score: FloatArray, part: BoolArray) -> FloatArray:
    """What each line of `part` gains in log-likelihood."""
    sign = np.where(lines.found[part], 1.0, -1.0)
    return np.logaddexp(0.0, -sign * base[part]) - np.logaddexp(0.0, -sign * score[part])


def _surely(
    lines: InspectedLines, base: FloatArray, shift: FloatArray, parts: Sequence[BoolArray]
) -> tuple[float, FloatArray]:
    """Gain over its standard error on the middle days, days being the unit; and the score."""
    if not shift.any():
        return 0.0, base
    score = _weighed(lines, base, shift, parts[0])
    days = np.unique(lines.declared[parts[1]], return_inverse=True)[1]
    by_day = np.bincount(days, weights=_gains(lines, base, score, parts[1]))
    error = math.sqrt(len(by_day)) * float(by_day.std())
    return (float(by_day.sum()) / error if error > 0.0 else 0.0), score


def _choose(
    lines: InspectedLines,
    base: FloatArray,
    shifts: Mapping[CombinationKey, FloatArray],
    parts: Sequence[BoolArray],
    options: SearchOptions,
) -> tuple[list[Found], FloatArray]:
    """One after the other the surest gain, while it is sure for the number of those tried; too small ones are
    passed over.
    """
    needed = NormalDist().inv_cdf(1.0 - _RISK_OF_ERROR / max(len(shifts), 1))
    chosen: list[Found] = []
    score, left = base, dict(shifts)
    while left and len(chosen) < options.most:
        best = max(left, key=lambda key: _surely(lines, score, left[key], parts)[0])
        surely, better = _surely(lines, score, left.pop(best), parts)
        if surely < needed:
            break
        gain = _gain(lines, score, better, parts[1], seed=0)
        if gain.value >= _LEAST_GAIN:
            chosen.append(Found(best, gain, _gain(lines, score, better, parts[2], options.seed)))
            score = better
    return chosen, score


def _gain(lines: InspectedLines, base: FloatArray, score: FloatArray, part: BoolArray, seed: int) -> Estimate:
    """Gain for every finding of `part`, with an interval over redrawn days."""
    gains, found = _gains(lines, base, score, part), lines.found[part]
    weights = bootstrap_weights(lines.declared[part], draws=300, seed=seed)
    drawn = (weights @ gains) / np.maximum(weights @ found, 1.0)
    low, high = bootstrap_interval(drawn)
    return Estimate(float(gains.sum() / max(found.sum(), 1)), low, high, int(found.sum()))
