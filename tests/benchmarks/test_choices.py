"""Ways of learning compared in a tiny world, and what the report makes of the figures."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from benchmarks import choices
from benchmarks.judging import choice_variants as ways
from benchmarks.judging.choice_variants import EQUAL, INVERSE, RIVALS, LaterLines
from benchmarks.judging.world_run import Size
from benchmarks.shared import figures as f
from benchmarks.shared.processes import run_modules
from configs.loader import load_settings
from configs.schema.risk import ConstantValue
from models.fitting.training import FittedRisk
from pipelines.simulation import WorldParameters
from pipelines.training.frames import TrainingData
from tests.pipelines.trained_world import write_configs

SIZE = Size(days=14, parcels_per_day=160, scored_days=2)
PARAMETERS = replace(
    WorldParameters.for_volume(160),
    undervaluation_rate=0.12,
    inspection_share=0.35,
    random_share=0.1,
)


@dataclass(frozen=True)
class Measured:
    """A risk's figures, and what they were made from."""

    figures: dict[str, Any]
    data: TrainingData
    later: LaterLines
    scores: dict[str, np.ndarray]
    plain: FittedRisk


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Measured:
    folder = tmp_path_factory.mktemp("choices")
    settings = load_settings(write_configs(folder / "configs"))
    # Without the fair price, which takes most of the time and is the same for every way.
    plain = {"fair_value": False, "finding_value": ConstantValue(kind="constant", cny=100.0)}
    risk = settings.risks["undervaluation"].model_copy(update=plain)
    settings = settings.model_copy(update={"risks": {risk.name: risk}})
    seen: dict[str, list[Any]] = {}

    def watched(module: Any, name: str) -> Any:
        real = getattr(module, name)

        def call(*arguments: Any, **named: Any) -> Any:
            result = real(*arguments, **named)
            seen.setdefault(name, []).append((arguments, result))
            return result

        return call

    with pytest.MonkeyPatch.context() as patch:
        for module, name in ((choices, "compared"), (ways, "scores_of_ways"), (ways, "fit_risk")):
            patch.setattr(module, name, watched(module, name))
        done = choices.measure(71, PARAMETERS, folder, SIZE, settings, choices.compared)
    (arguments, _), (_, (scores, _)), (_, fitted) = (
        seen[name][0] for name in ("compared", "scores_of_ways", "fit_risk")
    )
    return Measured(json.loads(json.dumps(done))[risk.name], arguments[1], arguments[2], scores, fitted)


def test_every_way_ranks_all_later_lines(measured: Measured) -> None:
    done = measured.figures
    assert {*done["average_precision"]} == {EQUAL, *RIVALS}
    for drawn in done["average_precision"].values():
        assert len(drawn) == 1 + f.DRAWS
        assert done["findings"] / done["lines"] < drawn[0] < 0.99
    later = measured.later.frames["undervaluation"]
    assert done["lines"] == later.height > SIZE.scored_days * SIZE.parcels_per_day
    keys = ["declaration_id", "line_no"]
    assert later.select(keys).is_unique().all()
    assert later["declaration_id"].to_list() == measured.later.truth["declaration_id"].to_list()
    learned = measured.data.frames["undervaluation"]
    assert done["learned_lines"] == learned["undervaluation"].count() < learned.height
    assert later.join(learned, on=keys, how="semi").is_empty()
    # The sample of all lines holds inspected ones, which are no longer unlabelled.
    assert 0 < done["unlabelled_lines"] < measured.data.all_lines["undervaluation"].height


def test_equal_weights_are_the_model_in_use_and_the_others_promise_as_much(measured: Measured) -> None:
    scores, later = measured.scores, measured.later.frames["undervaluation"]
    np.testing.assert_allclose(scores[EQUAL], measured.plain.model.predict(later), rtol=1e-6)
    for way in RIVALS:
        assert scores[way].sum() == pytest.approx(scores[EQUAL].sum(), rel=1e-6)
        assert not np.allclose(scores[way], scores[EQUAL], rtol=1e-3)


def figures_of(scores: dict[str, np.ndarray], found: np.ndarray, seed: int) -> dict[str, Any]:
    sellers = pl.Series([f"s{place % 90}" for place in range(len(found))])
    draws = f.Draws.of(sellers, sellers, seed)
    drawn = f.figures(draws, {way: f.average_precision(score, found) for way, score in scores.items()})
    return {
        "rounds": 20, "learned_lines": 900, "learned_findings": 30, "unlabelled_lines": 50,
        "lines": len(found), "findings": int(found.sum()),
        "average_precision": {way: values.tolist() for way, values in drawn.items()},
    }  # fmt: skip


