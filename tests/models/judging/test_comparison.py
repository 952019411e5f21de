"""A model beside its rivals: figures are those of scikit-learn, differences are paired, luck is not shown."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import average_precision_score, log_loss, roc_auc_score

from models.judging.comparison import Contender, compare

LINES = 400


def judged(days: int = 20) -> tuple[pl.DataFrame, np.ndarray]:
    rng = np.random.default_rng(3)
    first = date(2026, 3, 1)
    lines = pl.DataFrame(
        {
            "declaration_id": [f"D{number}" for number in range(LINES)],
            "line_no": np.ones(LINES),
            "declared_on": [first + timedelta(days=number % days) for number in range(LINES)],
        }
    )
    return lines, rng.random(LINES) < 0.15


def probability(found: np.ndarray, skill: float, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return 1.0 / (1.0 + np.exp(2.0 - skill * found - rng.normal(size=LINES)))


def test_figures_are_those_of_scikit_learn() -> None:
    lines, found = judged()
    said = probability(found, 1.0, 1)
    contenders = {"model": Contender.of(said), "lightgbm": Contender.of(probability(found, 0.5, 2))}
    shown = compare(lines, found, contenders, least_findings=10, seed=1).as_dict()
    assert (shown["lines"], shown["findings"]) == (LINES, found.sum())
    model = shown["scores"]["model"]
    assert list(model) == ["average_precision", "auc", "precision", "log_loss"]
    assert list(model["precision"]) == ["0.01", "0.05", "0.10"]
    assert model["average_precision"][0] == pytest.approx(average_precision_score(found, said))
    assert model["auc"][0] == pytest.approx(roc_auc_score(found, said))
    assert model["log_loss"][0] == pytest.approx(log_loss(found, said))
    top = np.argsort(-said)[: LINES // 20]
    assert model["precision"]["0.05"][0] == pytest.approx(found[top].mean())
    for figure in (model["average_precision"], model["auc"], model["log_loss"], *model["precision"].values()):
        assert figure[1] <= figure[0] <= figure[2]


def test_a_difference_is_the_models_figure_less_the_rivals() -> None:
    lines, found = judged()
    contenders = {
        "model": Contender.of(probability(found, 2.0, 1)),
        "lightgbm": Contender.of(probability(found, 0.0, 2)),
        "catboost": None,
        "random": Contender.of(probability(found, 0.0, 4)),
    }
    shown = compare(lines, found, contenders, least_findings=10, seed=1).as_dict()
    assert shown["scores"]["catboost"] is None
    assert shown["differences"]["catboost"] is None
    assert "random" not in shown["differences"]
    gained = shown["differences"]["lightgbm"]
    for name in ("average_precision", "auc", "log_loss"):
        own, theirs = shown["scores"]["model"][name][0], shown["scores"]["lightgbm"][name][0]
        assert gained[name][0] == pytest.approx(own - theirs)
    assert gained["auc"][1] > 0.0
    assert gained["log_loss"][2] < 0.0


@pytest.mark.parametrize("days", [3, 20])
def test_what_two_have_in_common_drops_out_of_their_difference(days: int) -> None:
    lines, found = judged(days)
    said = probability(found, 1.0, 1)
    contenders = {"model": Contender.of(said), "best_key": Contender(said * 3.0, said)}
    shown = compare(lines, found, contenders, least_findings=10, seed=1).as_dict()
    gained = shown["differences"]["best_key"]
    assert gained["average_precision"] == gained["auc"] == gained["log_loss"] == [0.0, 0.0, 0.0]
    low, high = shown["scores"]["model"]["auc"][1:]
    assert high - low > 0.02


def test_too_few_findings_have_no_figure() -> None:
    lines, found = judged()
    contenders = {"model": Contender.of(probability(found, 1.0, 1)), "lightgbm": None}
    compared = compare(lines, found, contenders, least_findings=int(found.sum()) + 1, seed=1)
    assert compared.thin
    assert compared.as_dict()["scores"]["model"]["precision"]["0.01"] == [None, None, None]
    assert compared.as_metrics() == {"lines": LINES, "findings": found.sum()}


def test_a_run_has_figures_with_their_intervals() -> None:
    lines, found = judged()
    contenders = {
        "model": Contender.of(probability(found, 2.0, 1)),
        "catboost": Contender.of(np.full(LINES, 0.1)),
    }
    compared = compare(lines, found, contenders, least_findings=10, seed=1)
    metrics, shown = compared.as_metrics(), compared.as_dict()
    assert metrics["model.precision_at_05"] == shown["scores"]["model"]["precision"]["0.05"][0]
    assert metrics["less.catboost.auc_low"] == shown["differences"]["catboost"]["auc"][1]
