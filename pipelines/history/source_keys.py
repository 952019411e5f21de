"""The configuration as completed by a store: the keys of its extra columns join the history's."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import polars as pl

from configs.schema.settings import Settings
from features.contract.declarations import DECLARATION_COLUMNS
from features.history.extra_keys import SAMPLED_COLUMNS, telling_columns, with_extra_keys
from pipelines.store.store import Store

_SAMPLE_LINES = 100_000


def with_source_keys(settings: Settings, columns: Mapping[str, str]) -> Settings:
    """The settings with the keys of extra columns: `known_extra_keys` or `found_extra_keys`."""
    history = with_extra_keys(settings.pipeline.history, columns)
    return settings.model_copy(update={"pipeline": settings.pipeline.model_copy(update={"history": history})})


def known_extra_keys(store: Store, settings: Settings) -> Mapping[str, str]:
    """The extra columns that an earlier training took, none where the configuration wants none."""
    return store.meta.extra_keys if settings.pipeline.history.extra_columns else {}


def found_extra_keys(store: Store, settings: Settings, until: date | None) -> Mapping[str, str]:
    """The extra columns that were taken before, and those that the newest lines up to `until` add."""
    known, most = known_extra_keys(store, settings), settings.pipeline.history.extra_columns
    schema = store.declaration_schema()
    names = [
        name
        for name, dtype in schema.items()
        if name not in DECLARATION_COLUMNS and name not in known and dtype == pl.String
    ]
    left = most - len(known)
    if left <= 0 or not names:
        return known
    parts, lines = [pl.DataFrame(schema={name: schema[name] for name in (*SAMPLED_COLUMNS, *names)})], 0
    for day in reversed([day for day in store.declaration_days() if until is None or day <= until]):
        parts.append(store.read_declarations(day, [*SAMPLED_COLUMNS, *names]))
        lines += parts[-1].height
        if lines >= _SAMPLE_LINES:
            break
    sample = pl.concat(parts)
    if sample.is_empty():
        return known
    return {**known, **telling_columns(sample, names, left)}


def remember_extra_keys(store: Store, columns: Mapping[str, str]) -> None:
    """Note the extra columns that were taken; the caller holds the store's lock."""
    meta = store.meta
    if dict(columns) != dict(meta.extra_keys):
        with store.transaction() as t:
            meta.with_extra_keys(columns).write(t.stage_file(store.layout.meta))
