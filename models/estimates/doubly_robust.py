"""A second opinion on what a ranking finds among all parcels, from more than the random share.

The model's own probabilities are added up over all parcels, and corrected by how far inspections of known
chance differ from them: sum of prob + sum over inspected of (found - prob) / chance (Robins, Rotnitzky, Zhao
1994, "Estimation of Regression Coefficients When Some Regressors Are Not Always Observed"; the difference
estimator of Särndal, Swensson, Wretman 1992, chapter 6). It is right where either the chances or the
probabilities are. Two channels carry it:

- the random share, with n/N, which reaches every parcel;
- choices by risk: with a recorded chance below 1 in the offices that record it, weighted by 1/((1 - n/N) x
  chance) because the random share is drawn first; with the chance 1 of a list that follows the scores, whose
  parcels stand for themselves alone.

Where both channels reach a part of the parcels their corrections are averaged by effective sample size
(Hartley 1962, "Multiple Frame Surveys").

It assumes, beyond what `models.estimates.survey` does: that the recorded chance of a choice by risk is
the one with which it happened, given what was known before the parcel was opened; that in an office that
records chances every parcel had one above 0; and that few parcels were taken out by a hint before the
officers chose. Hints point at findings, so where they take many (smuggled animals on an X-ray image) the
estimate is too low. Referrals, alarms, overrides and choices without a chance depend on the outcome in ways
that nobody recorded, and never enter.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from features.arrays.types import BoolArray, FloatArray, IntArray
from models.estimates.survey import (
    Inspected,
    MeanInterval,
    Performance,
    Population,
    calibrated_weights,
    effective_size,
    odds_of,
    pooled_groups,
    share_figures,
    share_interval,
    tax_figures,
)

RANDOM_ONLY, CHANCE, CERTAIN = 0, 1, 2
_NORMAL_95 = 1.959963984540054


@dataclass(frozen=True)
class ExpectedOutcome:
    """What the model expects of every parcel: the probability of a finding, and the tax it brings in, CNY.

    `reach` says which channel besides the random share reaches the parcel: `RANDOM_ONLY` none, `CHANCE` a
    choice by risk with a recorded chance, `CERTAIN` a list that took every parcel of this score or higher.
    """

    probability: FloatArray
    tax_cny: FloatArray
    reach: IntArray


def reach_of(
    office: IntArray, office_day: IntArray, value: FloatArray, parcel: IntArray, chance: FloatArray
) -> IntArray:
    """Which channel besides the random share reaches each parcel, see `ExpectedOutcome.reach`.

    `office`, `office_day` (whole numbers from 0) and `value` (what lists are sorted by) are of all parcels;
    `parcel` and `chance` of those chosen by risk, NaN where no chance was recorded. An office has known
    chances if all its choices do. Where a list took parcels with certainty on a day, it reaches those that
    are worth as much as the least of them.
    """
    sure = chance >= 1.0
    lowest = np.full(int(office_day.max(initial=0)) + 1, np.inf)
    np.minimum.at(lowest, office_day[parcel[sure]], value[parcel[sure]])
    chosen, unknown = np.zeros((2, int(office.max(initial=0)) + 1), dtype=np.bool_)
    chosen[office[parcel[chance < 1.0]]] = True
    unknown[office[parcel[np.isnan(chance)]]] = True
    by_list = np.isfinite(lowest)[office_day]
    reach = np.where((chosen & ~unknown)[office] & ~by_list, CHANCE, RANDOM_ONLY)
    return np.where(by_list & (value >= lowest[office_day]), CERTAIN, reach)


@dataclass(frozen=True)
class _Sample:
    """Inspected parcels of known chance with the weights that they have within their part."""

    parcel: IntArray
    weight: FloatArray
    found: FloatArray
    tax_cny: FloatArray

    def only(self, kept: BoolArray) -> _Sample:
        return _Sample(self.parcel[kept], self.weight[kept], self.found[kept], self.tax_cny[kept])

    def scaled(self, factor: float) -> _Sample:
        return replace(self, weight=self.weight * factor)

    def and_also(self, other: _Sample) -> _Sample:
        return _Sample(
            np.concatenate([self.parcel, other.parcel]),
            np.concatenate([self.weight, other.weight]),
            np.concatenate([self.found, other.found]),
            np.concatenate([self.tax_cny, other.tax_cny]),
        )

    @property
    def size(self) -> float:
        """Kish's effective size."""
        return float(self.weight.sum() ** 2 / (self.weight**2).sum()) if len(self.weight) else 0.0


