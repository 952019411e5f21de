"""What the history knows of listed parcels: their parties, and the prices that were declared for their goods.

All of it is looked up beside the features of the same lines; nothing of past days is read for it.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from features.arrays.key_index import wanted_keys
from features.arrays.quantiles import BIN_WIDTH
from features.arrays.types import FloatArray
from features.contract.declarations import LINE_KEY
from features.history.keys import KeySpec
from features.history.needs import KeyKind, Needs
from features.history.peers import PeerSketches, peer_column
from features.history.view import DayContext, HistoryView
from features.prepare import FEN_PER_CNY
from pipelines.cases.case import PARTIES, PARTY_TYPE, PRICE_TYPE, TRAVELLED_BY
from pipelines.scoring.bucket import Workspace

_LEAST_LINES = 3
_MOST_LINES = 20
_SHARES = np.array([0.1, 0.5, 0.9])
_BURST, _LEAST_BURST = 3.0, 5
IN_BURST = "in_burst"
FACT_SCHEMA: dict[str, pl.DataType] = {
    "declaration_id": pl.String(),
    **{f"{name}_id": pl.String() for name in TRAVELLED_BY},
    IN_BURST: pl.Boolean(),
    "parties": pl.List(PARTY_TYPE),
    "prices": pl.List(PRICE_TYPE),
}
"""A row a parcel: its keys, whether its seller declares far more than usual, and parts of its case."""


def case_facts(space: Workspace, file: Path, parcels: pl.DataFrame) -> pl.DataFrame:
    """The facts of the parcels of prepared lines of a bucket: see `FACT_SCHEMA`."""
    parties = [spec for spec in space.chronicle.spec.keys if _party(spec)]
    context = space.context(file, parties)
    ids = [f"{name}_id" for name in TRAVELLED_BY]
    keys = [name for name in parcels.columns if name.startswith("_key_")]
    ordered = parcels.sort(LINE_KEY)
    whole = ordered.group_by("declaration_id", maintain_order=True).agg(
        pl.col(*ids, *keys).drop_nulls().first()
    )
    told = _parties(context, whole)
    prices = _prices(context, ordered)
    return (
        whole.select("declaration_id", *ids)
        .with_columns(told)
        .join(prices, on="declaration_id", how="left", maintain_order="left")
        .select(pl.col(name).cast(dtype) for name, dtype in FACT_SCHEMA.items())
    )


def _party(spec: KeySpec) -> str:
    """Which of `PARTIES` a key is, empty where none."""
    return next((name for name in PARTIES if spec.party and spec.columns == (f"{name}_id",)), "")


def _parties(context: DayContext, whole: pl.DataFrame) -> list[pl.Series]:
    view = HistoryView(whole, context, Needs("case", keys=(KeyKind.EVERY,)))
    half_life = min(context.config.history.activity_half_lives_days)
    columns, burst = [], pl.Series(IN_BURST, [False], dtype=pl.Boolean).new_from_index(0, whole.height)
    for spec in view.specs:
        party = _party(spec)
        if not party:
            continue
        before, today = view.before(spec.name), view.today(spec.name)
        # In the long run a decayed sum is what a day adds, times this.
        days = half_life / math.log(2)
        usual = view.decayed(spec.name, f"lines_{half_life:g}d", half_life) / days
        labels = [
            pl.struct(
                pl.lit(label).alias("label"),
                before[f"inspected__{label}"].alias("inspected"),
                before[f"findings__{label}"].alias("findings"),
            )
            for label in context.history.labels
        ]
        known = whole.select(
            pl.when(pl.col(f"{party}_id").is_not_null())
            .then(
                pl.struct(
                    pl.lit(party).alias("party"),
                    before["lines"].alias("lines"),
                    before["first_day"].alias("first_day"),
                    before["last_day"].alias("last_day"),
                    (before["value_fen"] / FEN_PER_CNY).alias("value_cny"),
                    today["lines"].alias("lines_today"),
                    usual.alias("usual_lines"),
                    pl.concat_list(labels).alias("results"),
                ).cast(PARTY_TYPE)
            )
            .alias(party)
        )
        columns.append(known.to_series())
        if party == "seller":
            many = (today["lines"] >= _LEAST_BURST) & (today["lines"] >= _BURST * usual)
            burst = many.fill_null(False).alias(IN_BURST)
    named = {column.name: column for column in columns}
    ordered = [named[name] for name in PARTIES if name in named]
    if not ordered:
        return [burst]
    listed = pl.DataFrame(ordered).select(pl.concat_list(pl.all()).list.drop_nulls().alias("parties"))
    return [burst, listed.to_series()]


def _prices(context: DayContext, lines: pl.DataFrame) -> pl.DataFrame:
    """`declaration_id` and `prices` of the parcels whose goods were declared before, in the same unit."""
    shown = lines.filter(
        pl.col("unit").is_not_null() & (pl.int_range(pl.len()).over("declaration_id") < _MOST_LINES)
    )
    view = HistoryView(shown, context, Needs("case", keys=(KeyKind.EVERY,)))
    peers = context.history.peers(context.day, context.config)
    parts = []
    for place, level in enumerate(context.config.peers.goods_levels):
        key = shown[peer_column("unit", level.name)]
        spread = _spread(peers, f"unit-{level.name}", key.drop_nulls().unique().sort())
        spec = next((each for each in view.specs if each.columns == level.columns), None)
        known = None if spec is None else view.before(spec.name)
        dated = shown.select(
            *LINE_KEY,
            pl.col("_unit_price_cny").alias("unit_price_cny"),
            key.alias("key"),
            pl.lit(level.name).alias("level"),
            pl.lit(place).alias("place"),
            *(
                pl.lit(None, pl.Date).alias(name) if known is None else known[name].alias(name)
                for name in ("first_day", "last_day")
            ),
        )
        parts.append(dated.join(spread, on="key", how="inner", maintain_order="left"))
    nothing = pl.DataFrame(schema={"declaration_id": pl.String, "prices": pl.List(PRICE_TYPE)})
    if not parts:
        return nothing
    # A wider level that has no line more says nothing more.
    told = (
        pl.concat(parts)
        .sort(*LINE_KEY, "place")
        .unique([*LINE_KEY, "lines"], keep="first", maintain_order=True)
    )
    fields = [pl.col(field.name).cast(field.dtype) for field in PRICE_TYPE.fields]
    return told.group_by("declaration_id", maintain_order=True).agg(pl.struct(fields).alias("prices"))


def _spread(peers: PeerSketches, name: str, keys: pl.Series) -> pl.DataFrame:
    """`key`, `lines` ever, and what they cost: `low` and `high`, between which 8 in 10 are, and `median`.

    Weighted and interpolated as `look_up_peers` does, so that a case and its row name the same median.
    """
    sketch = peers.sketches[name]
    index = peers.indexes.of(f"price {name}", sketch, then_by="bin")
    schema = {
        "key": pl.UInt64,
        "lines": pl.Int64,
        "low": pl.Float64,
        "median": pl.Float64,
        "high": pl.Float64,
    }
    if index is None or keys.is_empty():
        return pl.DataFrame(schema=schema)
    wanted = wanted_keys(keys)
    firsts = index.places(wanted)
    ends = np.searchsorted(index.keys, wanted, side="right")
    bins, counts, weights = (sketch[column].to_numpy() for column in ("bin", "count", "weight"))
    rows = []
    for key, first, end in zip(wanted.tolist(), firsts.tolist(), ends.tolist(), strict=True):
        lines = 0 if first < 0 else int(counts[first:end].sum())
        if lines >= _LEAST_LINES:
            rows.append((key, lines, *_quantiles(bins[first:end], weights[first:end])))
    return pl.DataFrame(rows, schema=schema, orient="row")


def _quantiles(bins: npt.NDArray[np.int16], weights: FloatArray) -> list[float]:
    """What `_SHARES` of the weight cost at most, from the bins of one key in their order."""
    upto = np.cumsum(weights)
    target = upto[-1] * _SHARES
    places = np.minimum(np.searchsorted(upto, target), len(upto) - 1)
    inside = (target - (upto[places] - weights[places])) / weights[places]
    prices: list[float] = np.exp((bins[places] + inside) * BIN_WIDTH).tolist()
    return prices
