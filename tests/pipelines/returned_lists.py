"""A small store with issued lists, and lists filled in the way that people, pages and spreadsheets do it."""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl

from configs.loader import load_settings
from configs.schema.capacity import CapacityConfig
from configs.schema.settings import Settings
from features.contract.result_words import RESULT_WORDS
from pipelines.feedback.feedback import FeedbackOptions, feedback
from pipelines.feedback.report import FeedbackReport
from pipelines.lists.fields import fields_to_fill_in
from pipelines.lists.issued import issued_lists, stage_issued, with_list_ids
from pipelines.lists.write import write_lists
from pipelines.store.day_table import DayTable
from pipelines.store.store import Store
from pipelines.work.progress import Progress
from tests.pipelines.list_examples import DAY, listed
from tests.pipelines.taken_in import take_in

SETTINGS = load_settings()
CHINESE = SETTINGS.model_copy(update={"capacity": CapacityConfig(language="zh-CN")})
RISKS = SETTINGS.risks
NEXT_DAY = DAY + timedelta(days=1)
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
SELECTIONS = ("risk", "random", "exploration", "rule", "referral")
# Parcels 1 to 8 of office 4601 and 9 to 12 of 5316 are on lists, P13 and P14 are not.
PARCELS = 14
_THREE_LINES = (3, 7, 14)

Filled = Mapping[str, Any]


def parcel(number: int) -> str:
    return f"P{number:02d}"


def lines_of(number: int) -> range:
    return range(1, 4 if number in _THREE_LINES else 2)


def make_store(folder: Path) -> Store:
    """Declarations of the day and two offices' lists, no model and no score."""
    keys = [(parcel(number), line) for number in range(1, PARCELS + 1) for line in lines_of(number)]
    declarations = pl.DataFrame(
        {
            "declaration_id": [key[0] for key in keys],
            "line_no": [key[1] for key in keys],
            "declared_at": datetime(2026, 11, 20, 3, tzinfo=UTC),
            "customs_office": "4601",
            "hs_code": "330499",
            "total_price": 120.0,
            "currency": ["EUR" if key[0] == "P05" else "CNY" for key in keys],
            "waybill_id": [f"W{key[0]}" for key in keys],
            "order_id": ["O1" if key[0] in ("P13", "P14") else f"O{key[0]}" for key in keys],
        }
    )
    store = Store.create(folder / "S")
    take_in(store.path, declarations, settings=SETTINGS)
    with store.lock("test"), store.transaction() as t:
        rows = with_list_ids(the_lists(), DAY)
        write_lists(t.stage(store.layout.partition(DayTable.LISTS, DAY)), rows, DAY, SETTINGS)
        stage_issued(t, store, DAY, rows)
    return store


def the_lists() -> pl.DataFrame:
    rows = [
        {
            "declaration_id": parcel(number),
            "customs_office": "4601" if number <= 8 else "5316",
            "rank": number if number <= 8 else number - 8,
            "line_no": 2 if number == 3 else 1,
            "risk": sorted(RISKS)[number % 3],
            "selection": SELECTIONS[number % 5],
            "inspection_probability": number / 16 if SELECTIONS[number % 5] == "random" else 1.0,
        }
        for number in range(1, 13)
    ]
    return listed(rows)