def doubly_robust_estimates(
    population: Population, outcome: ExpectedOutcome, drawn: Inspected, by_risk: Inspected
) -> Performance:
    """The quantities of `models.estimates.survey.survey_estimates`, from both channels and the
    model.

    `drawn` are the parcels of the random share, `by_risk` those chosen by risk with a known chance, and no
    other; a parcel stands in one of them. Those `by_risk` outside their channel's reach are left out.

    The intervals allow for the noise of the corrections, at least for that which the probabilities
    themselves imply, and so hold without any finding.
    """
    channels = _Channels.of(population, outcome, drawn, by_risk)
    sample = channels.drawn.and_also(channels.by_chance).and_also(channels.listed)
    share = {flag: channels.share(population.flagged == flag) for flag in (True, False)}
    everything = channels.share(np.ones(len(population.flagged), dtype=np.bool_))
    tax = {flag: channels.tax(population.flagged_for_tax == flag) for flag in (True, False)}
    inside, found = population.flagged[sample.parcel], sample.found > 0
    taxed, brought = population.flagged_for_tax[sample.parcel], sample.tax_cny > 0
    hits = (int((found & inside).sum()), int(found.sum()))
    paid = (int((brought & taxed).sum()), int(brought.sum()))
    odds, tax_odds = odds_of(population.flagged), odds_of(population.flagged_for_tax)
    figures = share_figures(share[True], share[False], everything, odds, hits)
    figures |= tax_figures(tax[True], tax[False], tax_odds, paid)
    sizes = dict.fromkeys(figures, len(sample.parcel))
    sizes |= {"precision": int(inside.sum()), "tax_per_flagged_cny": int(taxed.sum())}
    return Performance(figures, sizes)


