"""Features of a day as one writes them first: pandas, a group-by a key over the month, merges, windows.

The keys, labels, price levels and watch terms are those of the configuration, so that what is computed is
what the program computes. Two things are left out: words of headings, and disguised letters.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date

import numpy as np
import pandas as pd
import polars as pl

from configs.reference.facts import ReferenceDay
from configs.schema.pipeline import PipelineConfig
from features.contract.declarations import DECLARATION_COLUMNS

PARTIES = ("seller_id", "buyer_id", "address_id", "platform_id", "agent_id", "carrier_id")
PEOPLE = ("buyer_id", "address_id", "seller_id")
PAIRS = (("address_id", "seller_id"), ("buyer_id", "seller_id"))
MEASURES = {"kg": "log_per_kg", "unit": "log_unit_price", "weight": "log_kg_per_unit"}
CATEGORIES = (
    *("hs2", "hs4", "hs6", "unit", "legal_unit", "currency", "origin_country", "dispatch_country"),
    *("destination_country", "direction", "trade_mode", "customs_office", "port", "transport_mode"),
)

Tables = Mapping[str, pd.DataFrame]


def prepared(lines: pd.DataFrame, reference: ReferenceDay) -> pd.DataFrame:
    """The lines with headings, the letters of the name, values in CNY, sums of the parcel, weights."""
    lines = lines.copy()
    for digits in (2, 4, 6):
        lines[f"hs{digits}"] = lines["hs_code"].str[:digits]
    name = lines["item_name"].str.lower().str.replace(r"[\s\d\W_]+", "", regex=True)
    lines["item_key"] = name.where(name != "")
    rates = _factors(lines["currency"], reference.cny_rate)
    unit_price = lines["unit_price"].fillna(lines["total_price"] / lines["quantity"])
    lines["price_key"] = unit_price.round(4)
    lines["total_cny"] = lines["total_price"] * rates
    lines["unit_cny"] = unit_price * rates
    lines["freight_share"] = lines["freight"] * rates / lines["total_cny"]
    parcel = lines.groupby("declaration_id")
    lines["parcel_cny"] = parcel["total_cny"].transform("sum")
    lines["parcel_lines"] = parcel["line_no"].transform("size")
    legal_kg = lines["legal_quantity"] * _factors(lines["legal_unit"], reference.kg_factor)
    line_kg = legal_kg.fillna(lines["quantity"] * _factors(lines["unit"], reference.kg_factor))
    alone = lines["net_weight_kg"].fillna(lines["gross_weight_kg"]).where(lines["parcel_lines"] == 1)
    lines["line_kg"] = line_kg.fillna(alone)
    lines["log_per_kg"] = _log(lines["total_cny"] / lines["line_kg"])
    lines["log_unit_price"] = _log(lines["unit_cny"])
    lines["log_kg_per_unit"] = _log(lines["line_kg"] / lines["quantity"])
    return lines


def history_tables(
    month: pd.DataFrame, inspected: pd.DataFrame, labels: Sequence[str], config: PipelineConfig, eve: date
) -> dict[str, pd.DataFrame]:
    """What the month says, by key: activity of parties, lines of combinations, findings, prices of peers.

    `inspected` are prepared lines with the labels.
    """
    tables = {}
    local = month["declared_at"].dt.tz_convert("Asia/Shanghai").dt.tz_localize(None).dt.normalize()
    age = (pd.Timestamp(eve) - local).dt.days
    month = month.assign(age=age, **{
        f"weight_{half_life:g}": 0.5 ** (age / half_life)
        for half_life in config.history.activity_half_lives_days
    })  # fmt: skip
    decayed = [name for name in month.columns if name.startswith("weight_")]
    for party in PARTIES:
        tables[f"party:{party}"] = month.groupby(party).agg(
            lines=("line_no", "size"),
            value=("total_cny", "sum"),
            first=("age", "max"),
            last=("age", "min"),
            headings=("hs4", "nunique"),
            sellers=("seller_id", "nunique"),
            buyers=("buyer_id", "nunique"),
            **{name: (name, "sum") for name in decayed},
        )
    weight = 0.5 ** (inspected["reported_days"] / config.history.result_half_life_days)
    for label in labels:
        inspected = inspected.assign(**{f"found_decayed_{label}": inspected[label] * weight})
    for name, columns in keys_of(config, month):
        tables[f"lines:{name}"] = month.groupby(columns).size().rename("lines").to_frame()
        tables[f"results:{name}"] = inspected.groupby(columns).agg(
            **{f"inspected_{label}": (label, "count") for label in labels},
            **{f"findings_{label}": (label, "sum") for label in labels},
            **{f"decayed_{label}": (f"found_decayed_{label}", "sum") for label in labels},
        )
    for level in config.peers.every_level:
        for measure, column in MEASURES.items():
            peers = month.groupby(_peer_columns(level.columns, measure))[column]
            tables[f"peers:{measure}:{level.name}"] = pd.DataFrame(
                {"peers": peers.count(), "median": peers.median(), "spread": peers.std()}
            )
    return tables


def keys_of(config: PipelineConfig, lines: pd.DataFrame) -> list[tuple[str, list[str]]]:
    """Name and columns of every key of the configuration whose columns the lines have."""
    return [
        (key.name, list(key.columns))
        for key in config.history.hit_rate_keys
        if key.columns and {*key.columns} <= {*lines.columns}
    ]


def same_day(lines: pd.DataFrame) -> pd.DataFrame:
    """Lines and value of buyer, address and seller within the last 24 hours, and of pairs on the day."""
    found = {}
    ordered = lines.sort_values("declared_at", kind="stable")
    for party in PEOPLE:
        rolling = ordered.groupby(party).rolling("24h", on="declared_at")["total_cny"].agg(["count", "sum"])
        # The rows come out group by group, and within a group in the order of time.
        rolling.index = ordered[ordered[party].notna()].sort_values(party, kind="stable").index
        found |= {f"day_{party}_{name}": rolling[name] for name in rolling.columns}
        for other in ("hs4", "seller_id", "buyer_id"):
            if other != party:
                found[f"day_{party}_{other}"] = lines.groupby(party)[other].transform("nunique")
    for pair in PAIRS:
        together = lines.groupby(list(pair))
        found[f"day_{'_'.join(pair)}_parcels"] = together["declaration_id"].transform("nunique")
        found[f"day_{'_'.join(pair)}_value"] = together["total_cny"].transform("sum")
    return pd.DataFrame(found, index=lines.index)


def merged_history(
    lines: pd.DataFrame, tables: Tables, labels: Sequence[str], config: PipelineConfig
) -> pd.DataFrame:
    """What the history says about each line's parties and combinations, and smoothed hit rates by label."""
    found = [
        _looked_up(lines, [party], tables[f"party:{party}"]).add_prefix(f"{party}_") for party in PARTIES
    ]
    smoothing = config.hit_rates.smoothing
    for name, columns in keys_of(config, lines):
        found.append(_looked_up(lines, columns, tables[f"lines:{name}"]).add_prefix(f"{name}_"))
        results = _looked_up(lines, columns, tables[f"results:{name}"])
        for label in labels:
            inspected = results[f"inspected_{label}"]
            results[f"rate_{label}"] = (results[f"decayed_{label}"] + 0.01 * smoothing) / (
                inspected + smoothing
            )
        found.append(results.add_prefix(f"{name}_"))
    return pd.concat(found, axis=1)


