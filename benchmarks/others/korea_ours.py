"""Our model on the Korean table: trained on 2020 with several seeds, first quarter of 2021 scored.

The quarter is scored with its results withheld, as the published models were judged, and with results coming
in on their day, as it would run. Features are replayed once and shared by the seeds; fitting and predicting
are what `train` and `score` call.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import polars as pl

from benchmarks.others.korea_rivals import KOREA, LABELS
from benchmarks.shared.clock import Clock
from configs.loader import load_settings
from configs.schema.risk import RiskConfig
from configs.schema.settings import Settings
from features.arrays.types import FloatArray
from features.assemble import assemble
from features.history.state import History
from features.history.view import DayContext
from models.fitting.cross_fitted_rates import RateKeys
from models.fitting.training import fit_risk
from models.risk.risk_model import RiskModel
from pipelines.history.chronicle import Chronicle
from pipelines.ingest.ingest import IngestOptions, ingest
from pipelines.store.store import Store
from pipelines.training.frames import TrainingData, training_data
from pipelines.work.progress import Progress

UNTIL = date(2020, 12, 31)
WITHHELD = "this program, results of the quarter withheld"
OPERATION = "this program, results coming in on their day"
_RISK = "undervaluation"
_LARGEST = 4


def our_scores(work: Path, ids: pl.Series, seeds: Sequence[int], trials: int) -> dict[str, list[FloatArray]]:
    """Probabilities in the order of `ids`, by variant and seed.

    With `trials` above 0 combinations and parameters are searched on 2020 first, and used where the searches
    say so.
    """
    clock = Clock("korea")
    withheld = work / "valid_without_results.csv"
    pl.read_csv(KOREA / "valid.csv", infer_schema=False).drop(LABELS).write_csv(withheld)
    with clock.step("ingest"):
        stores = {
            WITHHELD: _ingested(work / "withheld", withheld),
            OPERATION: _ingested(work / "operation", KOREA / "valid.csv"),
        }
    with clock.step(f"searches, {trials} trials"):
        settings = _tuned(stores[WITHHELD], work / "tuned", trials) if trials else load_settings()
    risk = settings.risk(_RISK)
    with clock.step("features of 2020"):
        data = training_data(Chronicle(stores[WITHHELD], settings), [risk], UNTIL, Progress.on_terminal())
    with clock.step(f"{len(seeds)} models"):
        models = [_fitted(data, risk, settings, seed) for seed in seeds]
    scores = {}
    with clock.step("features and scores of the quarter, twice"):
        for name, store in stores.items():
            parts = _quarter(Chronicle(store, settings), risk, data.history)
            scores[name] = [_in_order(parts, model, ids) for model in models]
    return scores


def _ingested(path: Path, later: Path) -> Store:
    ingest(
        [KOREA / "train.csv", later],
        path,
        IngestOptions(source="table", mapping="korea"),
        settings=load_settings(),
        progress=Progress.on_terminal(),
    )
    return Store.open(path)


def _tuned(store: Store, folder: Path, trials: int) -> Settings:
    """The settings with what searches within 2020 found, of combinations first and then of parameters; each
    as it was where its search did not pay.
    """
    from pipelines.training.combinations import combinations
    from pipelines.training.tune import tune

    wider = combinations(
        store.path,
        risk=_RISK,
        until=UNTIL,
        largest=_LARGEST,
        most=5,
        write=folder / "combinations",
        settings=load_settings(),
        progress=Progress.on_terminal(),
    )
    print("\n".join(wider.lines()), flush=True)
    judged = wider.search.judged
    paid = wider.written is not None and judged is not None and judged.low > 0.0
    settings = load_settings(folder / "combinations" if paid else None)
    report = tune(
        store.path,
        risk=_RISK,
        trials=trials,
        until=UNTIL,
        minutes=None,
        write=folder / "parameters",
        settings=settings,
        progress=Progress.on_terminal(),
    )
    print("\n".join(report.lines()), flush=True)
    return load_settings(folder / "parameters") if report.verdict.recommended and report.written else settings


def _fitted(data: TrainingData, risk: RiskConfig, settings: Settings, seed: int) -> RiskModel:
    training = settings.pipeline.training.model_copy(update={"seed": seed})
    keys = RateKeys.of(settings.pipeline)
    return fit_risk(data.frames[risk.name], risk, training, until=UNTIL, keys=keys).model


def _quarter(chronicle: Chronicle, risk: RiskConfig, history: History) -> list[pl.DataFrame]:
    """Features of each day after 2020 on the history of its eve."""
    parts = []
    for day in chronicle.days(after=UNTIL):
        lines = chronicle.prepared(day)
        today = chronicle.tables(lines, day, history)
        if lines.height:
            context = DayContext(day, history, today, chronicle.settings.pipeline.features)
            parts.append(assemble(lines, context, chronicle.reference.on(day), [risk]).for_risk(risk))
        history = chronicle.step(history, day, today, chronicle.results(day))
    return parts


def _in_order(parts: Sequence[pl.DataFrame], model: RiskModel, ids: pl.Series) -> FloatArray:
    scored = pl.concat(
        part.select("declaration_id").with_columns(pl.Series("score", model.predict(part))) for part in parts
    )
    wanted = ids.to_frame("declaration_id").join(
        scored, on="declaration_id", how="left", validate="1:1", maintain_order="left"
    )
    if wanted["score"].null_count():
        raise ValueError(f"{wanted['score'].null_count()} rows of the quarter have no score")
    return wanted["score"].to_numpy()