@dataclass(frozen=True)
class _Channels:
    """The inspected parcels by what they stand for."""

    outcome: ExpectedOutcome
    drawn: _Sample
    by_chance: _Sample
    listed: _Sample

    @classmethod
    def of(
        cls, population: Population, outcome: ExpectedOutcome, drawn: Inspected, by_risk: Inspected
    ) -> _Channels:
        if len(drawn.parcel):
            group = pooled_groups(population.stratum, drawn.parcel)
            random_chance = (
                np.bincount(group[drawn.parcel], minlength=int(group.max()) + 1) / np.bincount(group)
            )[group[by_risk.parcel]]
            weight = calibrated_weights(group, drawn)
        else:
            random_chance, weight = np.zeros(len(by_risk.parcel)), np.empty(0)
        reach, sure = outcome.reach[by_risk.parcel], by_risk.chance >= 1.0
        risk_weight = 1.0 / (by_risk.chance * np.maximum(1.0 - random_chance, 1e-9))
        chosen = _sample(by_risk, risk_weight)
        return cls(
            outcome,
            _sample(drawn, weight),
            chosen.only((reach == CHANCE) & ~sure),
            _sample(by_risk, np.ones(len(sure))).only((reach == CERTAIN) & sure),
        )

    def share(self, domain: BoolArray) -> MeanInterval:
        """Share of a part of the parcels in which an inspection would record the finding."""
        probability = self.outcome.probability
        mean, variance, size = self._corrected(
            domain, probability, probability * (1.0 - probability), tax=False
        )
        if math.isnan(mean):
            return MeanInterval(math.nan, 0.0, 1.0)
        mean = min(max(mean, 0.0), 1.0)
        # At the ends, and where nothing was left to chance, the variance says nothing about the size.
        inner = min(max(mean, 1e-12), 1.0 - 1e-12)
        size = inner * (1.0 - inner) / variance if variance > 0.0 and 0.0 < mean < 1.0 else size
        return MeanInterval(mean, *share_interval(mean, size))

    def tax(self, domain: BoolArray) -> MeanInterval:
        """Mean tax of a part of the parcels that inspections would recover, CNY a parcel."""
        probability, tax = self.outcome.probability, self.outcome.tax_cny
        by_finding = np.divide(tax, probability, out=np.zeros_like(tax), where=probability > 0)
        implied = by_finding**2 * probability * (1.0 - probability)
        mean, variance, _ = self._corrected(domain, tax, implied, tax=True)
        if math.isnan(mean):
            return MeanInterval(math.nan, 0.0, math.inf)
        half = _NORMAL_95 * math.sqrt(variance)
        if mean <= 0.0:
            return MeanInterval(0.0, 0.0, max(mean + half, 0.0))
        factor = math.exp(min(half / mean, 700.0))
        return MeanInterval(mean, mean / factor, mean * factor)

    def _corrected(
        self, domain: BoolArray, expected: FloatArray, implied: FloatArray, *, tax: bool
    ) -> tuple[float, float, float]:
        """Mean of the domain, its variance, and the effective size of the inspected parcels behind it."""
        parcels = int(domain.sum())
        if not parcels:
            return math.nan, math.nan, 0.0
        total, variance, size = float(expected[domain].sum()), 0.0, 0.0
        certain = self.outcome.reach == CERTAIN
        listed = self.listed.only(domain[self.listed.parcel])
        total += float((_value(listed, tax=tax) - expected[listed.parcel]).sum())
        size += len(listed.parcel)
        for part, sample, left in (
            (domain & certain, self.drawn, int((domain & certain).sum()) - len(listed.parcel)),
            (domain & ~certain, self._both(domain & ~certain), int((domain & ~certain).sum())),
        ):
            correction, noise, behind = _correction(
                sample.only(part[sample.parcel]), left, expected, implied, part, tax=tax
            )
            total, variance, size = total + correction, variance + noise, size + behind
        return total / parcels, variance / parcels**2, size

    def _both(self, part: BoolArray) -> _Sample:
        """The random share and the choices of known chance, averaged where both reach."""
        drawn, chosen = self.drawn.only(part[self.drawn.parcel]), self.by_chance
        chosen = chosen.only(part[chosen.parcel])
        reached = self.outcome.reach == CHANCE
        inside = drawn.only(reached[drawn.parcel])
        parcels = int((part & reached).sum())
        if not len(chosen.parcel) or not parcels:
            return drawn
        share = inside.size / (inside.size + chosen.size)
        by_chance = chosen.scaled((1.0 - share) * parcels / chosen.weight.sum())
        outside = drawn.only(~reached[drawn.parcel])
        if not len(inside.parcel):
            return outside.and_also(by_chance)
        return outside.and_also(inside.scaled(share * parcels / inside.weight.sum())).and_also(by_chance)


def _sample(inspected: Inspected, weight: FloatArray) -> _Sample:
    return _Sample(inspected.parcel, weight, inspected.found.astype(np.float64), inspected.tax_cny)


def _value(sample: _Sample, *, tax: bool) -> FloatArray:
    return sample.tax_cny if tax else sample.found


def _correction(
    sample: _Sample, left: int, expected: FloatArray, implied: FloatArray, part: BoolArray, *, tax: bool
) -> tuple[float, float, float]:
    """What to add to the expectations of `left` parcels that `sample` stands for, its variance, its size."""
    if left <= 0:
        return 0.0, 0.0, 0.0
    if not len(sample.parcel):
        return 0.0, float(left**2 * implied[part].mean()), 1.0
    relative = sample.weight / sample.weight.sum()
    residual = _value(sample, tax=tax) - expected[sample.parcel]
    mean = float((relative * residual).sum())
    count = len(residual)
    unseen = max(1.0 - count / left, 0.0)
    seen = float((relative**2 * (residual - mean) ** 2).sum()) * count / max(count - 1, 1)
    noise = max(seen, float((relative**2 * implied[sample.parcel]).sum())) * unseen
    return left * mean, left**2 * noise, effective_size(0.0, 0.0, sample.weight)
