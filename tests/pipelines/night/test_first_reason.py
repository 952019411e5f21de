"""Of the blocks with something to tell, a list names first the one that sets a line apart."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from benchmarks.reasons import kind_of
from configs.schema.risk import RiskConfig
from features.assemble import assemble
from features.history.view import DayContext
from features.words.reasons import NOTHING_STANDS_OUT, reasons
from models.risk.risk_model import RiskModel
from pipelines.history.chronicle import Chronicle
from pipelines.scoring.models_in_use import models_in_use
from pipelines.simulation import WorldParameters, simulate
from pipelines.work.progress import Progress
from tests.pipelines.trained_world import World, without_server, write_configs

KEY = ["declaration_id", "line_no"]
DONORS = 20
NEEDED = 0.7
RISKS = ("prohibited_items", "undervaluation")
DAYS, PARCELS_PER_DAY, INSPECTED = 28, 500, 0.5
NIGHTS = [date(2026, 11, 17) + timedelta(days=night) for night in range(4)]
# Parcels an office: where a list holds every third parcel of a day, most of them are on it for nothing, and
# which block is first is chance.
CAPACITY = 2


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Four nights of models that have learned something, with lists as short as inspectors know them."""
    folder = tmp_path_factory.mktemp("reasons")
    world = World(folder / "S", write_configs(folder / "configs"))
    for path in (world.configs / "risks").glob("*.yaml"):
        text = path.read_text(encoding="utf-8")
        path.write_text(re.sub(r"(?m)^rounds: .*", "rounds: 60", text), encoding="utf-8")
    (world.configs / "capacity.yaml").write_text(f"default: {{parcels: {CAPACITY}}}\n", encoding="utf-8")
    plain = WorldParameters.for_volume(PARCELS_PER_DAY)
    simulate(
        world.path, days=DAYS, parcels_per_day=PARCELS_PER_DAY, end=NIGHTS[-1], seed=12, drift=False,
        settings=world.settings, progress=Progress.silent(),
        parameters=replace(plain, inspection_share=INSPECTED, random_share=0.05),
    )  # fmt: skip
    with without_server():
        asked = [word for risk in RISKS for word in ("--risk", risk)]
        assert world.run("train", *asked, "--until", str(NIGHTS[0] - timedelta(days=1)), "--quiet") == 0
        assert world.score(NIGHTS[0], "--to", str(NIGHTS[-1])) == 0
    return world


@pytest.fixture(scope="module")
def models(world: World) -> Mapping[str, RiskModel]:
    used = models_in_use(world.store, world.settings.risks).models
    return {name: RiskModel.load(model.folder) for name, model in used.items()}


def features_of(world: World, night: date) -> Mapping[str, pl.DataFrame]:
    """Features of all lines of the night by risk."""
    chronicle, risks = Chronicle(world.store, world.settings), list(world.settings.risks.values())
    lines, eve = chronicle.prepared(night), chronicle.history_before(night)
    context = DayContext(night, eve, chronicle.tables(lines, night, eve), world.settings.pipeline.features)
    built = assemble(lines, context, chronicle.reference.on(night), risks)
    return {risk.name: built.for_risk(risk) for risk in risks}


def told_by(frame: pl.DataFrame, model: RiskModel, risk: RiskConfig) -> list[dict[str, str]]:
    """What each block that has something to tell of a line would say first of it."""
    worded = pl.concat([frame, model.model_columns(frame)], how="horizontal")
    alone = {
        block: reasons(worded, pl.DataFrame({block: np.ones(frame.height)}), risk, count=1)["reason_1"]
        for block in sorted(set(model.encoder.blocks))
    }
    return [
        {block: words[row] for block, words in alone.items() if words[row] != NOTHING_STANDS_OUT}
        for row in range(frame.height)
    ]


def drops(row: int, frame: pl.DataFrame, model: RiskModel, rng: np.random.Generator) -> dict[str, float]:
    """How far the score of a line falls, on average, with a block's columns from random lines of its heading.

    Columns of the smaller models are taken over as the other line has them: text score and price ratio.
    """
    encoder = model.encoder
    heading = frame["hs_code"].str.slice(0, 4)
    alike = np.setdiff1d(np.flatnonzero((heading == heading[row]).to_numpy()), [row])
    if len(alike) == 0:
        return {}
    drawn = rng.choice(alike, DONORS, replace=len(alike) < DONORS)
    values = encoder.matrix(frame, encoder.learned(frame)).values
    score = model.booster.predict_raw(values[[row]])[0]
    blocks = np.array(encoder.blocks)
    found = {}
    for block in sorted(set(encoder.blocks)):
        replaced = np.repeat(values[[row]], DONORS, axis=0)
        replaced[:, blocks == block] = values[drawn][:, blocks == block]
        found[block] = float(score - model.booster.predict_raw(replaced).mean())
    return found


def test_the_first_reason_names_the_telling_block_whose_replacement_lowers_the_score_most(
    world: World, models: Mapping[str, RiskModel]
) -> None:
    rng, cases = np.random.default_rng(3), []
    for night in NIGHTS:
        frames = features_of(world, night)
        listed = world.listed(night).filter(pl.col("selection") == "risk")
        for risk, model in models.items():
            frame = frames[risk].with_row_index("row")
            rows = listed.filter(pl.col("risk") == risk).with_columns(pl.col("line_no").cast(pl.Float64))
            rows = rows.join(frame.select(*KEY, "row"), on=KEY, how="inner", maintain_order="left")
            places = rows["row"].to_list()
            told = told_by(frames[risk][places], model, world.settings.risks[risk])
            for place, said, of_blocks in zip(places, rows["reason_1"], told, strict=True):
                lower = drops(place, frames[risk], model, rng)
                telling = {block: lower[block] for block in of_blocks if block in lower}
                if telling and said != NOTHING_STANDS_OUT:
                    named = next(
                        (block for block, words in of_blocks.items() if kind_of(words) == kind_of(said)), None
                    )
                    cases.append((risk, named, max(telling, key=telling.__getitem__)))
    assert len(cases) >= 40
    assert {risk for risk, _, _ in cases} == set(models)
    assert np.mean([named == lowers for _, named, lowers in cases]) >= NEEDED, cases
