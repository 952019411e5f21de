"""A world of the benchmark at a small size: figures that are right, none that knows what it must not."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from benchmarks import worlds
from benchmarks.judging import world_report
from benchmarks.judging.later_lines import recorded
from benchmarks.judging.world_run import BenchWorld, Size, run_world, write_figures
from benchmarks.others import korea
from benchmarks.shared import figures as f
from configs.loader import load_settings
from features.arrays.hashing import hash_text
from pipelines.simulation import World, WorldParameters, simulate_days
from pipelines.simulation.world.parameters import OFFICERS
from tests.pipelines.trained_world import write_configs

SIZE = Size(days=18, parcels_per_day=200, scored_days=2)
BENCH = BenchWorld(
    "small",
    17,
    replace(
        WorldParameters.for_volume(200),
        undervaluation_rate=0.08,
        food_rate=0.08,
        prohibited_rate=0.01,
        inspection_share=0.35,
        random_share=0.1,
    ),
    "much of everything",
)


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("bench")
    # One risk is enough to see that the figures are right, and takes a third of the time.
    every = load_settings(write_configs(folder / "configs"))
    settings = every.model_copy(update={"risks": {"undervaluation": every.risks["undervaluation"]}})
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        measured = run_world(BENCH, folder, SIZE, settings, threads=1)
    write_figures(measured, folder / "small.json")
    return json.loads((folder / "small.json").read_text(encoding="utf-8"))


def test_a_world_gives_every_figure(done: dict[str, Any]) -> None:
    risk = done["risks"]["undervaluation"]
    assert risk["findings"] > 30
    assert risk["inspected_lines"] > risk["inspected_findings"] > 20
    for whose in ("ours", "reference", "bound"):
        value, low, high = risk["average_precision"][whose]
        assert low <= value <= high
        # Better than chance, and nobody knows the truth: a label among the features once gave 1.
        assert risk["share"] < value < 0.99
    ours, reference = (risk["average_precision"][whose][0] for whose in ("ours", "reference"))
    assert risk["ratios"]["ours over reference"][0] == pytest.approx(ours / reference)
    assert {*risk["tax"]} == {"lines", "parcels"}
    assert risk["tax"]["lines"]["cny"] == pytest.approx(risk["tax"]["parcels"]["cny"])
    assert risk["calibration"]["ratio"][0] == pytest.approx(
        risk["calibration"]["expected"] / risk["calibration"]["recorded"]
    )
    assert risk["calibration"]["level_spread"] > 0.0
    assert {*done["seconds"]} >= {"simulate", "train", "score", "reference: undervaluation"}


def test_the_report_shows_them(done: dict[str, Any]) -> None:
    text = world_report.section([done])
    risk = done["risks"]["undervaluation"]
    assert f"**{risk['ratios']['ours over reference'][0]:.2f} [" in text
    assert f"| small | {risk['findings']:,} ({risk['share']:.2%})" in text
    few = {"inspected_lines": 9, "inspected_findings": 1}
    both = world_report.section([done, {**done, "name": "poor", "risks": dict.fromkeys(done["risks"], few)}])
    assert both.count("| poor | too few findings to learn from") == 3
    rows = [line for line in both.splitlines() if line.startswith("| poor | too few")]
    heads = [line for line in both.splitlines() if line.startswith("| world | findings")]
    assert rows[0].count("|") == heads[0].count("|")


def test_inspections_of_all_lines_record_what_officers_would() -> None:
    world = World.make(BENCH.seed, BENCH.parameters)
    seen = recorded(world, SIZE.calendar, SIZE.parcels_per_day, 4, drift=False)
    days = list(simulate_days(world, SIZE.days, SIZE.parcels_per_day, SIZE.end))[-4:]
    truth = pl.concat(day.truth for day in days)
    both = truth.join(seen, on=["declaration_id", "line_no"], validate="1:1", suffix="_seen")
    assert both.height == truth.height == seen.height
    real = both.filter("undervaluation")
    assert 0.65 < real["undervaluation_seen"].mean() < 0.95
    assert both.filter(~pl.col("undervaluation"))["undervaluation_seen"].mean() < 0.02
    assert 0.7 < both.filter("food_safety")["food_safety_seen"].mean() < 0.95


def test_a_score_beside_itself_has_a_ratio_of_one_without_doubt() -> None:
    rng = np.random.default_rng(1)
    found, score = rng.random(500) < 0.2, rng.random(500)
    sellers = pl.Series([None if place % 7 == 0 else f"s{place % 60}" for place in range(500)])
    draws = f.Draws.of(sellers, pl.Series([f"d{place}" for place in range(500)]), seed=3)
    nameless = sellers.null_count()
    assert draws.clusters == sellers.n_unique() - 1 + nameless
    drawn = f.figures(draws, {"one": f.average_precision(score, found), "two": f.auc(score, found)})
    assert f.ratio(drawn["one"], drawn["one"]).as_list() == [1.0, 1.0, 1.0]
    own = f.figure(drawn["one"])
    assert own.low < own.value < own.high
    assert len(drawn["two"]) == 1 + f.DRAWS


def test_a_level_is_no_surer_than_its_findings_and_the_weeks() -> None:
    rng = np.random.default_rng(5)
    assert f.Level().drawn(rng).tolist() == [1.0] * f.DRAWS
    levels = f.Level(100.0), f.Level(0.0, 0.3), f.Level(100.0, 0.3)
    spreads = [float(np.std(level.drawn(rng))) for level in levels]
    assert spreads == pytest.approx([0.1, 0.3, 0.316], rel=0.2)
    found, score = rng.random(4000) < 0.05, np.full(4000, 0.05)
    draws = f.Draws.of(pl.Series(np.arange(4000).astype(str)), pl.Series(["d"] * 4000), seed=3)
    narrow, wide = (
        f.calibration(score, found, draws, 3, level)["ratio"] for level in (f.Level(40.0), f.Level(40.0, 0.4))
    )
    assert narrow[0] == wide[0]
    assert wide[1] < narrow[1] < narrow[2] < wide[2]


def test_the_top_holds_a_share_of_lines_and_of_tax() -> None:
    score = np.arange(200.0)
    found = score >= 199
    ties = hash_text(pl.Series([str(place) for place in range(200)])).to_numpy()
    once = np.ones((1, 200))
    assert f.precision_at_top(score, found, ties)(once).tolist() == [0.5]
    assert f.precision_at_top(-score, found, ties)(once).tolist() == [0.0]
    tax = np.where(score == 199, 3.0, np.where(score == 0, 1.0, 0.0))
    assert f.sum_at_top(score, tax, ties)(once).tolist() == [0.75]
    # Drawn three times, the best line fills the top by itself.
    thrice = once.copy()
    thrice[0, 199] = 3.0
    assert f.precision_at_top(score, found, ties)(thrice).tolist() == [1.0]


def test_worlds_are_five_that_differ_and_three_of_them_drawn_again() -> None:
    made = worlds.worlds(300)
    assert len({bench.seed for bench in made}) == len({bench.name for bench in made}) == 8
    assert len({bench.parameters for bench in made}) == 4
    assert [bench.name for bench in made if bench.drift] == ["changing"]
    assert [bench.name for bench in made if bench.bounded] == ["usual", "noisy", "careful"]
    again = {bench.name.removesuffix("_again"): bench.parameters for bench in made[5:]}
    assert again == {bench.name: bench.parameters for bench in made[:3]}


def test_twelve_worlds_are_half_of_known_officers_and_half_of_others() -> None:
    twelve, before = worlds.twelve_worlds(300), worlds.worlds(300)
    assert len({bench.seed for bench in [*twelve, *before]}) == 20
    assert len({bench.name for bench in [*twelve, *before]}) == 20
    assert len({bench.end for bench in twelve}) == 12
    assert [bench.parameters.officers for bench in twelve[:6]] == ["programmes"] * 6
    assert {bench.parameters.officers for bench in twelve[6:]} == set(OFFICERS[1:])
    assert sum(bench.parameters.unknown_selection_share > 0 for bench in twelve) == 1


def test_the_mean_over_worlds_knows_how_far_they_differ() -> None:
    assert world_report.over_worlds([1.2, 1.2, 1.2]) == pytest.approx((1.2, 1.2, 1.2))
    value, low, high = world_report.over_worlds([1.0, 2.0])
    assert value == pytest.approx(2.0**0.5)
    assert low < 1.0 < 2.0 < high
    # One world says nothing about others, and a ratio of nothing has no logarithm.
    assert math.isnan(world_report.over_worlds([1.2])[0])
    assert math.isnan(world_report.over_worlds([1.2, 0.0, 1.1])[0])


def test_figures_that_are_there_are_not_made_again(
    tmp_path: Path, done: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_figures(done, tmp_path / "noisy.json")
    monkeypatch.setattr(worlds, "run_modules", _nobody)
    assert worlds.figures_of_worlds(tmp_path, fresh=False, parallel=1, only=["noisy"]) == [done]
    with pytest.raises(AssertionError, match="noisy"):
        worlds.figures_of_worlds(tmp_path, fresh=True, parallel=1, only=["noisy"])


def _nobody(calls: list[tuple[str, ...]], *, parallel: int, threads: int) -> None:
    if calls:
        raise AssertionError(calls)


def test_a_checkout_without_the_public_table_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(korea, "KOREA", tmp_path / "nowhere")
    assert "Skipped: expected the public Korean table" in korea.section(tmp_path)