def against_peers(lines: pd.DataFrame, tables: Tables, config: PipelineConfig) -> pd.DataFrame:
    """Number, median and deviation from peers of the first level that has enough, by heading and by name."""
    found = {}
    levels = {
        "": (config.peers.levels, config.peers.min_peers),
        "goods_": (config.peers.goods_levels, config.peers.goods_min_peers),
    }
    for prefix, (chosen, fewest) in levels.items():
        for measure, column in MEASURES.items():
            best = pd.DataFrame(np.nan, index=lines.index, columns=["peers", "median", "spread"])
            for level in chosen:
                table = tables[f"peers:{measure}:{level.name}"]
                enough = table[table["peers"] >= fewest]
                best = best.fillna(_looked_up(lines, _peer_columns(level.columns, measure), enough))
            name = f"{prefix}{measure}"
            found[f"{name}_peers"], found[f"{name}_median"] = best["peers"], best["median"]
            found[f"{name}_deviation"] = (lines[column] - best["median"]) / best["spread"].clip(lower=0.2)
    return pd.DataFrame(found)


def of_text(lines: pd.DataFrame, reference: ReferenceDay) -> pd.DataFrame:
    """Lengths, shares of scripts, watch terms by group, vague names."""
    name = lines["item_name"].str
    found = {
        "text_length": name.len(),
        "text_han": name.count(r"[\u4e00-\u9fff]") / name.len(),
        "text_latin": name.count(r"[A-Za-z]") / name.len(),
        "text_digits": name.count(r"\d") / name.len(),
        "model_length": lines["item_model"].str.len(),
    }
    text = (lines["item_name"].fillna("") + " " + lines["item_model"].fillna("")).str.lower()
    for group in reference.watch_groups:
        terms = reference["watch_terms"].filter(pl.col("group") == group)["term"].to_list()
        found[f"text_watch_{group}"] = text.str.contains(_any_of(terms), regex=True).astype(float)
    vague = f"(?:{_any_of(reference['vague_terms']['term'].to_list())})"
    found["text_vague"] = text.str.strip().str.fullmatch(vague).astype(float)
    return pd.DataFrame(found)


