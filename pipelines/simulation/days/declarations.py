"""From columns of numbers to the contract's frame of declarations, and to the truth behind it."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np
import polars as pl

from features.contract.declarations import DECLARATION_COLUMNS
from pipelines.simulation.days.missing import OPTIONAL_LINE_COLUMNS, OPTIONAL_PARCEL_COLUMNS, is_missing
from pipelines.simulation.days.taxes import shortfall
from pipelines.simulation.days.writing import as_written
from pipelines.simulation.schemes.food import HYGIENE, LOT
from pipelines.simulation.schemes.prohibited import CONTRABAND
from pipelines.simulation.schemes.undervaluation import SPLITTING
from pipelines.simulation.world.names import MODEL_STYLES, STYLES
from pipelines.simulation.world.parcels import Lines, Parcels
from pipelines.simulation.world.places import (
    CNY_PER_UNIT,
    COUNTRIES,
    CURRENCIES,
    EXPRESS,
    MAIL,
    MODE_IS_ARTICLE,
    MODE_IS_BONDED,
    MODE_IS_EXPORT,
    MODES,
    TRANSPORT,
    WHOLE_UNITS,
)
from pipelines.simulation.world.randomness import Floats, Ints, hex_text, mix
from pipelines.simulation.world.state import Today, World

MAX_PARCELS_PER_OFFICE: Final = 2_500_000
VALUATION: Final = (
    "", "under_invoicing", "flat_price", "cheaper_heading", "quantity_understated", "order_splitting",
    "borrowed_allowance", "refund_circle",
)  # fmt: skip
PROHIBITED: Final = (
    "", *(f"{sender}: {item.name}" for item in CONTRABAND for sender in ("smuggling_ring", "lone_smuggler")),
)  # fmt: skip
FOOD: Final = {0: "", HYGIENE: "poor_hygiene", LOT: "bad_lot"}
MECHANISMS: Final = pl.Series(
    "mechanism",
    [
        " + ".join(part for part in (valuation, prohibited, FOOD[food]) if part) or "honest"
        for valuation in VALUATION
        for prohibited in PROHIBITED
        for food in sorted(FOOD)
    ],
)


def declaration_frames(
    today: Today, parcels: Parcels, lines: Lines, habits: Mapping[str, Floats]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the day's declarations and truth; both have one row a line, in the order of `lines`.

    `habits` is `missing.habits(world)`. Parcels must come in the order in which they were declared, lines in
    the order of their parcels.
    """
    rng = today.world.generator(today, 10)
    parcel_table = _parcel_table(today, rng, parcels, lines, habits)
    line_table, unit_price = _line_table(today, rng, parcels, lines, habits)
    of_line = pl.Series(lines.parcel, dtype=pl.UInt32)
    declarations = parcel_table[of_line].hstack(line_table).select(*DECLARATION_COLUMNS)
    declarations = as_written(today, declarations.cast(pl.Schema(DECLARATION_COLUMNS)), lines.parcel)
    return declarations, _truth(today.world, parcels, lines, declarations, unit_price)


