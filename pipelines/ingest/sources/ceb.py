"""Official messages of customs in XML, whatever format in `messages/` their first element belongs to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import ClassVar, Final, Self

import polars as pl

import pipelines.ingest.messages
from configs.errors import ConfigurationError
from configs.messages import MOST_EXAMPLES, nearest
from features.contract.china_time import CHINA_ZONE
from features.contract.declarations import DECLARATION_COLUMNS
from features.contract.reject_reasons import RejectReason
from pipelines.ingest.markup.xml_reader import Unreadable, XmlReader
from pipelines.ingest.reading.document_format import DocumentFormat
from pipelines.ingest.reading.found import found_classes
from pipelines.ingest.reading.message_format import CustomsCodes, MessageFormat, Shape, Values
from pipelines.ingest.reading.message_records import persons_of_messages, safe_message
from pipelines.ingest.reading.sending_order import in_order_of_sending
from pipelines.ingest.reading.source import MESSAGE_COLUMNS, Chunk, Source, Surroundings
from pipelines.privacy.own_values import OwnValues
from pipelines.privacy.pseudonyms import Pseudonymiser
from pipelines.store.meta import StoreMeta

_BESIDE: Final[Mapping[str, pl.DataType]] = {
    "_source_row": pl.Int64(),
    **MESSAGE_COLUMNS,
    "appTime": pl.String(),
    "_reject": pl.String(),
    "_nulled": pl.List(pl.String()),
    "_record": pl.String(),
    "_persons": pl.String(),
    "_fault": pl.String(),
}
# Declared values stay texts: whether they are valid is the contract's to say, with a reason where not.
MESSAGE_SCHEMA: Mapping[str, pl.DataType] = {
    **{column: pl.String() for column in DECLARATION_COLUMNS},
    **_BESIDE,
}
# A chunk is cut here even below its number of rows, so that long texts cannot fill the memory.
_MOST_CHARS_IN_CHUNK = 64 * 2**20
_PEEK_BYTES = 512
_NOT_LINES = ("_record", "_persons", "_fault")
_BEGINNINGS = (b"<", b"<\x00", b"\x00<")


class CebSource(Source):
    """An XML file."""

    zone = CHINA_ZONE
    kept_columns: ClassVar[Mapping[str, tuple[str, str]]] = {
        "item_no": ("code", "_item_no"),
        "own_number": ("code", "_own_number"),
        "buyer_named_by": ("code", "_buyer_named_by"),
        "sent_at": ("moment", "_message_at"),
    }

    def __init__(
        self, path: Path, pseudonymiser: Pseudonymiser, codes: CustomsCodes, latest: datetime | None
    ) -> None:
        super().__init__(path)
        self._pseudonymiser = pseudonymiser
        self._codes = codes
        self._latest = latest

    @classmethod
    def recognises(cls, path: Path) -> bool:
        """By its suffix, else by what it begins with."""
        if path.suffix.lower() == ".xml":
            return True
        # Opened for this alone, and again when its turn comes: a run with thousands of files cannot keep
        # them all open, and has to know beforehand whether it needs a key.
        with path.open("rb") as handle:
            return handle.read(_PEEK_BYTES).lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n").startswith(_BEGINNINGS)

    @classmethod
    def require(cls, around: Surroundings) -> None:
        """Messages name buyers, and speak in customs' codes."""
        _ = around.pseudonymiser, around.reference, message_formats()

    @classmethod
    def open(cls, path: Path, around: Surroundings, known: StoreMeta) -> Self:
        """Nothing is read yet."""
        return cls(path, around.pseudonymiser, around.codes, around.rules.latest)

    def chunks(self, rows: int) -> Iterator[Chunk]:
        """The lines; each document is a message of its own, told apart by `_offset`."""
        reader = XmlReader(self.path, message_formats(), self.name)
        self.faults = []
        for format_, frame in read_messages(reader, rows, self._pseudonymiser, self._codes, self._latest):
            self.faults += frame["_fault"].drop_nulls().head(MOST_EXAMPLES - len(self.faults)).to_list()
            # By its columns: a plan for each of many small files would cost more than their rows.
            kept = [values for values in frame.get_columns() if values.name not in _NOT_LINES]
            lines = pl.DataFrame(
                [pl.int_range(frame.height, dtype=pl.UInt32, eager=True).alias("_row"), *kept]
            )
            persons = persons_of_messages(frame["_persons"])
            if format_ is None:
                yield Chunk(frame, lines, None, frame.height, persons)
            else:
                told = frame.height if format_.is_told else 0
                yield Chunk(frame, None, None, told, persons, lines, format_)
        self.passed_over = reader.passed_over

    def records(self, chunk: Chunk, picked: pl.Series) -> pl.Series:
        """What the format kept of the rows: it hashes whatever could name somebody."""
        persons, formats = chunk.persons_of(picked), message_formats()
        own = OwnValues(pl.DataFrame() if persons is None else persons)
        # What cannot be read was left out; what stands in its place says where, and names nobody.
        rows = chunk.raw.select("_record", is_fault=pl.col("_fault").is_not_null())[picked].rows()
        texts = [
            record if is_fault else safe_message(record, own, row, formats, self._pseudonymiser)
            for row, (record, is_fault) in enumerate(rows)
        ]
        return pl.Series("record", texts, dtype=pl.String)


