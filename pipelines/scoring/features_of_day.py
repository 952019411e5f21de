"""The features of a day in one call, for notebooks: what the nightly job hands to a model, as pandas."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pandas as pd

from configs.errors import UsageError
from configs.schema.settings import Settings
from features.assemble import assemble
from features.history.view import DayContext
from pipelines.history.chronicle import Chronicle
from pipelines.history.source_keys import known_extra_keys, with_source_keys
from pipelines.store.store import Store


def features_of_day(store: Path, day: date, risk: str, settings: Settings) -> pd.DataFrame:
    """The feature frame of every line of `day` that the model of `risk` takes, a row a line.

    Columns are the key, the texts, a few columns of the line, and the features, named `<block>__<name>`; all
    of them text or float64, as MLflow checks them. The rows are in the order of the day's scores. Nothing is
    written: days before `day` that are not closed yet are folded in memory.

    `mlflow.pyfunc.load_model("models:/parcel-risk-undervaluation@champion").predict(features)` then gives the
    probabilities of the nightly job, to the last bit.

    Args:
        store: folder of the store.
        day: a day that has declarations.
        risk: name of a configured risk; its blocks and its label decide about the columns.
        settings: those of the nightly job, from `configs.loader.load_settings`.

    Raises:
        UsageError: no risk of that name, or no declarations on that day.
        StoreError: no store there.
    """
    wanted = settings.risk(risk)
    opened = Store.open(store)
    settings = with_source_keys(settings, known_extra_keys(opened, settings))
    chronicle = Chronicle(opened, settings)
    lines = chronicle.prepared(day)
    if lines.is_empty():
        days = chronicle.store.declaration_days()
        held = f"it holds {days[0]} to {days[-1]}" if days else "it holds none at all"
        raise UsageError(f"expected declarations on {day} in {store}, found none; {held}")
    eve = chronicle.history_before(day)
    context = DayContext(day, eve, chronicle.tables(lines, day, eve), settings.pipeline.features)
    features = assemble(lines, context, chronicle.reference.on(day), [wanted]).for_risk(wanted)
    return features.to_pandas()
