"""What a ranking finds among all parcels, estimated from the parcels drawn at random alone.

Parcels are drawn from each stratum (office, trade mode and day) with the known chance n/N before anything
else chooses, so they stand for all parcels whatever the model says of them. A parcel counts with the inverse
of its chance; parcels that were drawn but not opened are made up for within office and trade mode. Shares
get exact binomial intervals at their effective sample size, which hold with few flagged parcels and without
any finding.

Sources: Särndal, Swensson, Wretman 1992, "Model Assisted Survey Sampling", chapters 5 and 10 (Hajek's ratio
of weighted sums, variance by linearisation, domains); Korn and Graubard 1998, "Confidence Intervals for
Proportions with Small Expected Number of Positive Counts Estimated from Survey Data"; Franco, Little, Louis,
Slud 2019, "Comparative Study of Confidence Intervals for Proportions in Complex Sample Surveys"; Donner and
Zou 2012, "Closed-form Confidence Intervals for Functions of the Normal Mean and Standard Deviation" (ratios).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import betaincinv, stdtrit

from features.arrays.types import BoolArray, FloatArray, IntArray
from models.stats.intervals import Estimate

# Fewer drawn parcels than this do not make a group of their own: groups are pooled until they have as many.
_LEAST_OF_A_GROUP = 20
_TAIL = 0.025


@dataclass(frozen=True)
class Population:
    """All parcels of a period, one entry a parcel.

    `stratum` numbers the office and trade mode (any whole numbers from 0); `flagged` are the parcels that the
    ranking by probability would list, `flagged_for_tax` those that the ranking by probability x value would.
    """

    stratum: IntArray
    flagged: BoolArray
    flagged_for_tax: BoolArray


@dataclass(frozen=True)
class Inspected:
    """Parcels that one channel chose and whose results are in.

    `parcel` is the place in the population, `chance` the probability with which the channel picked it,
    `found` whether the finding was recorded, `tax_cny` what was recovered by it (0 where nothing was).
    """

    parcel: IntArray
    chance: FloatArray
    found: BoolArray
    tax_cny: FloatArray


@dataclass(frozen=True)
class Performance:
    """The quantities by name, and how many inspected parcels each rests on."""

    figures: dict[str, Estimate]
    sample: dict[str, int]


def survey_estimates(population: Population, drawn: Inspected) -> Performance:
    """Estimates with 95% intervals from the parcels `drawn` at random; all others have no say.

    `precision` and `recall` of the flagged parcels, `prevalence`, `tax_per_flagged_cny` and `tax_share`. A
    value is NaN where it cannot be estimated (no flagged parcel drawn; no finding at all), its interval then
    is as wide as is possible; a high end is infinite where nothing bounds it.

    >>> stratum, flagged = np.zeros(1000, dtype=np.int64), np.arange(1000) < 100
    >>> drawn = Inspected(np.arange(0, 1000, 5), np.full(200, 0.2), np.arange(200) < 10, np.zeros(200))
    >>> estimates = survey_estimates(Population(stratum, flagged, flagged), drawn).figures
    >>> [round(estimates[name].value, 3) for name in ("precision", "recall", "prevalence")]
    [0.5, 1.0, 0.05]
    """
    if not len(drawn.parcel):
        figures = share_figures(_NO_SHARE, _NO_SHARE, _NO_SHARE, 0.0, (0, 0))
        figures |= tax_figures(_NO_MEAN, _NO_MEAN, 0.0, (0, 0))
        return Performance(figures, dict.fromkeys(figures, 0))
    group = pooled_groups(population.stratum, drawn.parcel)
    weight = calibrated_weights(group, drawn)
    cells = group[drawn.parcel]
    fraction = np.bincount(cells, minlength=group.max() + 1) / np.bincount(group)
    everything = np.ones(len(drawn.parcel), dtype=np.bool_)
    inside, taxed = population.flagged[drawn.parcel], population.flagged_for_tax[drawn.parcel]
    found = drawn.found.astype(np.float64)

    def share(domain: BoolArray) -> MeanInterval:
        mean, variance = _mean(weight, cells, fraction, domain, found)
        return MeanInterval(mean, *share_interval(mean, effective_size(mean, variance, weight[domain])))

    def tax(domain: BoolArray) -> MeanInterval:
        mean, variance = _mean(weight, cells, fraction, domain, drawn.tax_cny)
        return positive_interval(mean, variance, int((domain & (drawn.tax_cny > 0)).sum()))

    odds, tax_odds = odds_of(population.flagged), odds_of(population.flagged_for_tax)
    hits = (int((drawn.found & inside).sum()), int(drawn.found.sum()))
    paid = drawn.tax_cny > 0
    figures = share_figures(share(inside), share(~inside), share(everything), odds, hits)
    figures |= tax_figures(tax(taxed), tax(~taxed), tax_odds, (int((paid & taxed).sum()), int(paid.sum())))
    sizes = dict.fromkeys(figures, len(drawn.parcel))
    return Performance(
        figures, sizes | {"precision": int(inside.sum()), "tax_per_flagged_cny": int(taxed.sum())}
    )


@dataclass(frozen=True)
class MeanInterval:
    """A mean with its interval."""

    value: float
    low: float
    high: float

    def resting_on(self, findings: int) -> Estimate:
        """The mean as an estimate that rests on so many findings."""
        return Estimate(self.value, self.low, self.high, findings)


_NO_SHARE = MeanInterval(math.nan, 0.0, 1.0)
_NO_MEAN = MeanInterval(math.nan, 0.0, math.inf)


def share_figures(
    flagged: MeanInterval, other: MeanInterval, everything: MeanInterval, odds: float, hits: tuple[int, int]
) -> dict[str, Estimate]:
    """Precision, recall and prevalence; `hits` are the findings among flagged parcels, and in all."""
    return {
        "precision": flagged.resting_on(hits[0]),
        "recall": part_of_total(flagged, other, odds, hits[1]),
        "prevalence": everything.resting_on(hits[1]),
    }


def tax_figures(
    flagged: MeanInterval, other: MeanInterval, odds: float, paid: tuple[int, int]
) -> dict[str, Estimate]:
    """Mean tax and share of tax of the flagged parcels; `paid` are the parcels with a tax, as `hits`."""
    return {
        "tax_per_flagged_cny": flagged.resting_on(paid[0]),
        "tax_share": part_of_total(flagged, other, odds, paid[1]),
    }


def pooled_groups(stratum: IntArray, parcel: IntArray) -> IntArray:
    """The group of each parcel: its stratum where enough parcels of it were drawn, else one of pooled strata.

    The days of a stratum are one group: a day alone often has a single drawn parcel, and no variance.
    """
    counts = np.bincount(stratum[parcel], minlength=int(stratum.max()) + 1)
    ascending = np.argsort(counts, kind="stable")
    before = np.cumsum(counts[ascending]) - counts[ascending]
    small = np.zeros(len(counts), dtype=np.bool_)
    if counts.min() < _LEAST_OF_A_GROUP:
        small[ascending] = (counts[ascending] < _LEAST_OF_A_GROUP) | (before < _LEAST_OF_A_GROUP)
    # Numbered without gaps over the strata that have parcels; sorting the parcels themselves takes long.
    present = np.bincount(stratum) > 0
    numbers = np.zeros(len(counts), dtype=np.int64)
    numbers[present] = np.unique(np.where(small, 0, np.cumsum(~small))[present], return_inverse=True)[1]
    return numbers[stratum]


def calibrated_weights(group: IntArray, drawn: Inspected) -> FloatArray:
    """1/chance of the drawn parcels, brought to the number of parcels of each group."""
    base, cells = 1.0 / drawn.chance, group[drawn.parcel]
    sums = np.bincount(cells, base, minlength=int(group.max()) + 1)
    return np.asarray(base * (np.bincount(group) / np.maximum(sums, 1e-300))[cells])


def _mean(
    weight: FloatArray, cells: IntArray, fraction: FloatArray, domain: BoolArray, value: FloatArray
) -> tuple[float, float]:
    """Weighted mean of a domain and its variance by linearisation within groups; NaN where it is empty."""
    total = float((weight * domain).sum())
    if total == 0.0:
        return math.nan, math.nan
    mean = float((weight * domain * value).sum() / total)
    part = weight * domain * (value - mean) / total
    count = np.bincount(cells, minlength=len(fraction))
    sums, squares = (np.bincount(cells, part**power, minlength=len(fraction)) for power in (1, 2))
    spread = squares - sums**2 / np.maximum(count, 1)
    scale = (1.0 - fraction) * count / np.maximum(count - 1, 1)
    return mean, float((spread * scale).sum())


def effective_size(share: float, variance: float, weight: FloatArray) -> float:
    """How many parcels of a simple random sample would say as much; never more than there are."""
    if not len(weight):
        return 0.0
    kish = float(weight.sum() ** 2 / (weight**2).sum())
    if variance > 0.0 and 0.0 < share < 1.0:
        return min(share * (1.0 - share) / variance, kish)
    return kish


def share_interval(share: float, size: float) -> tuple[float, float]:
    """95% interval of a share seen in `size` parcels (need not be whole): Clopper and Pearson's, exact.

    >>> [round(end, 3) for end in share_interval(0.0, 20)]
    [0.0, 0.168]
    """
    if size <= 0.0 or math.isnan(share):
        return 0.0, 1.0
    found = share * size
    low = 0.0 if found <= 0.0 else float(betaincinv(found, size - found + 1.0, _TAIL))
    high = 1.0 if found >= size else float(betaincinv(found + 1.0, size - found, 1.0 - _TAIL))
    return low, high


def positive_interval(mean: float, variance: float, positive: int) -> MeanInterval:
    """A mean of amounts from 0 up, with Student's interval of its logarithm: amounts are skewed.

    `positive` is the number of amounts above 0; with fewer than two nothing bounds the mean from above.
    """
    if math.isnan(mean):
        return _NO_MEAN
    if positive < 2 or mean <= 0.0:
        return MeanInterval(max(mean, 0.0), 0.0, math.inf)
    spread = math.sqrt(variance * positive / (positive - 1.0)) / mean
    factor = math.exp(min(float(stdtrit(positive - 1.0, 1.0 - _TAIL)) * spread, 700.0))
    return MeanInterval(mean, mean / factor, mean * factor)


def odds_of(flagged: BoolArray) -> float:
    """Flagged parcels for each other one; infinite where all are flagged."""
    inside = int(flagged.sum())
    return inside / (len(flagged) - inside) if inside < len(flagged) else math.inf


def part_of_total(inside: MeanInterval, outside: MeanInterval, odds: float, findings: int) -> Estimate:
    """The part of a total that lies inside, from the means inside and outside and how many parcels are inside
    for each one outside.

    The interval is that of the ratio of two independent means by the method of variance estimates recovery,
    which needs no finding on either side.
    """
    if math.isinf(odds):
        return Estimate(1.0, 1.0, 1.0, findings)
    first, second = inside.value, outside.value
    if math.isnan(first) or math.isnan(second) or first + second <= 0.0:
        return Estimate(math.nan, 0.0, 1.0, findings)
    value = odds * first / (odds * first + second)
    lows = _ratio_end(first, inside.low, second, outside.high, upper=False)
    highs = _ratio_end(first, inside.high, second, outside.low, upper=True)
    return Estimate(value, _share_of(odds * lows), _share_of(odds * highs), findings)


def _ratio_end(first: float, first_end: float, second: float, second_end: float, *, upper: bool) -> float:
    if math.isinf(first_end):
        return math.inf
    if math.isinf(second_end):
        return 0.0
    a, b = first_end * (2.0 * first - first_end), second_end * (2.0 * second - second_end)
    product = first * second
    root = math.sqrt(max(product**2 - a * b, 0.0))
    if upper:
        return (product + root) / b if b > 0.0 else math.inf
    return max(a / (product + root), 0.0) if product + root > 0.0 else 0.0


def _share_of(ratio: float) -> float:
    return 1.0 if math.isinf(ratio) else ratio / (1.0 + ratio)
