"""Whatever the dates of declarations and results are, and whichever come first, nothing learns from noise."""

from __future__ import annotations

import tempfile
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from configs.schema.settings import Settings
from features.contract.declarations import LINE_KEY
from pipelines.history.chronicle import Chronicle
from pipelines.store.store import Store
from pipelines.training.frames import training_data
from pipelines.work.progress import Progress
from tests.pipelines.taken_in import take_in
from tests.pipelines.trained_world import World

FIRST = date(2026, 8, 1)
DAYS = 4
LINES = 150


@pytest.fixture(scope="module")
def used(untrained: World) -> Settings:
    """With no keys but that of sellers, which is what could give a line's own result away."""
    pipeline = untrained.settings.pipeline
    seller = tuple(key for key in pipeline.history.combinations if key.name in ("all", "seller"))
    history = pipeline.history.model_copy(update={"combinations": seller, "parties": ("seller_id",)})
    changed = pipeline.model_copy(update={"history": history})
    return untrained.settings.model_copy(update={"pipeline": changed})


@example(seed=1, inspected_after=[-1], reported_after=[0], results_first=True)
@settings(max_examples=2)
@given(
    seed=st.integers(0, 10**6),
    inspected_after=st.lists(st.integers(-3, 3), max_size=3),
    reported_after=st.lists(st.integers(0, 3), max_size=2),
    results_first=st.booleans(),
)
def test_noise_has_no_skill(
    used: Settings,
    seed: int,
    inspected_after: list[int],
    reported_after: list[int],
    *,
    results_first: bool,
) -> None:
    draw = np.random.default_rng(seed)
    declared = draw.integers(0, DAYS, LINES)
    inspected = declared + draw.choice([0, *inspected_after], LINES)
    reported = inspected + draw.choice([0, *reported_after], LINES)
    found = draw.random(LINES) < 0.3
    ids = [f"D{number:04d}" for number in range(LINES)]
    lines = pl.DataFrame(
        {
            "declaration_id": ids,
            "line_no": 1,
            "declared_at": [f"{FIRST + timedelta(days=int(day))}T04:00:00Z" for day in declared],
            "hs_code": "010690",
            "total_price": 10.0,
            "currency": "USD",
            # Each has one parcel: only its own result could tell of it.
            "seller_id": [f"S{number:04d}" for number in range(LINES)],
        }
    )
    results = pl.DataFrame(
        {
            "declaration_id": ids,
            "line_no": 1,
            "inspected_on": [str(FIRST + timedelta(days=int(day))) for day in inspected],
            "reported_on": [str(FIRST + timedelta(days=int(day))) for day in reported],
            "undervaluation": found,
        }
    )
    with tempfile.TemporaryDirectory() as folder:
        for frame in (results, lines) if results_first else (lines, results):
            take_in(Path(folder, "S"), frame, settings=used)
        chronicle = Chronicle(Store.open(Path(folder, "S")), used)
        until = FIRST + timedelta(days=DAYS + 9)
        data = training_data(chronicle, [used.risks["undervaluation"]], until, Progress.silent())
    frame = data.frames["undervaluation"]
    assert frame.height == (inspected >= declared).sum() > 0, "results are left to learn from"
    truth = frame["undervaluation"].to_numpy()
    for name in frame.columns:
        if name in LINE_KEY or not name.startswith("hit_rate__") or not frame.schema[name].is_numeric():
            continue
        skill = roc_auc_score(truth, frame[name].fill_null(-1).fill_nan(-1))
        assert abs(skill - 0.5) < 0.25, name
