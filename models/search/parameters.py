"""Search of the parameters of a risk's trees with Optuna, that a killed run continues as if nothing had been.

A trial enters the storage when it is done, so a kill leaves no half of one. What is tried next depends only
on the trials before it and on their number: a search in two parts tries what a search in one would have.

Sources: Bergstra et al. 2011, "Algorithms for Hyper-Parameter Optimization" (tree-structured Parzen
estimator); Akiba et al. 2019, "Optuna".
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from configs.errors import TrackingError
from configs.schema.risk import RiskConfig
from configs.schema.tuning import SWITCHES, SearchRange, TuningConfig
from models.fitting.candidates import tree_parameters
from models.search.blocks import InnerFigures, SearchBlock, SearchBlocks, inner_figures
from models.trees.booster import DEFAULTS, Parameter

if TYPE_CHECKING:
    from optuna import Study
    from optuna.distributions import BaseDistribution
    from optuna.trial import FrozenTrial

CONFIGURED = "configured"
LIGHTGBM = "LightGBM's defaults"
SEARCHED = "found"
_DIGITS = 4

# LightGBM 4.7 as it comes: https://lightgbm.readthedocs.io/en/stable/Parameters.html
LIGHTGBM_DEFAULTS: Mapping[str, Parameter] = {
    "bagging_fraction": 1.0, "bagging_freq": 0, "cat_l2": 10.0, "cat_smooth": 10.0, "extra_trees": False,
    "feature_fraction": 1.0, "feature_fraction_bynode": 1.0, "lambda_l1": 0.0, "lambda_l2": 0.0,
    "learning_rate": 0.1, "max_bin": 255, "max_cat_threshold": 32, "max_cat_to_onehot": 4,
    "max_delta_step": 0.0, "max_depth": -1, "min_data_in_bin": 3, "min_data_in_leaf": 20,
    "min_data_per_group": 100, "min_gain_to_split": 0.0, "min_sum_hessian_in_leaf": 1e-3, "num_leaves": 31,
    "path_smooth": 0.0, "scale_pos_weight": 1.0, "is_unbalance": False, "linear_tree": False,
    "neg_bagging_fraction": 1.0, "pos_bagging_fraction": 1.0,
}  # fmt: skip


@dataclass(frozen=True)
class Trial:
    """A set of parameters that was tried, and how it did on the inner blocks.

    The first is the risk as configured, the second LightGBM as it comes. `parameters` are those that are
    searched and those that the risk sets.
    """

    number: int
    name: str
    parameters: Mapping[str, Parameter]
    inner: InnerFigures


@dataclass(frozen=True)
class TrialStore:
    """Where trials are kept: a SQLite file, and the name of the study in it."""

    path: Path
    study: str


def search(
    blocks: SearchBlocks,
    tuning: TuningConfig,
    store: TrialStore,
    *,
    trials: int,
    seconds: float | None = None,
    done: Callable[[Trial], None] | None = None,
) -> tuple[Trial, ...]:
    """All trials of the study, in order: those that `store` holds, and new ones until there are `trials`.

    After `seconds` no new trial begins, but for the first three: the configured parameters, LightGBM's, and
    one that was searched. `done` is called for every trial, a stored one too.

    Raises:
        TrackingError: the store cannot be read or written.
    """
    begun, tell = time.monotonic(), done or _silent
    with _opened(store) as kept:
        tried = [_trial(frozen) for frozen in kept.get_trials(deepcopy=False)]
        for trial in tried:
            tell(trial)
        while len(tried) < trials:
            if seconds is not None and len(tried) >= 3 and time.monotonic() - begun >= seconds:
                break
            trial = _try(blocks, tuning, kept, len(tried))
            _keep(kept, trial, tuning)
            tried.append(trial)
            tell(trial)
    return tuple(tried)


def parameters_of_trees(trial: Trial, risk: RiskConfig, block: SearchBlock) -> dict[str, Parameter]:
    """What a booster is trained with on a block: as `fit_risk` would, but LightGBM as it really comes."""
    if trial.name == LIGHTGBM:
        return dict(LIGHTGBM_DEFAULTS)
    chosen = risk.model_copy(update={"model": dict(trial.parameters)})
    return tree_parameters(chosen, block.findings, block.train.columns)


def _silent(trial: Trial) -> None:
    """Nobody watches."""


def _try(blocks: SearchBlocks, tuning: TuningConfig, study: Study, number: int) -> Trial:
    """Choose and train the trial of that number."""
    risk = blocks.risk
    configured = {**{wanted.name: _default(wanted.name) for wanted in tuning.space}, **risk.model}
    if number == 0:
        named, chosen, rounds = CONFIGURED, configured, risk.rounds
    elif number == 1:
        named, rounds = LIGHTGBM, tuning.rounds
        chosen = {name: LIGHTGBM_DEFAULTS.get(name, value) for name, value in configured.items()}
    else:
        named, rounds = SEARCHED, tuning.rounds
        chosen = {**configured, **_suggested(study, tuning, blocks.training.seed + number)}
    untrained = Trial(number, named, chosen, InnerFigures(0, 0.0, 0.0, ()))
    given = [parameters_of_trees(untrained, risk, block) for block in blocks.inner]
    return Trial(number, named, chosen, inner_figures(blocks, given, rounds))


def _default(name: str) -> Parameter:
    return DEFAULTS[name] if name in DEFAULTS else LIGHTGBM_DEFAULTS[name]


def _suggested(study: Study, tuning: TuningConfig, seed: int) -> dict[str, Parameter]:
    """What the sampler proposes after the study's trials; asked of a copy, so that nothing is left behind."""
    import optuna

    sampler = optuna.samplers.TPESampler(seed=seed, multivariate=True)
    copy = optuna.create_study(sampler=sampler, direction="minimize")
    copy.add_trials(study.get_trials(deepcopy=False))
    return {
        name: bool(value) if name in SWITCHES else _rounded(value)
        for name, value in copy.ask(_space(tuning)).params.items()
    }