@pytest.fixture(scope="module")
def made_up() -> dict[int, dict[str, Any]]:
    """Two worlds: one way knows the truth, one is as good as equal weights, one knows nothing."""
    worlds = {}
    for seed in choices.SEEDS[:2]:
        rng = np.random.default_rng(seed)
        found = rng.random(2000) < 0.05
        usual = found + rng.normal(0.0, 0.7, 2000)
        scores = {EQUAL: usual, INVERSE: found.astype(float), RIVALS[1]: usual, RIVALS[2]: rng.random(2000)}
        worlds[seed] = {"made_up": figures_of(scores, found, seed)}
    return worlds


def test_a_perfect_score_has_an_average_precision_of_one(made_up: dict[int, dict[str, Any]]) -> None:
    for world in made_up.values():
        assert set(world["made_up"]["average_precision"][INVERSE]) == {1.0}
        assert set(choices.ratios(world["made_up"], RIVALS[1])) == {1.0}


def test_a_gain_needs_an_interval_above_one(made_up: dict[int, dict[str, Any]]) -> None:
    said = {
        way: choices.pooled([choices.ratios(world["made_up"], way) for world in made_up.values()])
        for way in RIVALS
    }
    assert [choices.verdict(said[way]) for way in RIVALS] == [choices.GAIN, choices.NEITHER, choices.LOSS]
    assert choices.verdict(f.Figure(1.2, 0.99, 1.5)) == choices.NEITHER
    alone = [choices.ratios(world["made_up"], INVERSE)[0] for world in made_up.values()]
    assert said[INVERSE].value == pytest.approx(np.sqrt(alone[0] * alone[1]))
    opposite = choices.pooled([np.full(301, 2.0), np.full(301, 0.5)])
    assert opposite.as_list() == pytest.approx([1.0, 1.0, 1.0])


def test_the_report_has_a_row_a_world_and_a_verdict_a_risk(
    made_up: dict[int, dict[str, Any]], measured: Measured
) -> None:
    first, second = choices.SEEDS[:2]
    worlds = {
        seed: {**world, "undervaluation": measured.figures if seed == first else {}}
        for seed, world in made_up.items()
    }
    text = choices.report(worlds, SIZE)
    starts = ("| seed", "|---", f"| {first}", f"| {second}")
    rows = [line for line in text.splitlines() if line.startswith(starts)]
    assert len(rows) == 8
    assert len({row.count("|") for row in rows}) == 1
    assert f"| {second} | too few findings to learn from" in text
    assert f"{measured.figures['findings']:,} of {measured.figures['lines']:,}" in text
    assert text.count("Pooled ratio to equal weights") == 2
    assert f"**{choices.GAIN}**; {RIVALS[1]} 1.000 [1.000, 1.000]: **{choices.NEITHER}**" in text
    nothing = {seed: {"made_up": {}} for seed in made_up}
    assert "No world has later findings" in choices.report(nothing, SIZE)


def test_a_world_with_figures_is_not_run_again(
    made_up: dict[int, dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = next(iter(made_up.values()))
    ran: list[str] = []

    def write(calls: Sequence[Sequence[str]], *, parallel: int, threads: int) -> None:
        assert parallel * threads >= 1
        for call in calls:
            seed = call[call.index("--run") + 1]
            ran.append(seed)
            (tmp_path / f"choices_{seed}_14x160.json").write_text(json.dumps(world), "utf-8")

    monkeypatch.setattr(choices, "run_modules", write)
    first = choices.section(tmp_path, size=SIZE)
    assert ran == [str(seed) for seed in choices.SEEDS]
    (tmp_path / f"choices_{choices.SEEDS[1]}_14x160.json").unlink()
    assert choices.section(tmp_path, size=SIZE) == first
    assert ran[3:] == [str(choices.SEEDS[1])]
    choices.section(tmp_path, fresh=True, size=SIZE)
    assert len(ran) == 7


def test_a_process_that_fails_ends_the_run_with_its_exit_code(tmp_path: Path) -> None:
    (tmp_path / "in.json").write_text("[1]", "utf-8")
    call = ["json.tool", str(tmp_path / "in.json"), str(tmp_path / "out.json")]
    run_modules([call], parallel=2, threads=1)
    assert json.loads((tmp_path / "out.json").read_text("utf-8")) == [1]
    with pytest.raises(SystemExit, match="2"):
        run_modules([["json.tool", str(tmp_path / "missing.json")]], parallel=1, threads=1)
