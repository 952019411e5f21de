"""The types of option values that only this command line has."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date

import click

_UNITS = {
    "": 1,
    "kib": 2**10,
    "mib": 2**20,
    "gib": 2**30,
    "tib": 2**40,
    "kb": 10**3,
    "mb": 10**6,
    "gb": 10**9,
}


def refuse_arguments(given: Sequence[str], instead: str) -> None:
    """Refuse what a verb takes from elsewhere, without repeating it: it may be a key or an identity.

    Raises:
        UsageError: an argument was given.
    """
    if given:
        raise click.UsageError(
            f"expected no argument, got {len(given)}, which are not repeated here: {instead}. What was typed "
            "is in the shell's history: take it out there"
        )


class Day(click.ParamType[date]):
    """A day, written YYYY-MM-DD.

    >>> Day().convert("2026-11-20", None, None)
    datetime.date(2026, 11, 20)
    """

    name = "date"

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        """Return what `--help` shows in place of the value."""
        return "YYYY-MM-DD"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """Return the day; anything else than YYYY-MM-DD is a usage error."""
        if isinstance(value, date):
            return value
        text = str(value)
        # `fromisoformat` alone would also take 20261120 and week dates.
        if len(text) == len("2026-11-20") and text[4] == text[7] == "-":
            try:
                return date.fromisoformat(text)
            except ValueError:
                pass
        return self.fail(f"expected a date such as 2026-11-20 (YYYY-MM-DD), got {text!r}.", param, ctx)


class Month(click.ParamType[date]):
    """A month, written YYYY-MM, as its first day.

    >>> Month().convert("2026-11", None, None)
    datetime.date(2026, 11, 1)
    """

    name = "month"

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        """Return what `--help` shows in place of the value."""
        return "YYYY-MM"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """Return the first day; anything else than YYYY-MM is a usage error."""
        if isinstance(value, date):
            return value
        text = str(value)
        if re.fullmatch(r"[0-9]{4}-(0[1-9]|1[0-2])", text) and not text.startswith("0000"):
            return date.fromisoformat(f"{text}-01")
        return self.fail(f"expected a month such as 2026-11 (YYYY-MM), got {text!r}.", param, ctx)


class MemorySize(click.ParamType[int]):
    """An amount of memory in bytes: a number with a unit, such as 4GiB or 800MB.

    >>> MemorySize().convert("1.5GiB", None, None), MemorySize().convert("800 mb", None, None)
    (1610612736, 800000000)
    """

    name = "memory"

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        """Return what `--help` shows in place of the value."""
        return "SIZE"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the bytes; anything else than a number with a unit is a usage error."""
        if isinstance(value, int):
            return value
        match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([a-z]*)", str(value).strip().lower())
        if match is None or match[2] not in _UNITS:
            self.fail(f"expected an amount of memory such as 4GiB or 800MB, got {value!r}.", param, ctx)
        return int(float(match[1]) * _UNITS[match[2]])


class Capacity(click.ParamType[tuple[str | None, int]]):
    """A number of parcels: N for every office, or OFFICE=N for one.

    >>> Capacity().convert("5316=120", None, None), Capacity().convert("60", None, None)
    (('5316', 120), (None, 60))
    """

    name = "capacity"

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        """Return what `--help` shows in place of the value."""
        return "[OFFICE=]N"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str | None, int]:
        """Return the office, None for every one, and its parcels."""
        if isinstance(value, tuple):
            return value
        text = str(value)
        office, equals, number = text.rpartition("=")
        if not number.isdecimal() or bool(office) != bool(equals):
            self.fail(
                f"expected a number of parcels such as 60, or 5316=60 for one office, got {text!r}.",
                param,
                ctx,
            )
        return office or None, int(number)
