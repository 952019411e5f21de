"""Tax on parcels by the rules of their mode, to know what undervaluation costs (CNY)."""

from typing import Final

import numpy as np

from pipelines.simulation.schemes.undervaluation import ORDER_LIMIT_CNY, SPLITTING
from pipelines.simulation.world.goods import Catalogue
from pipelines.simulation.world.parcels import Lines, Parcels
from pipelines.simulation.world.places import MODE_IS_ARTICLE, MODE_IS_EXPORT, MODE_IS_RETAIL
from pipelines.simulation.world.randomness import Flags, Floats, Ints

RETAIL_SHARE: Final = 0.7
TAX_FREE_CNY: Final = 50.0


def line_tax(
    catalogue: Catalogue, parcels: Parcels, parcel: Ints, family: Ints, value_cny: Floats, over_limit: Flags
) -> Floats:
    """Return the tax of each line in CNY.

    Retail imports pay 70% of VAT and consumption tax and no duty up to CNY 5,000 an order, all of it above;
    mail and personal express pay the articles rate, nothing where a parcel's tax is CNY 50 or less.
    Exports pay nothing.
    `over_limit` marks lines whose order is over the limit though its parcel is not.
    """
    duty, vat, consumption = (catalogue.numbers(name)[family] for name in ("duty", "vat", "consumption"))
    mode = parcels.mode[parcel]
    value = np.bincount(parcel, value_cny, minlength=len(parcels))[parcel]
    indirect = (vat + consumption) / (1.0 - consumption)
    full = duty + (1.0 + duty) * indirect
    retail = MODE_IS_RETAIL[mode] & (value <= ORDER_LIMIT_CNY) & ~over_limit
    rate = np.where(retail, RETAIL_SHARE * indirect, full)
    article_tax = value_cny * catalogue.numbers("article_rate")[family]
    of_parcel = np.bincount(parcel, article_tax, minlength=len(parcels))[parcel]
    article_tax = np.where(of_parcel > TAX_FREE_CNY, article_tax, 0.0)
    tax = np.where(MODE_IS_ARTICLE[mode], article_tax, value_cny * rate)
    return np.where(MODE_IS_EXPORT[mode], 0.0, tax)


def shortfall(catalogue: Catalogue, parcels: Parcels, lines: Lines) -> Floats:
    """Return the tax that each undervalued line leaves unpaid, CNY, at least 0; 0 for the others."""
    none = np.zeros(len(lines), dtype=bool)
    value_cny = lines.declared_price_cny * lines.declared_quantity
    declared = line_tax(catalogue, parcels, lines.parcel, lines.family, value_cny, none)
    # Orders that were split, and purchases that only seem to be a person's own, owe the whole tax.
    undervalued, splitting = lines.valuation > 0, lines.valuation >= SPLITTING
    family = np.where(undervalued, catalogue.article_family[lines.article], lines.family)
    true = line_tax(catalogue, parcels, lines.parcel, family, lines.price_cny * lines.quantity, splitting)
    return np.where(undervalued, np.maximum(true - declared, 0.0), 0.0)
