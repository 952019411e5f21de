from __future__ import annotations

import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import lightgbm
import numpy as np
import polars as pl
import pytest

from configs.errors import DataError, TrackingError
from configs.schema.pipeline import TrainingConfig
from configs.schema.risk import RiskConfig
from configs.schema.tree_parameters import MODEL_PARAMETERS
from configs.schema.tuning import SWITCHES, SearchRange, TuningConfig
from models.search.blocks import InnerFigures, SearchBlocks, search_blocks
from models.search.parameters import (
    CONFIGURED,
    LIGHTGBM,
    LIGHTGBM_DEFAULTS,
    SEARCHED,
    Trial,
    TrialStore,
    parameters_of_trees,
    search,
)
from models.search.verdict import judge, luck
from models.trees.booster import TreeSettings, train_booster
from tests.models.conftest import build_frame
from tests.places import ROOT

TUNING = TuningConfig(
    rounds=30,
    space=(
        SearchRange(name="learning_rate", low=0.02, high=0.3, log=True),
        SearchRange(name="num_leaves", low=3, high=15, log=True),
        SearchRange(name="feature_fraction", low=0.2, high=1.0),
    ),
)
# Stops in the middle of the sixth trial, as a machine does that loses its power.
KILLED = """
import os, signal, sys
from pathlib import Path
import models.search.parameters
from models.search.blocks import inner_figures
from models.search.parameters import TrialStore
from tests.models.search.test_parameters import TUNING, small_blocks

done = []

def dying(*given):
    done.append(1)
    if len(done) == 6:
        os.kill(os.getpid(), signal.SIGKILL)
    return inner_figures(*given)

models.search.parameters.inner_figures = dying
models.search.parameters.search(small_blocks(), TUNING, TrialStore(Path(sys.argv[1]), "killed"), trials=8)
"""


def small_risk(**changes: object) -> RiskConfig:
    given = {"name": "prohibited_items", "label": "prohibited_item", "title": {"en": "Prohibited items"},
             "rounds": 30, "maturity_days": 3, "model": {"num_leaves": 7, "min_data_in_leaf": 10},
             # With a start even poor trees would begin where good ones do.
             "linear_start": False,
             "finding_value": {"kind": "constant", "cny": 3000.0}, **changes}  # fmt: skip
    return RiskConfig.model_validate(given)


def small_training() -> TrainingConfig:
    return TrainingConfig(folds=2, evaluation_days=10, threads=1)


def small_blocks(**changes: object) -> SearchBlocks:
    return search_blocks(build_frame(1500), small_risk(**changes), small_training())


def trial(number: int, name: str, losses: np.ndarray) -> Trial:
    return Trial(number, name, {}, InnerFigures(20, float(losses.sum()), 0.5, tuple(losses.tolist())))


@pytest.fixture(scope="module")
def blocks() -> SearchBlocks:
    return small_blocks()


@pytest.fixture(scope="module")
def trials(blocks: SearchBlocks, tmp_path_factory: pytest.TempPathFactory) -> tuple[Trial, ...]:
    storage = tmp_path_factory.mktemp("search") / "tuning.db"
    return search(blocks, TUNING, TrialStore(storage, "whole"), trials=14)


def test_the_configured_parameters_come_first_and_lightgbm_as_it_comes_second(
    trials: tuple[Trial, ...], blocks: SearchBlocks
) -> None:
    assert [found.name for found in trials[:3]] == [CONFIGURED, LIGHTGBM, SEARCHED]
    assert trials[0].parameters["num_leaves"] == 7
    assert parameters_of_trees(trials[1], blocks.risk, blocks.inner[0]) == LIGHTGBM_DEFAULTS


def test_lightgbm_as_it_comes_is_lightgbm_as_it_comes(blocks: SearchBlocks) -> None:
    """The table of its defaults holds for the installed version, categories included."""
    block = blocks.inner[-1]
    ours = train_booster(
        block.train, block.train_found, TreeSettings(rounds=20, seed=7, parameters=LIGHTGBM_DEFAULTS)
    )
    plain = {"objective": "binary", "seed": 7, "num_threads": 1, "deterministic": True,
             "force_row_wise": True, "feature_pre_filter": False, "verbosity": -1}  # fmt: skip
    given = lightgbm.Dataset(
        block.train.values, block.train_found.astype(float), params=plain,
        categorical_feature=list(block.train.categorical),
    )  # fmt: skip
    theirs = lightgbm.train(plain, given, num_boost_round=20)
    np.testing.assert_array_equal(
        ours.booster.predict_raw(block.test.values), theirs.predict(block.test.values, raw_score=True)
    )


