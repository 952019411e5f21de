"""Candidates of a risk, and what blocks choose among them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest

from configs.errors import ConfigurationError
from configs.schema.candidate import CandidateConfig
from configs.schema.pipeline import TrainingConfig
from configs.schema.risk import RiskConfig
from models.fitting.blending import Choice
from models.fitting.candidates import candidates_of
from models.fitting.choice import best_rounds, choose, for_more_findings
from models.fitting.training import fit_risk

PLAIN = CandidateConfig(
    name="plain", columns=("goods__*", "route__*", "price__*"), rounds=12, model={"num_leaves": 7}
)
WIDE = CandidateConfig(name="wide", rounds=25, linear_start=True)


def with_candidates(training: TrainingConfig, *candidates: CandidateConfig) -> TrainingConfig:
    return training.model_copy(update={"candidates": candidates})


def test_a_risk_takes_part_in_all_candidates_or_in_those_that_it_names(
    prohibited: RiskConfig, training: TrainingConfig
) -> None:
    both = with_candidates(training, PLAIN, WIDE)
    assert [each.name for each in candidates_of(prohibited, both)] == ["own", "plain", "wide"]
    some = prohibited.model_copy(update={"candidates": ("wide",)})
    own, wide = candidates_of(some, both)
    assert (own.risk, own.held) == (some, True)
    assert (wide.risk.rounds, wide.risk.linear_start, wide.held) == (25, True, False)
    assert wide.risk.label == prohibited.label


def test_a_candidate_that_there_is_none_of_is_told_with_the_nearest(
    prohibited: RiskConfig, training: TrainingConfig
) -> None:
    misspelt = prohibited.model_copy(update={"candidates": ("plian",)})
    with pytest.raises(ConfigurationError, match=r"no 'plian' in pipeline.yaml.*plain"):
        candidates_of(misspelt, with_candidates(training, PLAIN))


def test_patterns_say_which_columns_a_candidate_reads(
    prohibited: RiskConfig, training: TrainingConfig
) -> None:
    _, plain = candidates_of(prohibited, with_candidates(training, PLAIN))
    names = ("goods__hs6", "hit_rate__seller_rate", "price__total_cny", "model__text_score")
    assert plain.places(names) == (0, 2)


def test_the_blend_is_judged_and_kept_with_what_each_weighs(
    frame: pl.DataFrame, prohibited: RiskConfig, training: TrainingConfig
) -> None:
    both = with_candidates(training, PLAIN, WIDE)
    fitted = fit_risk(frame, prohibited, both)
    members = fitted.model.booster.members
    assert {member.name for member in members} <= {"own", "plain", "wide"}
    assert len(members) > 1
    assert fitted.model.metadata["blend"] == ", ".join(f"{each.name} {each.weight:.2f}" for each in members)
    for member in members:
        if member.name == "plain":
            assert member.booster.rounds == 12
            names = [fitted.model.encoder.names[place] for place in member.columns]
            assert {name.partition("__")[0] for name in names} == {"goods", "route", "price"}
    alone = fit_risk(frame, prohibited, training)
    blended, own = (each.evaluation.figure("auc") for each in (fitted, alone))
    assert blended.value > own.low
    shuffled = frame.sample(fraction=1.0, shuffle=True, seed=3)
    again = fit_risk(shuffled, prohibited, both.model_copy(update={"threads": 2}))
    assert again.model.predict(frame).tobytes() == fitted.model.predict(frame).tobytes()
    assert np.isfinite(fitted.model.contributions(frame.head(5)).to_numpy()).all()


def test_more_findings_bear_more_trees_of_every_candidate(
    prohibited: RiskConfig, training: TrainingConfig
) -> None:
    """Half as many findings again, half as many trees again, up to what is configured."""
    own, wide = candidates_of(prohibited, with_candidates(training, CandidateConfig(name="wide", rounds=80)))
    learned = SimpleNamespace(
        train=pl.DataFrame({prohibited.label: [True, True, False]}),
        model=SimpleNamespace(label=prohibited.label),
    )
    chosen = Choice((own, wide), (10, 60), (0.5, 0.5))
    assert for_more_findings(chosen, [learned], 3).rounds == (15, 80)  # type: ignore[list-item]


def test_blocks_are_weighted_by_their_lines() -> None:
    curves = [(np.array([3.0, 1.0, 2.0]), 100), (np.array([3.0, 9.0, 1.0]), 1)]
    assert best_rounds(curves, at_least=1) == 2
    assert best_rounds(curves, at_least=3) == 3
    assert best_rounds([]) is None


@dataclass(frozen=True)
class Foreseen:
    """A block of lines whose log-odds by a candidate with so many trees are what is `told`."""

    told: Callable[[int], np.ndarray]
    outcome: np.ndarray

    @property
    def test(self) -> pl.DataFrame:
        return pl.DataFrame({"declaration_id": [str(line) for line in range(len(self.outcome))]})

    def found(self) -> np.ndarray:
        return self.outcome

    def raw_of(self, place: int, rounds: int, threads: int) -> np.ndarray:
        return self.told(rounds)


@pytest.mark.parametrize(("worse_after", "kept"), [(60, 45), (400, 153)])
def test_trees_that_learn_by_heart_are_not_kept(
    prohibited: RiskConfig, training: TrainingConfig, worse_after: int, kept: int
) -> None:
    rng = np.random.default_rng(5)
    odds, noise = rng.normal(-3.0, 1.5, 6_000), rng.normal(0.0, 1.0, 6_000)
    found = rng.random(6_000) < 1.0 / (1.0 + np.exp(-odds))

    def told(rounds: int) -> np.ndarray:
        """Surer of itself with every tree, which is no fault, in the end hardly better; or sure of what was
        never so.
        """
        learned = odds * rounds / 50.0 + noise * 30.0 / rounds
        return learned + noise * max(0, rounds - worse_after) / 10.0

    offered = with_candidates(training, CandidateConfig(name="many", rounds=300))
    _, many = candidates_of(prohibited, offered)
    assert choose([Foreseen(told, found)], [many], 1).rounds == (kept,)  # type: ignore[list-item]
