"""Rows that turn out to be wrong after all files are read, for the quarantine and the accounts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import polars as pl

from configs.schema.pipeline import IngestConfig
from pipelines.ingest.accounts import REFUSED, Changes, FileResult
from pipelines.ingest.reading.source import Source
from pipelines.ingest.rejects import MOST_EXAMPLES, REJECTED_COLUMNS, rows_read_again
from pipelines.privacy.pseudonyms import Pseudonymiser
from pipelines.store.layout import DayTable, Layout
from pipelines.store.spool import complete


def late_rejects(
    files: Sequence[FileResult],
    sources: Mapping[int, Source],
    tables: Mapping[str, Changes],
    settings: IngestConfig,
    pseudonymiser: Callable[[], Pseudonymiser],
) -> Iterator[pl.DataFrame]:
    """Yield the rows that the second pass refused, by the table that it did so for; `files` count them.

    Rows are read again from the file's source.
    """
    for table, changes in tables.items():
        refused = pl.concat([pl.DataFrame(schema=REFUSED), *changes.refused]).sort("_file", "_source_row")
        for (number,), rows in refused.group_by("_file", maintain_order=True):
            assert isinstance(number, int)
            file = files[number]
            picked = rows.select("_source_row", "reason")
            for frame in rows_read_again(sources[number], picked, table, settings, pseudonymiser):
                file.reject(frame.height, table, attached=table == "inspections" and file.results > 0)
                yield frame
            file.reasons.update(dict(rows["reason"].value_counts().iter_rows()))
            for row, why in rows.head(MOST_EXAMPLES - len(file.examples)).select("_source_row", "why").rows():
                file.examples.append(f"{file.path}, row {row}: {why}")


def rows_aside(layout: Layout, changes: Changes) -> Iterator[pl.DataFrame]:
    """Yield the results that an earlier run took and that cannot stay, as they stood in the store."""
    for rows in changes.aside:
        values = [name for name in rows.columns if name not in ("reason", "declared_on")]
        files = [str(layout.file(DayTable.INSPECTIONS, day)) for day in rows["reported_on"]]
        frame = rows.select(
            "declaration_id",
            "line_no",
            "declared_on",
            pl.Series("source_file", files, dtype=pl.String),
            pl.lit("inspections").alias("table"),
            pl.concat_list("reason").alias("reasons"),
            pl.struct(values).struct.json_encode().alias("record"),
        )
        yield complete(frame, REJECTED_COLUMNS.items())
