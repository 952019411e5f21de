"""Parcels as their documents see them: one row each, with what all documents repeat."""

from __future__ import annotations

from typing import Final

import polars as pl

from features.arrays.hashing import hash_text
from features.check import EXPORT_MODES, RETAIL_MODES
from features.contract.china_time import china_day
from pipelines.simulation.world.places import CNY_PER_UNIT, CURRENCIES
from pipelines.simulation.world.randomness import hex_text, mix, salt

# Of cross-border e-commerce; mail and express come without such documents.
_DOCUMENT_MODES: Final = (*RETAIL_MODES, *EXPORT_MODES)
_HEAD: Final = (
    "declared_at", "direction", "trade_mode", "customs_office", "platform_id", "seller_id", "agent_id",
    "carrier_id", "order_id", "waybill_id", "buyer_id", "address_id", "destination_country", "currency",
    "gross_weight_kg", "freight", "insurance", "package_count", "own_number",
)  # fmt: skip
_LEAST_MINUTES: Final = 30
_LIGHT_KG: Final = 0.5
_FILLED: Final[dict[str, str | float | int]] = {
    "port": "2233", "transport_mode": "5", "platform_id": "4401000001", "agent_id": "4401000002",
    "carrier_id": "4401000003", "origin_country": "JP", "item_name": "商品", "item_model": "普通装",
    "unit": "011", "legal_unit": "011", "freight": 0.0, "insurance": 0.0, "package_count": 1,
}  # fmt: skip
_RATES: Final = dict(zip(CURRENCIES, CNY_PER_UNIT.tolist(), strict=True))
_AMOUNTS: Final = ("unit_price", "total_price", "freight", "insurance")
_FILLED_BY_HASH: Final = ("seller_id", "buyer_id", "address_id")


def complete_declarations(declarations: pl.DataFrame, seed: int) -> pl.DataFrame:
    """Return the lines of e-commerce with all that an official inventory must state.

    Amounts of imports are in CNY, as the schema wants them. `own_number` is added (the declarant's),
    `item_no` (the seller's number of the goods), `telephone_id` and `sent_at`; exports
    lose buyer and address, which their inventories do not name.
    """
    lines = declarations.filter(
        pl.col("trade_mode").is_in(_DOCUMENT_MODES) & (pl.col("direction").is_not_null())
    )
    number = hash_text(lines["declaration_id"]).to_numpy()
    goods = hash_text(
        lines.select(
            pl.concat_str(
                pl.col("seller_id").fill_null(""), "hs_code", pl.col("item_name").fill_null(""), "line_no"
            )
        ).to_series()
    ).to_numpy()
    serial = hex_text(mix(salt(seed, "own number"), number))
    is_import = pl.col("direction") == "import"
    return _in_cny(lines).with_columns(
        *(pl.col(name).fill_null(value) for name, value in _FILLED.items()),
        *(pl.col(name).fill_null(serial) for name in _FILLED_BY_HASH),
        order_id=pl.col("order_id").fill_null("NO" + serial),
        waybill_id=pl.col("waybill_id").fill_null("NW" + serial),
        quantity=pl.when(pl.col("quantity").is_null() | pl.col("unit_price").is_null())
        .then(1.0)
        .otherwise("quantity"),
        unit_price=pl.when(pl.col("quantity").is_null() | pl.col("unit_price").is_null())
        .then("total_price")
        .otherwise("unit_price"),
        legal_quantity=pl.col("legal_quantity").fill_null(1.0),
        gross_weight_kg=pl.coalesce("gross_weight_kg", (pl.col("net_weight_kg") * 1.1).round(3), 1.0),
        net_weight_kg=pl.coalesce("net_weight_kg", (pl.col("gross_weight_kg") * 0.9).round(4), 0.9),
        own_number="C" + serial,
        item_no="SKU" + hex_text(mix(salt(seed, "item"), goods)).str.slice(0, 10).str.to_uppercase(),
        sent_at="declared_at",
    ).with_columns(
        _telephone_ids(lines["buyer_id"].zip_with(lines["buyer_id"].is_not_null(), serial), seed),
        dispatch_country=pl.when(is_import).then(pl.coalesce("dispatch_country", "origin_country")),
        origin_country=pl.when(is_import).then("origin_country"),
        destination_country=pl.when(~is_import).then(pl.col("destination_country").fill_null("US")),
        buyer_id=pl.when(is_import).then("buyer_id"),
        address_id=pl.when(is_import).then("address_id"),
    )  # fmt: skip