def _rounded(value: Parameter) -> Parameter:
    """A number with four significant digits: more of them would promise what no search can tell.

    >>> _rounded(0.0312345), _rounded(63)
    (0.03123, 63)
    """
    if isinstance(value, float) and value and math.isfinite(value):
        return float(f"{value:.{_DIGITS}g}")
    return value


def _space(tuning: TuningConfig) -> dict[str, BaseDistribution]:
    from optuna.distributions import FloatDistribution, IntDistribution

    return {
        wanted.name: IntDistribution(int(wanted.low), int(wanted.high), log=wanted.log)
        if wanted.whole
        else FloatDistribution(float(wanted.low), float(wanted.high), log=wanted.log)
        for wanted in tuning.space
    }


def _within(value: Parameter, wanted: SearchRange) -> Parameter:
    nearest = min(max(float(value), wanted.low), wanted.high)
    return round(nearest) if wanted.whole else nearest


def _keep(study: Study, trial: Trial, tuning: TuningConfig) -> None:
    """Write a trial that is done; of a value outside of the space, the sampler learns the nearest in it."""
    import optuna

    figures = trial.inner
    study.add_trial(
        optuna.trial.create_trial(
            params={wanted.name: _within(trial.parameters[wanted.name], wanted) for wanted in tuning.space},
            distributions=_space(tuning),
            value=figures.log_loss,
            user_attrs={
                "name": trial.name,
                "parameters": dict(trial.parameters),
                "rounds": figures.rounds,
                "average_precision": figures.average_precision,
                "day_losses": list(figures.day_losses),
            },
        )
    )


def _trial(frozen: FrozenTrial) -> Trial:
    told: dict[str, Any] = frozen.user_attrs
    assert frozen.value is not None  # only finished trials are written
    return Trial(
        frozen.number,
        told["name"],
        told["parameters"],
        InnerFigures(
            told["rounds"], frozen.value, told["average_precision"], tuple(map(float, told["day_losses"]))
        ),
    )


@contextmanager
def _opened(store: TrialStore) -> Iterator[Study]:
    """The study in a SQLite file, made where it is missing."""
    import optuna
    from sqlalchemy import URL
    from sqlalchemy.exc import SQLAlchemyError

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    database = None
    try:
        store.path.parent.mkdir(parents=True, exist_ok=True)
        # A path may hold what means something in an address, such as ? and %.
        address = URL.create("sqlite", database=str(store.path)).render_as_string()
        database = optuna.storages.RDBStorage(address)
        yield optuna.create_study(
            storage=database, study_name=store.study, direction="minimize", load_if_exists=True
        )
    except (optuna.exceptions.StorageInternalError, SQLAlchemyError, OSError) as error:
        message = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise TrackingError(
            f"the trials in {store.path} cannot be read or written: {message}. "
            "Move the file away to begin anew."
        ) from error
    finally:
        if database is not None:
            database.remove_session()
            database.engine.dispose()