def _parcel_table(
    today: Today, rng: np.random.Generator, parcels: Parcels, lines: Lines, habits: Mapping[str, Floats]
) -> pl.DataFrame:
    world, count = today.world, len(parcels)
    export = MODE_IS_EXPORT[parcels.mode]
    office_code = pl.Series(world.offices.code)[parcels.office]
    ports = np.array(world.offices.port)
    second_port = (rng.random(count) < 0.15).astype(np.int64)
    net = np.bincount(lines.parcel, lines.declared_weight_kg, minlength=count)
    true_net: Floats = np.bincount(lines.parcel, lines.weight_kg, minlength=count).astype(np.float64)
    gross = true_net * (1.03 + 0.15 * rng.random(count)) + 0.02 + 0.12 * rng.random(count)
    in_grams = rng.random(count) < world.parameters.unit_mistake_share * 0.5
    gross, net = np.where(in_grams, gross * 1000, gross), np.where(in_grams, net * 1000, net)
    value = np.bincount(lines.parcel, lines.declared_price_cny * lines.declared_quantity, minlength=count)
    rate = CNY_PER_UNIT[parcels.currency]
    table = pl.DataFrame(
        {
            "declaration_id": _declaration_ids(today, parcels, office_code),
            "declared_at": _declared_at(today, parcels.seconds),
            "direction": pl.Series(["import", "export"])[export.astype(np.int64)],
            "trade_mode": pl.Series(MODES)[parcels.mode],
            "customs_office": office_code,
            "port": pl.Series(ports.ravel())[parcels.office * 2 + second_port],
            "transport_mode": pl.Series(TRANSPORT)[_transport(rng, parcels)],
            "platform_id": _codes(world, "platform", world.parameters.platforms)[parcels.platform],
            "seller_id": hex_text(parcels.sender),
            "agent_id": _codes(world, "agent", world.parameters.agents)[parcels.agent],
            "carrier_id": _codes(world, "carrier", world.parameters.carriers)[parcels.carrier],
            "order_id": _order_ids(today, rng, parcels),
            "waybill_id": _waybill_ids(rng, parcels),
            "buyer_id": hex_text(parcels.buyer),
            "address_id": hex_text(parcels.address),
            "dispatch_country": pl.Series(COUNTRIES)[parcels.dispatch],
            "destination_country": pl.Series(COUNTRIES)[parcels.destination],
            "currency": pl.Series(CURRENCIES)[parcels.currency],
            "gross_weight_kg": np.maximum(np.round(gross, 3), 0.001),
            "net_weight_kg": np.maximum(np.round(net, 3), 0.001),
            "freight": np.round(_freight(parcels, true_net) / rate, 2),
            "insurance": np.round(value * 0.003 / rate, 2),
            "package_count": 1 + (rng.random(count) < 0.02) + (rng.random(count) < 0.01),
        }
    )
    gone = {name: is_missing(habits[name], parcels.slot, rng) for name in OPTIONAL_PARCEL_COLUMNS}
    gone["dispatch_country"] |= export
    gone["destination_country"] |= ~export
    return _blank(table, gone)


