"""The store: plain Parquet by day, written by one run at a time and never half."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import date
from itertools import count
from pathlib import Path
from typing import Any

import polars as pl

from configs.errors import StoreError, StoreLockedError
from configs.who import responsible
from features.contract.declarations import DECLARATION_COLUMNS, LINE_KEY
from features.contract.inspections import FOUND_COLUMNS, INSPECTION_COLUMNS
from pipelines.store.buckets import (
    buckets_at_close,
    declared_days,
    lines_at_close,
    scan_at_close,
    write_buckets,
)
from pipelines.store.day_table import DayTable
from pipelines.store.digests import whole_folder
from pipelines.store.files import read_json, read_tables, with_contract_first, write_table
from pipelines.store.journal import Transaction, pending, roll_forward
from pipelines.store.layout import Layout
from pipelines.store.locking import hold_lock
from pipelines.store.meta import StoreMeta, check_format
from pipelines.store.quarantine import append_quarantine


class Store:
    """A folder of hive-partitioned Parquet tables; see `docs/data-contract.md` for its layout.

    Readers need no lock. A writer holds `lock` and changes files through `transaction`.

    >>> import tempfile
    >>> Store.create(Path(tempfile.mkdtemp()) / "store").declaration_days()
    []
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.layout = Layout(path)
        self._locked = False

    @classmethod
    def create(cls, path: Path) -> Store:
        """Open the store at `path`, and make it first where there is none.

        Raises:
            StoreError: another version made the store, or the folder cannot be made.
        """
        layout = Layout(Path(path))
        if not layout.meta.exists() and not layout.table(DayTable.DECLARATIONS).exists():
            try:
                layout.root.mkdir(parents=True, exist_ok=True)
                StoreMeta.new().write(layout.meta)
            except OSError as error:
                raise StoreError(f"cannot make a store at {path}: {error.strerror}") from error
        return cls.open(path)

    @classmethod
    def open(cls, path: Path) -> Store:
        """Open an existing store; a run that was killed while it changed files is finished first.

        Raises:
            StoreError: there is no store at `path`, or another version of the program made it.
        """
        path = Path(path)
        if not path.is_dir():
            raise StoreError(
                f"expected a store at {path}, found none: "
                "fill one with `parcel-risk ingest` or `parcel-risk simulate`"
            )
        store = cls(path)
        check_format(store.layout)
        if pending(path):
            # Whoever holds the lock is finishing these very changes.
            with suppress(StoreLockedError), store.lock("recover"):
                pass
        return store

    @contextmanager
    def lock(self, verb: str, *, brief: bool = False, patient: bool = False) -> Iterator[None]:
        """Hold the store for writing; `verb` is shown to another run that wants it; see `hold_lock`.

        Raises:
            StoreLockedError: another run holds it.
        """
        with hold_lock(self.path, verb, brief=brief, patient=patient):
            roll_forward(self.path)
            self._locked = True
            try:
                yield
            finally:
                self._locked = False

    def transaction(self) -> Transaction:
        """Return a transaction: its changes happen together when the with-block ends, or not at all.

        Raises:
            StoreError: the store is not locked by this object.
        """
        if not self._locked:
            raise StoreError("a change of the store needs its lock: use `with store.lock(verb):` around it")
        return Transaction(self.path)

    @property
    def meta(self) -> StoreMeta:
        """What the store knows about itself: its format, extra columns and label columns."""
        return StoreMeta.read(self.layout.meta)

    def identity(self) -> str:
        """Return what tells the store from others, drawn at random where it has none.

        The caller holds the lock.
        """
        meta = self.meta
        if not meta.identity:
            meta = meta.identified()
            with self.transaction() as t:
                meta.write(t.stage_file(self.layout.meta))
        return meta.identity

    def days(self, table: DayTable) -> list[date]:
        """Return the days that a table of the store has, oldest first."""
        return self.layout.days(table)

    # Declarations

    def declaration_schema(self) -> dict[str, pl.DataType]:
        """Return the columns of a line that models may see: the contract's, then the extra ones by name."""
        return self.meta.declaration_schema()

    def stored_schema(self) -> dict[str, pl.DataType]:
        """Return all columns of a line, those that only checks need among them."""
        return self.meta.stored_schema()

    def declaration_days(self) -> list[date]:
        """Return the days that had declarations at their close, oldest first."""
        return declared_days(self.layout)

    def read_declarations(self, day: date, columns: Sequence[str] | None = None) -> pl.DataFrame:
        """Return the lines of a day as known at its close, by bucket, sorted by key within a bucket.

        Every day has the same columns (default: those for models); one that its source lacks is null.

        Raises:
            StoreError: a file cannot be read, or is damaged.
        """
        return self.read_declaration_files(buckets_at_close(self.layout, day), columns)

    def read_declaration_files(
        self, paths: Sequence[Path], columns: Sequence[str] | None = None
    ) -> pl.DataFrame:
        """Return the same as `read_declarations` for some bucket files."""
        schema = self.stored_schema()
        wanted = list(self.declaration_schema() if columns is None else columns)
        parts = [lines_at_close(self.layout, path, schema, wanted) for path in paths]
        return pl.concat([read_tables([], schema, wanted), *parts], rechunk=False)

    def scan_declarations(self, first: date | None = None, last: date | None = None) -> pl.LazyFrame:
        """Scan the lines of a range of days (both inclusive) as `read_declarations`, with `declared_on`."""
        schema, low, high = self.declaration_schema(), first or date.min, last or date.max
        frames = [
            scan_at_close(self.layout, path, schema).with_columns(pl.lit(day).alias("declared_on"))
            for day in self.declaration_days()
            if low <= day <= high
            for path in buckets_at_close(self.layout, day)
        ]
        return pl.concat(frames) if frames else pl.LazyFrame(schema=schema | {"declared_on": pl.Date()})

    def write_declarations(self, t: Transaction, day: date, lines: pl.DataFrame, bucket_rows: int) -> None:
        """Replace a day's lines, whose own day is not checked; the bytes do not depend on their order.

        `lines` have the contract's columns, and any extra ones; a bucket holds about `bucket_rows` of them.
        """
        folder = t.stage(self.layout.partition(DayTable.DECLARATIONS, day))
        if not lines.is_empty():
            write_buckets(with_contract_first(lines, list(DECLARATION_COLUMNS)), folder, bucket_rows)

    # Inspections

    def inspection_schema(self) -> dict[str, pl.DataType]:
        """Return the columns of an inspection: the contract's, then further labels by name."""
        return self.meta.inspection_schema()

    def inspection_days(self) -> list[date]:
        """Return the days on which results were reported, oldest first."""
        return self.days(DayTable.INSPECTIONS)

    def read_inspections(
        self, reported_from: date | None = None, reported_to: date | None = None
    ) -> pl.DataFrame:
        """Return the results reported in a range of days (inclusive); labels that a file lacks are null."""
        schema = self.inspection_schema()
        frames = [
            self._read_results(day, schema)
            for day in self.inspection_days()
            if (reported_from is None or day >= reported_from) and (reported_to is None or day <= reported_to)
        ]
        return pl.concat(frames) if frames else pl.DataFrame(schema=schema)

    def read_results(self, reported_on: date) -> pl.DataFrame:
        """Return the results of one day like `read_inspections`, without listing the days."""
        return self._read_results(reported_on, self.inspection_schema())

    def write_inspections(self, t: Transaction, reported_on: date, frame: pl.DataFrame) -> None:
        """Replace the results reported on a day."""
        folder = t.stage(self.layout.partition(DayTable.INSPECTIONS, reported_on))
        if frame.is_empty():
            return
        columns = [name for name in INSPECTION_COLUMNS if name not in ("reported_on", *FOUND_COLUMNS)]
        rows = with_contract_first(frame.drop("reported_on", strict=False), columns)
        write_table(rows.sort(*LINE_KEY), folder / DayTable.INSPECTIONS.file)

    def _read_results(self, day: date, schema: Mapping[str, pl.DataType]) -> pl.DataFrame:
        whole_folder(self.layout, self.layout.partition(DayTable.INSPECTIONS, day))
        files = self.layout.files(DayTable.INSPECTIONS, day)
        stored = {name: dtype for name, dtype in schema.items() if name != "reported_on"}
        results = read_tables(files, stored, None)
        return results.with_columns(pl.lit(day, dtype=pl.Date).alias("reported_on")).select(*schema)

    # History

    @property
    def last_closed(self) -> date | None:
        """The last day that was ever closed, also where its history is open again; None before the first."""
        days = [*self.days(DayTable.PROFILES), *self.days(DayTable.SCORES)]
        return max(days, default=None)

    @property
    def out_of_date_from(self) -> date | None:
        """The day from which histories lack late data, though they serve until they are folded again."""
        file = self.layout.refold
        return date.fromisoformat(file.read_text(encoding="utf-8").strip()) if file.exists() else None

    def set_out_of_date(self, t: Transaction, day: date | None) -> None:
        """Stage from which day on histories lack late data; None: none does."""
        if day is None:
            t.remove(self.layout.refold)
        else:
            t.stage_file(self.layout.refold).write_text(f"{day}\n", encoding="utf-8")

    def invalidate_profiles(self, t: Transaction, from_day: date) -> list[date]:
        """Drop the history of `from_day` and later, to be folded again, and return the days dropped."""
        dropped = [day for day in self.days(DayTable.PROFILES) if day >= from_day]
        for day in dropped:
            t.remove(self.layout.partition(DayTable.PROFILES, day))
        return dropped

    # Quarantine and manifests

    def append_quarantine(self, t: Transaction, rows: Iterable[pl.DataFrame]) -> None:
        """Add rejected rows, see `pipelines.store.quarantine`; those that it holds are not added again."""
        append_quarantine(self.layout, t, rows)

    def newest_manifest(self, verb: str, day: date) -> dict[str, Any]:
        """Return what the newest run of `verb` for a day said of itself; nothing where there was none."""
        files = self.layout.manifests_of_day(verb, day)
        return read_json(files[-1]) if files else {}

    def write_manifest(self, t: Transaction, verb: str, day: date, manifest: Mapping[str, Any]) -> Path:
        """Stage the manifest of a run of `verb` with the next free number, and return where it will be.

        `run_by` is added: user, host and version of the program.
        """
        numbered = (self.layout.manifest(verb, day, number) for number in count(1))
        file = next(path for path in numbered if not path.exists())
        text = json.dumps(
            {**manifest, "run_by": responsible()}, indent=2, sort_keys=True, ensure_ascii=False, default=str
        )
        t.stage_file(file).write_text(text + "\n", encoding="utf-8")
        return file

    def write_meta(
        self,
        t: Transaction,
        extras: Mapping[str, str],
        labels: Sequence[str],
        pseudonym_key: Mapping[str, Any] | None = None,
    ) -> None:
        """Stage extra columns (name to `category` or `number`) and label columns, where they are new.

        A `pseudonym_key` takes the place of what the store remembers of its key.

        Raises:
            StoreError: an extra column is known with the other kind.
        """
        wider = self.meta.widened(extras, labels)
        if pseudonym_key:
            wider = replace(wider, pseudonym_key=pseudonym_key)
        if wider != self.meta:
            wider.write(t.stage_file(self.layout.meta))
