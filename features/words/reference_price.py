"""The one price that a row of a list compares the declared one with, and what it rests on."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import polars as pl

from configs.language import ENGLISH, Language

ESTIMATED = "what such goods cost, as estimated"


@dataclass(frozen=True)
class _Source:
    """A usual price, the declared one that it is compared with, and what it rests on, level by level of the
    packaged configuration; a price of a further level is no reference.
    """

    usual: str
    declared: str
    words: tuple[str, ...] = (ESTIMATED,)
    peers: str | None = None
    level: str | None = None


_UNIT, _KG = "price__unit_price_cny", "price__cny_per_kg"
_SAME_GOODS = (
    "{peers} lines with the same barcode",
    "{peers} lines of the same name and model",
    "{peers} lines of the same name",
)
_SAME_CODE = "{peers} lines of code {hs6}"
_SAME_HEADING = (
    *(_SAME_CODE,) * 3,
    "{peers} lines of heading {hs4}",
    "{peers} lines of chapter {hs2}",
)
SOURCES: dict[str, _Source] = {
    source.usual: source
    for source in (
        _Source(
            "price__peer_median_goods_unit_cny", _UNIT, _SAME_GOODS,
            "price__peers_goods_unit", "price__peer_level_goods_unit",
        ),
        _Source("model__expected_unit_price_cny", _UNIT),
        _Source("model__goods_usual_unit_price_cny", _UNIT),
        _Source("model__goods_usual_cny_per_kg", _KG),
        _Source(
            "price__peer_median_cny_per_kg", _KG, _SAME_HEADING, "price__peers_kg", "price__peer_level_kg"
        ),
        _Source(
            "price__peer_median_unit_cny", _UNIT, _SAME_HEADING, "price__peers_unit", "price__peer_level_unit"
        ),
    )
}  # fmt: skip
"""By the column of the usual price; of several in one sentence the first is the reference."""
_MEANT = {"model__low_unit_price_cny": "model__expected_unit_price_cny"}


def price_source(columns: Collection[str]) -> str | None:
    """The usual price of which a sentence with these columns speaks, None where it speaks of none."""
    named = {_MEANT.get(column, column) for column in columns}
    return next((usual for usual in SOURCES if usual in named), None)


def reference_prices(frame: pl.DataFrame, sources: pl.Series, language: Language = ENGLISH) -> pl.DataFrame:
    """`total_cny` and `basis` of the reference of each line, both null where none is known.

    `frame` is that of the reasons, `sources` names the usual price of which a line's reasons speak; where
    they speak of none, it is that of the same goods.

    >>> frame = pl.DataFrame({"price__total_cny": [24.0], "price__unit_price_cny": [12.0],
    ...     "price__peer_median_goods_unit_cny": [148.0], "price__peers_goods_unit": [143],
    ...     "price__peer_level_goods_unit": [0], "goods__unit": ["007"]})
    >>> reference_prices(frame, pl.Series([None], dtype=pl.String)).rows()
    [(296.0, '143 lines with the same barcode')]
    """
    rows = [
        _reference(row, source, language)
        for row, source in zip(frame.select(_needed(frame)).iter_rows(named=True), sources, strict=True)
    ]
    return pl.DataFrame(rows, schema={"total_cny": pl.Float64, "basis": pl.String}, orient="row")


def _needed(frame: pl.DataFrame) -> list[str]:
    sources = (
        column
        for each in SOURCES.values()
        for column in (each.usual, each.declared, each.peers, each.level)
        if column is not None
    )
    wanted = {*sources, "price__total_cny", "goods__hs6", "goods__hs4", "goods__hs2", "goods__unit"}
    return [name for name in frame.columns if name in wanted]


def _reference(
    row: dict[str, float | str | None], usual: str | None, language: Language
) -> tuple[float | None, str | None]:
    if usual is None and row.get("goods__unit") is None:
        # A median of goods without a unit may be of whatever they count.
        return None, None
    source = SOURCES[usual or next(iter(SOURCES))]
    total, price, declared = (row.get(name) for name in ("price__total_cny", source.usual, source.declared))
    if not (isinstance(total, float) and isinstance(price, float) and isinstance(declared, float)):
        return None, None
    level = int(row.get(source.level or "") or 0)
    if not declared > 0.0 or level >= len(source.words):
        return None, None
    peers = row.get(source.peers or "")
    basis = language(
        source.words[level],
        peers="" if peers is None else language.number(float(peers)),
        **{name: row.get(f"goods__{name}") or "" for name in ("hs6", "hs4", "hs2")},
    )
    return total * price / declared, basis
