"""Selection and lists of the naive day: parcels by expected value, a random share, a file for each office."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from configs.schema.settings import Settings

_UNASSIGNED = "unassigned"
_SHOWN = (
    *("item_name", "item_model", "waybill_id", "hs_code", "origin_country", "dispatch_country", "quantity"),
    *("unit", "total_price", "currency", "gross_weight_kg", "seller_id"),
)


@dataclass(frozen=True)
class Lists:
    """The listed parcels, a row each, and the reasons beside them."""

    chosen: pd.DataFrame
    reasons: pd.DataFrame


def listed_parcels(
    lines: pd.DataFrame, scores: pd.DataFrame, values: pd.DataFrame, settings: Settings, listed: int
) -> pd.DataFrame:
    """The parcels of all lists, a row each; the offices share `listed` places alike.

    Columns: row (of `lines`), customs_office, declaration_id, line_no, risk, probability, expected_value_cny,
    selection, inspection_probability, rank.
    """
    risks = list(settings.risks)
    missed = np.log1p(-scores[risks].clip(upper=1 - 1e-9)).groupby(lines["declaration_id"]).sum()
    probability = 1 - np.exp(missed)
    worth = (scores[risks] * values).groupby(lines["declaration_id"]).sum()
    line = (scores[risks] * values).sum(axis=1)
    best = line.groupby(lines["declaration_id"]).idxmax()
    parcels = lines.loc[best, ["declaration_id", "line_no", "customs_office", "trade_mode", "seller_id"]]
    parcels = parcels.rename_axis("row").reset_index().set_index("declaration_id", drop=False)
    parcels["customs_office"] = parcels["customs_office"].fillna(_UNASSIGNED)
    parcels["risk"] = worth.idxmax(axis=1)
    parcels["probability"] = probability.max(axis=1)
    parcels["expected_value_cny"] = worth.sum(axis=1)
    each = max(listed // parcels["customs_office"].nunique(), 1)
    return pd.concat(
        [_of_office(office, each, settings) for _, office in parcels.groupby("customs_office")],
        ignore_index=True,
    )


def _of_office(parcels: pd.DataFrame, places: int, settings: Settings) -> pd.DataFrame:
    capacity = settings.capacity
    drawn = parcels.sample(
        min(round(places * capacity.random_share), len(parcels)), random_state=capacity.seed
    )
    drawn = drawn.assign(selection="random", inspection_probability=len(drawn) / len(parcels))
    rest = parcels.drop(drawn.index).sort_values("expected_value_cny", ascending=False, kind="stable")
    wanted = places - len(drawn)
    if capacity.caps.per_seller is not None:
        most = max(int(capacity.caps.per_seller * wanted), 1)
        rest = rest[(rest.groupby("seller_id", dropna=False).cumcount() < most) | rest["seller_id"].isna()]
    top = rest.head(wanted).assign(selection="risk", inspection_probability=np.nan)
    both = pd.concat([top, drawn]).sort_values("expected_value_cny", ascending=False, kind="stable")
    return both.assign(rank=np.arange(1, len(both) + 1))


def write_lists(lists: Lists, lines: pd.DataFrame, out: Path) -> None:
    """One CSV of all lists, and a workbook and a page for each office."""
    table = pd.concat([lists.chosen.drop(columns=["row", "trade_mode", "seller_id"]), lists.reasons], axis=1)
    table.to_csv(out / "sampling_list.csv", index=False)
    table.to_parquet(out / "sampling_list.parquet")
    shown = pd.concat([table, lines.loc[lists.chosen["row"], list(_SHOWN)].reset_index(drop=True)], axis=1)
    for office, rows in shown.groupby("customs_office"):
        rows.to_excel(out / f"{office}.xlsx", index=False, engine="xlsxwriter")
        rows.to_html(out / f"{office}.html", index=False)
