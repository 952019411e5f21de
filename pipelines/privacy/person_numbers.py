"""Finds numbers of identity documents and telephones in a text, however wide and spaced they are written.

A resident's number (GB 11643) shows itself by its province, its day of birth and its check character (ISO
7064, MOD 11-2), that of Hong Kong and of Taiwan by a check digit, a permit or a passport by the letter that
it begins with. What has no such mark, such as a passport of most other countries or a telephone without its
area, counts only behind a word that says what it is.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from datetime import date
from functools import lru_cache
from typing import Final

Span = tuple[int, int]

PROVINCES: Final = frozenset(
    [
        *(*range(11, 16), *range(21, 24), *range(31, 38), *range(41, 47), *range(50, 55), *range(61, 66)),
        *(71, 81, 82, 83, 91),
    ]
)
"""What the number of a resident begins with; 81 to 83 are residents from Hong Kong, Macao and Taiwan."""
# Order and waybill numbers have the date of the sale where a resident's number has the day of birth. Who
# buys today was born before; of a later date the check character has to be right, too.
_SALES_SINCE: Final = 2012
_COMPANY_OR_FOREIGNER: Final = 91
_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK_CHARACTERS: Final = "10X98765432"
_TAIWAN_LETTERS: Final = "ABCDEFGHJKLMNPQRSTUVXYWZIO"
_SEPARATORS: Final = r"[ \-.,/_()]"
_RUN: Final = re.compile(rf"\d(?:{_SEPARATORS}{{0,3}}\d)*")
_GROUP: Final = re.compile(r"\d+")
_RESIDENT: Final = re.compile(
    r"(?=([1-9]\d{5}(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx]))", re.ASCII
)
_FINAL_X: Final = re.compile(r"[ \-]{0,3}[Xx](?![0-9A-Za-z])")
_MOBILE: Final = re.compile(r"(?:(?:00)?86)?1[3-9]\d{9}")
_AREA: Final = re.compile(r"0(?:10|2\d|[3-9]\d\d)")
_FOREIGN: Final = re.compile(r"00(?:86|852|853|886|81|82|65|60)[1-9]\d{5,10}")
# Letters alone may lead to a number (TEL138…); as a part of a longer code it is none.
_BEFORE: Final = re.compile(r"(?:^|[^0-9A-Za-z.])[A-Za-z]*\Z")
_BEHIND: Final = re.compile(r"[0-9A-Za-z]")
_DOTS: Final = "·•・‧∙"
_MOST_DIGITS: Final = 18
_ALONE: Final = r"(?<![0-9A-Za-z\-/_])", r"(?![0-9A-Za-z\-/_])"
_PERMIT: Final = re.compile(
    _ALONE[0] + r"(?:[HM]\d{8}(?:\d\d)?|[EG]\d{8}|E[A-HJ-NP-Z]\d{7}|[A-Z]{3}\d{12})" + _ALONE[1],
    re.IGNORECASE,
)
_HONG_KONG: Final = re.compile(r"(?<![A-Z])([A-Z]{1,2})(\d{6})\(([0-9A])\)", re.IGNORECASE)
_TAIWAN: Final = re.compile(_ALONE[0] + r"([A-Z])([1289]\d{8})" + _ALONE[1], re.IGNORECASE)
_DOCUMENT_WORD: Final = (
    r"身份[证證]|护照|護照|通行[证證]|回[乡鄉][证證]|台胞[证證]|居[留住][证證]|[证證]件|여권|passport|permit"
    r"|(?<![a-z])id (?:no|number|card)"
)
_TELEPHONE_WORD: Final = (
    r"电话|電話|致电|手机号|手機號|联系方式|传真|傳真|전화|연락처"
    r"|(?<![a-z])(?:tel|phone|telephone|mobile|whatsapp|fax)"
)
WORD_BEFORE_NUMBER: Final = f"{_DOCUMENT_WORD}|{_TELEPHONE_WORD}"
_BEHIND_A_WORD: Final = re.compile(
    rf"(?:{_DOCUMENT_WORD}) ?(?:号码|號碼|号|號|码|碼|no|number|번호)?[ .:#]{{0,3}}"
    r"(?P<document>[a-z]{0,3}[ \-]?\d{2,12}(?:[ \-]\d{3,6}){0,3}(?:\([0-9a]\))?)"
    rf"|(?:{_TELEPHONE_WORD}) ?(?:号码|號碼|号|號|码|碼|no|number|번호)?[ .:#]{{0,3}}"
    r"(?P<telephone>\(?\d{2,12}(?:[ \-()]{1,2}\d{3,8}){0,3})",
    re.IGNORECASE,
)
_FEWEST_OF_DOCUMENT: Final = 5
_FEWEST_OF_TELEPHONE: Final = 7
_INTERNATIONAL: Final = re.compile(r"\+[1-9]\d{0,2}[ \-()]{0,2}\d{1,11}(?:[ \-()]{1,2}\d{3,8}){0,3}")
_FEWEST_OF_INTERNATIONAL: Final = 9


def _plain(text: str) -> str:
    """The text with every digit, letter, blank and hyphen in its plain form; no character moves its place.

    >>> _plain("１３８\\u3000００１３－８０００")
    '138 0013-8000'
    """
    return text if text.isascii() else "".join(map(_plain_character, text))


def person_spans(text: str) -> list[Span]:
    """Where numbers of persons stand in a text of words: from, to, ascending and apart.

    >>> [text[a:b] for text in ("tea 138-0013-8000", "1380 mm") for a, b in person_spans(text)]
    ['138-0013-8000']
    """
    clear = _plain(text)
    found = [*_in_runs(clear), *_inside_long(clear), *_documents(clear)]
    return joined(found)


def number_spans(text: str, *, sure: bool = False) -> list[Span]:
    """Where residents' numbers and telephones stand alone in a code, a figure or a line of a log.

    `sure`: a resident's number counts with its check character only, since inventory numbers are as long.

    >>> number_spans("x 13800138000"), number_spans("fa5c13800138000b"), number_spans("0.13800138000")
    ([(2, 13)], [], [])
    """
    clear = _plain(text)
    return joined(
        [
            (first, end)
            for first, end in _in_runs(clear, sure=sure)
            if _BEFORE.search(clear, 0, first) and not _BEHIND.match(clear, end)
        ]
    )


def holds_birthday(number: str, *, old_form: bool) -> bool:
    """Whether an official number is, or holds, a resident's number with its day of birth.

    `old_form` looks for the 15 digits in use until 1999, too, which other numbers are more often like.

    >>> [holds_birthday(no, old_form=False) for no in ("DD-11010519491231002X", "310120261120000001")]
    [True, False]
    """
    clear = _plain(number)
    for run in _RUN.finditer(clear):
        digits = re.sub(r"\D", "", run[0])
        if len(digits) == _MOST_DIGITS - 1 and clear[run.end() : run.end() + 1] in ("x", "X"):
            digits += "X"
        if len(digits) == _MOST_DIGITS and is_resident_number(digits):
            return True
        if old_form and _is_old_number(digits):
            return True
        # Something written in front of it or behind it: then the check character has to be right.
        if len(digits) > _MOST_DIGITS and any(
            is_resident_number(part) and _is_checked(part)
            for part in (digits[:_MOST_DIGITS], digits[-_MOST_DIGITS:])
        ):
            return True
    return False


def is_resident_number(number: str) -> bool:
    """Whether 18 characters are a resident's number as far as province, birthday and check character tell.

    >>> is_resident_number("11010519491231002X"), is_resident_number("310120261120000001")
    (True, False)
    """
    if not number[:17].isdigit() or int(number[:2]) not in PROVINCES:
        return False
    try:
        born = date.fromisoformat(f"{number[6:10]}-{number[10:12]}-{number[12:14]}")
    except ValueError:
        return False
    if not 1900 <= born.year < 2100:
        return False
    return _is_checked(number) or (born.year < _SALES_SINCE and int(number[:2]) != _COMPANY_OR_FOREIGNER)


def joined(spans: list[Span]) -> list[Span]:
    """Spans in ascending order, those that touch or overlap made one."""
    result: list[Span] = []
    for first, end in sorted(spans):
        if result and first <= result[-1][1]:
            result[-1] = (result[-1][0], max(end, result[-1][1]))
        else:
            result.append((first, end))
    return result


@lru_cache(4096)
def _plain_character(character: str) -> str:
    form = unicodedata.normalize("NFKC", character)
    if unicodedata.category(character) in ("Cf", "Zs", "Cc", "Zl", "Zp"):
        return " "
    if unicodedata.category(character) == "Pd" or character == "\u2212":
        return "-"
    if character in _DOTS:
        return "."
    number = unicodedata.decimal(character, None)
    if number is not None:
        return str(number)
    return form if len(form) == 1 else character


def _in_runs(text: str, *, sure: bool = False) -> Iterator[Span]:
    """Residents' numbers and telephones: some whole groups of a run of digits."""
    for run in _RUN.finditer(text):
        groups = [(run.start() + g.start(), run.start() + g.end()) for g in _GROUP.finditer(run[0])]
        mark = _FINAL_X.match(text, run.end())
        for number, (first, _) in enumerate(groups):
            digits = ""
            for upto in range(number, len(groups)):
                digits += text[slice(*groups[upto])]
                if len(digits) > _MOST_DIGITS:
                    break
                window, end = groups[number : upto + 1], groups[upto][1]
                at_an_end = number == 0 or upto == len(groups) - 1
                if mark and upto == len(groups) - 1 and _is_resident(digits + "X", sure=sure):
                    yield first, mark.end()
                elif _is_resident(digits, sure=sure) or (not sure and _is_old_number(digits)):
                    yield first, end
                elif _is_telephone(digits, text, window, at_an_end=at_an_end and not sure, usual=sure):
                    yield _with_plus(text, first), end