def plain(lines: pd.DataFrame, reference: ReferenceDay) -> pd.DataFrame:
    """What a line says of itself, categories as codes among them."""
    local = lines["declared_at"].dt.tz_convert("Asia/Shanghai").dt
    rate = reference.tax_rate(pl.from_pandas(lines[[*DECLARATION_COLUMNS]]))
    numbers = (
        *("quantity", "total_cny", "unit_cny", "parcel_cny", "parcel_lines", "freight_share", "line_kg"),
        *("log_per_kg", "log_unit_price", "log_kg_per_unit", "gross_weight_kg", "net_weight_kg"),
        *("package_count", "line_no"),
    )
    found = lines[list(numbers)].assign(
        hour=local.hour,
        weekday=local.weekday,
        tare=1 - lines["net_weight_kg"] / lines["gross_weight_kg"],
        missing=lines[["item_model", "barcode", "quantity", "unit_price", "buyer_id"]].isna().sum(axis=1),
        tax_rate=rate.to_numpy(),
    )
    for name in CATEGORIES:
        found[name] = lines[name].astype("category").cat.codes
    return found


def _looked_up(lines: pd.DataFrame, columns: Sequence[str], table: pd.DataFrame) -> pd.DataFrame:
    joined = lines[list(columns)].merge(table, how="left", left_on=list(columns), right_index=True)
    # In 32 bits: 2 million lines of 64 bits, copied once, are more than a machine of 24 GiB holds.
    return joined.drop(columns=list(columns)).set_axis(lines.index).astype(np.float32)


def _peer_columns(columns: Sequence[str], measure: str) -> list[str]:
    return [*columns, "direction", *([] if measure == "kg" else ["unit"])]


def _factors(codes: pd.Series, look_up: object) -> pd.Series:
    distinct = pl.Series(codes.dropna().unique().tolist(), dtype=pl.String)
    known = dict(zip(distinct, look_up(distinct), strict=True))  # type: ignore[operator]
    return codes.map(known).astype(float)


def _log(values: pd.Series) -> pd.Series:
    return np.log(values.where(values > 0))


def _any_of(terms: Sequence[str]) -> str:
    latin = [re.escape(term.lower()) for term in terms if term.isascii()]
    other = [re.escape(term.lower()) for term in terms if not term.isascii()]
    return "|".join([*([rf"\b(?:{'|'.join(latin)})s?\b"] if latin else []), *other])
