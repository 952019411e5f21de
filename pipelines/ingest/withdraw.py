"""Takes back what a file brought into the store, so that a corrected one may come in."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

import polars as pl

from configs.errors import UsageError
from configs.messages import MOST_EXAMPLES, some_of
from configs.schema.settings import Settings
from features.arrays.hashing import hash_text
from features.contract.china_time import china_date
from pipelines.ingest.line_spool import LineSpool
from pipelines.ingest.merging.day_writer import DayWriter
from pipelines.ingest.merging.disputes import LinesByDay, Settled
from pipelines.ingest.merging.merge import LEDGER_COLUMNS
from pipelines.ingest.merging.result_writer import reopen_history
from pipelines.keys.hash_sets import contains, sorted_union
from pipelines.keys.key_index import write_indexed
from pipelines.store.buckets import bucket_hash
from pipelines.store.day_table import DayTable
from pipelines.store.files import read_tables, read_whole
from pipelines.store.journal import Transaction
from pipelines.store.manifest import ManifestBuilder
from pipelines.store.spool import Spool
from pipelines.store.store import Store
from pipelines.store.taken import Holdings, known_files, stage_withdrawal
from pipelines.work.report import Report

_VERB: Final = "withdraw"
_FEWEST_DIGITS: Final = 8


@dataclass(frozen=True)
class WithdrawReport(Report):
    """What was taken back.

    Attributes:
        file: the file's name.
        manifest: what was written to the store's manifests.
        again: names of files with rows that it may have kept out or replaced.
        reopened: the first closed day that is open again, None where none is.
    """

    file: str
    manifest: dict[str, Any]
    again: list[str]
    reopened: date | None

    def _facts(self) -> dict[str, Any]:
        return {**self.manifest, "exit_code": self.exit_code}

    def _lines(self) -> Iterator[str]:
        facts = self.manifest
        yield (
            f"{self.file} is withdrawn: {facts['lines']:,} lines of declarations and {facts['results']:,} "
            "results were taken back. A corrected file may come in now"
        )
        if facts["results_also_returned"]:
            yield (
                f"{facts['results_also_returned']:,} results stay: filled-in lists spoke of them too. "
                "Correct them with `parcel-risk feedback FILE --store S --corrections`"
            )
        if self.again:
            yield f"ingest again, for rows that it kept out, replaced or had like them: {some_of(self.again)}"
        if self.reopened is not None:
            yield f"the history is reopened from {self.reopened} on; lists that were issued stay"


def withdraw(store: Path, fingerprint: str, *, settings: Settings) -> WithdrawReport:
    """Take back every row of a file that was ingested, all or, if the run dies, none.

    A row that another file brought as well goes too: that file is to be ingested again. Of a declaration that
    messages speak of, all lines go where the file's message is the one that counts; earlier messages may come
    in again. `fingerprint` is that of the manifest, or its beginning.

    Raises:
        UsageError: no such file was ingested, or it was withdrawn before, or it is a filled-in list.
        StoreLockedError: another run holds the store.
    """
    opened = Store.open(store)
    now = datetime.now(UTC)
    with opened.lock(_VERB), opened.transaction() as t:
        whole = _fingerprint(opened, fingerprint.strip().lower())
        manifest = ManifestBuilder(_VERB)
        with manifest.step("find"):
            held = Holdings.of(opened.layout, whole)
            if held.has_documents:
                raise UsageError(
                    f"{held.name} brought orders, payments, receipts or other documents, which cannot be "
                    "taken back: have them changed or deleted by messages of their senders (appType 2 or 3)"
                )
        with manifest.step("write"):
            lines, days = _take_lines(opened, t, held, settings)
            _forget_messages(opened, t, held)
            results, returned, result_days = _take_results(opened, t, held)
            stage_withdrawal(t, opened.layout, whole, held.displaced, now)
            most = settings.pipeline.night.refold_days
            reopened = reopen_history(opened, t, days | result_days, most)
        files = known_files(opened.layout)
        again = files.filter(pl.col("fingerprint").is_in(sorted(held.displaced)))["file"].unique().sort()
        manifest.add_rows(rows_in=lines + results, superseded=lines + results)
        manifest.further = {
            "fingerprint": whole,
            "file": held.name,
            "lines": lines,
            "results": results,
            "results_also_returned": returned,
            "ingest_again": again.to_list(),
            "reopened_from": None if reopened is None else reopened.isoformat(),
        }
        opened.write_manifest(t, _VERB, china_date(now), manifest.as_dict())
    return WithdrawReport(held.name, manifest.as_dict(), again.to_list(), reopened)


def _fingerprint(store: Store, given: str) -> str:
    """The whole fingerprint of a file whose rows are in the store.

    Raises:
        UsageError: there is none, or several begin so.
    """
    files = known_files(store.layout)
    found = files.filter(pl.col("fingerprint").str.starts_with(given) & (len(given) >= _FEWEST_DIGITS))
    living = found.filter(pl.col("withdrawn_at").is_null())["fingerprint"].unique()
    if len(living) == 1:
        return str(living[0])
    if len(living) > 1:
        raise UsageError(f"{len(living)} files have a fingerprint that begins with {given}: give more of it")
    if found.height:
        raise UsageError(f"{found['file'][-1]} was withdrawn before: none of its rows is in the store")
    returned = read_tables(_returns(store), {"source_sha256": pl.String()}, None).to_series()
    if len(given) >= _FEWEST_DIGITS and returned.str.starts_with(given).any():
        raise UsageError(
            f"{given} is a filled-in list: correct it, and bring it in with "
            "`parcel-risk feedback FILE --store S --corrections`"
        )
    newest = files.filter(pl.col("withdrawn_at").is_null()).tail(MOST_EXAMPLES).select("fingerprint", "file")
    known = "; ".join(f"{each} {file}" for each, file in newest.rows()) or "none"
    raise UsageError(
        f"expected the fingerprint of an ingested file (its SHA-256, {_FEWEST_DIGITS} digits or more, from "
        f"`files` in the manifests), got {given!r}. The last ones: {known}. What an earlier version of the "
        "program took in has none, and can only be ingested into a new store"
    )


def _take_lines(store: Store, t: Transaction, held: Holdings, settings: Settings) -> tuple[int, set[date]]:
    """Write the days without the file's lines; how many these were, and the days."""
    config = settings.pipeline
    schema = store.stored_schema()
    spool = Spool(t.scratch("withdrawn"), "_bucket")
    ids = sorted_union([held.lines["declaration"].to_numpy(), held.messages["declaration"].to_numpy()])

    def look_up(day_and_path: tuple[date, Path]) -> tuple[date, pl.Series, int]:
        day, path = day_and_path
        hashes = hash_text(read_tables([path], schema, ["declaration_id"]).to_series())
        about = pl.Series(contains(ids, hashes.to_numpy()))
        nothing = pl.Series([], dtype=pl.UInt64)
        if not about.any():
            return day, nothing, 0
        lines = read_tables([path], schema, None).filter(about)
        lines = lines.with_columns(hashes.filter(about).alias("declaration"), pl.lit(day).alias("_day"))
        key = ["declaration", "line_no"]
        said = lines.join(held.messages, on="declaration", how="semi").join(held.others, on=key, how="anti")
        gone = pl.concat([lines.join(held.lines, on=key, how="semi"), said]).select(*key).unique()
        if gone.is_empty():
            return day, nothing, 0
        left = lines.join(gone.select("declaration").unique(), on="declaration", how="semi")
        left = left.join(gone, on=key, how="anti").select(*schema, "_day")
        spool.add(left.with_columns(bucket_hash(left, ("declaration_id", "_day")).alias("_bucket")))
        return day, gone["declaration"].unique(), gone.height

    files = [(day, path) for day in store.declaration_days() for path in store.layout.buckets(day)]
    with ThreadPoolExecutor(config.ingest.workers) as pool:
        found = [each for each in pool.map(look_up, files) if each[2]]
    days = {day for day, _, _ in found}
    touched = {day: sorted_union([ids.to_numpy() for of, ids, _ in found if of == day]) for day in days}
    rows = LinesByDay(spool, config.ingest.merge_rows)
    settled = Settled(ids[:0], rows, touched, pl.DataFrame(schema=LEDGER_COLUMNS))
    writer = DayWriter(store, t, schema, t.scratch("rewritten"), config.store.bucket_rows, config.ingest)
    writer.rewrite(settled, LineSpool(t.scratch("nothing")), {})
    return sum(count for _, _, count in found), days


