"""Estimates from the random share: right on average, intervals that hold, and no say for other channels."""

from __future__ import annotations

import math
from itertools import combinations, product

import numpy as np
import pytest
from scipy.stats import binomtest

from models.estimates.survey import (
    Inspected,
    MeanInterval,
    Population,
    calibrated_weights,
    odds_of,
    part_of_total,
    pooled_groups,
    positive_interval,
    share_interval,
    survey_estimates,
)


def drawn_from(parcel: np.ndarray, chance: np.ndarray, found: np.ndarray, tax: np.ndarray) -> Inspected:
    return Inspected(parcel, chance, found[parcel], tax[parcel])


def test_the_mean_over_all_possible_draws_is_the_truth() -> None:
    stratum = np.repeat([0, 1], [5, 7])
    found = np.array([1, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0], dtype=bool)
    tax = np.where(found, np.arange(12.0) + 10.0, 0.0)
    flagged = np.ones(12, dtype=bool)
    shares, taxes = [], []
    for first, second in product(combinations(range(5), 3), combinations(range(5, 12), 2)):
        parcel = np.array([*first, *second])
        chance = np.where(parcel < 5, 3 / 5, 2 / 7)
        figures = survey_estimates(
            Population(stratum, flagged, flagged), drawn_from(parcel, chance, found, tax)
        ).figures
        shares.append(figures["prevalence"].value)
        taxes.append(figures["tax_per_flagged_cny"].value)
    assert np.mean(shares) == pytest.approx(3 / 12)
    assert np.mean(taxes) == pytest.approx(tax.mean())


def simulated(seed: int, draw: int) -> tuple[Population, Inspected, dict[str, float]]:
    """Four strata of unlike size and chance; the flagged twentieth has half of the findings."""
    world = np.random.default_rng(seed)
    stratum = np.repeat(np.arange(4), [6000, 3000, 800, 200])
    flagged = world.random(10_000) < 0.05
    found = world.random(10_000) < np.where(flagged, 0.30, 0.012) * (1.0 + 0.3 * stratum)
    tax = np.where(found, world.lognormal(4.0, 1.0, 10_000), 0.0)
    lots = np.random.default_rng(draw)
    counts = [180, 60, 30, 5]
    parcel = np.concatenate(
        [lots.choice(np.flatnonzero(stratum == number), count, replace=False)
         for number, count in enumerate(counts)]
    )  # fmt: skip
    chance = (np.array(counts) / np.bincount(stratum))[stratum[parcel]]
    truth = {
        "precision": found[flagged].mean(),
        "recall": found[flagged].sum() / found.sum(),
        "prevalence": found.mean(),
        "tax_per_flagged_cny": tax[flagged].mean(),
        "tax_share": tax[flagged].sum() / tax.sum(),
    }
    return Population(stratum, flagged, flagged), drawn_from(parcel, chance, found, tax), truth


def test_intervals_contain_the_truth_and_the_mean_error_is_small() -> None:
    values: dict[str, list[float]] = {}
    covered: dict[str, int] = {}
    for draw in range(300):
        population, drawn, truth = simulated(3, draw)
        for name, figure in survey_estimates(population, drawn).figures.items():
            values.setdefault(name, []).append(figure.value)
            covered[name] = covered.get(name, 0) + (figure.low <= truth[name] <= figure.high)
    assert abs(np.nanmean(values["precision"]) - truth["precision"]) < 0.02
    assert abs(np.nanmean(values["prevalence"]) - truth["prevalence"]) < 0.002
    assert np.nanmean(values["tax_per_flagged_cny"]) == pytest.approx(truth["tax_per_flagged_cny"], rel=0.1)
    assert all(count >= 0.93 * 300 for count in covered.values()), covered
    assert covered["precision"] <= 300


def test_without_a_finding_the_interval_still_says_how_little_is_known() -> None:
    population, drawn, _ = simulated(3, 1)
    clean = Inspected(drawn.parcel, drawn.chance, np.zeros_like(drawn.found), np.zeros_like(drawn.tax_cny))
    figures = survey_estimates(population, clean).figures
    assert figures["precision"].value == 0.0
    assert 0.1 < figures["precision"].high < 0.5
    assert 0.01 < figures["prevalence"].high < 0.05
    assert math.isnan(figures["recall"].value)
    assert (figures["recall"].low, figures["recall"].high) == (0.0, 1.0)
    assert math.isinf(figures["tax_per_flagged_cny"].high)