def _in_cny(lines: pl.DataFrame) -> pl.DataFrame:
    rate = pl.col("currency").replace_strict(_RATES, default=1.0, return_dtype=pl.Float64)
    factor = pl.when(direction="import").then(rate).otherwise(1.0)
    return lines.with_columns(
        *((pl.col(name) * factor).round(2).alias(name) for name in _AMOUNTS),
        currency=pl.when(direction="import").then(pl.lit("CNY")).otherwise("currency"),
    )


def traded_parcels(lines: pl.DataFrame, seed: int) -> pl.DataFrame:
    """Return one row for each parcel of e-commerce, in the order of declaration, with flags for `kinds`.

    `closes_at` is the end of its day in China, `opens_at` the beginning, `stranger` somebody who has nothing
    to do with it, `ring_head` (with a telephone) whoever would pay for all parcels to its address,
    `goods_line` a line that says quantity and price, `cny` what its currency is worth.
    """
    priced = pl.col("quantity").is_not_null() & pl.col("unit_price").is_not_null()
    parcels = (
        lines.filter(pl.col("trade_mode").is_in(_DOCUMENT_MODES))
        .with_columns(pl.lit(None, pl.String).alias(name) for name in _HEAD if name not in lines.columns)
        .sort("declaration_id", "line_no")
        .group_by("declaration_id", maintain_order=True)
        .agg(
            pl.col(*_HEAD).first(),
            pl.col("item_name").drop_nulls().first(),
            pl.col("total_price").sum().round(2).alias("goods_value"),
            pl.col("line_no").max().alias("last_line"),
            pl.col("line_no").filter(priced).min().alias("goods_line"),
            pl.col("quantity").filter(priced).first().alias("_quantity"),
            pl.col("total_price").filter(priced).first().alias("goods_total"),
        )
        .sort("declared_at", "declaration_id")
    )
    midnight = china_day(pl.col("declared_at")).cast(pl.Datetime("us", "UTC")).dt.offset_by("-8h")
    stranger = hex_text(mix(salt(seed, "stranger"), hash_text(parcels["declaration_id"]).to_numpy()))
    head = hex_text(mix(salt(seed, "ring head"), hash_text(parcels["address_id"].fill_null("")).to_numpy()))
    return parcels.with_columns(
        stranger.alias("stranger"),
        head.alias("ring_head"),
        _telephone_ids(head, seed).alias("ring_telephone"),
        _telephone_ids(parcels["buyer_id"], seed),
        declared_on=china_day(pl.col("declared_at")),
        opens_at=midnight,
        closes_at=midnight.dt.offset_by("1d"),
        cny=pl.col("currency").replace_strict(_RATES, default=1.0, return_dtype=pl.Float64),
    ).pipe(_with_flags)


def _with_flags(parcels: pl.DataFrame) -> pl.DataFrame:
    """Say what can happen to each parcel; without the numbers that name its documents it has none."""

    def has(*names: str) -> pl.Expr:
        return pl.all_horizontal(pl.col(names).is_not_null())

    is_retail_mode = (pl.col("direction") == "import") & pl.col("trade_mode").is_in(RETAIL_MODES)
    is_retail = is_retail_mode & has("platform_id", "order_id", "carrier_id", "waybill_id")
    is_export = (pl.col("direction") == "export") & has("platform_id", "order_id")
    has_papers = is_retail | is_export
    return parcels.with_columns(
        is_retail=is_retail,
        is_export=is_export,
        is_numberless=is_retail_mode & ~is_retail,
        has_goods=has_papers & has("goods_line"),
        has_several=(pl.col("_quantity") >= 2).fill_null(value=False),
        has_buyer=has("buyer_id"),
        has_address=has("address_id"),
        has_weight=has_papers & has("gross_weight_kg", "carrier_id", "waybill_id"),
        is_light=(pl.col("gross_weight_kg") < _LIGHT_KG).fill_null(value=False),
        ends_in_x=pl.lit(value=False),
        has_time=(pl.col("closes_at") - pl.col("declared_at")).dt.total_minutes() > _LEAST_MINUTES,
    ).drop("_quantity")


def _telephone_ids(buyers: pl.Series, seed: int) -> pl.Series:
    """Return the pseudonym of each buyer's telephone, null where the buyer is."""
    keys = mix(salt(seed, "telephone"), hash_text(buyers.fill_null("")).to_numpy())
    nothing = pl.Series([None], dtype=pl.String).new_from_index(0, len(buyers))
    return hex_text(keys).zip_with(buyers.is_not_null(), nothing).alias("telephone_id")
