"""Which optional values are not declared: sellers have habits of leaving things out, some is lost."""

from typing import Final

import numpy as np

from pipelines.simulation.world.places import MODE_IS_ARTICLE
from pipelines.simulation.world.randomness import Flags, Floats, Ints, uniform
from pipelines.simulation.world.state import World

# Share of parcels without the value: from shops with an account at customs, and in mail and express.
OPTIONAL_PARCEL_COLUMNS: Final = {
    "port": (0.02, 0.20),
    "transport_mode": (0.02, 0.12),
    "platform_id": (0.01, 0.72),
    "seller_id": (0.005, 0.35),
    "agent_id": (0.03, 0.55),
    "carrier_id": (0.02, 0.05),
    "order_id": (0.0, 0.70),
    "waybill_id": (0.0, 0.02),
    "buyer_id": (0.005, 0.06),
    "address_id": (0.01, 0.02),
    "dispatch_country": (0.005, 0.01),
    "destination_country": (0.01, 0.01),
    "gross_weight_kg": (0.002, 0.004),
    "net_weight_kg": (0.02, 0.40),
    "freight": (0.10, 0.35),
    "insurance": (0.30, 0.70),
    "package_count": (0.05, 0.25),
}
OPTIONAL_LINE_COLUMNS: Final = {
    "origin_country": (0.01, 0.10),
    "item_name": (0.002, 0.008),
    "item_model": (0.22, 0.65),
    "barcode": (0.50, 0.96),
    "quantity": (0.002, 0.015),
    "unit": (0.002, 0.04),
    "legal_quantity": (0.02, 0.50),
    "legal_unit": (0.02, 0.50),
    "unit_price": (0.002, 0.02),
}
_HABIT, _SLIP = 0.94, 0.06


def _chance_of_missing(world: World, column: str, account: float, mail: float) -> Floats:
    sellers = world.sellers
    share = np.where(MODE_IS_ARTICLE[sellers.mode], mail, account) * world.parameters.missing_scale
    share = np.minimum(share, 0.99)
    habit = uniform(world.salt(f"omits {column}"), np.arange(len(sellers))) < share
    chance = np.where(habit, _HABIT, _SLIP * share)
    # Private senders are many people: a place of theirs has no single habit.
    chance = np.where(sellers.is_personal, share, chance)
    return np.asarray(1.0 - (1.0 - chance) * (1.0 - world.parameters.sparsity), dtype=np.float64)


def habits(world: World) -> dict[str, Floats]:
    """Return by column and seller's place the chance that it is left empty, sparsity included."""
    shares = OPTIONAL_PARCEL_COLUMNS | OPTIONAL_LINE_COLUMNS
    return {column: _chance_of_missing(world, column, *pair) for column, pair in shares.items()}


def is_missing(chances: Floats, slot: Ints, rng: np.random.Generator) -> Flags:
    """Return which values of a column are not declared, from its chances by seller's place."""
    return np.asarray(rng.random(len(slot)) < chances[slot], dtype=np.bool_)