def _line_table(
    today: Today, rng: np.random.Generator, parcels: Parcels, lines: Lines, habits: Mapping[str, Floats]
) -> tuple[pl.DataFrame, Floats]:
    world, count = today.world, len(lines)
    catalogue, names = world.catalogue, world.names
    slot, mode = parcels.slot[lines.parcel], parcels.mode[lines.parcel]
    rate, whole = CNY_PER_UNIT[parcels.currency][lines.parcel], WHOLE_UNITS[parcels.currency][lines.parcel]
    declared_kg = np.maximum(np.round(lines.declared_weight_kg, 3), 0.001)
    quantity = np.where(lines.in_kg, declared_kg, lines.declared_quantity)
    price_cny = lines.declared_price_cny * lines.declared_quantity / quantity
    unit_price = _price_tag(rng, price_cny / rate, whole)
    exact = unit_price * quantity
    total = np.where(whole, np.maximum(np.round(exact), 1.0), np.round(exact, 2))
    legal_unit = catalogue.families["legal_unit"][lines.family]
    legal = _legal_quantity(lines, legal_unit, declared_kg)
    slip = rng.random(count) < world.parameters.unit_mistake_share
    legal = np.where(slip, legal * 1000.0, legal)
    wrong_unit = rng.random(count) < 0.01
    origin = np.where(MODE_IS_EXPORT[mode], COUNTRIES.index("CN"), catalogue.article_origin[lines.article])
    # Who sends from a country with no thought to where it was made declares the country he is in.
    at_hand = MODE_IS_ARTICLE[mode] & (rng.random(count) < 0.7)
    origin = np.where(at_hand, parcels.dispatch[lines.parcel], origin)
    habit = (mix(world.salt("model habit"), slot) % np.uint64(MODEL_STYLES)).astype(np.int64)
    named = lines.text < catalogue.articles * STYLES
    model_article = np.where(named, np.minimum(lines.text // STYLES, catalogue.articles - 1), lines.article)
    table = pl.DataFrame(
        {
            "line_no": 1 + np.arange(count) - np.searchsorted(lines.parcel, lines.parcel),
            "origin_country": pl.Series(COUNTRIES)[origin],
            "hs_code": catalogue.families["hs_code"][lines.family],
            "item_name": names.pool[lines.text],
            "item_model": names.models[model_article * MODEL_STYLES + habit],
            "barcode": _barcodes(world)[model_article],
            "quantity": quantity,
            "unit": catalogue.families["unit"][lines.family],
            "legal_quantity": np.maximum(np.round(legal, 4), 0.0001),
            "legal_unit": legal_unit,
            "unit_price": unit_price,
            "total_price": total,
        }
    ).with_columns(
        unit=pl.when(pl.Series(lines.in_kg))
        .then(pl.lit("035"))
        .when(pl.Series(wrong_unit))
        .then(pl.lit("011"))
        .otherwise("unit")
    )
    gone = {name: is_missing(habits[name], slot, rng) for name in OPTIONAL_LINE_COLUMNS}
    gone["legal_unit"] = gone["legal_quantity"] | (gone["legal_unit"] & (rng.random(count) < 0.05))
    return _blank(table, gone), unit_price


def _truth(
    world: World, parcels: Parcels, lines: Lines, declarations: pl.DataFrame, unit_price: Floats
) -> pl.DataFrame:
    rate = CNY_PER_UNIT[parcels.currency][lines.parcel]
    per_declared_unit = lines.price_cny * lines.quantity / lines.declared_quantity / rate
    # Splitting, rings, circles and honest noise leave the price as it is.
    false_price = (lines.valuation > 0) & (lines.valuation < SPLITTING)
    code = (lines.valuation * len(PROHIBITED) + lines.prohibited) * len(FOOD) + lines.food
    return pl.DataFrame(
        {
            "declaration_id": declarations["declaration_id"],
            "line_no": declarations["line_no"],
            "undervaluation": lines.valuation > 0,
            "prohibited_item": lines.prohibited > 0,
            "food_safety": lines.food > 0,
            "true_unit_price": np.where(false_price, np.round(per_declared_unit, 2), unit_price),
            "tax_shortfall_cny": np.round(shortfall(world.catalogue, parcels, lines), 2),
            "mechanism": MECHANISMS[code],
        }
    )


def _blank(table: pl.DataFrame, gone: dict[str, np.typing.NDArray[np.bool_]]) -> pl.DataFrame:
    return table.with_columns(
        pl.when(pl.Series(~missing)).then(pl.col(name)).alias(name) for name, missing in gone.items()
    )


def _declared_at(today: Today, seconds: Ints) -> pl.Series:
    midnight = datetime(today.day.year, today.day.month, today.day.day, tzinfo=UTC) - timedelta(hours=8)
    micros = int(midnight.timestamp()) * 1_000_000 + seconds * 1_000_000
    return pl.Series(micros).cast(pl.Datetime("us", "UTC"))


def _declaration_ids(today: Today, parcels: Parcels, office_code: pl.Series) -> pl.Series:
    """Return inventory numbers as customs forms them: office, year, 1 import or 0, number of the year."""
    order = np.argsort(parcels.office, kind="stable")
    number = np.empty(len(parcels), dtype=np.int64)
    counts = np.bincount(parcels.office, minlength=int(parcels.office.max(initial=0)) + 1)
    if counts.max(initial=0) > MAX_PARCELS_PER_OFFICE:
        raise ValueError(
            f"an office numbers at most {MAX_PARCELS_PER_OFFICE:,} parcels a day, got {counts.max():,}: "
            "simulate fewer parcels a day"
        )
    number[order] = np.arange(len(parcels)) - np.repeat(np.cumsum(counts) - counts, counts)
    number += (today.day.timetuple().tm_yday - 1) * MAX_PARCELS_PER_OFFICE
    flag = pl.Series(["1", "0"])[MODE_IS_EXPORT[parcels.mode].astype(np.int64)]
    serial = pl.Series(number).cast(pl.String).str.zfill(9)
    return office_code + pl.Series([str(today.day.year)]).new_from_index(0, len(parcels)) + flag + serial


def _transport(rng: np.random.Generator, parcels: Parcels) -> Ints:
    draw = rng.random(len(parcels))
    usual = np.select(
        [parcels.mode == MAIL, parcels.mode == EXPRESS, MODE_IS_BONDED[parcels.mode]],
        [3, 2, np.where(draw < 0.8, 5, 4)],
        default=np.where(draw < 0.25, 0, 2),
    )
    return np.where(draw > 0.97, 1, usual)


def _codes(world: World, kind: str, count: int) -> pl.Series:
    """Return the enterprise codes of a kind of party, ten digits as customs gives them."""
    numbers = 1_000_000_000 + mix(world.salt(kind), np.arange(count)) % np.uint64(8_999_999_999)
    return pl.Series(numbers.astype(np.int64)).cast(pl.String)


def _barcodes(world: World) -> pl.Series:
    numbers = mix(world.salt("barcode"), np.arange(world.catalogue.articles)) % np.uint64(9_999_999_999)
    return pl.Series(4_900_000_000_000 + numbers.astype(np.int64) * 97 % 89_999_999_999).cast(pl.String)


def _order_ids(today: Today, rng: np.random.Generator, parcels: Parcels) -> pl.Series:
    prefix = pl.Series([f"{number:02d}{today.day:%y%m%d}" for number in range(100)])[parcels.platform % 100]
    return prefix + pl.Series(rng.integers(10**9, 10**10, len(parcels))).cast(pl.String)


def _waybill_ids(rng: np.random.Generator, parcels: Parcels) -> pl.Series:
    """Return waybills: the post's S10 form for mail, a carrier's letters and digits for the rest."""
    digits = pl.Series(rng.integers(10**8, 10**9, len(parcels))).cast(pl.String)
    letters = pl.Series([f"{chr(65 + n % 26)}{chr(65 + n * 7 % 26)}7" for n in range(100)])
    carrier = letters[parcels.carrier % 100]
    post = "RR" + digits + pl.Series(COUNTRIES)[parcels.dispatch]
    return post.zip_with(pl.Series(parcels.mode == MAIL), carrier + digits)


def _freight(parcels: Parcels, net_kg: Floats) -> Floats:
    special = [parcels.mode == MAIL, parcels.mode == EXPRESS, MODE_IS_BONDED[parcels.mode]]
    base = np.select(special, [28.0, 55.0, 8.0], default=18.0)
    return (base + 14.0 * net_kg**0.8) * parcels.freight_factor


def _price_tag(rng: np.random.Generator, price: Floats, whole: np.typing.NDArray[np.bool_]) -> Floats:
    """Round prices as shops do: whole yen and won; a third of the others end in .0, .9 or .99."""
    draw = rng.random(len(price))
    cents = np.maximum(np.round(price, 2), 0.01)
    ends = np.where(
        draw < 0.15, np.round(price), np.where(draw < 0.25, np.floor(price) + 0.9, np.floor(price) + 0.99)
    )
    tagged = np.where((draw < 0.33) & (price > 20.0), np.round(ends, 2), cents)
    return np.where(whole, np.maximum(np.round(price), 1.0), tagged)


def _legal_quantity(lines: Lines, legal_unit: pl.Series, declared_kg: Floats) -> Floats:
    kilograms, grams = (legal_unit == "035").to_numpy(), (legal_unit == "036").to_numpy()
    return np.where(kilograms, declared_kg, np.where(grams, declared_kg * 1000.0, lines.declared_quantity))