def message_formats() -> dict[str, type[MessageFormat]]:
    """The format of each first element.

    Raises:
        ConfigurationError: a module in `messages/` is not what it has to be.
    """
    formats: dict[str, type[MessageFormat]] = {}
    for format_ in found_classes(pipelines.ingest.messages, MessageFormat).values():  # type: ignore[type-abstract]
        shapes = format_.shapes
        is_known = isinstance(shapes, Mapping) and all(isinstance(each, Shape) for each in shapes.values())
        if not is_known or not shapes or any(root in formats for root in shapes):
            raise ConfigurationError(
                f"{format_.__module__}: expected as shapes a mapping from elements that no other format "
                f"has to a Shape, got {shapes!r}"
            )
        formats |= dict.fromkeys(shapes, format_)
    return formats


def read_messages(
    reader: XmlReader,
    chunk_rows: int,
    pseudonymiser: Pseudonymiser,
    codes: CustomsCodes,
    latest: datetime | None,
    chunk_chars: int = _MOST_CHARS_IN_CHUNK,
) -> Iterator[tuple[type[DocumentFormat] | None, pl.DataFrame]]:
    """The lines of one file, in frames of at most `chunk_rows` rows of one kind of document.

    Inventories, and what cannot be read, have the columns of `MESSAGE_SCHEMA` and come with None;
    others have the columns of the format's table. Besides these, all String and not yet validated:

    - `_source_row`: running number of the row in the file, from 1; `_offset`: that of its document, of text
      that cannot be read its byte.
    - `_message_at`: when the message was sent (`appTime`), UTC: the order of messages on one document.
    - `_action`: new, change, delete or draft; null where that is not known.
    - `_reject`: why the row cannot be used whatever its columns say, else null: what is wrong with appType,
      appStatus or appTime, no_goods_lines, no_inventory_head, unreadable_text.
    - `_nulled`: `column:reason` for each value that the format left out; null where there is none.
    - `_record`: the row as it came, as JSON, with every field that could name somebody hashed.
    - `_persons`: what names the persons of its head, as it came: to be looked for in the other columns.
    - `_fault`: of text that cannot be read, what and where in words.

    A document without lines is one row, and so is text that cannot be read. A moment after `latest` steers
    nothing. Rows that stand before an error are yielded before it is raised: drop them then. A frame ends
    where its records have more than `chunk_chars` characters.

    Raises:
        DataError: not one document of a known format can be read; see `XmlReader`.
        ConfigurationError: a format in `messages/` is not what it has to be.
    """
    formats = {root: kind(root, pseudonymiser, codes) for root, kind in message_formats().items()}
    waiting: dict[type[DocumentFormat] | None, list[Values]] = {}
    chars = 0
    for kind, row in _rows(reader, formats):
        waiting.setdefault(kind, []).append(row)
        chars += len(row["_record"])
        if len(waiting[kind]) >= chunk_rows:
            yield kind, _frame(kind, waiting.pop(kind), latest)
        if chars >= chunk_chars:
            yield from ((kind, _frame(kind, rows, latest)) for kind, rows in waiting.items())
            waiting, chars = {}, 0
    yield from ((kind, _frame(kind, rows, latest)) for kind, rows in waiting.items())


def _rows(
    reader: XmlReader, formats: Mapping[str, MessageFormat]
) -> Iterator[tuple[type[DocumentFormat] | None, Values]]:
    """Each row with its kind; what says nothing that matters is left out."""
    checked: set[str] = set()
    number_of_document, of_head = 0, Values()
    for number, each in enumerate(reader.lines(), start=1):
        if isinstance(each, Unreadable):
            reason = RejectReason.UNREADABLE_TEXT.value
            told = {"_reject": reason, "_record": each.message, "_fault": each.message}
            yield None, told | {"_offset": each.offset, "_source_row": number}
            continue
        root, document, head, line, is_marked = each
        # A line may stand before its head: what follows the head is another row then.
        if document != number_of_document or (head is not None and not of_head.get("_is_headed")):
            number_of_document, of_head = document, formats[root].of_head(head)
        row = formats[root].of_line(of_head, head, line, is_marked)
        row |= {"_offset": document, "_source_row": number}
        if root not in checked:
            _require_known(row, formats[root])
            checked.add(root)
        if row.get("_action") != "state":
            yield _kind(formats[root]), row


def _kind(format_: MessageFormat) -> type[DocumentFormat] | None:
    """What rows of a format have in common with others; None: they are declarations."""
    return type(format_) if isinstance(format_, DocumentFormat) else None


def _schema(kind: type[DocumentFormat] | None) -> Mapping[str, pl.DataType]:
    if kind is None:
        return MESSAGE_SCHEMA
    return {**dict.fromkeys(kind.of.columns, pl.String()), **_BESIDE}


def _require_known(row: Values, format_: MessageFormat) -> None:
    unknown = sorted(row.keys() - _schema(_kind(format_)).keys())
    if unknown:
        raise ConfigurationError(
            f"{type(format_).__module__} fills {unknown[0]!r}, which no column of the contract is called."
            f"{nearest(unknown[0], DECLARATION_COLUMNS)}"
        )


def _frame(kind: type[DocumentFormat] | None, rows: list[Values], latest: datetime | None) -> pl.DataFrame:
    # A list column is slow to build from Python lists; as text it is not.
    frame = pl.from_dicts(rows, schema={**_schema(kind), "_nulled": pl.String()})
    if kind is None:
        frame = in_order_of_sending(frame, latest)
    nulled = frame["_nulled"]
    if nulled.null_count() < len(nulled):
        nulled = nulled.str.split(";")
    return frame.replace_column(frame.columns.index("_nulled"), nulled.cast(MESSAGE_SCHEMA["_nulled"]))
