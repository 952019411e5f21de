"""Decides which of a document's versions holds now, and until when the others did.

Pure functions of frames. All versions of a document have to be in one call.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from features.arrays.hashing import hash_text
from features.contract.documents import ACTION_RANKS
from pipelines.documents.known import key_text

ORIGIN: Final[dict[str, pl.DataType]] = {
    "_file": pl.Int32(),
    "_source_row": pl.Int64(),
    "_offset": pl.Int64(),
    "_is_row": pl.Boolean(),
}
"""Of a row that came in: its file, its place there, the message in the file, and whether it counts as a row
of the table (what only undoes a document does not); null of a stored row.
"""
_DELETE: Final = ACTION_RANKS["delete"]
_FILE_BITS: Final = 40


@dataclass(frozen=True)
class VersionKey:
    """What versions of one kind of document are told apart by.

    Attributes:
        document: columns of the key.
        line: the column of the lines of a document; empty where it has none.
        sent: the column that says when the version was sent.
        content: the other columns that a version fills.
    """

    document: tuple[str, ...]
    line: str
    sent: str
    content: tuple[str, ...]

    @property
    def columns(self) -> list[str]:
        """All columns of a version."""
        line = [self.line] if self.line else []
        return list(dict.fromkeys([*self.document, *line, *self.content, self.sent, "action"]))


@dataclass(frozen=True)
class MergedVersions:
    """What some documents are after a run.

    Attributes:
        now: the rows of the versions that hold.
        past: those of the versions that held before, and of deletions, with `held_until`.
        kept: `ORIGIN` of the rows that came in and hold.
        superseded: `ORIGIN` of those that are repeats, were overtaken, or delete.
        duplicates: `ORIGIN` of those whose line stands in the same message with another content.
    """

    now: pl.DataFrame
    past: pl.DataFrame
    kept: pl.DataFrame
    superseded: pl.DataFrame
    duplicates: pl.DataFrame


def merge_versions(incoming: pl.DataFrame, stored: pl.DataFrame, key: VersionKey) -> MergedVersions:
    """Merge versions that came in with those that the store holds, whatever the order in which they came.

    A version holds from when it was sent until the next one was; of two sent at the same time a deletion
    counts before a change before a new document, then the content decides. Equal versions are one.

    Args:
        incoming: rows with the columns of `key` and `ORIGIN`.
        stored: rows with the columns of `key` and `held_until` (null: it holds, or is a deletion that does).
        key: what tells documents, lines and versions apart.
    """
    lines = pl.concat(
        [
            _emptied(incoming, key).with_columns(_message_that_came_in()),
            _emptied(stored, key).with_columns(_stored_message(stored, key)),
        ],
        how="diagonal",
    )
    lines = lines.with_columns(
        key_text(key.document).alias("_document"),
        _content_hash(lines, key).alias("_content"),
        pl.col("action").replace_strict(ACTION_RANKS, return_dtype=pl.Int8).alias("_rank"),
    )
    lines, repeated, duplicates = _single_lines(lines, key)
    counting = _counting_messages(lines, key)
    told = lines.join(counting, on="_message", how="left")
    is_now = pl.col("_is_last") & (pl.col("_rank") < _DELETE)
    now = told.filter(is_now)
    is_past = (pl.col("_rank") == _DELETE) | (pl.col("_until") > pl.col(key.sent))
    past = told.filter(pl.col("_is_last").is_not_null() & ~is_now & is_past)
    came_in = told.filter(pl.col("_file").is_not_null())
    left_out = came_in.filter(~is_now.fill_null(False)).select(*ORIGIN)
    return MergedVersions(
        now.select(key.columns),
        past.select(*key.columns, pl.col("_until").alias("held_until")),
        now.filter(pl.col("_file").is_not_null()).select(*ORIGIN),
        pl.concat([left_out, repeated]),
        duplicates,
    )


def _emptied(rows: pl.DataFrame, key: VersionKey) -> pl.DataFrame:
    """The rows, of deletions nothing but what they delete."""
    deletes = pl.col("action") == "delete"
    told = [name for name in key.columns if name not in (*key.document, key.sent, "action")]
    return rows.with_columns(pl.when(deletes).then(None).otherwise(pl.col(name)).alias(name) for name in told)


def _message_that_came_in() -> pl.Expr:
    number: pl.Expr = pl.col("_file").cast(pl.Int64) * (1 << _FILE_BITS) + pl.col("_offset")
    return number.alias("_message")


def _stored_message(stored: pl.DataFrame, key: VersionKey) -> pl.Series:
    """A number below zero for each version that the store holds."""
    text = key_text([*key.document, key.sent, "action", "held_until"])
    return stored.select((-text.rank("dense").cast(pl.Int64)).alias("_message")).to_series()


def _content_hash(rows: pl.DataFrame, key: VersionKey) -> pl.Series:
    names: Sequence[str] = [name for name in key.columns if name not in (*key.document, key.sent, "action")]
    text = key_text(names) if names else pl.lit("")
    return hash_text(rows.with_columns(text.alias("_text"))["_text"])


def _single_lines(lines: pl.DataFrame, key: VersionKey) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """One row a line of a message, and what else stands there: repeats and duplicates."""
    names = ["_message", *([key.line] if key.line else [])]
    ordered = lines.sort("_content", *ORIGIN)
    first = ordered.unique(names, keep="first", maintain_order=True)
    if first.height == lines.height:
        return lines, lines.select(*ORIGIN).clear(), lines.select(*ORIGIN).clear()
    others = ordered.join(first, on=[*names, *ORIGIN], how="anti", nulls_equal=True)
    others = others.join(
        first.select(*names, _first="_content"), on=names, how="left", nulls_equal=True
    ).filter(pl.col("_file").is_not_null())
    equal = pl.col("_content") == pl.col("_first")
    return first, others.filter(equal).select(*ORIGIN), others.filter(~equal).select(*ORIGIN)


def _counting_messages(lines: pl.DataFrame, key: VersionKey) -> pl.DataFrame:
    """Of the versions that count, each once: `_message`, `_until`, and `_is_last`."""
    messages = lines.group_by("_message").agg(
        pl.col("_document", key.sent, "_rank").first(),
        # The same whatever the order of the lines.
        pl.col("_content").sum().alias("_digest"),
        pl.col("_file").is_not_null().first().alias("_came_in"),
    )
    order = ["_document", key.sent, "_rank", "_digest"]
    single = messages.sort(*order, "_came_in", "_message").unique(order, keep="first", maintain_order=True)
    following = pl.col(key.sent).shift(-1).over("_document", order_by=pl.int_range(pl.len()))
    return single.select("_message", following.alias("_until"), following.is_null().alias("_is_last"))
