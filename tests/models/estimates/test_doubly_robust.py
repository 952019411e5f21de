"""The second opinion: right on average with a wrong model, exact where a list is certain."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from models.estimates.doubly_robust import (
    CERTAIN,
    CHANCE,
    RANDOM_ONLY,
    ExpectedOutcome,
    doubly_robust_estimates,
    reach_of,
)
from models.estimates.survey import Inspected, Population, survey_estimates

PARCELS = 8000
_NOBODY = Inspected(np.empty(0, dtype=np.int64), np.empty(0), np.empty(0, dtype=bool), np.empty(0))


class World:
    """Two offices: the first records the chances of its choices, the second has only the random share."""

    def __init__(self, seed: int = 4) -> None:
        rng = np.random.default_rng(seed)
        self.office = np.arange(PARCELS) % 2
        self.likely = np.clip(rng.lognormal(-4.2, 1.1, PARCELS), 0.001, 0.9)
        self.chance = np.clip(2.0 * self.likely * rng.lognormal(0.0, 0.5, PARCELS), 0.004, 0.9)
        self.found = rng.random(PARCELS) < self.likely
        self.tax = np.where(self.found, rng.lognormal(4.0, 0.8, PARCELS), 0.0)
        self.flagged = self.likely >= np.quantile(self.likely, 0.95)
        self.population = Population(self.office, self.flagged, self.flagged)

    def outcome(self, factor: float) -> ExpectedOutcome:
        likely = np.minimum(self.likely * factor, 1.0)
        return ExpectedOutcome(likely, likely * 70.0, np.where(self.office == 0, CHANCE, RANDOM_ONLY))

    def draw(self, seed: int) -> tuple[Inspected, Inspected]:
        lots = np.random.default_rng(seed)
        drawn = np.concatenate(
            [lots.choice(np.flatnonzero(self.office == office), 80, replace=False) for office in (0, 1)]
        )
        free = np.ones(PARCELS, dtype=bool)
        free[drawn] = False
        chosen = np.flatnonzero(free & (self.office == 0) & (lots.random(PARCELS) < self.chance))
        return self.inspected(drawn, np.full(160, 0.02)), self.inspected(chosen, self.chance[chosen])

    def inspected(self, parcel: np.ndarray, chance: np.ndarray) -> Inspected:
        return Inspected(parcel, chance, self.found[parcel], self.tax[parcel])

    @property
    def truth(self) -> dict[str, float]:
        return {
            "precision": self.found[self.flagged].mean(),
            "recall": self.found[self.flagged].sum() / self.found.sum(),
            "prevalence": self.found.mean(),
            "tax_per_flagged_cny": self.tax[self.flagged].mean(),
            "tax_share": self.tax[self.flagged].sum() / self.tax.sum(),
        }


@pytest.mark.parametrize("factor", [1.0, 3.0, 0.2])
def test_a_wrong_model_is_corrected_and_intervals_contain_the_truth(factor: float) -> None:
    world, outcome = World(), World().outcome(factor)
    values: dict[str, list[float]] = {}
    covered: dict[str, int] = {}
    for seed in range(120):
        figures = doubly_robust_estimates(world.population, outcome, *world.draw(seed)).figures
        for name, figure in figures.items():
            values.setdefault(name, []).append(figure.value)
            covered[name] = covered.get(name, 0) + (figure.low <= world.truth[name] <= figure.high)
    assert abs(np.mean(values["precision"]) - world.truth["precision"]) < 0.02
    assert abs(np.mean(values["prevalence"]) - world.truth["prevalence"]) < 0.002
    assert all(count >= 0.9 * 120 for count in covered.values()), covered


def test_choices_of_known_chance_make_it_surer_than_the_random_share() -> None:
    world, outcome = World(), World().outcome(1.0)
    widths = []
    for seed in range(20):
        drawn, chosen = world.draw(seed)
        both = doubly_robust_estimates(world.population, outcome, drawn, chosen).figures["precision"]
        alone = survey_estimates(world.population, drawn).figures["precision"]
        widths.append((both.high - both.low) / (alone.high - alone.low))
    assert np.median(widths) < 0.9


def test_without_a_finding_the_interval_allows_for_what_the_model_expects() -> None:
    world = World()
    drawn, chosen = (
        replace(part, found=np.zeros_like(part.found), tax_cny=np.zeros_like(part.tax_cny))
        for part in world.draw(1)
    )
    figures = doubly_robust_estimates(world.population, world.outcome(1.0), drawn, chosen).figures
    assert figures["precision"].findings == 0
    assert figures["precision"].low == 0.0
    assert 0.01 < figures["precision"].high < 0.5


def test_choices_outside_the_reach_of_their_channel_change_nothing() -> None:
    world = World()
    outcome, (drawn, chosen) = world.outcome(1.0), world.draw(1)
    elsewhere = world.inspected(np.flatnonzero((world.office == 1) & world.found), np.empty(0))
    elsewhere = replace(elsewhere, chance=np.full(len(elsewhere.parcel), 0.5))
    sure = world.inspected(np.flatnonzero((world.office == 0) & world.found), np.empty(0))
    sure = replace(sure, chance=np.ones(len(sure.parcel)))
    plain = doubly_robust_estimates(world.population, outcome, drawn, chosen)
    for more in (elsewhere, sure):
        joined = Inspected(
            np.concatenate([chosen.parcel, more.parcel]),
            np.concatenate([chosen.chance, more.chance]),
            np.concatenate([chosen.found, more.found]),
            np.concatenate([chosen.tax_cny, more.tax_cny]),
        )
        assert doubly_robust_estimates(world.population, outcome, drawn, joined) == plain


def test_a_certain_list_is_a_census_of_its_part_whoever_is_drawn() -> None:
    # Ten parcels; two are drawn at random, then a list takes the two most valuable of the others.
    value = np.arange(10.0)[::-1]
    found = np.array([1, 1, 0, 1, 0, 0, 1, 0, 0, 0], dtype=bool)
    nobody, everybody = np.zeros(10, dtype=np.int64), np.ones(10, dtype=bool)
    means = []
    for draw in combinations(range(10), 2):
        drawn = np.array(draw)
        listed = np.array([parcel for parcel in range(10) if parcel not in draw][:2])
        outcome = ExpectedOutcome(
            np.full(10, 0.3), np.zeros(10), reach_of(nobody, nobody, value, listed, np.ones(2))
        )
        means.append(
            doubly_robust_estimates(
                Population(nobody, everybody, everybody),
                outcome,
                Inspected(drawn, np.full(2, 0.2), found[drawn], np.zeros(2)),
                Inspected(listed, np.ones(2), found[listed], np.zeros(2)),
            )
            .figures["prevalence"]
            .value
        )
    # A drawn parcel that the list would have taken stands for itself; at 1/chance it would be near 0.6.
    assert np.mean(means) == pytest.approx(0.4, abs=0.03)


def test_a_whole_census_leaves_no_doubt() -> None:
    found = np.arange(40) < 30
    everybody, office = np.ones(40, dtype=bool), np.zeros(40, dtype=np.int64)
    flagged = np.arange(40) < 38
    listed = Inspected(np.arange(38), np.ones(38), found[:38], np.zeros(38))
    drawn = Inspected(np.array([38, 39]), np.full(2, 0.05), found[38:], np.zeros(2))
    outcome = ExpectedOutcome(np.full(40, 0.5), np.zeros(40), np.where(flagged, CERTAIN, RANDOM_ONLY))
    figures = doubly_robust_estimates(Population(office, flagged, everybody), outcome, drawn, listed).figures
    assert figures["precision"].value == pytest.approx(30 / 38)
    assert figures["prevalence"].value == pytest.approx(30 / 40)


def test_who_is_reached() -> None:
    office = np.array([0, 0, 1, 1, 2, 2, 3, 3])
    value = np.array([9.0, 1.0, 9.0, 1.0, 9.0, 1.0, 9.0, 1.0])
    parcel, chance = np.array([0, 2, 3, 4]), np.array([0.3, 0.4, np.nan, 1.0])
    assert reach_of(office, office, value, parcel, chance).tolist() == [
        *(CHANCE, CHANCE),  # every choice has a chance
        *(RANDOM_ONLY, RANDOM_ONLY),  # one has none
        *(CERTAIN, RANDOM_ONLY),  # the list went down to a value of 9
        *(RANDOM_ONLY, RANDOM_ONLY),  # nobody chose by risk
    ]


def test_with_nobody_inspected_the_model_stands_alone() -> None:
    world, outcome = World(), World().outcome(1.0)
    measured = doubly_robust_estimates(world.population, outcome, _NOBODY, _NOBODY)
    expected = world.likely[world.flagged].mean()
    precision = measured.figures["precision"]
    assert precision.value == pytest.approx(expected)
    assert precision.high - precision.low > 0.9
    assert measured.sample["precision"] == 0
