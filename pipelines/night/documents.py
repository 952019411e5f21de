"""The documents of a day's lists, written by all processes; what could not be written is written later."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from pipelines.lists.caveats import Caveats
from pipelines.lists.set_aside import SetAside, documents_set_aside, write_set_aside
from pipelines.lists.write import DocumentsTask, Map, write_all_documents
from pipelines.scoring.day_run import DayRun
from pipelines.store.day_table import DayTable
from pipelines.store.digests import intact
from pipelines.store.files import put_in, read_whole
from pipelines.store.journal import Transaction
from pipelines.store.layout import INCOMPLETE, SET_ASIDE, issue_of, office_documents


def in_all_processes(run: DayRun) -> Map:
    """Has the documents of a run written by its executor."""

    def write(function: Callable[[DocumentsTask], None], tasks: Sequence[DocumentsTask]) -> Mapping[int, str]:
        written = run.executor.run(f"documents of {run.day}", function, tasks)
        run.troubles.note_retried("documents", [each.file for each in tasks], written)
        return written.failed

    return write


def write_missing_documents(t: Transaction, run: DayRun) -> list[SetAside]:
    """Stages documents that earlier runs could not write, from the issued lists; returns what still lacks."""
    layout, day = run.chronicle.store.layout, run.day
    folder = layout.partition(DayTable.LISTS, day)
    missing = documents_set_aside(folder)
    if not missing:
        return []
    issued = {issue_of(path)[1]: path for path in layout.issued(day)}
    here = t.scratch("documents")
    caveats = Caveats((folder / INCOMPLETE).exists(), tuple(run.unproven), run.levels)
    tasks = []
    for name, list_id in {(each.document.rpartition(".")[0], each.list_id): None for each in missing}:
        rows = read_whole(issued[list_id])
        tasks.append(DocumentsTask(*office_documents(here, name), rows, day, run.chronicle.settings, caveats))
    reasons = {each.document: each for each in write_all_documents(tasks, in_all_processes(run))}
    # As a whole, so that the digests of its files are noted together.
    stage = t.stage(folder)
    for file in folder.iterdir():
        if file.name != SET_ASIDE:
            put_in(intact(file), stage / file.name)
    for each in missing:
        if each.document not in reasons:
            put_in(here / each.document, stage / each.document)
    left = [reasons[each.document] for each in missing if each.document in reasons]
    if left:
        write_set_aside(stage / SET_ASIDE, left)
    return left
