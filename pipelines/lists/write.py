"""Writes a day's lists: one table for programs, and for each office a workbook and a page for people."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

from configs.schema.settings import Settings
from pipelines.lists.caveats import NO_CAVEATS, Caveats
from pipelines.lists.csv import csv_bytes
from pipelines.lists.fields import Document, columns_of, fields_of
from pipelines.lists.html import list_page
from pipelines.lists.office_list import office_lists
from pipelines.lists.set_aside import SetAside, write_set_aside
from pipelines.lists.xlsx import workbook_bytes
from pipelines.store.day_table import DayTable
from pipelines.store.files import unfinished, write_table
from pipelines.store.layout import LIST_TEXT, SET_ASIDE, office_documents

SAMPLING_LIST_SCHEMA = columns_of(fields_of(within=Document.TABLE))
"""The columns of the sampling list, which other programs rely on."""
_RESERVED = re.compile(r"sampling_list|con|prn|aux|nul|com\d|lpt\d", re.IGNORECASE)
_MAX_NAME_BYTES = 80


@dataclass(frozen=True)
class DocumentsTask:
    """The documents of one office and shift: the rows of their list, and the two files to write."""

    file: Path
    page: Path
    listed: pl.DataFrame
    day: date
    settings: Settings
    caveats: Caveats


Map = Callable[[Callable[[DocumentsTask], None], Sequence[DocumentsTask]], Mapping[int, str]]
"""Calls a function for every task, in whatever process; returns why tasks have failed, by their place."""


def one_by_one(
    function: Callable[[DocumentsTask], None], tasks: Sequence[DocumentsTask]
) -> Mapping[int, str]:
    """Calls the function for every task, in this process, and lets its errors through."""
    for task in tasks:
        function(task)
    return {}


def write_lists(
    stage: Path,
    listed: pl.DataFrame,
    day: date,
    settings: Settings,
    *,
    caveats: Caveats = NO_CAVEATS,
    map_documents: Map = one_by_one,
) -> list[Path]:
    """Writes all files of a day into the folder `stage` and returns their paths, sorted.

    `listed` has the columns of `SAMPLING_LIST_SCHEMA` and, for the documents, those of
    `pipelines.lists.fields.display_columns`. Written are `sampling_list.parquet` and `.csv` with exactly the
    columns of `SAMPLING_LIST_SCHEMA`, also for an empty list, and `<office>.xlsx` and `<office>.html`, or
    `<office>-<shift>.xlsx` and `.html`, for each office and shift with a parcel. The language is the office's
    one; the two tables stay in the default language. The same input gives the same bytes. `caveats` are
    told at the head of the documents. `map_documents` may have the documents written by other processes. One
    that could not be is set aside: `set_aside.json` names it.
    """
    stage.mkdir(parents=True, exist_ok=True)
    table = listed.select(pl.col(name).cast(dtype) for name, dtype in SAMPLING_LIST_SCHEMA.items()).sort(
        "customs_office", "rank"
    )
    written = [stage / DayTable.LISTS.file, stage / LIST_TEXT]
    write_table(table, written[0])
    written[1].write_bytes(csv_bytes(table))
    tasks = []
    if "shift" not in listed.columns:
        listed = listed.with_columns(pl.lit(None, pl.String).alias("shift"))
    ordered = listed.sort("customs_office", "shift", "rank")
    for (office, shift), rows in ordered.group_by("customs_office", "shift", maintain_order=True):
        name = office_file_name(str(office), None if shift is None else str(shift))
        # The office `4601-night` comes after the night shift of the office 4601.
        if office_documents(stage, name)[0] in written:
            name = f"{name}-{_digest(name)}"
        workbook, document = office_documents(stage, name)
        tasks.append(DocumentsTask(workbook, document, rows, day, settings, caveats))
        written += [workbook, document]
    aside = write_all_documents(tasks, map_documents)
    if aside:
        write_set_aside(stage / SET_ASIDE, aside)
    return sorted(path for path in written if path.exists())


def write_all_documents(tasks: Sequence[DocumentsTask], map_documents: Map) -> list[SetAside]:
    """Writes the documents of the tasks, and returns those that could not be."""
    failed = map_documents(write_documents, tasks)
    aside = []
    for place, reason in sorted(failed.items()):
        task = tasks[place]
        list_id = "" if "list_id" not in task.listed.columns else task.listed["list_id"][0] or ""
        lacking = [document for document in (task.file, task.page) if not document.exists()]
        aside += [SetAside(document.name, list_id, reason) for document in lacking]
        for half in task.file.parent.glob(f".{task.file.stem}.*"):
            half.unlink()
    return aside


def write_documents(task: DocumentsTask) -> None:
    """Writes the workbook and the page of one office and shift."""
    (office_list,) = office_lists(task.listed, task.day, task.settings, caveats=task.caveats)
    try:
        _write(task.file, workbook_bytes(office_list))
    finally:
        # One that cannot be written does not take the other with it.
        _write(task.page, list_page(office_list).encode("utf-8"))


def _write(file: Path, content: bytes) -> None:
    """All of it or nothing: a process may be stopped in between."""
    beside = unfinished(file)
    beside.write_bytes(content)
    beside.replace(file)


def office_file_name(office: str, shift: str | None = None) -> str:
    """The name of the files of an office, or of one of its shifts, without the ending: its code where that is
    a safe name everywhere, and the shift's.

    What is left out of a name is made up for by a fingerprint, so that no two lists share a file.

    >>> office_file_name("4601"), office_file_name("上海浦东"), office_file_name("4601", "night")
    ('4601', '上海浦东', '4601-night')
    >>> office_file_name("../../etc")
    'etc-f470a0ab'
    """
    whole = office if shift is None else f"{office}-{shift}"
    safe = re.sub(r"[^\w-]+", "_", unicodedata.normalize("NFC", whole)).strip("_-")
    safe = safe.encode("utf-8")[:_MAX_NAME_BYTES].decode("utf-8", "ignore")
    if safe == whole and safe and not _RESERVED.fullmatch(safe):
        return safe
    return f"{safe or 'office'}-{_digest(whole)}"


def _digest(name: str) -> str:
    return hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=4).hexdigest()
