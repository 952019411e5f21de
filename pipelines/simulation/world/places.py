"""Offices, ports, countries, currencies and supervision modes, and how often they go together."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from pipelines.simulation.world.randomness import Floats, weighted

COUNTRIES: Final = (
    "AE", "AU", "BD", "BR", "CA", "CH", "CL", "CN", "DE", "DK", "ES", "FR", "GB", "HK", "ID", "IE",
    "IN", "IT", "JP", "KR", "LK", "MY", "NG", "NL", "NZ", "PE", "PH", "RU", "SG", "TH", "TR", "TW",
    "US", "VN", "ZA",
)  # fmt: skip
COUNTRY: Final = {code: index for index, code in enumerate(COUNTRIES)}
DESTINATIONS: Final = weighted(
    "US:9;RU:3;GB:3;DE:3;FR:2;JP:2;KR:2;AU:2;BR:2;TH:2;MY:2;PH:2;SG:1.5;CA:1.5;ES:1.5;IT:1;AE:1;CL:1;NG:0.5;ZA:0.5",
    COUNTRIES,
)

# Example rates, CNY for one unit: the simulator needs round trips, not the rate of a date.
CURRENCIES: Final = ("CNY", "USD", "JPY", "EUR", "KRW", "GBP", "AUD", "HKD", "TWD", "THB", "SGD", "CAD")
CNY_PER_UNIT: Final = np.array([1.0, 7.15, 0.048, 7.8, 0.0052, 9.1, 4.7, 0.915, 0.225, 0.2, 5.4, 5.2])
WHOLE_UNITS: Final = np.array([code in {"JPY", "KRW", "TWD"} for code in CURRENCIES])
_HOME_CURRENCY = {
    "JP": "JPY", "KR": "KRW", "DE": "EUR", "FR": "EUR", "IT": "EUR", "ES": "EUR", "NL": "EUR", "IE": "EUR",
    "GB": "GBP", "AU": "AUD", "HK": "HKD", "TW": "TWD", "TH": "THB", "SG": "SGD", "CA": "CAD", "CN": "CNY",
}  # fmt: skip
HOME_CURRENCY: Final = np.array([CURRENCIES.index(_HOME_CURRENCY.get(code, "USD")) for code in COUNTRIES])

MODES: Final = (
    "9610", "1210", "mail", "express", "1239", "other", "9610", "9710", "9810",
)  # fmt: skip
MODE_IS_EXPORT: Final = np.array([False] * 6 + [True] * 3)
MODE_SHARE: Final = np.array([0.25, 0.29, 0.19, 0.15, 0.012, 0.006, 0.065, 0.025, 0.012])
B2C, BONDED, MAIL, EXPRESS, BONDED_CITY, OTHER, EXPORT, EXPORT_B2B, EXPORT_WAREHOUSE = range(9)
MODE_IS_RETAIL: Final = np.isin(np.arange(9), [B2C, BONDED, BONDED_CITY])
MODE_IS_BONDED: Final = np.isin(np.arange(9), [BONDED, BONDED_CITY])
MODE_IS_ARTICLE: Final = np.isin(np.arange(9), [MAIL, EXPRESS])
TRANSPORT: Final = ("2", "4", "5", "6", "9", "Y")  # sea, road, air, post, other, bonded


@dataclass(frozen=True)
class Offices:
    """Customs offices: `code`, and for each mode the weight of each office (modes × offices)."""

    code: tuple[str, ...]
    port: tuple[tuple[str, str], ...]
    weights: Floats


def offices() -> Offices:
    """Return twelve offices with a profile each: postal hubs, express hubs, bonded zones, export hubs."""
    #       code    ports              9610 1210 mail exp. 1239 oth. 9610 9710 9810
    table = [
        ("2249", ("2233", "2202"), (4.0, 2.0, 0.0, 5.0, 1.0, 1.0, 2.0, 1.0, 1.0)),
        ("2220", ("2233", "2220"), (0.0, 0.0, 8.0, 0.5, 0.0, 1.0, 0.3, 0.0, 0.0)),
        ("0109", ("0101", "0109"), (2.0, 0.5, 4.0, 4.0, 0.5, 1.0, 0.5, 0.3, 0.1)),
        ("5144", ("5141", "5100"), (4.0, 3.0, 6.0, 4.0, 2.0, 1.0, 4.0, 2.0, 1.0)),
        ("5316", ("5301", "5304"), (3.0, 3.0, 1.0, 5.0, 1.0, 1.0, 6.0, 4.0, 3.0)),
        ("4612", ("4605", "4612"), (5.0, 7.0, 1.5, 1.0, 3.0, 0.5, 2.0, 1.0, 1.0)),
        ("2991", ("2910", "2991"), (4.0, 5.0, 1.0, 1.5, 2.0, 0.5, 5.0, 2.0, 1.0)),
        ("3116", ("3104", "3116"), (2.0, 6.0, 0.3, 0.5, 2.0, 0.5, 3.0, 1.0, 2.0)),
        ("8013", ("8005", "8013"), (2.0, 4.0, 0.6, 0.8, 1.0, 0.5, 0.5, 0.5, 0.3)),
        ("4227", ("4218", "4227"), (3.0, 2.5, 0.5, 2.0, 1.0, 0.5, 1.0, 0.5, 0.3)),
        ("3506", ("3501", "3506"), (1.0, 1.0, 1.6, 0.6, 0.2, 0.5, 1.5, 0.6, 0.3)),
        ("4708", ("4701", "4708"), (0.4, 0.6, 1.2, 0.3, 0.1, 0.3, 0.4, 0.2, 0.1)),
    ]
    return Offices(
        code=tuple(row[0] for row in table),
        port=tuple((row[1][0], row[1][1]) for row in table),
        weights=np.array([row[2] for row in table], dtype=np.float64).T,
    )
