"""What a format of official messages declares, and what all of them have in common."""

from __future__ import annotations

import json
import re
import unicodedata
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, ClassVar, Final

import polars as pl

from configs.reference.facts import ReferenceDay
from features.contract.china_time import CHINA
from features.contract.declarations import DECLARATION_REQUIRED
from features.contract.documents import NAMED_BY_NAME
from features.contract.null_words import NullWords
from features.contract.reject_reasons import RejectReason
from pipelines.privacy.pseudonyms import Pseudonymiser, normalise
from pipelines.store.day_table import DayTable

Fields = Mapping[str, str]
Values = dict[str, Any]

# What stands for the text of a field that cannot be known. No XML text can have the character NUL, and a mark
# in capitals stays itself where codes are put in capitals.
STATED_TWICE: Final = "\x00STATED_TWICE"
ELEMENT_INSIDE: Final = "\x00ELEMENT_INSIDE"
_MARKS: Final = {
    STATED_TWICE: RejectReason.STATED_TWICE,
    ELEMENT_INSIDE: RejectReason.ELEMENT_INSIDE,
}
_MOMENT = re.compile(r"\d{14}(\d{3})?", re.ASCII)
_CODE = re.compile(r"0*(\d+)(?:\.0+)?", re.ASCII)
_ACTIONS = {"1": "new", "2": "change", "3": "delete"}
_DRAFT_STATUS = "1"
_LINES: Final = DayTable.DECLARATIONS.folder
_KEPT_HASHES = 2**16
PERSONS_SEPARATOR: Final = "\x1f"
"""Between the values of `_persons`, which hold no control character: XML has none."""
_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


@dataclass(frozen=True)
class CustomsCodes:
    """What stands in a message for a country (ISO 3166-1 alpha-2), a currency (ISO 4217), and for nothing."""

    countries: Mapping[str, str]
    currencies: Mapping[str, str]
    null_words: NullWords = field(default_factory=NullWords)

    @classmethod
    def of(cls, reference: ReferenceDay, null_words: NullWords) -> CustomsCodes:
        """The codes of a day."""
        return cls(_pairs(reference["countries"]), _pairs(reference["currencies"]), null_words)

    def country(self, code: str | None) -> str | None:
        """The ISO code of a country; what is no known code stays for the contract to judge."""
        return None if code is None else self.countries.get(code) or code.upper()

    def currency(self, code: str | None) -> str | None:
        """The ISO code of a currency; what is no known code stays for the contract to judge."""
        return None if code is None else self.currencies.get(code) or code.upper()


@dataclass(frozen=True)
class Shape:
    """The elements of a message: that of one document, the one in it with the fields that all of its lines
    share (the document itself, where it has no other), and that of one line, empty where it has none.
    """

    document: str
    head: str
    line: str = ""


