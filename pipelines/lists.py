"""Writes a day's lists: one table for programs, and for each office a workbook and a page for people."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import polars as pl

from configs.schema import RiskConfig
from pipelines.office_list import office_lists
from pipelines.report_csv import csv_bytes
from pipelines.report_html import page
from pipelines.report_xlsx import workbook_bytes
from pipelines.store_files import write_table

SAMPLING_LIST_SCHEMA: dict[str, type[pl.DataType]] = {
    "rank": pl.Int32,
    "customs_office": pl.String,
    "declaration_id": pl.String,
    "line_no": pl.Int32,
    "risk": pl.String,
    "probability": pl.Float64,
    "expected_value_cny": pl.Float64,
    "selection": pl.String,
    "inspection_probability": pl.Float64,
    "reason_1": pl.String,
    "reason_2": pl.String,
    "reason_3": pl.String,
}
_RESERVED = re.compile(r"sampling_list|con|prn|aux|nul|com\d|lpt\d", re.IGNORECASE)
_MAX_NAME_BYTES = 80


def write_lists(
    stage: Path,
    listed: pl.DataFrame,
    day: date,
    risks: Mapping[str, RiskConfig],
    *,
    incomplete: bool = False,
) -> list[Path]:
    """Writes all files of a day into the folder `stage` and returns their paths, sorted.

    `listed` has the columns of `SAMPLING_LIST_SCHEMA` and, for the documents,
    `pipelines.office_list.DISPLAY_COLUMNS`. Written are `sampling_list.parquet` and `.csv` with exactly the
    columns of `SAMPLING_LIST_SCHEMA`, also for an empty list, and `<office>.xlsx` and `<office>.html` for
    each office with a parcel on it. The same input gives the same bytes. `incomplete` marks the documents of
    a run that could not score every parcel.
    """
    stage.mkdir(parents=True, exist_ok=True)
    table = listed.select(pl.col(name).cast(dtype) for name, dtype in SAMPLING_LIST_SCHEMA.items()).sort(
        "customs_office", "rank"
    )
    write_table(table, stage / "sampling_list.parquet")
    (stage / "sampling_list.csv").write_bytes(csv_bytes(table))
    written = [stage / "sampling_list.parquet", stage / "sampling_list.csv"]
    for office_list in office_lists(listed, day, risks, incomplete=incomplete):
        name = office_file_name(office_list.office)
        workbook, document = stage / f"{name}.xlsx", stage / f"{name}.html"
        workbook.write_bytes(workbook_bytes(office_list))
        document.write_bytes(page(office_list).encode("utf-8"))
        written += [workbook, document]
    return sorted(written)


def office_file_name(office: str) -> str:
    """The name of an office's files, without the ending: its code where that is a safe name everywhere.

    What is left out of a name is made up for by a fingerprint, so that two offices never share a file.

    >>> office_file_name("4601"), office_file_name("上海浦东")
    ('4601', '上海浦东')
    >>> office_file_name("../../etc")
    'etc-f470a0ab'
    """
    safe = re.sub(r"[^\w-]+", "_", unicodedata.normalize("NFC", office)).strip("_-")
    safe = safe.encode("utf-8")[:_MAX_NAME_BYTES].decode("utf-8", "ignore")
    if safe == office and safe and not _RESERVED.fullmatch(safe):
        return safe
    digest = hashlib.blake2b(office.encode("utf-8", "surrogatepass"), digest_size=4).hexdigest()
    return f"{safe or 'office'}-{digest}"
