"""Which files were ingested, by fingerprint, and which rows of the store each of them brought.

Both are tables of their own, a file each a run, so that the tables of the store need no further column and
do not depend on the order in which files came.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import polars as pl

from pipelines.store.files import read_tables, scan_table, write_table, writing
from pipelines.store.journal import Transaction
from pipelines.store.layout import Layout
from pipelines.store.spool import Spool

_MOMENT: Final = pl.Datetime("us", "UTC")
TAKEN_COLUMNS: Final[dict[str, pl.DataType]] = {
    "fingerprint": pl.String(),
    "file": pl.String(),
    "taken_at": _MOMENT,
    "number": pl.Int32(),
    "rows_in": pl.Int64(),
    "rows_kept": pl.Int64(),
    "rows_quarantined": pl.Int64(),
    "rows_superseded": pl.Int64(),
    "withdrawn_at": _MOMENT,
    "take_again": pl.Boolean(),
}
"""A file of a run: the SHA-256 of its bytes, its name, when it came in, its place among the run's files, and
what became of its rows. `withdrawn_at` is null unless its rows were taken back; `take_again` is true where it
has rows that a withdrawn file kept out.
"""
TAKEN_ROWS: Final[dict[str, pl.DataType]] = {
    "number": pl.Int32(),
    "declaration": pl.UInt64(),
    "line_no": pl.Int32(),
    "reported_on": pl.Date(),
}
"""A row that the store took: the place of its file, the hash of its declaration, its line (0: the declaration
as a whole, by a message), and of a result its day of report.
"""
OF_DOCUMENTS: Final = -1
"""The line number by which a file is known to have brought documents; such a row speaks of no declaration."""
_ROW_KEY: Final = {name: kind for name, kind in TAKEN_ROWS.items() if name != "number"}
"""What tells the rows of the store apart among those."""


def taken_files(layout: Layout) -> pl.DataFrame:
    """Return the files whose rows are in the store, those that came first in front, as `known_files` does.

    A file that was withdrawn, or that is to be taken again, is not among them; one that came in several times
    stands in several rows.
    """
    return _living(layout).filter(~pl.col("take_again"))


def withdrawn_fingerprints(layout: Layout) -> set[str]:
    """Return the fingerprints of the files whose rows were taken back."""
    return set(known_files(layout).drop_nulls("withdrawn_at")["fingerprint"])


def stage_taken(t: Transaction, layout: Layout, files: pl.DataFrame, rows: Spool) -> None:
    """Stage what a run took: its `files` (`TAKEN_COLUMNS`), and the rows of `TAKEN_ROWS`."""
    if files.is_empty():
        return
    number = len(layout.taken("files")) + 1
    write_table(files.select(*TAKEN_COLUMNS), t.stage_file(layout.taken_file("files", number)))
    waiting = rows.scan()
    if waiting is not None:
        path = t.stage_file(layout.taken_file("rows", number))
        with writing(path):
            # Streamed: a national day has tens of millions of them.
            waiting.select(*TAKEN_ROWS).sink_parquet(path, compression="zstd", compression_level=1)


def brought_by(layout: Layout, parts: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Return the files that brought any of some rows of the store: `fingerprint` and `file`, each once.

    The rows come in parts, with the columns of `TAKEN_ROWS` but `number`.
    """
    rows = pl.concat([pl.DataFrame(schema=_ROW_KEY), *parts])
    if rows.is_empty():
        return pl.DataFrame(schema={name: TAKEN_COLUMNS[name] for name in ("fingerprint", "file")})
    files = _living(layout)
    brought = _rows_of(layout, files, rows.select("declaration").unique())
    brought = brought.join(rows, on=list(_ROW_KEY), how="semi", nulls_equal=True)
    brought = files.join(brought, on=["run", "number"], how="semi")
    return brought.select("fingerprint", "file").unique(maintain_order=True)


