"""An office's list that comes back, broken: as workbook, as CSV, as the page's export."""

from __future__ import annotations

import io
import json
from pathlib import Path
from random import Random

import openpyxl

from benchmarks.mutated.tables import Content, with_more_faults
from benchmarks.mutated.values import broken_bytes, nasty, re_encoded
from tests.pipelines.returned_lists import Office

_FILLED = (
    {"result_undervaluation": "found", "assessed_unit_price": 12.5, "inspected_on": "2026-11-21"},
    {"result_undervaluation": "nothing", "result_food_safety": "nothing"},
    {"result_prohibited_items": "found", "recovered_tax_cny": 88, "note": "beetles, 12 of them"},
    {"result_prohibited_items": "nothing", "note": "复秤"},
)


def broken_return(random: Random, office: Office, kind: str) -> Content:
    """The list of an office, some rows filled in, with one thing wrong or some. `kind` is its suffix."""
    filled = {rank: dict(random.choice(_FILLED)) for rank in random.sample(range(1, 9), random.randint(0, 5))}
    if kind == "xlsx":
        return Content(_broken_book(office.xlsx(filled), random), ".xlsx", None)
    for given in filled.values():
        if random.random() < 0.4:
            given[random.choice(list(given))] = nasty(random)
    if kind == "csv":
        text = office.csv(filled).read_bytes().decode("utf-8-sig")
    else:
        whole = json.loads(office.json(filled).read_text(encoding="utf-8"))
        _break_object(whole, random)
        text = json.dumps(whole, ensure_ascii=False)
    match random.randrange(5):
        case 0:
            return Content(broken_bytes(text.encode("utf-8", "replace"), random), f".{kind}", None)
        case 1:
            return Content(re_encoded(text, random), f".{kind}", None)
        case _:
            return Content(text.encode("utf-8", "replace"), f".{kind}", None)


def _broken_book(path: Path, random: Random) -> bytes:
    book = openpyxl.load_workbook(path)
    sheet = book.worksheets[0]
    for _ in range(random.choice((0, 1, 1, 3))):
        row, column = random.randint(1, sheet.max_row), random.randint(1, sheet.max_column)
        text = "".join(letter for letter in nasty(random) if letter.isprintable())[:32_000]
        cell = sheet.cell(row, column)
        if cell.__class__.__name__ != "MergedCell":
            cell.value = text or None
    with_more_faults(book, random)
    out = io.BytesIO()
    book.save(out)
    return broken_bytes(out.getvalue(), random) if random.random() < 0.2 else out.getvalue()


def _break_object(whole: object, random: Random) -> None:
    """One value of the export becomes another type, another text, or goes."""
    while isinstance(whole, dict | list) and whole:
        key = random.choice(list(whole)) if isinstance(whole, dict) else random.randrange(len(whole))
        inner = whole[key]  # type: ignore[index]
        if not isinstance(inner, dict | list) or not inner or random.random() < 0.3:
            if random.random() < 0.2:
                del whole[key]  # type: ignore[arg-type]
            else:
                whole[key] = random.choice((nasty(random), None, [], {}, 1e308, -1, True, [[inner]]))  # type: ignore[index]
            return
        whole = inner
