"""The history at the close of a day, table by table and range by range of its keys.

A row of a history table depends on the rows of its key alone: what was stored, the sums of the day's buckets,
and what was reported that day. So each table is folded in pieces, by any process, and only a piece is ever
held. On the way the buckets get what they need of the whole day.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from features.history.day_tables import merge_parties, merge_prices
from features.history.fold import FoldStep, fold_sketch, fold_table
from features.history.keys import KeySpec
from features.history.peers import PRICE_SCHEMA
from features.history.state import forward_weight, table_schema
from pipelines.history.chronicle import Chronicle
from pipelines.history.day_sums import asked_today, save_today
from pipelines.history.profiles import labels_of
from pipelines.history.sorted_file import SortedWriter, read_range, scan_range
from pipelines.scoring.bucket import DayTask, workspace
from pipelines.store.buckets import hash_ranges
from pipelines.store.digests import intact
from pipelines.store.files import row_count, unfinished
from pipelines.store.layout import key_file

# How many numbers of a table are folded at once: about 50 MB, some hundred with what is made of them.
PIECE_NUMBERS = 6_000_000


@dataclass(frozen=True)
class FoldTask:
    """One table of the history of a day.

    Attributes:
        of: the day.
        file: of the table, as in a stored history.
        buckets: those that have lines and sums.
        close: whether the history after the day is made, and not only what the buckets need.
        piece_numbers: how many numbers of the table are in memory at once.
    """

    of: DayTask
    file: str
    buckets: tuple[Path, ...]
    close: bool
    piece_numbers: int = PIECE_NUMBERS


def fold_tasks(
    chronicle: Chronicle, task: DayTask, buckets: Sequence[Path], *, close: bool
) -> list[FoldTask]:
    """The tables of a day, the widest first."""
    files = [key_file(spec.name) for spec in asked_today(chronicle.spec.keys)]
    if close:
        files += [file for file in chronicle.spec.files if file not in files]
    return [FoldTask(task, file, tuple(buckets), close) for file in files]


def fold_part(task: FoldTask) -> None:
    """Folds one table into `after/` of the day's working folder, and gives each bucket the sums of its keys.

    A table that is there is not folded again.
    """
    done = task.of.work.folded(task.file, close=task.close)
    if done.exists():
        return
    done.parent.mkdir(parents=True, exist_ok=True)
    beside = unfinished(done)
    keys = {key_file(spec.name): spec for spec in workspace(task.of).chronicle.spec.keys}
    if task.file in keys:
        _fold_key(task, keys[task.file], beside)
    else:
        _fold_sketch(task, beside)
    beside.replace(done)


def _fold_key(task: FoldTask, spec: KeySpec, path: Path) -> None:
    space, work = workspace(task.of), task.of.work
    labels, config = labels_of(task.of.eve), space.settings.pipeline.history
    schema = table_schema(spec, config, labels)
    stored = intact(task.of.eve / task.file)
    sums = [work.sums(bucket) / task.file for bucket in task.buckets]
    reported = work.results / task.file
    give = spec in asked_today(space.chronicle.spec.keys)
    rows = sum(row_count(part) for part in (stored, *sums))
    with SortedWriter(path, schema) as after:
        for piece, within in enumerate(hash_ranges(rows, task.piece_numbers // len(schema))):
            parts = [read_range([part], within) for part in sums]
            merged = merge_parties(parts) if parts else None
            if give and merged is not None:
                for bucket, part in zip(task.buckets, parts, strict=True):
                    own = merged.join(part.select("key"), on="key", how="semi").sort("key")
                    save_today(work, bucket, spec.name, piece, own)
            if task.close:
                folded = fold_table(
                    spec,
                    scan_range(stored, within),
                    merged,
                    read_range([reported], within) if reported.exists() else None,
                    FoldStep(task.of.day, labels, config),
                    _changes(task, within),
                )
                after.add(folded.sort("key").collect())


def _fold_sketch(task: FoldTask, path: Path) -> None:
    config = workspace(task.of).settings.pipeline.history
    weight = forward_weight(task.of.day, config.landmark, config.price_half_life_days)
    stored = intact(task.of.eve / task.file)
    sums = [task.of.work.sums(bucket) / task.file for bucket in task.buckets]
    rows = sum(row_count(part) for part in (stored, *sums))
    with SortedWriter(path, dict(PRICE_SCHEMA)) as after:
        for within in hash_ranges(rows, task.piece_numbers // len(PRICE_SCHEMA)):
            counted = merge_prices([read_range([part], within) for part in sums]) if sums else None
            folded = fold_sketch(scan_range(stored, within), counted, weight, _changes(task, within))
            after.add(folded.sort("key", "bin").collect())


def _changes(task: FoldTask, within: tuple[int, int]) -> pl.DataFrame | None:
    """What messages of the day change of earlier ones, of some keys; None where nothing."""
    file = task.of.work.corrections / task.file
    return read_range([file], within) if file.exists() else None
