"""The scores of a model and of its rivals for the judged lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from configs.schema.risk import RiskConfig
from configs.schema.settings import Settings
from models.fitting.training import known_lines
from models.judging.comparison import (
    BEST_KEY,
    CATBOOST,
    LIGHTGBM,
    MODEL,
    RANDOM,
    Contender,
    at_random,
)
from models.judging.leakage import SingleColumn, find_leakage
from models.judging.rivals import catboost_as_it_comes, lightgbm_as_it_comes
from models.risk.risk_model import RiskModel
from models.search.single_key import SingleKey, best_single_key, single_key_rates
from models.trees.columns import feature_columns
from pipelines.evaluation.period import Period, PeriodData
from pipelines.training.inspected import inspected_lines


@dataclass(frozen=True)
class Contenders:
    """What each of them says of the judged lines, None where it cannot say anything.

    Attributes:
        scores: by name, the model first.
        key: the single key, None where too little was known before the period to choose one.
        learned_lines, learned_findings: what LightGBM and CatBoost learned from.
        columns: how many columns they were given.
        telling: those of them that alone know more than a declaration can.
    """

    scores: Mapping[str, Contender | None]
    key: SingleKey | None
    learned_lines: int
    learned_findings: int
    columns: int
    telling: Sequence[SingleColumn]


def contenders_of(
    model: RiskModel, data: PeriodData, risk: RiskConfig, settings: Settings, period: Period
) -> Contenders:
    """Let the model and its rivals score the judged lines.

    LightGBM and CatBoost learn from the lines that the model is fitted on and get the columns that it gets
    from the feature blocks; what inspections say stands in none of them.

    Raises:
        TooFewFindings: too little was known when the model was fitted.
    """
    training = settings.pipeline.training
    past = known_lines(data.training.frames[risk.name], risk, training)
    found = past[risk.label].to_numpy()
    # Of the frame that has no results yet.
    columns = feature_columns(data.later, risk)
    x, z = past.select(columns), data.later.select(columns)
    chance = {"seed": training.seed, "threads": training.threads}
    catboost = catboost_as_it_comes(x, found, z, **chance)
    key, rates = _single_key(data, period)
    raw = model.predict_raw(data.later, threads=training.threads)
    scores = {
        # Every judged line was examined for the risk, so the share of those that are plays no part.
        MODEL: Contender.of(model.calibrator(raw)),
        LIGHTGBM: Contender.of(lightgbm_as_it_comes(x, found, z, **chance)),
        CATBOOST: None if catboost is None else Contender.of(catboost),
        BEST_KEY: rates,
        RANDOM: at_random(data.later, float(found.mean()), seed=training.seed),
    }
    label = [data.judged["found"].alias(risk.label)]
    alone = find_leakage(past.select(risk.label, *columns), risk.label, z.with_columns(label))
    telling = alone.suspects(settings.pipeline.gate.single_feature_auc)
    few = data.judged["found"].sum() < settings.pipeline.gate.least_findings
    return Contenders(scores, key, past.height, int(found.sum()), len(columns), () if few else telling)


def _single_key(data: PeriodData, period: Period) -> tuple[SingleKey | None, Contender | None]:
    """The best key of what was known before the period, and its rates for the judged lines."""
    key = best_single_key(inspected_lines(data.past).varying(), moving=period.coming)
    if key is None:
        return None, None
    rates = single_key_rates(inspected_lines(data.known), inspected_lines(data.judged), key)
    return key, Contender.of(rates)