def _inside_long(text: str) -> Iterator[Span]:
    """Residents' numbers with other digits written directly in front or behind."""
    for found in _RESIDENT.finditer(text):
        if is_resident_number(found[1]) and _is_checked(found[1]):
            yield found.span(1)


def _is_resident(number: str, *, sure: bool) -> bool:
    return len(number) == _MOST_DIGITS and is_resident_number(number) and (not sure or _is_checked(number))


def _is_telephone(digits: str, text: str, groups: list[Span], *, at_an_end: bool, usual: bool) -> bool:
    """Whether groups of digits are a telephone.

    `at_an_end`: none stands in front of them, or none behind. `usual`: only as telephones usually are
    grouped, for lines with figures of all kinds.
    """
    lengths = [end - first for first, end in groups]
    between = {text[groups[i][1] : groups[i + 1][0]].strip() for i in range(len(groups) - 1)}
    if _MOBILE.fullmatch(digits):
        if len(groups) == 1:
            return text[max(0, groups[0][0] - 2) : groups[0][0]] != "0."
        if set(lengths) == {1}:
            return at_an_end
        own = lengths
        if len(digits) > 11:
            # The country may stand apart: 86 138…, 0086-138…
            own = lengths[1:] if text[slice(*groups[0])] in ("86", "0086") else lengths
        if between <= {"", "-"} and (own == [11] or not usual):
            return own[0] >= 3 and min(own) >= 2
        return own == [3, 4, 4] and len(between) == 1
    if between <= {"", "-", ")"} and len(groups) > 1 and _AREA.fullmatch(text[slice(*groups[0])]):
        local = digits[lengths[0] :]
        return len(local) in (7, 8) and local[0] in "2345678" and min(lengths) >= 3
    return between <= {"", "-"} and _FOREIGN.fullmatch(digits) is not None


