"""How the number of parcels moves over the year, the week and the day."""

from collections.abc import Sequence
from datetime import date, timedelta

import numpy as np

from pipelines.simulation.world.randomness import Floats, Ints

# Monday first. Warehouses catch up after the weekend.
_WEEKDAY = (1.10, 1.06, 1.02, 1.00, 1.02, 0.92, 0.88)
# Hour in China: shops and platforms declare in office hours, automated ones through the night.
_HOURS = np.array([3, 2, 1.5, 1, 1, 1, 1.5, 3, 6, 9, 10, 10, 7, 8, 9, 10, 9, 8, 6, 6, 6, 6, 5, 4])


def day_weight(day: date) -> float:
    """Return the volume of a day relative to an ordinary one.

    Double 11 (1 to 11 November) rises to its last day and ebbs off; 18 June and 12 December are smaller.

    >>> day_weight(date(2026, 11, 11)) > 2 * day_weight(date(2026, 10, 14))
    True
    """
    weight = _WEEKDAY[day.weekday()]
    weight *= 1.0 + 0.08 * float(np.cos(2.0 * np.pi * (day.timetuple().tm_yday - 335) / 365.0))
    if day.month == 11 and day.day <= 11:
        weight *= 1.25 + 1.75 * (day.day / 11.0) ** 3
    elif day.month == 11 and day.day <= 18:
        weight *= 1.0 + 0.9 * (18 - day.day) / 7.0
    elif day.month == 6 and day.day <= 18:
        weight *= 1.0 + 0.8 * (day.day / 18.0) ** 3
    elif day.month == 12 and 9 <= day.day <= 12:
        weight *= 1.5
    return float(weight)


def expected_parcels(days: Sequence[date], parcels_per_day: float) -> Floats:
    """Return the expected parcels of each day; their mean over the days is `parcels_per_day`."""
    weights = np.array([day_weight(day) for day in days])
    return np.asarray(weights / weights.mean() * parcels_per_day, dtype=np.float64)


def days_until(end: date, days: int) -> list[date]:
    """Return the `days` days that end on `end`, oldest first."""
    return [end - timedelta(days=days - 1 - step) for step in range(days)]


def seconds_of_day(rng: np.random.Generator, count: int) -> Ints:
    """Return seconds since midnight in China for `count` declarations."""
    hours = rng.choice(24, size=count, p=_HOURS / _HOURS.sum())
    return np.asarray(hours * 3600 + rng.integers(0, 3600, size=count), dtype=np.int64)