@dataclass(frozen=True)
class Office:
    """A store of its own for a test, and how to give lists back to it."""

    store: Store
    folder: Path

    @classmethod
    def copy_of(cls, store: Store, folder: Path) -> Office:
        shutil.copytree(store.path, folder / "S")
        return cls(Store.open(folder / "S"), folder)

    def list_id(self, office: str = "4601") -> str:
        return str(issued_lists(self.store, DAY).filter(customs_office=office)["list_id"][0])

    def rows(self, office: str = "4601") -> list[dict[str, Any]]:
        """The rows of an office's list by rank."""
        found = issued_lists(self.store, DAY).filter(customs_office=office)
        return found.select("rank", "declaration_id", "line_no").to_dicts()

    def give_back(
        self, *files: Path, corrections: bool = False, settings: Settings = SETTINGS, **options: Any
    ) -> FeedbackReport:
        options = {"now": NOW, "reported_on": NEXT_DAY, "corrections": corrections} | options
        return feedback(
            files,
            self.store.path,
            settings=settings,
            progress=Progress.silent(),
            options=FeedbackOptions(**options),
        )

    def inspections(self) -> dict[tuple[str, int], dict[str, Any]]:
        """What is known of each line after all reports: per column the latest value that is not null."""
        found: dict[tuple[str, int], dict[str, Any]] = {}
        for row in self.store.read_inspections().sort("reported_on").iter_rows(named=True):
            known = {name: value for name, value in row.items() if value is not None}
            found.setdefault((row["declaration_id"], row["line_no"]), {}).update(known)
        return found

    # Documents

    def json(self, filled: Mapping[int, Filled], office: str = "4601", name: str = "r.json") -> Path:
        """What the page exports: rows with an entry, by rank."""
        rows = []
        for row in self.rows(office):
            given = filled.get(row["rank"])
            if given:
                results = {
                    key.removeprefix("result_"): value for key, value in given.items() if "result_" in key
                }
                rest = {key: value for key, value in given.items() if "result_" not in key}
                rows.append(row | {"results": results} | rest)
        whole = {
            "format": "parcel-risk results 1", "list_id": self.list_id(office), "customs_office": office,
            "shift": None, "declared_on": DAY.isoformat(), "exported_at": "2026-11-21T10:00:00+08:00",
            "rows": rows,
        }  # fmt: skip
        path = self.folder / name
        path.write_text(json.dumps(whole, ensure_ascii=False, default=str), encoding="utf-8")
        return path

    def csv(
        self,
        filled: Mapping[int, Filled],
        office: str = "4601",
        *,
        name: str = "r.csv",
        delimiter: str = ",",
        encoding: str = "utf-8-sig",
        order: Sequence[int] | None = None,
        with_list_id: bool = True,
    ) -> Path:
        """Every row of the list with the technical names, in some order."""
        columns = ["rank", "declaration_id", "line_no", *fields_to_fill_in(RISKS)]
        rows = self.rows(office)
        text = io.StringIO()
        writer = csv.writer(text, delimiter=delimiter)
        writer.writerow([*columns, *(["list_id"] if with_list_id else [])])
        for place in order or range(len(rows)):
            row = rows[place] | dict(filled.get(rows[place]["rank"], {}))
            cells = [row.get(column, "") for column in columns]
            writer.writerow([*cells, *([self.list_id(office)] if with_list_id else [])])
        path = self.folder / name
        path.write_bytes(text.getvalue().encode(encoding))
        return path

    def table(self, name: str, columns: Iterable[str], *rows: Sequence[object], delimiter: str = ",") -> Path:
        """A CSV file that someone made by hand."""
        lines = [delimiter.join(str(cell) for cell in row) for row in (tuple(columns), *rows)]
        path = self.folder / name
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path

    def xlsx(self, filled: Mapping[int, Filled], office: str = "4601", name: str = "r.xlsx") -> Path:
        """The office's workbook as it was issued, filled in."""
        book = openpyxl.load_workbook(self.store.path / f"lists/declared_on={DAY}/{office}.xlsx")
        sheet = book.worksheets[0]
        places = {}
        head = 0
        for cells in sheet.iter_rows(max_row=20):
            named = {cell.value: cell.column for cell in cells if isinstance(cell.value, str)}
            if "declaration_id" in named:
                places, head = named, cells[0].row
        assert places, "the workbook has no row of technical names"
        for number in range(head + 1, sheet.max_row + 1):
            for column, value in filled.get(sheet.cell(number, places["rank"]).value, {}).items():
                sheet.cell(number, places[column]).value = _as_chosen(column, value)
        path = self.folder / name
        book.save(path)
        return path


def _as_chosen(column: str, value: Any) -> Any:
    """What a spreadsheet program puts into a cell: the words of the drop-down, a real date."""
    if column == "inspected_on":
        return datetime.fromisoformat(value)
    return RESULT_WORDS[value] if column.startswith("result_") else value


def manifest(report: FeedbackReport) -> dict[str, int]:
    """The numbers of rows of a report's manifest."""
    said = dict(report.manifest)
    assert said["rows_in"] == said["rows_kept"] + said["rows_quarantined"] + said["rows_superseded"]
    return {
        name: said[f"rows_{name}"]
        for name in ("in", "kept", "quarantined", "superseded", "conflict", "not_filled_in")
    }


def expected(filled: Mapping[int, Filled], first: int = 1) -> dict[tuple[str, int], dict[str, Any]]:
    """What a list's entries, by rank, mean for its parcels' lines; written down anew."""
    lists = {row["declaration_id"]: row for row in the_lists().iter_rows(named=True)}
    found: dict[tuple[str, int], dict[str, Any]] = {}
    for rank, given in filled.items():
        if not given or set(given) <= {"note", "override_reason"}:
            continue
        number = rank + first - 1
        row = lists[parcel(number)]
        for line in lines_of(number):
            values: dict[str, Any] = {}
            for risk in RISKS:
                said = given.get(f"result_{risk}")
                if said == "nothing" or (said == "found" and line == row["line_no"]):
                    values[RISKS[risk].label] = said == "found"
            if line == row["line_no"]:
                values |= {
                    key: given[key] for key in ("assessed_unit_price", "recovered_tax_cny") if key in given
                }
            elif not values:
                continue
            found[parcel(number), line] = values | {
                "inspected_on": date.fromisoformat(given["inspected_on"])
                if "inspected_on" in given
                else NEXT_DAY,
                "reported_on": NEXT_DAY,
                "selection": row["selection"],
                "inspection_probability": row["inspection_probability"],
                "declaration_id": parcel(number),
                "line_no": line,
            }
    return found