def _with_plus(text: str, first: int) -> int:
    """The sign or bracket in front of a country's or an area's number belongs to it."""
    return first - 1 if text[first - 1 : first] in ("+", "(") else first


def _documents(text: str) -> Iterator[Span]:
    for found in _BEHIND_A_WORD.finditer(text):
        kind = "document" if found["document"] else "telephone"
        fewest = _FEWEST_OF_DOCUMENT if found["document"] else _FEWEST_OF_TELEPHONE
        if _count_digits(found[kind]) >= fewest:
            yield found.span(kind)
    for found in _INTERNATIONAL.finditer(text):
        if _count_digits(found[0]) >= _FEWEST_OF_INTERNATIONAL:
            yield found.span()
    for found in _PERMIT.finditer(text):
        # Three letters, four digits of a place, and a birthday: the residence permit of foreigners.
        if not found[0][:3].isalpha() or _is_old_number(f"11{found[0][3:]}0"):
            yield found.span()
    for found in _HONG_KONG.finditer(text):
        if _is_hong_kong(found[1].upper(), found[2], found[3].upper()):
            yield found.span()
    for found in _TAIWAN.finditer(text):
        if _is_taiwan(found[1].upper(), found[2]):
            yield found.span()


def _is_old_number(digits: str) -> bool:
    """15 digits without a check character: province, county, YYMMDD of the last century, a number."""
    if len(digits) != 15 or int(digits[:2]) not in PROVINCES or digits[6] < "2":
        return False
    try:
        date.fromisoformat(f"19{digits[6:8]}-{digits[8:10]}-{digits[10:12]}")
    except ValueError:
        return False
    return True


def _count_digits(text: str) -> int:
    return sum(each.isdigit() for each in text)


def _is_checked(number: str) -> bool:
    total = sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, number[:17], strict=True))
    return _CHECK_CHARACTERS[total % 11] == number[17:18].upper()


def _is_hong_kong(letters: str, digits: str, check: str) -> bool:
    values = [36, *(ord(each) - 55 for each in letters)][-2:]
    values += [int(each) for each in digits]
    values.append(10 if check == "A" else int(check))
    return sum(weight * value for weight, value in zip(range(9, 0, -1), values, strict=True)) % 11 == 0


def _is_taiwan(letter: str, digits: str) -> bool:
    code = _TAIWAN_LETTERS.index(letter) + 10
    values = [code // 10, code % 10, *(int(each) for each in digits)]
    weights = (1, 9, 8, 7, 6, 5, 4, 3, 2, 1, 1)
    return sum(weight * value for weight, value in zip(weights, values, strict=True)) % 10 == 0
