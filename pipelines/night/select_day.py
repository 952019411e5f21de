"""From the scores of a day to its lists: parcels, selection, and the reasons of what was selected."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from configs.errors import StoreError
from configs.language import Language, language
from configs.schema.capacity import CapacityConfig, MustInspect
from configs.schema.settings import Settings
from features.arrays.types import FloatArray
from features.assemble import FeatureSet
from features.contract.declarations import LINE_KEY
from features.words.channel_reasons import exploration_reason, must_inspect_reason
from features.words.reasons import random_check_reason, reasons
from models.selection.select import select_from
from pipelines.history.gaps import PARCELS, REASONS, Troubles, mark_lists
from pipelines.lists.issued import stage_issued, with_list_ids
from pipelines.lists.office_list import in_language
from pipelines.lists.write import DocumentsTask, write_lists
from pipelines.scoring.bucket import DayTask, Workspace, champion_model, scores_of_text, workspace
from pipelines.scoring.parcels import parcels_of_bucket
from pipelines.store.files import unfinished, write_table, writing
from pipelines.store.journal import Transaction
from pipelines.store.layout import DayTable
from pipelines.work.crew import Night

_SHOWN = [
    *("item_name", "item_model", "waybill_id", "hs_code", "origin_country", "dispatch_country", "quantity"),
    *("unit", "total_price", "currency", "gross_weight_kg", "seller_id"),
]
_REASONS = ["reason_1", "reason_2", "reason_3"]
_UNIT_NAMES = {"en": "name_en", "zh-CN": "name_zh"}


@dataclass(frozen=True)
class Listed:
    """How many parcels and offices were listed, how many by each way of selection, and the plan of the random
    share."""

    parcels: int
    offices: int
    by_selection: dict[str, int]
    strata: list[dict[str, Any]]

    @classmethod
    def of(cls, listed: pl.DataFrame, strata: pl.DataFrame) -> Listed:
        """The counts of a sampling list."""
        ways = listed.group_by("selection").len().sort("selection")
        return cls(
            listed.height, listed["customs_office"].n_unique(), dict(ways.iter_rows()), strata.to_dicts()
        )


@dataclass(frozen=True)
class ParcelTask:
    """One bucket whose scores and values are in these files."""

    of: DayTask
    file: Path
    scores: Path
    values: Path


@dataclass(frozen=True)
class ExplainTask:
    """The listed lines of one bucket: declaration_id, line_no and risk."""

    of: DayTask
    file: Path
    listed: pl.DataFrame


def stage_lists(
    t: Transaction,
    task: DayTask,
    files: Sequence[Path],
    scores: Path,
    values: Path,
    *,
    capacity: CapacityConfig,
    overrides: Mapping[str, int],
    night: Night,
    troubles: Troubles,
) -> Listed:
    """Selects the parcels of the day and stages its lists.

    `scores` and `values` are the folders with one file a bucket, named as the bucket. Lists are marked
    incomplete where `troubles` has gaps by then; a bucket whose listed lines cannot be explained is added
    to them.
    """
    space = workspace(task)
    store = space.chronicle.store
    buckets = [ParcelTask(task, file, scores / file.name, values / file.name) for file in files]
    tabulated = night.attempt(f"parcels of {task.day}", tabulate, buckets)
    troubles.note(PARCELS, files, {}, tabulated)
    files = [file for place, file in enumerate(files) if place not in tabulated.failed]
    chosen = select_from(_Parcels(tabulated.good), capacity, task.day, overrides)
    located = chosen.listed.join(chosen.origin, on="declaration_id", how="left")
    items = [
        ExplainTask(task, files[int(number)], part.select(*LINE_KEY, "risk", "selection"))
        for (number,), part in located.sort("part", *LINE_KEY).group_by("part", maintain_order=True)
    ]
    found = night.attempt(f"reasons of {task.day}", explain, items)
    troubles.note(REASONS, [item.file for item in items], {}, found)
    explained = found.good
    listed = chosen.listed
    if explained:
        listed = listed.join(pl.concat(explained), on=LINE_KEY, how="left", maintain_order="left")
    else:
        listed = listed.join(_explained_nothing(space), on=LINE_KEY, how="left")
    listed = _with_channel_reason(listed, chosen.strata, capacity.must_inspect, space.settings)
    listed = with_list_ids(listed, task.day)
    folder = t.stage(store.layout.partition(DayTable.LISTS, task.day))

    def in_all_processes(function: Callable[[DocumentsTask], None], tasks: Sequence[DocumentsTask]) -> None:
        written = night.attempt(f"documents of {task.day}", function, tasks)
        troubles.note_retried("documents", [each.file for each in tasks], written)
        for place, reason in written.failed.items():
            raise StoreError(f"{tasks[place].file.name} could not be written, no list was issued: {reason}")

    write_lists(
        folder, listed, task.day, space.settings,
        incomplete=bool(troubles.gaps), map_documents=in_all_processes,
    )  # fmt: skip
    mark_lists(folder, troubles.gaps)
    stage_issued(t, store, task.day, listed)
    # Beside the lists, not among them: a program reads all Parquet files of a folder as one table.
    strata = store.layout.file(DayTable.STRATA, task.day)
    write_table(chosen.strata, t.stage(strata.parent) / strata.name)
    return Listed.of(listed, chosen.strata)


@dataclass(frozen=True)
class _Parcels:
    """The parcels of a day, bucket by bucket, as often as they are asked for."""

    files: Sequence[Path]

    def __iter__(self) -> Iterator[pl.DataFrame]:
        for file in self.files:
            yield pl.scan_ipc(file, glob=False, hive_partitioning=False).collect()


def tabulate(task: ParcelTask) -> Path:
    """Writes the parcels of a bucket among the working files of the day and returns where."""
    space = workspace(task.of)
    parcels = parcels_of_bucket(
        space.chronicle.store, space.settings, task.of.day, task.file, task.scores, task.values
    )
    # Gone through several times by one process, while the others wait: not compressed, and mapped.
    file = task.of.work.parcels(task.file)
    file.parent.mkdir(exist_ok=True)
    beside = unfinished(file)
    with writing(beside):
        parcels.rechunk().write_ipc(beside, compression="uncompressed")
    return beside.replace(file)


def explain(task: ExplainTask) -> pl.DataFrame:
    """What the lists show of the listed lines of a bucket: the columns `_SHOWN`, prices in CNY, and three
    reasons in every language of the documents."""
    space = workspace(task.of)
    lines = space.lines(task.file, of=task.listed)
    lines = lines.join(task.listed.select(LINE_KEY), on=LINE_KEY, how="semi", maintain_order="left")
    features = space.features(lines, task.file)
    texts = scores_of_text(task.of.champions, lines)
    units = space.reference["units"]
    default, *others = space.settings.capacity.languages
    shown = lines.select(*LINE_KEY, *_SHOWN, pl.col("_total_cny").alias("total_price_cny")).with_columns(
        pl.col("unit").replace(units["code"], units[_UNIT_NAMES[default]]),
        *(
            pl.col("unit").replace(units["code"], units[_UNIT_NAMES[code]]).alias(in_language("unit", code))
            for code in others
        ),
        _expected_price(space, features, texts),
    )
    parts = []
    for risk, folder in task.of.champions:
        wanted = task.listed.filter(risk=risk).select(LINE_KEY)
        rows = lines.select(LINE_KEY).with_row_index("row").join(wanted, on=LINE_KEY, how="semi")["row"]
        if rows.is_empty():
            continue
        model, config = champion_model(folder), space.settings.risks[risk]
        chosen = features.for_risk(config)[rows]
        text = texts[risk][rows.to_numpy()] if risk in texts else None
        learned = model.learned(chosen, text_score=text)
        worded = pl.concat([chosen, model.model_columns(chosen, learned)], how="horizontal")
        pushes = model.contributions_in_heading(chosen, learned)
        said = [
            reasons(worded, pushes, config, len(_REASONS), language(code, space.settings.overlay)).rename(
                {} if code == default else {name: in_language(name, code) for name in _REASONS}
            )
            for code in (default, *others)
        ]
        parts.append(pl.concat([lines[rows].select(LINE_KEY), *said], how="horizontal"))
    nothing = pl.DataFrame(
        schema={"declaration_id": pl.String, "line_no": pl.Int32} | dict.fromkeys(_worded(space), pl.String)
    )
    return shown.join(pl.concat([nothing, *parts]), on=LINE_KEY, how="left", maintain_order="left")


def _expected_price(space: Workspace, features: FeatureSet, texts: Mapping[str, FloatArray]) -> pl.Series:
    """The fair value of each whole line in CNY, from the first model that has one."""
    for risk, folder in space.task.champions:
        model = champion_model(folder)
        if model.encoder.fair_value is None:
            continue
        frame = features.for_risk(space.settings.risks[risk])
        expected = model.expected_total_cny(frame, model.learned(frame, text_score=texts.get(risk)))
        if expected is not None:
            return pl.Series("expected_price_cny", expected).fill_nan(None)
    return pl.Series("expected_price_cny", [None], dtype=pl.Float64).new_from_index(0, features.lines.height)


def _explained_nothing(space: Workspace) -> pl.DataFrame:
    schema = space.chronicle.store.declaration_schema()
    return pl.DataFrame(
        schema={name: schema[name] for name in (*LINE_KEY, *_SHOWN)}
        | {"total_price_cny": pl.Float64, "expected_price_cny": pl.Float64}
        | dict.fromkeys(_worded(space), pl.String)
    )


def _worded(space: Workspace) -> list[str]:
    """The columns of the reasons: in the default language, then in each other one."""
    _, *others = space.settings.capacity.languages
    return [*_REASONS, *(in_language(name, code) for code in others for name in _REASONS)]


def _with_channel_reason(
    listed: pl.DataFrame, strata: pl.DataFrame, must_inspect: Sequence[MustInspect], settings: Settings
) -> pl.DataFrame:
    """A parcel that risk did not put there says so first, in every language; two more reasons follow."""
    default, *others = settings.capacity.languages
    columns = {default: _REASONS} | {code: [in_language(name, code) for name in _REASONS] for code in others}
    for code, names in columns.items():
        words = language(code, settings.overlay)
        listed = _said_first(listed, strata, must_inspect, names, words)
    return listed


def _said_first(
    listed: pl.DataFrame,
    strata: pl.DataFrame,
    must_inspect: Sequence[MustInspect],
    names: Sequence[str],
    words: Language,
) -> pl.DataFrame:
    at_random = {
        (office, mode): random_check_reason(drawn, parcels, words)
        for office, mode, parcels, drawn in strata.select(
            "customs_office", "trade_mode", "parcels", "drawn"
        ).iter_rows()
    }

    def said(row: Mapping[str, Any]) -> str | None:
        if row["selection"] == "random":
            return at_random[row["customs_office"], row["trade_mode"]]
        if row["selection"] == "exploration":
            return exploration_reason(row["inspection_probability"], words)
        if row["must_inspect"] is not None:
            entry = must_inspect[row["must_inspect"]]
            return must_inspect_reason(entry.kind, entry.since, entry.reason, words)
        return None

    first_said = pl.Series("said", [said(row) for row in listed.iter_rows(named=True)], dtype=pl.String)
    first, second, third = map(pl.col, names)
    is_said = first_said.is_not_null()
    return listed.with_columns(
        pl.when(is_said).then(first_said).otherwise(first).alias(names[0]),
        pl.when(is_said).then(first).otherwise(second).alias(names[1]),
        pl.when(is_said).then(second).otherwise(third).alias(names[2]),
    )
