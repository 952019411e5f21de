"""What people wrote into the cells of a returned list, whatever program saved it: texts, numbers, dates."""

from __future__ import annotations

import math
import re
import unicodedata
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from pipelines.ingest.tables.workbook_cells import Cell

# Spreadsheet programs count days from here; the numbers below span 1954 to 2173.
_SERIAL_ZERO = date(1899, 12, 30)
_SERIALS = range(20_000, 100_000)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_YEAR_FIRST = re.compile(r"(\d{4})[-/.年 ]+(\d{1,2})[-/.月 ]+(\d{1,2})[日号]?(?:[T ].*)?")
_NO_YEAR = re.compile(r"(\d{1,2}) *(?:月 *(\d{1,2}) *[日号]?|[-/.](\d{1,2}))(?: .*)?")
_YEAR_LAST = re.compile(r"(\d{1,2})[-/. ]+(\d{1,2})[-/. ]+(\d{4}|\d{2})(?:[T ].*)?")
_DIGITS = re.compile(r"(\d{4})(\d{2})(\d{2})")
_NAMED = re.compile(
    r"(?:(\d{1,2})[ .-]*([a-z]{3})[a-z]*|([a-z]{3})[a-z]*[ .]*(\d{1,2}),?)[ .,-]*(\d{4}|\d{2})"
)
# 1,234 in a file with commas between its columns, 1.234 in one with semicolons: thousands, or decimals?
_ONE_GROUP = r"[-+]?[1-9]\d{{0,2}}[{mark}]\d{{3}}"
_GROUPS = r"[-+]?[1-9]\d{{0,2}}(?:[{mark}]\d{{3}})+"
_SIGN = r"[^\d\s.,'+-]{1,5}"
_MONEY = re.compile(rf"(?P<before>{_SIGN})?\s*(?P<number>[-+]?[\d.,][\d.,' ]*?)\s*(?P<after>{_SIGN})?")
_DOLLARS = ("USD", "HKD", "AUD", "CAD", "SGD", "TWD", "NZD")
_CURRENCIES = {
    "¥": ("CNY", "JPY"), "元": ("CNY",), "圆": ("CNY",), "人民币": ("CNY",),
    "人民币元": ("CNY",), "rmb": ("CNY",),
    "$": _DOLLARS, "us$": ("USD",), "美元": ("USD",), "美金": ("USD",), "hk$": ("HKD",), "港元": ("HKD",),
    "港币": ("HKD",), "€": ("EUR",), "欧元": ("EUR",), "£": ("GBP",), "英镑": ("GBP",), "日元": ("JPY",),
    "日圆": ("JPY",), "₩": ("KRW",), "韩元": ("KRW",), "韩圆": ("KRW",), "澳元": ("AUD",), "加元": ("CAD",),
    "新元": ("SGD",), "新加坡元": ("SGD",), "新台币": ("TWD",), "台币": ("TWD",), "新西兰元": ("NZD",),
    "卢布": ("RUB",), "泰铢": ("THB",), "瑞士法郎": ("CHF",), "林吉特": ("MYR",), "澳门元": ("MOP",),
}  # fmt: skip


@dataclass(frozen=True)
class Money:
    """An amount as it was written; `currencies` are those that its sign may mean, none where it has no sign.

    The first is what is meant where nothing else is known.
    """

    amount: float
    currencies: tuple[str, ...] = ()


def text_of(cell: Cell) -> str | None:
    """A cell as text without outer blanks, None where nothing stands in it; a whole number has no `.0`.

    >>> [text_of(cell) for cell in (" a ", 12.0, "  ", None, True)]
    ['a', '12', None, None, 'true']
    """
    if cell is None or (isinstance(cell, float) and math.isnan(cell)):
        return None
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 2.0**53:
        return str(int(cell))
    if isinstance(cell, date):
        return cell.isoformat()
    return str(cell).strip() or None


def number_in(cell: Cell, *, decimal_comma: bool = False) -> float | None:
    """The number in a cell, None where it is empty; signs of currencies and thousands are passed over.

    Args:
        cell: of any type.
        decimal_comma: whether the file has a comma before decimals, as those have that have semicolons
            between their columns.

    Raises:
        ValueError: it is no finite number, or a text that could be two.

    >>> [number_in(cell) for cell in (12.5, "¥ 1,234.50", "1.234,50", "12,5", "0,125", "１２", "")]
    [12.5, 1234.5, 1234.5, 12.5, 0.125, 12.0, None]
    >>> number_in("1,234", decimal_comma=True), number_in("1.234.567", decimal_comma=True)
    (1.234, 1234567.0)
    >>> number_in("1,234")
    Traceback (most recent call last):
    ...
    ValueError: '1,234' may be 1234 or 1.234: write it without a mark between thousands
    """
    money = money_in(cell, decimal_comma=decimal_comma)
    return None if money is None else money.amount