class MessageFormat(ABC):
    """One kind of document, each line of which becomes a row of a table.

    A module in `messages/` holds one such class. It declares which elements the reader hands over, which of
    their fields may be kept as they came, and `head_columns` and `line_columns`: fields in, columns of the
    contract out. Values stay texts: whether they are valid is the contract's to say, with a reason.

    An object serves one file, since it remembers the hashes of names that come again.

    Attributes:
        shapes: by the first element (without a prefix) of messages with such documents, their elements.
        plural: what such documents are called.
        table: the table whose rows its lines become.
        required: columns of the table without which a row is none.
        sent: the field that says when a message was sent.
        is_told: whether its documents are rows of the table; else they are only counted, and say what
            became of one.
        clear_head_fields: fields of a head that name nobody.
        clear_line_fields: fields of a line that name nobody. These are lists of what is harmless, not of what
            is not: a field that the next version of the specification adds, or that somebody misspells, is
            hashed until it stands here. So is each company's name: it may be a person's.
        naming_fields: fields of a head that name documents and parties, in which a word that means nothing
            (`ingest.null_words`) is no value.
        hashed_as: columns whose hash a field has in a kept record: the two are seen to be the same.
        word_fields: fields of words, of which only a part may name somebody.
        person_fields: fields of a head that name its persons; what repeats them is masked.
    """

    shapes: ClassVar[Mapping[str, Shape]]
    plural: ClassVar[str]
    table: ClassVar[str] = _LINES
    required: ClassVar[tuple[str, ...]] = DECLARATION_REQUIRED
    sent: ClassVar[str] = "appTime"
    is_told: ClassVar[bool] = True
    clear_head_fields: ClassVar[frozenset[str]]
    clear_line_fields: ClassVar[frozenset[str]]
    naming_fields: ClassVar[frozenset[str]]
    hashed_as: ClassVar[Mapping[str, str]] = {}
    word_fields: ClassVar[frozenset[str]] = frozenset()
    person_fields: ClassVar[tuple[str, ...]] = ()

    def __init__(self, root: str, pseudonymiser: Pseudonymiser, codes: CustomsCodes) -> None:
        self.root = root
        self.codes = codes
        self.pseudonymiser = pseudonymiser
        self.hashed: Callable[[str, str], str | None] = lru_cache(_KEPT_HASHES)(self._hashed)

    def _hashed(self, value: str, field: str) -> str | None:
        return value if value in _MARKS else self.pseudonymiser.hash_value(value, field)

    def hashed_key(self, parts: Sequence[str | None], field: str) -> str | None:
        """The hash of a key of several parts, None where one is missing; of one that is marked, its mark."""
        marks = [part for part in parts if part in _MARKS]
        return marks[0] if marks else self.pseudonymiser.hash_key(parts, field)

    @abstractmethod
    def head_columns(self, head: Fields) -> Values:
        """The columns that a head decides."""

    @abstractmethod
    def line_columns(self, of_head: Values, head: Fields, line: Fields) -> Values:
        """The columns that a line decides. `_nulled` has `column:reason;…` for values that are left out.

        `of_head` are the columns of its head; a line without a head, and a head without lines, has no fields.
        """

    def of_head(self, head: Fields | None) -> Values:
        """What all lines of a document share: to be handed to `of_line`."""
        if head is None:
            reason = RejectReason.NO_INVENTORY_HEAD if self.table == _LINES else RejectReason.NO_DOCUMENT_HEAD
            return {"_reject": reason.value, "_head_record": "null", "_persons": None, "_is_headed": False}
        action, reject = self.action(head)
        return self.head_columns(self._telling(head)) | {
            "appTime": head.get(self.sent),
            "_message_at": message_moment(head.get(self.sent)),
            "_action": action,
            "_reject": reject,
            "_head_record": self._record(head, self.clear_head_fields),
            "_persons": PERSONS_SEPARATOR.join(head.get(field, "") for field in self.person_fields),
            "_is_headed": True,
        }

    def of_line(self, of_head: Values, head: Fields | None, line: Fields | None, is_marked: bool) -> Values:
        """A whole row; of a document without lines, a row that is rejected unless it is a deletion.

        With `is_marked` a field of the head or of the line has a mark in the place of its text.
        """
        row = dict(of_head)
        head_record, line_record = row.pop("_head_record"), "null"
        del row["_is_headed"]
        if line is not None:
            line_record = self._record(line, self.clear_line_fields)
        elif row.get("_action") != "delete" and self.shapes[self.root].line:
            row["_reject"] = row["_reject"] or RejectReason.NO_GOODS_LINES.value
        row["_record"] = f'{{"message":"{self.root}","head":{head_record},"line":{line_record}}}'
        row |= self.line_columns(row, head or {}, line or {})
        if is_marked:
            _unmark(row, self.required)
        return row

    def action(self, head: Fields) -> tuple[str | None, str | None]:
        """What the message does (new, change, delete, draft), or why that is not known."""
        return applied_action(head)

    def buyer(self, head: Fields) -> str | None:
        """The pseudonym of a head's buyer: of the identity number, else of name and telephone."""
        by_number = self.hashed(head.get("buyerIdNumber", ""), "buyer_id")
        if by_number:
            return by_number
        name, telephone = normalise(head.get("buyerName", "")), normalise(head.get("buyerTelephone", ""))
        return self.hashed_key([name, telephone], "buyer_id")

    def buyer_named_by(self, head: Fields) -> str | None:
        """`NAMED_BY_NAME` of a buyer without an identity number, who equals nobody that gave theirs."""
        by_number = self.hashed(head.get("buyerIdNumber", ""), "buyer_id")
        return NAMED_BY_NAME if not by_number and self.buyer(head) else None

    def _telling(self, head: Fields) -> Fields:
        """Without fields that name a document or somebody by a word that means nothing."""
        means_nothing = self.codes.null_words.hold
        nothing = {name for name in self.naming_fields if name in head and means_nothing(head[name])}
        return {name: head[name] for name in head if name not in nothing} if nothing else head

    def _record(self, fields: Fields, clear: frozenset[str]) -> str:
        kept = {
            field: value
            if field in clear or value in _MARKS
            else f"hashed:{self.hashed(value, self.hashed_as.get(field, field))}"
            for field, value in fields.items()
        }
        return _JSON.encode(kept)