def _forget_messages(store: Store, t: Transaction, held: Holdings) -> None:
    """Take what the file's messages decided out of the ledger, so that other messages count again."""
    ids = held.messages["declaration"].sort().to_numpy()
    for path in store.layout.ledger if len(ids) else []:
        entries = read_whole(path)
        about = contains(ids, hash_text(entries["declaration_id"]).to_numpy())
        if about.any():
            write_indexed(t, store.layout, path, entries.filter(pl.Series(~about)))


def _take_results(store: Store, t: Transaction, held: Holdings) -> tuple[int, int, set[date]]:
    """Write the days without the file's results: how many went, how many stay for lists, and the days."""
    taken = returned = 0
    days = set()
    lists = _returned(store)
    for (day,), of_day in held.results.group_by("reported_on"):
        assert isinstance(day, date)
        stored = store.read_results(day)
        rows = stored.with_columns(hash_text(stored["declaration_id"]).alias("declaration"))
        own = rows.join(of_day, on=["declaration", "line_no"], how="semi")
        both = own.join(lists, on=["declaration_id", "reported_on"], how="semi")
        gone = own.join(both, on=["declaration_id", "line_no"], how="anti")
        returned += both.height
        if gone.height:
            taken += gone.height
            days.add(day)
            left = stored.join(gone, on=["declaration_id", "line_no"], how="anti")
            store.write_inspections(t, day, left)
    return taken, returned, days


def _returned(store: Store) -> pl.DataFrame:
    """The parcels of which filled-in lists said something, and the day on which that was reported."""
    schema = {
        "declaration_id": pl.String(),
        "opened_instead": pl.String(),
        "reported_on": pl.Date(),
        "rows_written": pl.Int32(),
    }
    rows = read_tables(_returns(store), schema, None).filter(pl.col("rows_written") > 0)
    parcel = pl.coalesce("opened_instead", "declaration_id").alias("declaration_id")
    return rows.select(parcel, "reported_on").unique()


def _returns(store: Store) -> list[Path]:
    """The files that say what became of every returned row."""
    days = [*store.days(DayTable.FEEDBACK), None]
    return [file for day in days for file in store.layout.files(DayTable.FEEDBACK, day)]