@dataclass(frozen=True)
class Holdings:
    """What the store holds because of one file.

    Attributes:
        name: the file's.
        lines: `declaration` and `line_no` of the rows of tables.
        messages: `declaration` of what is as a message of the file says.
        results: `declaration`, `line_no` and `reported_on`.
        others: `declaration` and `line_no` of lines that other files brought to the same declarations.
        displaced: fingerprints of the files with rows that this one may have kept out or replaced.
        has_documents: whether it brought documents.
    """

    name: str
    lines: pl.DataFrame
    messages: pl.DataFrame
    results: pl.DataFrame
    others: pl.DataFrame
    displaced: frozenset[str]
    has_documents: bool = False

    @classmethod
    def of(cls, layout: Layout, fingerprint: str) -> Holdings:
        """Find what the store holds of a file that was ingested and not withdrawn."""
        files = _living(layout)
        own = files.filter(pl.col("fingerprint") == fingerprint)
        rows = _rows_of(layout, own)
        lines = rows.filter(pl.col("reported_on").is_null())
        about = lines.select("declaration").unique()
        rivals = files.filter(pl.col("fingerprint") != fingerprint)
        others = _rows_of(layout, rivals, about).filter(pl.col("reported_on").is_null())
        # Of a declaration the last message counts, over whatever came before it.
        latest = others.filter(pl.col("line_no") == 0).group_by("declaration").agg(_last=pl.col("run").max())
        living = lines.join(latest, on="declaration", how="left").filter(
            pl.col("_last").is_null() | (pl.col("_last") <= pl.col("run"))
        )
        messages = living.filter(pl.col("line_no") == 0).group_by("declaration").agg(pl.col("run").max())
        beside = others.join(messages.rename({"run": "_since"}), on="declaration", how="left")
        since = pl.col("_since").is_null() | (pl.col("run") >= pl.col("_since"))
        first = own["run"].min()
        unkept = (pl.col("rows_superseded") > 0) | (pl.col("rows_quarantined") > 0)
        kept_out = rivals.filter((pl.col("run") >= first) & unkept)
        replaced = others.join(messages, on="declaration", how="semi").join(
            rivals, on=["run", "number"], how="inner"
        )
        return cls(
            own["file"][0],
            living.filter(pl.col("line_no") > 0).select("declaration", "line_no").unique(),
            messages.select("declaration"),
            rows.filter(pl.col("reported_on").is_not_null()).select(*_ROW_KEY),
            beside.filter(since & (pl.col("line_no") > 0)).select("declaration", "line_no").unique(),
            frozenset([*kept_out["fingerprint"], *replaced["fingerprint"]]),
            bool((rows["line_no"] == OF_DOCUMENTS).any()),
        )


def stage_withdrawal(
    t: Transaction, layout: Layout, fingerprint: str, again: Collection[str], now: datetime
) -> None:
    """Stage that a file was withdrawn, and that others are to be taken again, by their fingerprints."""
    own = pl.col("fingerprint") == fingerprint
    for path in layout.taken("files"):
        files = read_tables([path], TAKEN_COLUMNS, None)
        withdrawn = pl.when(own & pl.col("withdrawn_at").is_null()).then(pl.lit(now, dtype=_MOMENT))
        changed = files.with_columns(
            withdrawn.otherwise(pl.col("withdrawn_at")).alias("withdrawn_at"),
            pl.col("take_again") | pl.col("fingerprint").is_in(sorted(again)),
        )
        if not changed.equals(files):
            write_table(changed, t.stage_file(path))


def known_files(layout: Layout) -> pl.DataFrame:
    """Return all files that ever came in, also those that were withdrawn, with their `run`."""
    frames = [pl.DataFrame(schema=TAKEN_COLUMNS | {"run": pl.Int32()})]
    for path in layout.taken("files"):
        files = read_tables([path], TAKEN_COLUMNS, None)
        frames.append(files.with_columns(pl.lit(_run_of(path), dtype=pl.Int32).alias("run")))
    return pl.concat(frames)


def _living(layout: Layout) -> pl.DataFrame:
    return known_files(layout).filter(pl.col("withdrawn_at").is_null())


def _rows_of(layout: Layout, files: pl.DataFrame, about: pl.DataFrame | None = None) -> pl.DataFrame:
    """The rows that files brought, all or those about some declarations, with their `run`."""
    frames = [pl.DataFrame(schema=TAKEN_ROWS | {"run": pl.Int32()})]
    for path in layout.taken("rows"):
        of_run = files.filter(pl.col("run") == _run_of(path)).select("number")
        if of_run.height:
            rows = scan_table(path, TAKEN_ROWS).join(of_run.lazy(), on="number", how="semi")
            if about is not None:
                rows = rows.join(about.lazy(), on="declaration", how="semi")
            frames.append(rows.collect().with_columns(pl.lit(_run_of(path), dtype=pl.Int32).alias("run")))
    return pl.concat(frames)


def _run_of(path: Path) -> int:
    return int(path.stem.removeprefix("run-"))