@lru_cache(1024)
def message_moment(text: str | None) -> datetime | None:
    """A moment YYYYMMDDhhmmss in China, with or without milliseconds, as UTC; other forms are rare.

    >>> message_moment("20261120093000250")
    datetime.datetime(2026, 11, 20, 1, 30, 0, 250000, tzinfo=datetime.timezone.utc)
    """
    if text is None or not _MOMENT.fullmatch(text):
        return None
    try:
        # By their places: a pattern takes five times as long, and each message has a moment of its own.
        month, day, hour, minute, second = (int(text[at : at + 2]) for at in range(4, 14, 2))
        moment = datetime(int(text[:4]), month, day, hour, minute, second, tzinfo=CHINA)
        return moment.astimezone(UTC) + timedelta(milliseconds=int(text[14:] or 0))
    except (ValueError, OverflowError):
        return None


def spelled_moment(text: str) -> str:
    """A time of a message as tables spell it too: these have no milliseconds behind digits alone.

    >>> spelled_moment("20261120093000250")
    '2026-11-20T09:30:00.250'
    """
    if len(text) != len("YYYYMMDDhhmmssfff") or not text.isascii() or not text.isdigit():
        return text
    day = "-".join((text[:4], text[4:6], text[6:8]))
    return f"{day}T{text[8:10]}:{text[10:12]}:{text[12:14]}.{text[14:]}"


def _unmark(row: Values, columns: Sequence[str]) -> None:
    """Null for what is marked, with a reason; without a column that has to be there the row is rejected."""
    nulled = [row["_nulled"]] if row.get("_nulled") else []
    # Of a deletion only the number matters.
    required = (*(columns[:1] if row.get("_action") == "delete" else columns), "appTime")
    for column, value in row.items():
        if value in _MARKS:
            reason = _MARKS[value].of(column)
            row[column] = None
            if column.startswith("_"):
                continue
            if column in required:
                row["_reject"] = row["_reject"] or reason
            else:
                nulled.append(reason)
    row["_nulled"] = ";".join(nulled) or None
    row["_record"] = row["_record"].replace("\\u0000", "")
    for mark in _MARKS if row["_persons"] else ():
        row["_persons"] = row["_persons"].replace(mark, "")


def is_marked(value: str | None) -> bool:
    """Whether a mark stands in the place of a field's text."""
    return value in _MARKS


def applied_action(head: Fields) -> tuple[str | None, str | None]:
    """What a message does by its appStatus and appType (new, change, delete, draft), or why none is known."""
    status = head.get("appStatus")
    if status is None:
        # The specification demands it; to take silence for a draft or a declaration would be a guess.
        return None, RejectReason.MISSING_APP_STATUS.value
    status = _code(status)
    if status is None:
        return None, RejectReason.BAD_APP_STATUS.value
    if status == _DRAFT_STATUS:
        return "draft", None
    action = _ACTIONS.get(_code(head.get("appType", "1")) or "")
    return action, None if action else RejectReason.BAD_APP_TYPE.value


@lru_cache(1024)
def _code(text: str) -> str | None:
    """A number as it is meant, None where it is none: wide digits, zeros before it or behind a point."""
    found = _CODE.fullmatch(unicodedata.normalize("NFKC", text).strip())
    return found[1] if found else None


def _pairs(codes: pl.DataFrame) -> dict[str, str]:
    known = codes.drop_nulls(["customs_code", "iso"])
    return dict(zip(known["customs_code"].cast(pl.String), known["iso"], strict=True))
