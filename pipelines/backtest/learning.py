"""What a strategy learns: features of the lines it had opened, kept nightly, and models trained on them.

`train` replays the store from its first day. A backtest goes through these days anyway, so it keeps the
features of each day as they were on it: the same frames, without folding the history again for every
training.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from functools import partial
from pathlib import Path

import polars as pl

from configs.schema.pipeline import TrainingConfig
from configs.schema.risk import RiskConfig
from configs.schema.settings import Settings
from features.history.results import known_labels
from features.history.state import History
from models.fitting.bounds import STANDS_FOR
from models.judging.gate import unseen_predictions
from models.trees.errors import TooFewFindings
from pipelines.history.chronicle import Chronicle
from pipelines.scoring.line_scores import champion_model
from pipelines.store.day_table import DayTable
from pipelines.store.files import read_whole, write_table
from pipelines.store.journal import Transaction
from pipelines.store.layout import OUT_OF_TIME, table_file
from pipelines.store.store import Store
from pipelines.training.frames import DayFeatures, newest_days_after, with_results
from pipelines.training.goods import goods_model
from pipelines.training.train_risk import fit_and_judge, untrainable

_INSPECTED, _DRAWN = DayTable.LEARNED_INSPECTED, DayTable.LEARNED_DRAWN


def stage_features(t: Transaction, store: Store, day: date, features: DayFeatures) -> None:
    """Stage the features of a day's opened lines, and of its sample of all lines."""
    for kind, frames in ((_INSPECTED, features.inspected), (_DRAWN, features.drawn)):
        folder = t.stage(store.layout.partition(kind, day))
        for risk, frame in frames.items():
            if frame.height:
                write_table(frame, folder / table_file(risk))


def stage_forgetting(
    t: Transaction, store: Store, config: TrainingConfig, risks: Sequence[RiskConfig], day: date
) -> None:
    """Stage the removal of samples that no training after `day` looks at."""
    oldest = newest_days_after(config, risks, day)
    for kept in store.days(_DRAWN):
        if kept <= oldest:
            t.remove(store.layout.partition(_DRAWN, kept))


def stage_training(
    t: Transaction, store: Store, history: History, settings: Settings, until: date, *, gated: bool
) -> None:
    """Train every risk on what was reported by `until`, and stage the models and which of them are in use.

    As with `train`, a risk's first model is in use whatever its gate says; with `gated` later ones only where
    the gate lets them. A risk with too few findings keeps the model that it has.
    """
    used = newest_models(store)
    known = known_labels(store.read_inspections(reported_to=until), until)
    outcomes = {}
    config = settings.pipeline
    sampled_after = newest_days_after(config.training, list(settings.risks.values()), until)
    goods = None
    if not known.is_empty() and any(risk.goods_models for risk in settings.risks.values()):
        goods = goods_model(Chronicle(store, settings), until)
    for risk in settings.risks.values():
        # One risk at a time: the frames of all together would need as much memory again.
        parts = _parts(store, [risk], until, sampled_after)
        if not parts or known.is_empty():
            outcomes[risk.name] = "nothing was inspected"
            continue
        data = with_results(parts, known, [risk], history, until, goods)
        reason = untrainable(risk, data.frames[risk.name])
        if reason is not None:
            outcomes[risk.name] = reason
            continue
        champion = used.get(risk.name)
        try:
            judged = fit_and_judge(risk, data, config, partial(_unseen, champion))
        except TooFewFindings as error:
            outcomes[risk.name] = str(error)
            continue
        failed = [check.message for check in judged.decision.checks if not check.passed]
        passed = not failed
        outcomes[risk.name] = "passed its gate" if passed else f"failed its gate: {'; '.join(failed)}"
        if champion is None or passed or not gated:
            place = store.layout.trained_model(risk.name, until.isoformat())
            folder = t.stage(place)
            judged.fitted.model.save(folder)
            write_table(judged.fitted.out_of_time, folder / OUT_OF_TIME)
            used[risk.name] = place
    content = {"models": {name: path.name for name, path in sorted(used.items())}, "said": outcomes}
    t.stage_file(store.layout.in_use(until)).write_text(
        json.dumps(content, indent=1) + "\n", encoding="utf-8"
    )


def trained(store: Store, until: date) -> bool:
    """Whether a training until that day has been done."""
    return store.layout.in_use(until).exists()


def newest_models(store: Store) -> dict[str, Path]:
    """The folder of each risk's model by the newest training, within the store; empty before the first."""
    files = store.layout.trainings()
    if not files:
        return {}
    names = json.loads(files[-1].read_text(encoding="utf-8"))["models"]
    return {risk: store.layout.trained_model(risk, name) for risk, name in names.items()}


def trainings(store: Store) -> list[tuple[date, dict[str, str], dict[str, str]]]:
    """Every training: until which day, the model in use by risk after it, and what was said of each risk."""
    done = []
    for file in store.layout.trainings():
        content = json.loads(file.read_text(encoding="utf-8"))
        done.append((date.fromisoformat(file.stem), content["models"], content["said"]))
    return done


def _unseen(champion: Path | None, frame: pl.DataFrame) -> pl.DataFrame | None:
    if champion is None:
        return None
    ahead = pl.read_parquet(champion / OUT_OF_TIME, glob=False, hive_partitioning=False)
    return unseen_predictions(champion_model(champion), ahead, frame)


def _parts(store: Store, risks: Sequence[RiskConfig], until: date, sampled_after: date) -> list[DayFeatures]:
    parts, unknown = [], pl.lit(None, dtype=pl.Float64).alias(STANDS_FOR)
    for day in sorted({*store.days(_INSPECTED), *store.days(_DRAWN)}):
        if day > until:
            continue
        inspected = _read(store, _INSPECTED, day, risks)
        drawn = _read(store, _DRAWN, day, risks) if day > sampled_after else {}
        known = {**drawn, **inspected}
        if known:
            parts.append(
                DayFeatures(
                    {
                        name: inspected.get(name, frame.clear().drop(STANDS_FOR, strict=False))
                        for name, frame in known.items()
                    },
                    {
                        name: drawn.get(name, frame.clear().with_columns(unknown))
                        for name, frame in known.items()
                    },
                )
            )
    return parts


def _read(store: Store, kind: DayTable, day: date, risks: Sequence[RiskConfig]) -> dict[str, pl.DataFrame]:
    folder = store.layout.partition(kind, day)
    files = {risk.name: folder / table_file(risk.name) for risk in risks}
    return {name: read_whole(file) for name, file in files.items() if file.exists()}
