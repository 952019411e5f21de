"""The history on disk: one folder a day, one Parquet file a table, and what it was made with."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from configs.schema.pipeline import HistoryConfig
from features.history.peers import PRICE_SCHEMA
from features.history.state import History, table_schema
from pipelines.history.sorted_file import write_sorted
from pipelines.history.spec import HistorySpec
from pipelines.store.day_table import PROFILE, DayTable
from pipelines.store.digests import FOLD_AGAIN, intact, whole_folder
from pipelines.store.files import put_in, read_json, reading
from pipelines.store.journal import Transaction
from pipelines.store.layout import key_file, price_file
from pipelines.store.store import Store

logger = logging.getLogger(__name__)

_WEEK = 7


def save_profile(folder: Path, history: History, spec: HistorySpec) -> None:
    """Writes a history into an empty folder; the same history gives the same bytes."""
    for name, table in history.tables.items():
        write_sorted(table.sort("key"), folder / key_file(name))
    for name, sketch in history.prices.items():
        write_sorted(sketch.sort("key", "bin"), folder / price_file(name))
    describe_profile(folder, history.as_of, history.lineage, spec)


def describe_profile(folder: Path, as_of: date | None, lineage: str, spec: HistorySpec) -> None:
    """Writes what the tables of a history in `folder` are."""
    description = {
        "as_of": None if as_of is None else as_of.isoformat(),
        "labels": list(spec.labels),
        "lineage": lineage,
        "fingerprint": spec.fingerprint,
    }
    (folder / PROFILE).write_text(json.dumps(description, indent=2) + "\n", encoding="utf-8")


def labels_of(folder: Path) -> tuple[str, ...]:
    """The labels whose results a stored history counts."""
    return tuple(_described(folder)["labels"])


@dataclass(frozen=True)
class Eve:
    """A stored history by its place: the day at whose close it is, its folder, and what it was folded from.
    Before the first day there is neither day nor folder.
    """

    as_of: date | None
    folder: Path | None
    lineage: str


def stored_eve(store: Store, before: date, spec: HistorySpec) -> Eve:
    """The newest usable history that closes before `before`, without reading it."""
    as_of = usable_profile(store, before, spec)
    if as_of is None:
        return Eve(None, None, "")
    folder = store.layout.partition(DayTable.PROFILES, as_of)
    return Eve(as_of, folder, _described(folder)["lineage"])


def load_profile(folder: Path, spec: HistorySpec) -> History:
    """Reads what `save_profile` wrote, each column in one piece: look-ups read it in place."""

    def read(name: str, schema: dict[str, pl.DataType]) -> pl.DataFrame:
        file = intact(folder / name)
        with reading(file):
            return pl.read_parquet(file, schema=schema, glob=False, hive_partitioning=False).rechunk()

    return history_from(folder, spec, read)


def history_from(
    folder: Path, spec: HistorySpec, read: Callable[[str, dict[str, pl.DataType]], pl.DataFrame]
) -> History:
    """A stored history whose tables `read` gives, by file name and schema."""
    description = _described(folder)
    labels = tuple(description["labels"])
    tables = {key.name: read(key_file(key.name), table_schema(key, spec.config, labels)) for key in spec.keys}
    prices = {name: read(price_file(name), dict(PRICE_SCHEMA)) for name in spec.sketches}
    as_of = None if description["as_of"] is None else date.fromisoformat(description["as_of"])
    return History(as_of, labels, description["lineage"], tables, prices)


def usable_profile(store: Store, before: date, spec: HistorySpec) -> date | None:
    """The newest stored history at the close of a day before `before` that was made by this spec."""
    passed_over = 0
    for day in reversed([day for day in store.days(DayTable.PROFILES) if day < before]):
        folder = store.layout.partition(DayTable.PROFILES, day)
        if not (folder / PROFILE).exists():
            continue
        if _described(folder).get("fingerprint") == spec.fingerprint:
            whole_folder(store.layout, folder)
            return day
        passed_over += 1
    if passed_over:
        logger.warning(
            "%d stored histories were made with another configuration (keys, labels, half-lives, rates): "
            "the history is folded anew from the first day",
            passed_over,
        )
    return None


def _described(folder: Path) -> dict[str, Any]:
    """What `describe_profile` wrote.

    Raises:
        StoreError: it is damaged.
    """
    return read_json(intact(folder / PROFILE), FOLD_AGAIN.format(folder=folder))


def stage_profile(t: Transaction, store: Store, history: History, spec: HistorySpec) -> None:
    """Stages a history for its day, and the removal of older ones that are no longer kept."""
    if history.as_of is None:
        return
    save_profile(_stage(t, store, spec, history.as_of), history, spec)


def stage_folded(
    t: Transaction, store: Store, tables: Path, spec: HistorySpec, as_of: date, lineage: str
) -> None:
    """Like `stage_profile` for a history whose `tables` are files already."""
    folder = _stage(t, store, spec, as_of)
    for table in tables.glob("*.parquet"):
        put_in(table, folder / table.name)
    describe_profile(folder, as_of, lineage, spec)


def _stage(t: Transaction, store: Store, spec: HistorySpec, as_of: date) -> Path:
    folder = t.stage(store.layout.partition(DayTable.PROFILES, as_of))
    days, stale = store.days(DayTable.PROFILES), store.out_of_date_from
    # What is folded again goes on from the last history that has all late data.
    sound = max((day for day in days if stale is not None and day < stale), default=None)
    for day in expired(days, as_of, spec.config):
        if day != sound:
            t.remove(store.layout.partition(DayTable.PROFILES, day))
    return folder


def worth_keeping(days: Sequence[date], config: HistoryConfig) -> set[date]:
    """Which of the days that are folded in one go are stored: the last, and one a week that would not expire.

    Late data then has a history not far before it to go on from.
    """
    thinned = set(expired(days, days[-1], config))
    return {day for day in days if day == days[-1] or (day.isoweekday() == _WEEK and day not in thinned)}


def expired(days: Sequence[date], newest: date, config: HistoryConfig) -> list[date]:
    """Which stored days to drop: all but the last daily ones and one a week (Sundays) before them."""
    daily_from = newest - timedelta(days=config.keep_daily_profiles)
    weekly_from = daily_from - timedelta(days=_WEEK * config.keep_weekly_profiles)
    return [
        day
        for day in days
        if day < daily_from and not (day >= weekly_from and day.isoweekday() == _WEEK) and day != newest
    ]