@pytest.mark.parametrize("parcels", [0, 40])
def test_without_a_flagged_parcel_nothing_is_claimed(parcels: int) -> None:
    flagged = np.arange(1000) >= 990
    parcel = np.arange(parcels)
    drawn = Inspected(parcel, np.full(parcels, 0.04), parcel < 3, np.zeros(parcels))
    measured = survey_estimates(Population(np.zeros(1000, dtype=int), flagged, flagged), drawn)
    for name in ("precision", "recall"):
        figure = measured.figures[name]
        assert math.isnan(figure.value)
        assert (figure.low, figure.high) == (0.0, 1.0)
    assert measured.sample["precision"] == 0
    assert measured.figures["prevalence"].findings == min(parcels, 3)


def test_parcels_that_an_office_did_not_open_are_made_up_for() -> None:
    # The second office opens a third of what it drew, and finds ten times as much.
    stratum = np.repeat([0, 1], [5000, 5000])
    parcel = np.concatenate([np.arange(100), 5000 + np.arange(33)])
    found = np.concatenate([np.arange(100) < 2, np.arange(33) < 7])
    flagged = np.arange(10_000) % 2 == 0
    drawn = Inspected(parcel, np.full(133, 0.02), found, np.zeros(133))
    prevalence = survey_estimates(Population(stratum, flagged, flagged), drawn).figures["prevalence"]
    assert prevalence.value == pytest.approx((0.02 + 7 / 33) / 2)


def test_strata_with_few_drawn_parcels_are_pooled_and_nobody_is_lost() -> None:
    stratum = np.repeat([0, 1, 2, 3], [1000, 100, 50, 7])
    parcel = np.concatenate([np.arange(40), 1000 + np.arange(4), 1100 + np.arange(1)])
    group = pooled_groups(stratum, parcel)
    assert group.tolist() == [0] * 1157  # five drawn parcels are too few for a pool of their own
    many = np.concatenate([np.arange(40), 1000 + np.arange(20), 1100 + np.arange(25), [1150]])
    group = pooled_groups(stratum, many)
    assert len(set(group[stratum == 0])) == 1
    assert set(group[stratum == 3]) == set(group[stratum == 1])
    drawn = Inspected(many, np.full(len(many), 0.05), np.zeros(len(many), bool), np.zeros(len(many)))
    sums = np.bincount(group[many], calibrated_weights(group, drawn))
    assert sums.tolist() == pytest.approx(np.bincount(group).tolist())


def test_everything_flagged_is_everything_found() -> None:
    flagged = np.ones(100, dtype=bool)
    drawn = Inspected(np.arange(50), np.full(50, 0.5), np.arange(50) < 5, np.zeros(50))
    recall = survey_estimates(Population(np.zeros(100, int), flagged, flagged), drawn).figures["recall"]
    assert (recall.value, recall.low, recall.high) == (1.0, 1.0, 1.0)


def test_the_interval_of_a_share_is_clopper_and_pearsons() -> None:
    for found, size in ((0, 9), (3, 9), (9, 9), (17, 200)):
        exact = binomtest(found, size).proportion_ci(method="exact")
        assert share_interval(found / size, size) == pytest.approx((exact.low, exact.high))


def test_a_part_of_a_total_is_bounded_by_its_sides() -> None:
    inside, outside = MeanInterval(0.3, 0.2, 0.4), MeanInterval(0.01, 0.005, 0.02)
    part = part_of_total(inside, outside, 0.05, 12)
    assert part.value == pytest.approx(0.05 * 0.3 / (0.05 * 0.3 + 0.01))
    least, most = (0.05 * 0.2 / (0.05 * 0.2 + 0.02), 0.05 * 0.4 / (0.05 * 0.4 + 0.005))
    assert least < part.low < part.value < part.high < most
    none = part_of_total(MeanInterval(0.0, 0.0, 0.1), outside, 0.05, 12)
    assert (none.value, none.low) == (0.0, 0.0)
    assert 0.0 < none.high < 1.0
    all_inside = part_of_total(inside, MeanInterval(0.0, 0.0, 0.004), 0.05, 12)
    assert (all_inside.value, all_inside.high) == (1.0, 1.0)
    assert 0.5 < all_inside.low < 1.0
    assert odds_of(np.array([True, True])) == math.inf


def test_a_single_amount_bounds_nothing_from_above() -> None:
    assert positive_interval(12.0, 4.0, 1) == MeanInterval(12.0, 0.0, math.inf)
    several = positive_interval(12.0, 4.0, 9)
    assert several.low < 12.0 < several.high < 40.0
