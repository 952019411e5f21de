"""Rejected rows, for the quarantine and in words."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

import polars as pl

from configs.messages import MOST_EXAMPLES
from configs.schema.pipeline import IngestConfig
from features.contract.bounds import Bounds
from features.contract.checked import Validated
from features.contract.china_time import china_day
from features.contract.conversions import NOT_TEXT, NOT_WHOLE, TOO_LONG, to_text, to_whole
from features.contract.declarations import EARLIEST
from features.contract.moments import to_moment
from features.contract.reject_reasons import RejectReason
from pipelines.ingest.accounts import REFUSED, Changes, FileResult
from pipelines.ingest.reading.advice import expected
from pipelines.ingest.reading.source import Chunk, Source
from pipelines.privacy.identity_screen import OFFICIAL_COLUMNS, PSEUDONYM_COLUMNS, names_somebody
from pipelines.privacy.pseudonyms import Pseudonymiser
from pipelines.store.day_table import DayTable
from pipelines.store.layout import Layout
from pipelines.store.quarantine import QUARANTINE_COLUMNS
from pipelines.store.spool import complete

REJECTED_COLUMNS: Final[dict[str, pl.DataType]] = QUARANTINE_COLUMNS | {
    "declared_on": pl.Date(),
    "_id_hash": pl.UInt64(),
}
_MOST_CHARS: Final = 40


def rejected_rows(
    source: Source,
    table: str,
    rows: pl.DataFrame,
    reasons: pl.Series,
    records: pl.Series,
    max_text_chars: int,
) -> pl.DataFrame:
    """Rows for the quarantine, with the day to which they belong, where that is known.

    `table` is `declarations` or `inspections`, `rows` are as a source gave them, `records` the same as text
    that names nobody. Declaration numbers of more than `max_text_chars` are left out.
    """
    nothing = pl.Series([None], dtype=pl.Null).new_from_index(0, rows.height)
    given = {name: rows[name] for name in rows.columns}
    ids = to_text(given.get("declaration_id", nothing), max_text_chars)
    numbers = to_whole(given.get("line_no", nothing))
    moments = to_moment(given.get("declared_at", nothing), source.zone)
    days = china_day(moments.set((moments < EARLIEST).fill_null(False), None))
    return pl.DataFrame(
        {
            "source_file": pl.Series([source.name], dtype=pl.String).new_from_index(0, rows.height),
            "source_row": rows["_source_row"],
            "offset": given.get("_offset", nothing).cast(pl.Int64),
            "table": pl.Series([table], dtype=pl.String).new_from_index(0, rows.height),
            "declaration_id": ids.set(ids.is_in([NOT_TEXT, TOO_LONG]).fill_null(False), None),
            "line_no": numbers.set((numbers == NOT_WHOLE).fill_null(False), None),
            "reasons": reasons,
            "record": records,
            "declared_on": days,
            "_id_hash": pl.Series([0], dtype=pl.UInt64).new_from_index(0, rows.height),
        },
        schema=REJECTED_COLUMNS,
    )


def rows_read_again(
    source: Source,
    picked: pl.DataFrame,
    table: str,
    settings: IngestConfig,
    pseudonymiser: Callable[[], Pseudonymiser],
) -> Iterator[pl.DataFrame]:
    """Rows for the quarantine that only others show to be wrong, such as those whose key another row has.

    They are read again: which they are is known only now, and to keep every row as it came would take more
    room than the store. `picked` are their `_source_row` and `reason`.
    """
    for chunk in source.chunks(settings.chunk_rows):
        frame = chunk.rows_of(table)
        if frame is None:
            continue
        rows = frame.join(picked, on="_source_row", how="inner", maintain_order="left")
        if rows.height:
            reasons = rows.select(reasons=pl.concat_list("reason")).to_series()
            rows = source.screened(rows.drop("reason"), chunk, pseudonymiser).rows
            records = source.records(chunk, rows["_row"])
            yield rejected_rows(source, table, rows, reasons, records, settings.max_text_chars)


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


def examples(
    sources: Mapping[int, Source], chunk: Chunk, rows: pl.DataFrame, reasons: pl.Series, bounds: Bounds
) -> list[str]:
    """Some rejected rows in words: file, row, column and the value, shortened, never somebody's identity."""
    texts = []
    for row, (reason, *_) in zip(rows.iter_rows(named=True), reasons.to_list(), strict=True):
        column, colon, kind = reason.rpartition(":")
        source = sources[row["_file"]]
        fault = _fault(source, chunk, row, column, kind, bounds) if colon else kind.replace("_", " ")
        texts.append(f"{source.name}, row {row['_source_row']}: {fault}")
    return texts


def nulled_examples(
    sources: Mapping[int, Source], chunk: Chunk, rows: pl.DataFrame, checked: Validated, bounds: Bounds
) -> dict[str, str]:
    """By column, one of the values that became null; `checked` is what the contract made of `rows`."""
    texts: dict[str, str] = {}
    for reason in checked.nulled:
        column, _, kind = reason.rpartition(":")
        if column in texts or column not in rows.columns or len(texts) == MOST_EXAMPLES:
            continue
        lost = checked.kept[column].is_null() & rows[column][checked.kept_rows].is_not_null()
        if not lost.any():
            continue
        row = rows.row(int(checked.kept_rows[int(lost.arg_true()[0])]), named=True)
        source = sources[row["_file"]]
        fault = _fault(source, chunk, row, column, kind, bounds)
        texts[column] = f"{source.name}, row {row['_source_row']}: {fault}"
    return texts


def _fault(
    source: Source, chunk: Chunk, row: Mapping[str, Any], column: str, kind: str, bounds: Bounds
) -> str:
    """What was expected in a column, what came, and what to do."""
    origin, value = source.origin(column), row.get(column)
    if kind == RejectReason.NOT_A_NUMBER and origin in chunk.raw.columns:
        # The number that the reader tried to make of the cell says nothing any more.
        value = chunk.raw[origin][row["_row"]]
    # Of a value that the reader left out the reason says why.
    is_left_out = value is None and kind != RejectReason.MISSING
    shown = "" if is_left_out else f"{_shown(column, value)} "
    words = f"{column} {shown}({kind.replace('_', ' ')})"
    wanted = bounds.described(column) if kind == RejectReason.BEYOND_BOUNDS else expected(column, kind)
    if wanted is None or value is None or _is_hidden(column, str(value)):
        return words
    return f"{words}: expected {wanted}{source.advice(column, kind, str(value)[:_MOST_CHARS])}"


def _shown(column: str, value: object) -> str:
    if value is None:
        return "is missing"
    text = str(value)
    if _is_hidden(column, text):
        return "(not shown)"
    return repr(text if len(text) <= _MOST_CHARS else text[:_MOST_CHARS] + "…")


def _is_hidden(column: str, text: str) -> bool:
    """Whether a value may be somebody's."""
    personal = column not in OFFICIAL_COLUMNS and bool(names_somebody(pl.Series([text]))[0])
    return column in PSEUDONYM_COLUMNS or personal
