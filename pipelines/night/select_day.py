"""From the scores of a day to its lists: parcels, selection, and the reasons of what was selected."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from features.contract.declarations import LINE_KEY
from models.risk.level import Level
from models.selection.select import Selection, select_from
from pipelines.cases.case import as_issued
from pipelines.history.checked import findings_of
from pipelines.lists.caveats import Caveats
from pipelines.lists.chances import with_chances
from pipelines.lists.issued import stage_issued, with_list_ids
from pipelines.lists.set_aside import SetAside, documents_set_aside
from pipelines.lists.write import write_lists
from pipelines.night.case_parcels import with_cases_of
from pipelines.night.channel_reasons import with_channel_reasons
from pipelines.night.documents import in_all_processes
from pipelines.night.explain import Explained, ExplainTask, explain, unexplained
from pipelines.scoring.bucket import DayTask, workspace
from pipelines.scoring.day_run import DayRun
from pipelines.scoring.gaps import PARCELS, REASONS, mark_lists
from pipelines.scoring.line_scores import Scored
from pipelines.scoring.parcels import parcels_of_bucket
from pipelines.store.day_table import DayTable
from pipelines.store.files import read_whole, unfinished, write_table, writing
from pipelines.store.journal import Transaction

_CHANCES_FILE = "chances.parquet"


@dataclass(frozen=True)
class Listed:
    """How many parcels and offices were listed, by each way of selection too, the random share's plan, and
    which documents could not be written.
    """

    parcels: int
    offices: int
    by_selection: dict[str, int]
    strata: list[dict[str, Any]]
    set_aside: Sequence[SetAside] = ()

    @classmethod
    def of(cls, listed: pl.DataFrame, strata: pl.DataFrame, set_aside: Sequence[SetAside]) -> Listed:
        """The counts of a sampling list."""
        ways = listed.group_by("selection").len().sort("selection")
        return cls(
            listed.height,
            listed["customs_office"].n_unique(),
            dict(ways.iter_rows()),
            strata.to_dicts(),
            set_aside,
        )

    def as_dict(self) -> dict[str, Any]:
        """For the manifest."""
        return {
            "parcels_listed": self.parcels,
            "parcels_by_selection": self.by_selection,
            "strata": self.strata,
            "documents_set_aside": [each.as_dict() for each in self.set_aside],
        }


@dataclass(frozen=True)
class ParcelTask:
    """One bucket whose scores and values are in these files."""

    of: DayTask
    file: Path
    scores: Path
    values: Path


def stage_lists(t: Transaction, run: DayRun, scores: Path, values: Path) -> Listed:
    """Selects the parcels of the day and stages its lists.

    Lists are marked incomplete where the run has gaps by then; a bucket whose listed lines cannot be
    explained is one. The files of `run` are the buckets to select from; the folders `scores` and `values`
    have a file of each bucket's name.
    """
    store, settings, day = run.chronicle.store, run.chronicle.settings, run.day
    files = _tabulated(run, scores, values)
    selection = select_from(_Parcels(list(files.values())), settings.capacity, day)
    explained = _explained(run, files, scores, selection)
    listed = selection.listed.join(explained.shown, on=LINE_KEY, how="left", maintain_order="left")
    found = findings_of(store.layout, day, listed.select("declaration_id"))
    listed = with_channel_reasons(selection, listed, found, settings)
    chances = _with_ends(explained.chances, run.levels)
    listed = with_chances(listed, chances)
    listed = with_cases_of(run, listed, explained.facts, found)
    listed = as_issued(listed, map(read_whole, store.layout.issued(day)))
    listed = with_list_ids(listed, day)
    folder = t.stage(store.layout.partition(DayTable.LISTS, day))

    caveats = Caveats(bool(run.troubles.gaps), tuple(run.unproven), run.levels)
    write_lists(folder, listed, day, settings, caveats=caveats, map_documents=in_all_processes(run))
    write_table(chances, folder / _CHANCES_FILE)
    mark_lists(folder, run.troubles.gaps)
    stage_issued(t, store, day, listed)
    # Beside the lists, not among them: a program reads all Parquet files of a folder as one table.
    strata = store.layout.file(DayTable.STRATA, day)
    write_table(selection.strata, t.stage(strata.parent) / strata.name)
    return Listed.of(listed, selection.strata, documents_set_aside(folder))


def _tabulated(run: DayRun, scores: Path, values: Path) -> dict[Path, Path]:
    tasks = [ParcelTask(run.task, file, scores / file.name, values / file.name) for file in run.files]
    results = run.executor.run(f"parcels of {run.day}", tabulate, tasks)
    run.troubles.note(PARCELS, run.files, {}, results)
    tables = zip(run.files, results.results, strict=True)
    return {file: table for file, table in tables if table is not None}


def _explained(run: DayRun, files: Mapping[Path, Path], scores: Path, selection: Selection) -> Explained:
    located = selection.listed.join(selection.origin, on="declaration_id", how="left")
    of_part = list(files)
    tasks = [
        ExplainTask(
            run.task,
            of_part[int(number)],
            scores / of_part[int(number)].name,
            part.select(*LINE_KEY, "risk", "selection"),
        )
        for (number,), part in located.sort("part", *LINE_KEY).group_by("part", maintain_order=True)
    ]
    results = run.executor.run(f"reasons of {run.day}", explain, tasks)
    run.troubles.note(REASONS, [task.file for task in tasks], {}, results)
    if not results.succeeded:
        return unexplained(run.chronicle.store, run.chronicle.settings.capacity)
    return Explained(
        pl.concat([each.shown for each in results.succeeded]),
        pl.concat([each.chances for each in results.succeeded]),
        pl.concat([each.facts for each in results.succeeded]),
    )


def _with_ends(chances: pl.DataFrame, levels: Mapping[str, Level]) -> pl.DataFrame:
    """The chances, sorted, with the ends of 95% (`probability_low`, `probability_high`), where the level of
    the risk's model is known.
    """
    ends = [
        levels[risk].around(probability) if risk in levels else (None, None)
        for risk, probability in chances.select("risk", "probability").iter_rows()
    ]
    columns = [
        pl.Series(name, [each[place] for each in ends], dtype=pl.Float64)
        for place, name in enumerate(("probability_low", "probability_high"))
    ]
    at = chances.columns.index("probability") + 1
    ordered = [*chances.columns[:at], *(column.name for column in columns), *chances.columns[at:]]
    return chances.with_columns(columns).select(ordered).sort("declaration_id", "risk")


@dataclass(frozen=True)
class _Parcels:
    """The parcels of a day, bucket by bucket, as often as they are asked for."""

    files: Sequence[Path]

    def __iter__(self) -> Iterator[pl.DataFrame]:
        for file in self.files:
            yield pl.scan_ipc(file, glob=False, hive_partitioning=False).collect()


def tabulate(task: ParcelTask) -> Path:
    """Writes the parcels of a bucket, made from its stored scores, and returns their working file."""
    store, settings = workspace(task.of).chronicle.store, task.of.settings
    scored, must_inspect = Scored.read(task.scores, task.values), settings.capacity.must_inspect
    parcels = parcels_of_bucket(store, task.file, scored, settings.risks, must_inspect, task.of.day)
    # Gone through several times by one process, while the others wait: not compressed, and mapped.
    file = task.of.work.parcels(task.file)
    file.parent.mkdir(exist_ok=True)
    beside = unfinished(file)
    with writing(beside):
        parcels.rechunk().write_ipc(beside, compression="uncompressed")
    return beside.replace(file)