def test_what_is_found_lies_in_the_space_and_no_set_is_tried_twice(trials: tuple[Trial, ...]) -> None:
    for found in trials[2:]:
        for wanted in TUNING.space:
            value = found.parameters[wanted.name]
            assert wanted.low <= float(value) <= wanted.high
            assert isinstance(value, int) == wanted.whole
        assert found.parameters["min_data_in_leaf"] == 10
    assert len({tuple(found.parameters.values()) for found in trials}) == len(trials)


def test_what_is_on_or_off_is_tried_both_ways(blocks: SearchBlocks, tmp_path: Path) -> None:
    space = (SearchRange(name="extra_trees", low=0, high=1), SearchRange(name="max_bin", low=15, high=255))
    both = TuningConfig(rounds=5, space=space)
    trials = search(blocks, both, TrialStore(tmp_path / "tuning.db", "switch"), trials=10)
    assert trials[0].parameters["extra_trees"] is False
    tried = [found.parameters["extra_trees"] for found in trials[2:]]
    assert {True, False} == set(tried)
    assert all(isinstance(value, bool) for value in tried)


def test_every_parameter_that_can_be_searched_has_a_value_to_begin_from(
    blocks: SearchBlocks, tmp_path: Path
) -> None:
    every = sorted(MODEL_PARAMETERS - {"boosting"})
    lows = {name: 0 if name in SWITCHES else 2 for name in every}
    space = tuple(SearchRange(name=name, low=low, high=low + 1) for name, low in lows.items())
    first = search(
        blocks, TuningConfig(rounds=2, space=space), TrialStore(tmp_path / "all.db", "all"), trials=1
    )
    assert set(first[0].parameters) == set(every)


def test_a_killed_search_goes_on_with_the_trials_of_an_undisturbed_one(
    trials: tuple[Trial, ...], blocks: SearchBlocks, tmp_path: Path
) -> None:
    storage = tmp_path / "tuning.db"
    killed = subprocess.run([sys.executable, "-c", KILLED, storage], cwd=ROOT, check=False)
    assert killed.returncode == -signal.SIGKILL
    told: list[int] = []
    stored = search(blocks, TUNING, TrialStore(storage, "killed"), trials=5)
    again = search(
        blocks,
        TUNING,
        TrialStore(storage, "killed"),
        trials=8,
        done=lambda found: told.append(found.number),
    )
    assert stored == again[:5] == trials[:5]
    assert again == trials[:8]
    assert told == list(range(8))


def test_the_newest_block_has_no_say_in_the_search(
    trials: tuple[Trial, ...], blocks: SearchBlocks, tmp_path: Path
) -> None:
    frame = build_frame(1500)
    swapped = frame.with_columns(
        pl.when(pl.col("declared_on") >= blocks.newest.test_from)
        .then(~pl.col("prohibited_item"))
        .otherwise(pl.col("prohibited_item"))
        .alias("prohibited_item")
    )
    other = search_blocks(swapped, small_risk(), small_training())
    before, after = blocks.outer(), other.outer()
    assert before is not None
    assert after is not None
    assert (before.found != after.found).all()
    assert search(other, TUNING, TrialStore(tmp_path / "t.db", "s"), trials=12) == trials[:12]


def test_inner_blocks_end_before_the_newest_one_and_know_nothing_of_later_results(
    blocks: SearchBlocks,
) -> None:
    eve = blocks.newest.test_from.toordinal() - 719163  # days since 1970, as in the frame
    assert max(int(block.days.max()) for block in blocks.inner) < eve - blocks.newest.gap_days
    known = blocks.lines.filter(blocks.newest.train_mask(blocks.lines))
    assert sum(len(block.found) for block in blocks.inner) <= known.height
    late = known["declared_on"].max()
    assert late == blocks.newest.test_from - timedelta(days=blocks.newest.gap_days + 1)


