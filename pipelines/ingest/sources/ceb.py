"""Reads CEB621 (import) and CEB603 (export) inventories into frames of the contract's columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import polars as pl

from features.contract.declarations import DECLARATION_COLUMNS
from pipelines.ingest.sources.ceb_reader import inventory_lines, message_type
from pipelines.ingest.sources.ceb_rows import Row, RowMaker
from pipelines.privacy.pseudonyms import Pseudonymiser

# Declared values stay texts: whether they are valid is the contract's to say, with a reason where not.
CEB_SCHEMA: Mapping[str, pl.DataType] = {
    **{column: pl.String() for column in DECLARATION_COLUMNS},
    "_source_row": pl.Int64(),
    "_offset": pl.Int64(),
    "_message_at": pl.Datetime("us", "UTC"),
    "_action": pl.String(),
    "_reject": pl.String(),
    "_nulled": pl.List(pl.String()),
    "_record": pl.String(),
}
# A chunk is cut here even below its number of rows, so that long texts cannot fill the memory.
_MOST_CHARS_IN_CHUNK = 64 * 2**20


def read_ceb(
    path: Path,
    *,
    chunk_rows: int,
    pseudonymiser: Pseudonymiser,
    countries: Mapping[str, str],
    currencies: Mapping[str, str],
) -> Iterator[pl.DataFrame]:
    """The goods lines of one file, in frames of at most `chunk_rows` rows with the columns of `CEB_SCHEMA`.

    Besides the contract's columns, all String and not yet validated:

    - `_source_row`: running number of the row in the file, from 1; `_offset`: that of its inventory.
    - `_message_at`: when the message was sent (appTime), UTC: the order of several messages on one inventory.
    - `_action`: new, change, delete or draft; null where that cannot be told.
    - `_reject`: why the row cannot be used whatever its columns say, else null: bad_app_type,
      missing_app_status, no_goods_lines, no_inventory_head.
    - `_nulled`: `column:reason` for each value that was left out as not comparable with the line's prices
      (freight and insurance: other_currency, not_an_amount); null where there is none.
    - `_record`: the row as it came, as JSON, with every field that could name somebody hashed.

    An inventory without goods lines is one row with a null `line_no`. Rows that stand before a fault are
    yielded before it is raised: drop them then, for a file counts as a whole.

    Args:
        chunk_rows: at least 1.
        countries: customs' country code to ISO 3166-1 alpha-2, for the time of the file.
        currencies: customs' currency code to ISO 4217.

    Raises:
        DataError: the file is no well-formed CEB621 or CEB603 message; see `inventory_lines`.
    """
    maker = RowMaker(message_type(path), pseudonymiser, countries, currencies)
    rows: list[Row] = []
    chars = 0
    inventory, of_head = 0, Row()
    for number, found in enumerate(inventory_lines(path), start=1):
        if found.inventory != inventory or (found.head is not None and "declaration_id" not in of_head):
            inventory, of_head = found.inventory, maker.head(found.head)
        row = maker.line(of_head, found.head, found.line)
        row["_source_row"], row["_offset"] = number, inventory
        rows.append(row)
        chars += len(row["_record"])
        if len(rows) >= chunk_rows or chars >= _MOST_CHARS_IN_CHUNK:
            yield _frame(rows)
            rows, chars = [], 0
    if rows:
        yield _frame(rows)


def _frame(rows: list[Row]) -> pl.DataFrame:
    # A list column is slow to build from Python lists; as text it is not.
    flat = {**CEB_SCHEMA, "_nulled": pl.String()}
    frame = pl.DataFrame(
        [pl.Series(column, [row.get(column) for row in rows], dtype=dtype) for column, dtype in flat.items()]
    )
    return frame.with_columns(pl.col("_nulled").str.split(";"))
