"""Official messages that are no inventories: most of their fields become columns as they stand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Final

import polars as pl

from features.contract.declarations import COUNTRY_COLUMNS
from features.contract.documents import DocumentPart, DocumentTable, hashed_as
from pipelines.ingest.reading.message_format import Fields, MessageFormat, Values, spelled_moment

_CURRENCIES: Final = ("currency", "paid_currency")
_CLEAR: Final = frozenset({"guid", "appType", "appTime", "appStatus", "returnStatus", "returnTime"})
_IDENTITY_FIELD: Final = "buyerIdNumber"
_NAMING: Final = ("_id", "own_number", "customs_office")
_REJECTED: Final = 100


class DocumentFormat(MessageFormat):
    """A kind of document whose messages say nothing but what the fields below hold.

    Attributes:
        of: the table whose rows its lines become.
        head_fields: column -> field of the head, for what is taken over as it stands.
        export_fields: the same where exports call a field otherwise.
        line_fields: the same of a line.
        persons: column -> field of the head that names a person: its keyed hash is kept, of a buyer without
            an identity number that of name and telephone.
        directions: by the first element, whether it is about imports or exports.
        part: what its messages add to documents of the table; None where they are these documents.
    """

    of: ClassVar[DocumentTable]
    head_fields: ClassVar[Mapping[str, str]]
    export_fields: ClassVar[Mapping[str, str]] = {}
    line_fields: ClassVar[Mapping[str, str]] = {}
    persons: ClassVar[Mapping[str, str]] = {}
    directions: ClassVar[Mapping[str, str]] = {}
    part: ClassVar[DocumentPart | None] = None
    _respelled_head: ClassVar[tuple[str, ...]]
    _respelled_line: ClassVar[tuple[str, ...]]

    def __init_subclass__(cls) -> None:
        """What follows from the fields: the columns that must be there, and what names nobody."""
        super().__init_subclass__()
        if not hasattr(cls, "of"):
            return
        cls.table = cls.of.name
        if "required" not in vars(cls):
            cls.required = cls.of.required
        of_head = (*cls.head_fields.items(), *cls.export_fields.items())
        cls.clear_head_fields = _CLEAR | frozenset(field for _, field in of_head)
        cls.clear_line_fields = frozenset(cls.line_fields.values())
        # An amount of 0 is one; a number of a document that is 0 is none.
        names = (field for column, field in of_head if column.endswith(_NAMING))
        cls.naming_fields = frozenset((*names, *cls.persons.values()))
        hashed = {field: column for column, field in (*of_head, *cls.line_fields.items())}
        cls.hashed_as = hashed | {field: hashed_as(column) for column, field in cls.persons.items()}
        words = {field for field in cls.hashed_as if cls.hashed_as[field] in ("item_name", "item_model")}
        cls.word_fields = frozenset(words)
        cls._respelled_head, cls._respelled_line = (
            tuple(column for column in fields if _is_respelled(column, cls.of))
            for fields in (cls.head_fields, cls.line_fields)
        )

    def head_columns(self, head: Fields) -> Values:
        """The columns that a head decides."""
        columns: Values = {column: head.get(field) for column, field in self.head_fields.items()}
        for column, field in self.export_fields.items():
            columns[column] = columns[column] or head.get(field)
        for column in self._respelled_head:
            columns[column] = self._respelled(column, columns[column])
        for column, field in self.persons.items():
            is_buyer = field == _IDENTITY_FIELD
            columns[column] = (
                self.buyer(head) if is_buyer else self.hashed(head.get(field, ""), hashed_as(column))
            )
        if "buyer_named_by" in self.of.columns:
            columns["buyer_named_by"] = self.buyer_named_by(head)
        if self.root in self.directions:
            columns["direction"] = self.directions[self.root]
        return columns | {self.sent_column: _spelled(head.get(self.sent))}

    def line_columns(self, of_head: Values, head: Fields, line: Fields) -> Values:
        """The columns that a line decides."""
        columns: Values = {column: line.get(field) for column, field in self.line_fields.items()}
        for column in self._respelled_line:
            columns[column] = self._respelled(column, columns[column])
        return columns

    @property
    def sent_column(self) -> str:
        """The column that says when the message was sent."""
        return self.part.sent if self.part else "sent_at"

    def _respelled(self, column: str, value: str | None) -> str | None:
        if column in _CURRENCIES:
            return self.codes.currency(value)
        return self.codes.country(value) if column in COUNTRY_COLUMNS else _spelled(value)


class StateFormat(DocumentFormat):
    """What became of documents: these messages are counted, and those that undo a document do so.

    Attributes:
        state_field: the field with the state.
    """

    is_told = False
    sent = "returnTime"
    state_field: ClassVar[str] = "returnStatus"

    def action(self, head: Fields) -> tuple[str | None, str | None]:
        """A deletion where the document is undone, else nothing that matters."""
        return ("delete" if self.undoes(_state(head.get(self.state_field))) else "state"), None

    @staticmethod
    def undoes(state: int | None) -> bool:
        """Whether a state undoes the document: rejected, or an error."""
        return state is not None and (state == _REJECTED or state < 0)


def _is_respelled(column: str, table: DocumentTable) -> bool:
    """Whether values of a column are not taken over as they stand: codes and moments."""
    is_moment = table.columns[column] == pl.Datetime("us", "UTC")
    return is_moment or column in (*_CURRENCIES, *COUNTRY_COLUMNS)


def _state(text: str | None) -> int | None:
    """A state as a number, None where it is none.

    >>> _state(" -624027 "), _state("100"), _state("ok")
    (-624027, 100, None)
    """
    try:
        return None if text is None else int(text)
    except ValueError:
        return None


def _spelled(text: str | None) -> str | None:
    return None if text is None else spelled_moment(text)