def test_no_new_trial_begins_when_the_time_is_over(blocks: SearchBlocks, tmp_path: Path) -> None:
    found = search(blocks, TUNING, TrialStore(tmp_path / "t.db", "s"), trials=9, seconds=1e-9)
    assert len(found) == 3


def test_a_configured_value_outside_of_the_space_is_tried_as_it_is(tmp_path: Path) -> None:
    blocks = small_blocks(model={"learning_rate": 0.9, "num_leaves": 2})
    found = search(blocks, TUNING, TrialStore(tmp_path / "t.db", "s"), trials=3)
    assert found[0].parameters["learning_rate"] == 0.9
    assert found[0].parameters["num_leaves"] == 2


def test_a_storage_that_is_none_is_named(blocks: SearchBlocks, tmp_path: Path) -> None:
    (tmp_path / "t.db").write_text("no database at all, but long enough to be looked at " * 40)
    with pytest.raises(TrackingError, match=r"t\.db cannot be read or written: .*Move the file away"):
        search(blocks, TUNING, TrialStore(tmp_path / "t.db", "s"), trials=3)


def test_too_short_a_history_cannot_be_tuned() -> None:
    frame = build_frame(1500)
    newest = pl.col("declared_on").max()
    late = (newest - pl.col("declared_on") < pl.duration(days=15)) & (pl.int_range(pl.len()) % 5 == 0)
    blank = frame.with_columns(late.alias("prohibited_item"))
    with pytest.raises(DataError, match=r"cannot be tuned: before 2026-10-\d+ no block of days has findings"):
        search_blocks(blank, small_risk(maturity_days=9), small_training())


def test_better_parameters_are_recommended_and_the_best_configured_ones_kept(
    trials: tuple[Trial, ...], blocks: SearchBlocks, tmp_path: Path
) -> None:
    poor = small_blocks(model={"num_leaves": 2, "learning_rate": 0.001, "min_data_in_leaf": 10})
    found = search(poor, TUNING, TrialStore(tmp_path / "t.db", "s"), trials=5)
    verdict = judge(poor, found)
    assert verdict.recommended
    assert verdict.outer is not None
    assert verdict.outer.comparisons[0].log_loss.value < 0.0
    best = min(found[2:], key=lambda each: each.inner.log_loss)
    assert verdict.best == best
    again = search_blocks(build_frame(1500), small_risk(model=dict(best.parameters)), small_training())
    kept = judge(again, search(again, TUNING, TrialStore(tmp_path / "t.db", "again"), trials=3))
    assert not kept.recommended


def test_the_best_of_many_sets_that_are_all_alike_is_luck() -> None:
    """Of forty sets without any difference, the best looks better beyond its own noise far too often."""
    rng, lines = np.random.default_rng(3), np.full(30, 40)
    naive = corrected = 0
    for seed in range(100):
        losses = rng.normal(10.0, 1.0, (41, 30))
        made = [trial(number, SEARCHED, row) for number, row in enumerate(losses)]
        gained = (losses[0] - losses[1:]).sum(axis=1)
        best = losses[0] - losses[1 + int(gained.argmax())]
        naive += best.mean() > 1.96 * best.std(ddof=1) / np.sqrt(30)
        corrected += luck(made, lines, seed=seed) < 0.05
    assert naive >= 15
    assert corrected <= 9


def test_a_gain_on_every_day_is_no_luck_and_few_days_say_nothing() -> None:
    rng = np.random.default_rng(4)
    losses = rng.normal(10.0, 0.1, (5, 30))
    losses[3] -= 0.5
    made = [trial(number, SEARCHED, row) for number, row in enumerate(losses)]
    assert luck(made, np.full(30, 40), seed=1) < 0.01
    few = [trial(number, SEARCHED, row[:7]) for number, row in enumerate(losses)]
    assert luck(few, np.full(7, 40), seed=1) == 1.0
    assert luck(made[3:4] + made[:1], np.full(30, 40), seed=1) == 1.0
