"""Months of the calendar, each by its first day."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta


def month_of(day: date) -> date:
    """Return the month of a day.

    >>> month_of(date(2026, 11, 20))
    datetime.date(2026, 11, 1)
    """
    return day.replace(day=1)


def months_later(month: date, months: int) -> date:
    """Return the month so many months later, earlier where negative; the calendar's ends are its bounds.

    >>> months_later(date(2026, 11, 1), 2), months_later(date(2026, 11, 1), -12)
    (datetime.date(2027, 1, 1), datetime.date(2025, 11, 1))
    """
    number = max(12, min(month.year * 12 + month.month - 1 + months, 9999 * 12 + 11))
    return date(number // 12, number % 12 + 1, 1)


def last_day(month: date) -> date:
    """Return the last day of a month.

    >>> last_day(date(2024, 2, 1))
    datetime.date(2024, 2, 29)
    """
    return (month.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)


def months_between(first: date, last: date) -> list[date]:
    """Return the months of a range, both ends included, oldest first."""
    count = (last.year - first.year) * 12 + last.month - first.month + 1
    return [months_later(first, number) for number in range(count)]


def days_of_month(days: Iterable[date], month: date) -> list[date]:
    """Return those of some days that lie in a month, oldest first."""
    return sorted(day for day in days if month_of(day) == month)