def money_in(cell: Cell, *, decimal_comma: bool = False) -> Money | None:
    """The number in a cell with the currencies that its sign or word may mean; else as `number_in`.

    Raises:
        ValueError: it is no finite number, a text that could be two, or a word beside it is no currency.

    >>> [money_in(cell) for cell in ("5.8美元", "5,8 eur")]
    [Money(amount=5.8, currencies=('USD',)), Money(amount=5.8, currencies=('EUR',))]
    >>> money_in("5.8 boxes")
    Traceback (most recent call last):
    ...
    ValueError: expected a number such as 12.50, came '5.8 boxes'
    """
    words = text_of(cell)
    if words is None:
        return None
    if isinstance(cell, bool | date):
        raise ValueError(f"expected a number, came {words!r}")
    currencies: tuple[str, ...] = ()
    if isinstance(cell, str):
        plain = unicodedata.normalize("NFKC", words)
        if match := _MONEY.fullmatch(plain):
            plain = match["number"]
            currencies = _currencies(words, match["before"], match["after"])
        plain = plain.replace(" ", "").replace("'", "")
        if re.fullmatch(_ONE_GROUP.format(mark="." if decimal_comma else ","), plain):
            digits = re.sub("[.,]", "", plain), plain.replace(",", ".")
            raise ValueError(
                f"{words!r} may be {' or '.join(digits)}: write it without a mark between thousands"
            )
    try:
        number = float(cell) if isinstance(cell, int | float) else _parsed(plain, decimal_comma)
    except (ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        raise ValueError(f"expected a number such as 12.50, came {words!r}")
    return Money(number, currencies)


def _currencies(words: str, *signs: str | None) -> tuple[str, ...]:
    """What the signs before and behind an amount can all mean."""
    meant: tuple[str, ...] = ()
    for sign in filter(None, signs):
        code = (sign.upper(),) if len(sign) == 3 and sign.isascii() and sign.isalpha() else ()
        each = _CURRENCIES.get(sign.casefold(), code)
        meant = tuple(currency for currency in each if not meant or currency in meant)
        if not meant:
            raise ValueError(f"expected a number such as 12.50, came {words!r}")
    return meant


def _parsed(plain: str, decimal_comma: bool) -> float:
    if "_" in plain:
        raise ValueError(plain)
    if "," in plain and "." in plain:
        decimal = max(",.", key=plain.rindex)
        thousands = "," if decimal == "." else "."
        return float(plain.replace(thousands, "").replace(decimal, "."))
    mark = "." if decimal_comma else ","
    if re.fullmatch(_GROUPS.format(mark=mark), plain):
        return float(plain.replace(mark, ""))
    return float(plain.replace(",", "."))


def heading_in(cell: Cell) -> str | None:
    """The digits of an HS code in a cell, None where it is empty; points and blanks are passed over.

    Raises:
        ValueError: it is none.

    >>> [heading_in(cell) for cell in ("9102.11", "９１０２", 302110000.0, " ")]
    ['910211', '9102', '0302110000', None]
    """
    words = text_of(cell)
    if words is None:
        return None
    digits = re.sub(r"[.\s]", "", unicodedata.normalize("NFKC", words))
    if not re.fullmatch(r"[0-9]{3,10}", digits):
        raise ValueError(f"expected 4 to 10 digits, came {words[:40]!r}")
    # A spreadsheet program takes the zero in front.
    return digits.zfill(len(digits) + len(digits) % 2)


def days_in(cell: Cell, near: date | None = None) -> list[date]:
    """The days that a cell may mean, none where it is empty; several where day and month could be swapped.

    Without a year it is the one next to `near`; where that is None, no day.

    Raises:
        ValueError: it is no day.

    >>> [str(day) for day in days_in("2026年11月5日")], [str(day) for day in days_in(46331)]
    (['2026-11-05'], ['2026-11-05'])
    >>> [str(day) for day in days_in("5/11/26")], days_in(" ")
    (['2026-11-05', '2026-05-11'], [])
    >>> [str(day) for day in days_in("1月3日", near=date(2026, 12, 30))]
    ['2027-01-03']
    """
    words = text_of(cell)
    if words is None:
        return []
    if isinstance(cell, datetime):
        return [cell.date()]
    if isinstance(cell, date):
        return [cell]
    plain = unicodedata.normalize("NFKC", words).strip()
    days = [] if isinstance(cell, bool) else _days(plain)
    if not days and near is not None and isinstance(cell, str) and (match := _NO_YEAR.fullmatch(plain)):
        days = _without_year(int(match[1]), int(match[2] or match[3]), near, swapped=match[2] is None)
    if not days:
        raise ValueError(f"expected a date such as 2026-11-21, came {words!r}")
    return days


def _without_year(first: int, second: int, near: date, *, swapped: bool) -> list[date]:
    """The day next to `near` that is the month `first` and its day `second`, and with them `swapped`."""
    years = (near.year - 1, near.year, near.year + 1)
    days = []
    for month, day in ((first, second), (second, first))[: 1 + swapped]:
        if real := _real(*((year, month, day) for year in years)):
            days.append(min(real, key=lambda each: abs(each - near)))
    return list(dict.fromkeys(days))


def _days(words: str) -> list[date]:
    if re.fullmatch(r"\d{5}(?:\.\d+)?", words) and int(float(words)) in _SERIALS:
        return [_SERIAL_ZERO + timedelta(days=int(float(words)))]
    for pattern in (_YEAR_FIRST, _DIGITS):
        if match := pattern.fullmatch(words):
            return _real((int(match[1]), int(match[2]), int(match[3])))
    if match := _YEAR_LAST.fullmatch(words):
        year = _whole_year(match[3])
        return _real((year, int(match[2]), int(match[1])), (year, int(match[1]), int(match[2])))
    if match := _NAMED.fullmatch(words.casefold()):
        name = match[2] or match[3]
        if name in _MONTHS:
            return _real((_whole_year(match[5]), _MONTHS.index(name) + 1, int(match[1] or match[4])))
    return []


def _whole_year(digits: str) -> int:
    return int(digits) + (2000 if len(digits) == 2 else 0)


def _real(*parts: tuple[int, int, int]) -> list[date]:
    """Those of some years, months and days that exist, each once."""
    days: list[date] = []
    for year, month, day in parts:
        try:
            days.append(date(year, month, day))
        except ValueError:
            continue
    return list(dict.fromkeys(days))
