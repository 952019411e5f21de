"""The top of one list beside the truth, as an example for people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from configs.schema.risk import RiskConfig
from features.contract.declarations import LINE_KEY
from features.text.visible import visible_text
from pipelines.lists.write import office_file_name
from pipelines.store.day_table import DayTable
from pipelines.store.layout import office_documents
from pipelines.store.store import Store

_TEXT_CHARACTERS = 60
_GOODS = ["item_name", "quantity", "total_price", "currency", "hs_code"]


@dataclass(frozen=True)
class SampleRow:
    """One listed parcel: the line that raised it as declared, why it is listed, and what is really in it."""

    rank: int
    declaration_id: str
    goods: str
    risk: str | None
    probability: float | None
    expected_value_cny: float | None
    at_random: bool
    reasons: tuple[str, ...]
    truth: tuple[str, ...]


@dataclass(frozen=True)
class Sample:
    """The first rows of an office's list of a night, and the page that shows all of it."""

    office: str
    day: date
    parcels: int
    rows: tuple[SampleRow, ...]
    page: Path


def top_of_list(
    store: Store, day: date, parcels: pl.DataFrame, risks: Mapping[str, RiskConfig], *, count: int = 5
) -> Sample | None:
    """The first `count` rows of the longest list of the day (the first office by code among equals).

    `parcels` are the true ones of `pipelines.demo.true_parcels`. None where the day has no list.
    """
    file = store.layout.file(DayTable.LISTS, day)
    lists = pl.read_parquet(file, hive_partitioning=False)
    if lists.is_empty():
        return None
    longest = lists.group_by("customs_office").len().sort(["len", "customs_office"], descending=[True, False])
    office, size = longest.row(0)
    goods = store.read_declarations(day, [*LINE_KEY, *_GOODS])
    truth = parcels.filter(pl.col("declared_on") == day).drop("customs_office")
    shown = (
        lists.filter(pl.col("customs_office") == office)
        .sort("rank")
        .head(count)
        .join(goods, on=LINE_KEY, how="left", maintain_order="left")
        .join(truth, on="declaration_id", how="left", maintain_order="left")
    )
    labels = {name: risk.label for name, risk in risks.items() if risk.label in parcels.columns}
    rows = tuple(_row(row, labels) for row in shown.iter_rows(named=True))
    _, page = office_documents(file.parent, office_file_name(office))
    return Sample(office, day, int(size), rows, page)


def _row(row: dict[str, Any], labels: dict[str, str]) -> SampleRow:
    return SampleRow(
        rank=row["rank"],
        declaration_id=row["declaration_id"],
        goods=_goods(row),
        risk=row["risk"],
        probability=row["probability"],
        expected_value_cny=row["expected_value_cny"],
        at_random=row["selection"] == "random",
        reasons=tuple(reason for name in ("reason_1", "reason_2", "reason_3") if (reason := row[name])),
        truth=tuple(risk for risk, label in labels.items() if row[label]),
    )


def _goods(row: dict[str, Any]) -> str:
    pieces = [
        visible_text(row["item_name"] or "(no name)", _TEXT_CHARACTERS),
        f"heading {row['hs_code']}",
        *([f"quantity {row['quantity']:,g}"] if row["quantity"] is not None else []),
        f"{row['total_price']:,.2f} {row['currency']}",
    ]
    return " · ".join(pieces)
