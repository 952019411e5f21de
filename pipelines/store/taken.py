"""Which files were ingested, by fingerprint, and which rows of the store each of them brought.

Both are tables of their own, a file each a run, so that the tables of the store need no further column and
do not depend on the order in which files came.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import polars as pl

from pipelines.store.files import read_tables, scan_table, write_table, writing
from pipelines.store.journal import Transaction
from pipelines.store.layout import Layout
from pipelines.store.spool import Spool

TAKEN_COLUMNS: Final[dict[str, pl.DataType]] = {
    "fingerprint": pl.String(),
    "file": pl.String(),
    "taken_at": pl.Datetime("us", "UTC"),
    "number": pl.Int32(),
    "rows_in": pl.Int64(),
    "rows_kept": pl.Int64(),
    "rows_quarantined": pl.Int64(),
    "rows_superseded": pl.Int64(),
    "withdrawn_at": pl.Datetime("us", "UTC"),
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
ROW_KEY: Final = {name: kind for name, kind in TAKEN_ROWS.items() if name != "number"}
"""What tells the rows of the store apart among those."""


def taken_files(layout: Layout) -> pl.DataFrame:
    """Return the files whose rows are in the store, those that came first in front (`TAKEN_COLUMNS`).

    A file that was withdrawn, or that is to be taken again, is not among them; one that came in several times
    stands in several rows.
    """
    files = read_tables(layout.taken("files"), TAKEN_COLUMNS, None)
    return files.filter(pl.col("withdrawn_at").is_null() & ~pl.col("take_again"))


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

    The rows come in parts, with the columns of `ROW_KEY`.
    """
    rows = pl.concat([pl.DataFrame(schema=ROW_KEY), *parts])
    found = [pl.DataFrame(schema={name: TAKEN_COLUMNS[name] for name in ("fingerprint", "file")})]
    files = {path.name: path for path in layout.taken("files")}
    for path in layout.taken("rows") if rows.height else []:
        taken = scan_table(path, TAKEN_ROWS).join(rows.lazy(), on=list(ROW_KEY), how="semi", nulls_equal=True)
        numbers = taken.select(pl.col("number").unique()).collect()
        of_run = read_tables([files[path.name]], TAKEN_COLUMNS, None).filter(pl.col("withdrawn_at").is_null())
        found.append(of_run.join(numbers, on="number", how="semi").select("fingerprint", "file"))
    return pl.concat(found).unique(maintain_order=True)
