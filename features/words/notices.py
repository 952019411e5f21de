"""Notices by the names that they have in the language of a document."""

from __future__ import annotations

import re
from typing import Final

from configs.language import ENGLISH, Language

ISSUERS: Final = (
    *("GACC", "MOF", "STA", "MOA", "MARA", "AQSIQ", "CIQ", "MOFCOM", "Tariff Commission"),
    "plant and animal quarantine",
)
"""Who issues notices, by the names that tables have; catalogues have them under the context `issuer`."""
WHOLE_NOTICES: Final = (
    "MOF, GACC and STA notice 2016-18",
    "MOF, GACC and STA notice 2018-49",
    "GACC notice, its number is not known",
)
"""Notices that catalogues have as a whole, under the context `notice`: those that go by a letter's number."""
_NOTICE: Final = re.compile(r"(?P<issuers>.+?) (?P<kind>notice|letter|warning)s? (?P<numbers>[0-9].*)")
_NUMBER: Final = re.compile(r"(?P<year>[0-9]{4})-(?P<number>[0-9]+)|(?P<nth>[0-9]+) of (?P<of>[0-9]{4})")
_TABLE: Final = re.compile(r"table (?P<name>[a-z_]+)")
_BETWEEN: Final = re.compile(r", | and ")
_OTHERS: Final = "others"
KINDS: Final = {
    "notice": ("{issuers} notice {number}", "{year}-{number}", "{number} of {year}"),
    "letter": ("{issuers} letter {number}", "[{year}] {number}", "[{year}] {number}"),
    "warning": ("{issuers} warning {number}", "{year}-{number}", "{number} of {year}"),
}
"""Of each kind of paper its name, its number in a year, and its number of a year in which it was issued."""


def notice_in_words(basis: str, words: Language) -> str:
    """Return how a language names the notice (or the table) of a rule.

    A catalogue may have a notice as a whole. Others are put together of who issued them, the year and the
    number. What is written in another way stays as it is, and so does a notice of somebody whose name the
    catalogue lacks.

    >>> from configs.language import language
    >>> chinese = language("zh-CN")
    >>> notice_in_words("GACC notice 2018-49", chinese)
    '海关总署公告2018年第49号'
    >>> notice_in_words("MARA and GACC notice 470 of 2021", chinese)
    '农业农村部、海关总署公告第470号（2021年）'
    >>> notice_in_words("GACC notice 2018-49", ENGLISH), notice_in_words("our own rule 7", chinese)
    ('GACC notice 2018-49', 'our own rule 7')
    """
    said = words.name("notice", basis)
    if said != basis or words.code == ENGLISH.code:
        return said
    if (table := _TABLE.fullmatch(basis)) is not None:
        return words("table {name}", name=table["name"])
    notice = _NOTICE.fullmatch(basis)
    if notice is None:
        return basis
    issuers = _issuers(notice["issuers"], words)
    numbers = [_NUMBER.fullmatch(each) for each in _BETWEEN.split(notice["numbers"])]
    name, in_year, of_year = KINDS[notice["kind"]]
    told = []
    for each in numbers:
        if each is None:
            return basis
        by_year = each["year"] is not None
        told.append(
            words(
                in_year if by_year else of_year,
                year=each["year"] or each["of"],
                number=each["number"] or each["nth"],
            )
        )
    return words(name, issuers=issuers, number=words.listed(told)) if issuers else basis


def _issuers(names: str, words: Language) -> str:
    """Who issued a notice, empty where one of them has no name in the language."""
    whole = words.name("issuer", names)
    if whole != names:
        return whole
    known = _BETWEEN.split(names)
    others = known[-1] == _OTHERS
    told = [words.name("issuer", name) for name in (known[:-1] if others else known)]
    if set(told) & set(known):
        return ""
    said = words.listed(told)
    return words("{names} and others", names=said) if others else said
