"""What every strategy knows on the eve of the period: one store, one history, and the same first models."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import polars as pl

from configs.errors import UsageError
from configs.schema.settings import Settings
from features.contract.declarations import LINE_KEY
from pipelines.backtest.learning import newest_models, stage_features, stage_training, trained, trainings
from pipelines.backtest.working_store import late_results, start_store
from pipelines.history.chronicle import Chronicle
from pipelines.history.profiles import stage_profile
from pipelines.store.store import Store
from pipelines.training.frames import replay_features
from pipelines.work.progress import Progress


def prepare_start(
    source: Store,
    folder: Path,
    period: tuple[date, date],
    settings: Settings,
    progress: Progress,
    *,
    learns: bool,
) -> Store:
    """The store of the eve of the period; with `learns` it holds history, features and models too.

    Raises:
        UsageError: no model can be trained on what was known by then.
    """
    first, last = period
    start = start_store(source, folder, first, last)
    eve = first - timedelta(days=1)
    if learns:
        with start.lock("backtest"):
            if not trained(start, eve):
                _learn(start, eve, settings, progress)
        if not newest_models(start):
            reasons = "; ".join(f"{risk}: {why}" for risk, why in trainings(start)[-1][2].items())
            raise UsageError(
                f"expected enough findings reported by {eve} to train a model on, found too few ({reasons}). "
                "Choose a later --from, or only strategies without a model, such as --strategy random "
                "--strategy price."
            )
    return start


def _learn(start: Store, eve: date, settings: Settings, progress: Progress) -> None:
    chronicle, risks = Chronicle(start, settings), list(settings.risks.values())
    inspected = pl.concat(
        [start.read_inspections().select(LINE_KEY), late_results(start).select(LINE_KEY)]
    ).unique()
    history = chronicle.spec.empty()
    with start.transaction() as t:
        for day, part, closed in replay_features(chronicle, inspected, risks, eve, progress):
            if part is not None:
                stage_features(t, start, day, part)
            history = closed
        stage_profile(t, start, history, chronicle.spec)
    with progress.task("first models", total=1) as bar, start.transaction() as t:
        stage_training(t, start, history, settings, eve, gated=True)
        bar.advance()
