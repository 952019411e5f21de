"""What checks found and expected, in the language of a document.

The table of findings has these texts in English. Each part of one is of a form of its check, with figures in
it: a language has words for the form, and the figures stay what they are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Final

from configs.language import ENGLISH, Language
from configs.reference.table_names import NO_NAMES, TableNames

_PARCEL: Final = "{amount} with freight and insurance"
_SEVERAL: Final = "{amount} with freight and insurance, more than one article"
_ARTICLES: Final = "at most {amount} a parcel of articles"
_NEARBY: Final = "at most {amount} a parcel of articles from Hong Kong, Macao and Taiwan"
_BAN: Final = "no {goods} from {country}: {cause}"
_OPEN_ZONES: Final = "{goods} from {country} of open zones alone, since {day}"
FORMS: Final[Mapping[str, tuple[str, ...]]] = {
    "order_missing": (
        "no order {order} of {platform}",
        "the inventory names no platform",
        "the inventory names no order",
        "the inventory names no platform and no order",
        "an order by the close of {day}",
    ),
    "payment_missing": (
        "no payment for order {order} of {platform}",
        "the inventory names no platform",
        "the inventory names no order",
        "the inventory names no platform and no order",
        "a payment by the close of {day}",
    ),
    "waybill_missing": (
        "no waybill {waybill} of {carrier}",
        "the inventory names no carrier",
        "the inventory names no waybill",
        "the inventory names no carrier and no waybill",
        "a waybill by the close of {day}",
    ),
    "amount": (
        "order paid {amount}",
        "payment {amount}",
        "inventory lines {amount}",
        "order lines {amount}",
        "goods {goods_value} + freight {freight} + tax {tax} - discount {discount} = {amount}",
    ),
    "goods": ("item number {item_no}", "quantity {number}", "price {amount}"),
    "buyer": (
        "the payer is not the order's buyer",
        "the payer is not the inventory's buyer",
        "the order's buyer is not the inventory's",
        "several payers",
        "one person in order, payment and inventory",
    ),
    "consignee": (
        "the waybill's address is not the order's",
        "the inventory's address is not the order's",
        "the inventory's address is not the waybill's",
        "one address in order, waybill and inventory",
    ),
    "weight": ("inventory {number} kg", "waybill {number} kg"),
    "payment_reused": (
        "in {number} orders, as {order} of inventory {inventory} of {day}",
        "a transaction for 1 order",
    ),
    "waybill_reused": ("in {number} inventories, as {inventory} of {day}", "a waybill in 1 inventory"),
    "paid_late": ("paid at {moment}", "paid by the close of {day}"),
    "return_unknown": (
        "no line {number} in inventory {inventory}",
        "no inventory {inventory}",
        "a line that was declared",
    ),
    "return_exceeds": ("at most {left}: {bought} bought, {before} returned before",),
    "return_late": (
        "applied for {number} days after {event} on {day}",
        "within {number} days of {event}, by {day}",
        "within {number} months of {event}, by {day}",
        "duty-free within {number} days of {event}, by {day}",
        "duty-free within {number} months of {event}, by {day}",
    ),
    "mode_not_open": (
        "mode {mode} at office {office} on {day}",
        "mode {mode} on {day}",
        "open there from {day} on",
        "a place that takes part",
    ),
    "order_limit": (
        _PARCEL,
        _SEVERAL,
        "at most {amount} an order",
        "one article above it, within the year's allowance, pays duty and tax in full",
        _ARTICLES,
        _NEARBY,
    ),
    "yearly_allowance": (
        "{amount} in {year} with this parcel",
        "at most {amount} a person and calendar year",
    ),
    "articles_limit": (_SEVERAL, _ARTICLES, _NEARBY),
    "not_listed": (
        "heading {heading} in mode {mode}",
        "a heading of the positive list",
        "mode {mode}",
        "mode {mode} or {other_mode}",
    ),
    "quantity_limit": (
        "{number} {unit} of {heading} this year",
        "at most {number} {unit} a person and year",
    ),
    "banned_goods": ("{heading} from {country}", _OPEN_ZONES, _BAN),
    "prohibited_article": (
        "heading {heading}",
        "named {term}",
        "{item}: out of bond, with its permit",
        "no {item}",
    ),
}
"""By check the forms of the parts of its texts; of several that fit a part the first counts."""
_NUMBER: Final = r"-?[0-9.]+(?:e[+-]?[0-9]+)?"
_KINDS: Final[Mapping[str, str]] = {
    **dict.fromkeys(
        ("number", "left", "bought", "before", "goods_value", "freight", "tax", "discount"), _NUMBER
    ),
    "amount": rf"(?:[A-Z]{{3}} )?{_NUMBER}",
    "year": "[0-9]{4}",
    "day": "[0-9]{4}-[0-9]{2}-[0-9]{2}",
    "moment": "[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}",
    **dict.fromkeys(("mode", "other_mode"), "[0-9]{4}"),
    "heading": "[0-9]+",
    "country": "[A-Z]{2}",
    "event": "declaration|release",
}
_PLACE: Final = re.compile(r"\\\{([a-z_]+)\\\}")
_BETWEEN: Final = "; "


def figures_in_words(check: str, text: str, words: Language, names: TableNames = NO_NAMES) -> str:
    """Return what a check found or expected, in a language.

    A part in a form that is not of the check (`FORMS`) stays as it is, and so does every part in English.

    Args:
        check: its name.
        text: what it found or expected, as the table of findings has it.
        words: the language.
        names: of countries, units and articles; those of bans are in its catalogue (context `ban`).

    >>> from configs.language import language
    >>> from configs.reference.table_names import table_names
    >>> chinese, names = language("zh-CN"), table_names("zh-CN")
    >>> figures_in_words("order_limit", "at most CNY 5000.00 an order", chinese)
    '每次交易不超过 ¥5,000.00'
    >>> figures_in_words("banned_goods", "0203120000 from DE", chinese, names)
    '税号 0203120000，原产于德国'
    """
    if words.code == ENGLISH.code:
        return text
    return words("; ").join(_part(check, part, words, names) for part in text.split(_BETWEEN))


def _part(check: str, part: str, words: Language, names: TableNames) -> str:
    for form in FORMS.get(check, ()):
        if (found := _pattern(form).fullmatch(part)) is not None:
            said = {place: _said(place, value, words, names) for place, value in found.groupdict().items()}
            return words(form, **said)
    return part


def _said(place: str, value: str, words: Language, names: TableNames) -> str:
    named: Mapping[str, Callable[[str], str]] = {
        "amount": lambda amount: _money(amount, words),
        "country": lambda code: names.countries.get(code, code),
        "unit": lambda name: names.units.get(name, name),
        "item": lambda name: names.items.get(name, name),
        "goods": lambda goods: words.name("ban", goods),
        "cause": lambda cause: words.name("ban", cause),
        "event": lambda event: words.name("event", event),
    }
    return named[place](value) if place in named else value


def _money(amount: str, words: Language) -> str:
    currency, _, value = amount.rpartition(" ")
    return words.money(float(value), currency) if currency else amount


@cache
def _pattern(form: str) -> re.Pattern[str]:
    """The form as a pattern, a group for each of its places."""
    return re.compile(_PLACE.sub(lambda place: _group(place[1]), re.escape(form)), re.DOTALL)


def _group(place: str) -> str:
    return f"(?P<{place}>{_KINDS.get(place, '.+?')})"
