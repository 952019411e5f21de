"""An office's list as its documents show it: texts made harmless, words chosen, figures kept as numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from configs.schema import RiskConfig
from features.chance import chance_in_words
from features.visible_text import visible_text

DISPLAY_COLUMNS: dict[str, type[pl.DataType]] = {
    "item_name": pl.String,
    "item_model": pl.String,
    "waybill_id": pl.String,
    "hs_code": pl.String,
    "origin_country": pl.String,
    "dispatch_country": pl.String,
    "quantity": pl.Float64,
    "unit": pl.String,
    "total_price": pl.Float64,
    "currency": pl.String,
    "total_price_cny": pl.Float64,
    "expected_price_cny": pl.Float64,
    "gross_weight_kg": pl.Float64,
    "seller_id": pl.String,
    "trade_mode": pl.String,
}
"""What the documents show beside the columns of the sampling list; what is missing or null is left blank.

`total_price_cny` is the declared value of the line, `expected_price_cny` what such a line would usually
cost in all. `unit` is shown as it comes, so a unit's name serves better than its code.
"""
CODE_CHARACTERS = 60
TEXT_CHARACTERS = 160


@dataclass(frozen=True)
class Guide:
    """What an inspector should know of a risk on this list."""

    risk: str
    title: str
    title_zh: str | None
    look_for: tuple[str, ...]


@dataclass(frozen=True)
class ListRow:
    """One parcel. Texts may be shown as they are; numbers are None where unknown."""

    rank: int
    declaration_id: str
    line_no: int
    waybill_id: str
    goods: str
    goods_language: str | None
    model: str
    hs_code: str
    origin_country: str
    dispatch_country: str
    quantity: float | None
    unit: str
    total_price: float | None
    currency: str
    total_price_cny: float | None
    expected_price_cny: float | None
    gross_weight_kg: float | None
    seller_id: str
    trade_mode: str
    risk: str
    risk_title: str
    chance: str
    probability: float | None
    expected_value_cny: float | None
    at_random: bool
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class OfficeList:
    """Everything that an office's documents say."""

    office: str
    day: date
    incomplete: bool
    rows: tuple[ListRow, ...]
    guides: tuple[Guide, ...]

    @property
    def title(self) -> str:
        """The heading of every document."""
        return f"Sampling list of customs office {visible_text(self.office, CODE_CHARACTERS)}"

    @property
    def summary(self) -> str:
        """How many parcels, and how they were chosen."""
        at_random = sum(row.at_random for row in self.rows)
        parcels = "1 parcel" if len(self.rows) == 1 else f"{len(self.rows):,} parcels"
        return f"{parcels}: {len(self.rows) - at_random:,} chosen by risk, {at_random:,} drawn at random"

    @property
    def warning(self) -> str | None:
        """What to say where parcels of the day are missing."""
        if not self.incomplete:
            return None
        return "INCOMPLETE: some parcels of the day have no score and had no chance to be chosen by risk."


def office_lists(
    listed: pl.DataFrame, day: date, risks: Mapping[str, RiskConfig], *, incomplete: bool = False
) -> list[OfficeList]:
    """The lists of all offices that have one, by office; `listed` has the sampling list's columns and, as
    far as known, `DISPLAY_COLUMNS`.
    """
    absent = [
        pl.lit(None, dtype).alias(name)
        for name, dtype in DISPLAY_COLUMNS.items()
        if name not in listed.columns
    ]
    complete = listed.with_columns(absent).sort("customs_office", "rank")
    lists = []
    for (office,), rows in complete.group_by("customs_office", maintain_order=True):
        mentioned = sorted(set(rows["risk"].drop_nulls().to_list()))
        lists.append(
            OfficeList(
                office=str(office),
                day=day,
                incomplete=incomplete,
                rows=tuple(_row(row, risks) for row in rows.iter_rows(named=True)),
                guides=tuple(_guide(name, risks) for name in mentioned),
            )
        )
    return lists


def language_of(text: str) -> str | None:
    """The language to declare for a text, so that its characters are drawn as readers of it expect.

    >>> [language_of(text) for text in ("儿童玩具", "おもちゃ箱", "장난감", "toy")]
    ['zh', 'ja', 'ko', None]
    """
    if any("\u3040" <= character <= "\u30ff" for character in text):
        return "ja"
    if any("\uac00" <= character <= "\ud7af" for character in text):
        return "ko"
    if any("\u3400" <= character <= "\u9fff" or character >= "\U00020000" for character in text):
        return "zh"
    return None


def _guide(name: str, risks: Mapping[str, RiskConfig]) -> Guide:
    risk = risks.get(name)
    if risk is None:
        return Guide(name, _title(name, risks), None, ())
    return Guide(name, risk.title.en, risk.title.zh, risk.look_for)


def _title(name: str, risks: Mapping[str, RiskConfig]) -> str:
    """A list may be issued again after a risk was taken out of the configuration."""
    return risks[name].title.en if name in risks else name.replace("_", " ").capitalize()


def _row(row: Mapping[str, Any], risks: Mapping[str, RiskConfig]) -> ListRow:
    def code(name: str) -> str:
        return visible_text(row[name] or "", CODE_CHARACTERS)

    probability = row["probability"]
    reasons = (row["reason_1"], row["reason_2"], row["reason_3"])
    return ListRow(
        rank=row["rank"],
        declaration_id=code("declaration_id"),
        line_no=row["line_no"],
        waybill_id=code("waybill_id"),
        goods=visible_text(row["item_name"] or "", TEXT_CHARACTERS),
        goods_language=language_of(row["item_name"] or ""),
        model=visible_text(row["item_model"] or "", TEXT_CHARACTERS),
        hs_code=code("hs_code"),
        origin_country=code("origin_country"),
        dispatch_country=code("dispatch_country"),
        quantity=row["quantity"],
        unit=code("unit"),
        total_price=row["total_price"],
        currency=code("currency"),
        total_price_cny=row["total_price_cny"],
        expected_price_cny=row["expected_price_cny"],
        gross_weight_kg=row["gross_weight_kg"],
        seller_id=code("seller_id"),
        trade_mode=code("trade_mode"),
        risk=row["risk"] or "",
        risk_title="" if row["risk"] is None else _title(row["risk"], risks),
        chance="not scored" if probability is None else chance_in_words(probability),
        probability=probability,
        expected_value_cny=row["expected_value_cny"],
        at_random=row["selection"] == "random",
        reasons=tuple(visible_text(reason, 2 * TEXT_CHARACTERS) for reason in reasons if reason),
    )
