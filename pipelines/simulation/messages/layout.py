"""What a message looks like: its elements in the order of the schema, and the column behind each."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class FieldSource:
    """What an element holds: the values of a column, shown in a way, or the same text in all documents.

    Attributes:
        column: the column's name; empty where the text is fixed.
        way: how its values are shown (`values.shown`); empty for plainly.
        text: the fixed text, or what stands where the column is null. Without one the element is left out.
    """

    column: str
    way: str = ""
    text: str | None = None


Fields = tuple[tuple[str, FieldSource], ...]


@dataclass(frozen=True)
class MessageLayout:
    """One kind of message.

    Attributes:
        root: its first element.
        head: the element with the fields of a document.
        fields: those fields; `guid` comes before them.
        key: the columns that tell documents apart, beside when they were sent and what for.
        around: the element that holds a head and its lines; empty where a document is its head.
        line: the element of a line; empty where a document has none.
        line_fields: the fields of a line.
        is_sent: whether a company sends it; then it ends with who that is.
        is_signed: whether the schema wants a signature.
        is_new: whether the edition of 2018 does not have it.
    """

    root: str
    head: str
    fields: Fields
    key: tuple[str, ...]
    around: str = ""
    line: str = ""
    line_fields: Fields = ()
    is_sent: bool = True
    is_signed: bool = False
    is_new: bool = False


def elements(text: str) -> Fields:
    """Return the fields that a text lists: `element=way:column|text`, `element='text`, or `element` alone.

    An element alone has the column of its own name.

    >>> elements("gnum=line_no country=country:origin_country|142 fFlag='3")[1:]
    (('country', FieldSource(column='origin_country', way='country', text='142')), \
('fFlag', FieldSource(column='', way='', text='3')))
    """
    return tuple(_field(part) for part in text.split())


def _field(part: str) -> tuple[str, FieldSource]:
    element, _, source = part.partition("=")
    if source.startswith("'"):
        return element, FieldSource("", text=source[1:])
    source, _, default = source.partition("|")
    way, _, column = source.rpartition(":")
    return element, FieldSource(column or element, way, default or None)
