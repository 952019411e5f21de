"""Tables of declarations and results, broken: cells, types, columns, encodings, bytes."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from random import Random

import openpyxl
import polars as pl

from benchmarks.mutated.values import broken_bytes, nasty, re_encoded

_ROWS = (1, 3, 12, 40)
_SEPARATORS = (",", ";", "\t", "|", " ")
_LINE_ENDS = ("\n", "\r\n", "\r", "\n\n")
_TYPES = (pl.String, pl.Int32, pl.Int64, pl.Float64, pl.Boolean, pl.Binary, pl.Categorical, pl.Date, pl.Null)


@dataclass(frozen=True)
class Content:
    """A broken file. `rows` are those that it has for any reader, None where the fault leaves that open."""

    data: bytes
    suffix: str
    rows: int | None


def broken_table(random: Random, kind: str) -> Content:
    """A table as `csv`, `parquet` or `xlsx`, of declarations, of results or of both."""
    frame = _valid_table(random)
    return {"csv": _broken_csv, "parquet": _broken_parquet, "xlsx": _broken_xlsx}[kind](frame, random)


def _valid_table(random: Random) -> pl.DataFrame:
    height = random.choice(_ROWS)
    numbers = range(height)
    declared = [
        datetime(2026, 11, random.randint(15, 20), random.randint(0, 23), tzinfo=UTC) for _ in numbers
    ]
    lines = {
        "declaration_id": [f"D{number // 2:05d}" for number in numbers],
        "line_no": [number % 2 + 1 for number in numbers],
        "declared_at": [f"{moment:%Y-%m-%dT%H:%M:%SZ}" for moment in declared],
        "hs_code": [random.choice(("3304990039", "0302110000", "950300")) for _ in numbers],
        "item_name": [random.choice(("面霜", "toy beetle", "salmon, frozen", 'TV 55"')) for _ in numbers],
        "quantity": [random.randint(1, 9) for _ in numbers],
        "unit": ["035"] * height,
        "total_price": [round(random.uniform(1, 900), 2) for _ in numbers],
        "currency": [random.choice(("CNY", "USD")) for _ in numbers],
        "customs_office": ["0109"] * height,
        "seller_id": [f"S{random.randint(1, 4)}" for _ in numbers],
        "order_id": [f"O{number}" for number in numbers],
    }
    found = [random.choice((None, True, False)) for _ in numbers]
    results = {
        "inspected_on": [str(date(2026, 11, 21)) for _ in numbers],
        "reported_on": [str(date(2026, 11, 21) + timedelta(days=random.randint(0, 3))) for _ in numbers],
        "selection": [random.choice(("risk", "random")) for _ in numbers],
        "inspection_probability": [random.choice((0.01, 1.0)) for _ in numbers],
        "undervaluation": found,
        "assessed_unit_price": [random.choice((None, 12.5)) for _ in numbers],
    }
    keys = {name: lines[name] for name in ("declaration_id", "line_no")}
    return pl.DataFrame(random.choice((lines, lines, keys | results)))


def _cells(frame: pl.DataFrame, random: Random) -> list[list[str]]:
    """The table as text with its header, some cells replaced by what should not stand there."""
    rows = [frame.columns, *([str(cell) if cell is not None else "" for cell in row] for row in frame.rows())]
    table = [list(row) for row in rows]
    for _ in range(random.choice((0, 1, 1, 3, 8))):
        row = random.randrange(len(table)) if random.random() < 0.1 else random.randrange(1, len(table))
        table[row][random.randrange(len(table[row]))] = nasty(random)
    return table


def _with_other_columns(table: list[list[str]], random: Random) -> None:
    at = random.randrange(len(table[0]))
    match random.randrange(6):
        case 0:
            for row in table:
                del row[at]
        case 1:
            for row in table:
                row.insert(random.choice((0, at)), row[at])
        case 2:
            for row in table[1:]:
                row.insert(at, "shifted")
        case 3:
            row = random.choice(table)
            del row[at:]
        case 4:
            table[0][at] = random.choice((table[0][at].upper(), f" {table[0][at]} ", "线\n号", ""))
        case _:
            table.insert(random.randrange(len(table) + 1), [nasty(random)])


def _broken_csv(frame: pl.DataFrame, random: Random) -> Content:
    table = _cells(frame, random)
    rows: int | None = len(table) - 1
    if random.random() < 0.3:
        _with_other_columns(table, random)
        rows = None
    out = io.StringIO()
    quoting = random.choice((csv.QUOTE_MINIMAL, csv.QUOTE_ALL))
    separator = random.choice(_SEPARATORS) if random.random() < 0.3 else ","
    ends = random.choice(_LINE_ENDS) if random.random() < 0.4 else "\n"
    writer = csv.writer(out, delimiter=separator, lineterminator=ends, quoting=quoting)  # type: ignore[arg-type]
    writer.writerows(table)
    text = out.getvalue()
    if random.random() < 0.1:
        text, rows = text.replace('"', "", random.choice((1, -1))), None
    # A reader may see a cell's line breaks, or a blank cell alone in its line, as lines of their own.
    if (
        separator != ","
        or ends == "\n\n"
        or any(set(cell) & set("\r\n\x00\x0b") for row in table for cell in row)
    ):
        rows = None
    match random.randrange(8):
        case 0:
            return Content(broken_bytes(text.encode("utf-8", "replace"), random), ".csv", None)
        case 1:
            return Content(re_encoded(text, random), ".csv", None)
        case _:
            return Content(text.encode("utf-8", "replace"), ".csv", rows)


def _broken_parquet(frame: pl.DataFrame, random: Random) -> Content:
    rows = frame.height
    for _ in range(random.choice((0, 1, 2, 3))):
        frame = _with_other_type(frame, random)
    out = io.BytesIO()
    frame.write_parquet(out)
    if random.random() < 0.2:
        return Content(broken_bytes(out.getvalue(), random), ".parquet", None)
    return Content(out.getvalue(), ".parquet", rows)


def _with_other_type(frame: pl.DataFrame, random: Random) -> pl.DataFrame:
    name = random.choice(frame.columns)
    column = frame[name]
    match random.randrange(7):
        case 0:
            return frame.drop(name) if frame.width > 1 else frame
        case 1:
            other_name = random.choice((name.upper(), f" {name}", "x", "_row"))
            return frame if other_name in frame.columns else frame.rename({name: other_name})
        case 2:
            other = pl.Series(name, [nasty(random).encode("utf-8", "replace").decode() for _ in column])
        case 3:
            other = column.implode().new_from_index(0, frame.height).alias(name)
        case 4:
            other = frame.select(pl.struct(name).alias(name)).to_series()
        case 5:
            other = pl.Series(
                name,
                [datetime(2026, 11, 20, 8, tzinfo=UTC), *[None] * (frame.height - 1)],
                dtype=pl.Datetime("ns", "Asia/Tokyo"),
            )
        case _:
            kind = random.choice(_TYPES)
            other = pl.Series(name, [None] * frame.height) if kind == pl.Null else _cast(column, kind)
    return frame.with_columns(other)


def _cast(column: pl.Series, kind: type[pl.DataType]) -> pl.Series:
    try:
        return column.cast(kind, strict=False)
    except pl.exceptions.PolarsError:
        return column.cast(pl.String)


def _broken_xlsx(frame: pl.DataFrame, random: Random) -> Content:
    table = _cells(frame, random)
    if random.random() < 0.2:
        _with_other_columns(table, random)
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in table:
        sheet.append([_cell(text, random) for text in row])
    with_more_faults(book, random)
    out = io.BytesIO()
    book.save(out)
    data = broken_bytes(out.getvalue(), random) if random.random() < 0.15 else out.getvalue()
    return Content(data, ".xlsx", None)


def with_more_faults(book: openpyxl.Workbook, random: Random) -> None:
    """What people do to a workbook: sheets, merged cells, formulas, stray cells, blank rows."""
    sheet = book.worksheets[0]
    row, column = random.randint(1, sheet.max_row), random.randint(1, sheet.max_column)
    match random.randrange(9):
        case 0:
            book.copy_worksheet(sheet)
        case 1:
            book.create_sheet("Sheet 2", random.choice((0, 1)))
        case 2:
            sheet.merge_cells(start_row=row, end_row=row + 2, start_column=column, end_column=column)
        case 3:
            sheet.cell(row, column).value = "=A1*2"
        case 4:
            sheet.cell(random.choice((5_000, 1_048_576)), random.choice((1, 300, 16_384))).value = "stray"
        case 5:
            sheet.insert_rows(row, 2)
        case 6:
            sheet.insert_cols(column)
        case 7:
            sheet.delete_rows(row)
        case _:
            sheet.sheet_state = "visible"


def _cell(text: str, random: Random) -> str | float | datetime | bool | None:
    """What a spreadsheet program makes of a text: numbers, dates, or the text without what it cannot hold."""
    clean = "".join(letter for letter in text if letter.isprintable() or letter == "\n")[:32_000]
    if random.random() < 0.3:
        try:
            number = float(clean)
        except ValueError:
            return clean or None
        return number if abs(number) < 1e300 else clean
    return clean or None
