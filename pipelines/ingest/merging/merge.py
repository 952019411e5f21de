"""Decides, for whole declarations, which lines the store holds after a run and what became of each row.

Pure functions of frames. All rows of a declaration have to be in one call: what came in now, what the store
holds of it on any day, and the latest message about it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import polars as pl

from features.arrays.hashing import hash_text
from features.contract.declarations import LINE_KEY
from features.contract.documents import ACTION_RANKS

ORIGIN: Final[dict[str, pl.DataType]] = {"_file": pl.Int32(), "_source_row": pl.Int64()}
LEDGER_COLUMNS: Final[dict[str, pl.DataType]] = {
    "declaration_id": pl.String(),
    "message_at": pl.Datetime("us", "UTC"),
    "rank": pl.Int8(),
    "digest": pl.UInt64(),
}
_DELETE: Final = ACTION_RANKS["delete"]
_ORDER: Final = ["message_at", "rank", "digest"]
_MESSAGE: Final = ["declaration_id", "_file", "_offset"]
NEVER: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Merged:
    """What a run does to some declarations.

    Attributes:
        kept: incoming rows that the store takes.
        duplicates: `_file` and `_source_row` of rows whose key is taken by another content.
        superseded: rows that were repeats, or were overtaken by a change or a deletion.
        removed: `declaration_id`, `line_no` and `_day` of stored lines that go.
        decided: the messages that decided, as in the store's ledger, and their `_file`.
        first: for the ledger, when declarations were first sent of which a change or a deletion decided.
        untimely: numbers of declarations with a change or a deletion that was sent before they were.
    """

    kept: pl.DataFrame
    duplicates: pl.DataFrame
    superseded: int
    removed: pl.DataFrame
    decided: pl.DataFrame
    first: pl.DataFrame
    untimely: list[str]


def content_hash(lines: pl.DataFrame, contract: list[str], extras: list[str]) -> pl.Series:
    """UInt64 that tells two contents of a line apart; columns that are null or missing do not enter it."""
    parts = [pl.col(name).cast(pl.String).fill_null("") for name in contract]
    text = pl.concat_str(parts, separator="\x1f")
    # Extra columns by name: which of them a store knows must make no difference.
    named = [
        pl.format(f"\x1e{name}={{}}", name).fill_null("") for name in sorted(extras) if name in lines.columns
    ]
    # In one piece: Polars 2.1 panics where words are put around a column whose first piece is empty.
    return hash_text(lines.rechunk().select(pl.concat_str([text, *named]).alias("_content")).to_series())


def merge(incoming: pl.DataFrame, stored: pl.DataFrame, ledger: pl.DataFrame) -> Merged:
    """Merge new rows into what the store holds.

    A declaration that messages speak of is as its latest message says: of two, the one that was sent
    later; sent at the same time, a deletion before a change before a new one; then by content, so that
    the order of files does not matter. A table's row never changes anything: the first with a key stays.

    Args:
        incoming: valid rows with `_file`, `_source_row`, `_offset`, `_message_at`, `_action`
            (null for a table's row), `_content` and `_day`.
        stored: all lines that the store holds of these declarations, with `_content` and `_day`.
        ledger: the latest message about each declaration that there was one about.
    """
    is_message = pl.col("_action").is_not_null()
    messages = _merge_messages(incoming.filter(is_message), stored, ledger)
    rows = incoming.filter(~is_message).sort(*ORIGIN)
    left = stored.join(messages.removed, on=[*LINE_KEY, "_day"], how="anti")
    state = pl.concat([left.select(*LINE_KEY, "_content"), messages.kept.select(*LINE_KEY, "_content")])
    news = messages.decided.select(*LEDGER_COLUMNS)
    latest = _latest(pl.concat([ledger, news])).filter(pl.col("rank") == _DELETE)
    deleted = rows.join(latest, on="declaration_id", how="semi")
    rows = rows.join(latest, on="declaration_id", how="anti")
    kept, duplicates, repeats = _first_stays(rows, state)
    return Merged(
        pl.concat([messages.kept, kept]),
        pl.concat([messages.duplicates, duplicates]),
        messages.superseded + deleted.height + repeats,
        messages.removed,
        messages.decided,
        messages.first,
        messages.untimely,
    )


def _merge_messages(rows: pl.DataFrame, stored: pl.DataFrame, ledger: pl.DataFrame) -> Merged:
    heads = _heads(rows)
    decisive = _latest(heads.select(*LEDGER_COLUMNS))
    known = _latest(ledger).rename({name: f"{name}_known" for name in _ORDER})
    compared = decisive.join(known, on="declaration_id", how="left")
    news = compared.filter(_is_later()).select(*LEDGER_COLUMNS)
    # Equal messages are one: the first in order of files speaks for all.
    decided = (
        heads.join(news, on=list(LEDGER_COLUMNS), how="semi")
        .sort("_file", "_offset")
        .unique("declaration_id", keep="first", maintain_order=True)
    )
    winners = decided.filter(pl.col("rank") < _DELETE)
    lines = rows.join(winners, on=_MESSAGE, how="semi", nulls_equal=True).sort(*ORIGIN)
    overtaken = rows.height - lines.height
    fresh, duplicates, repeats = _first_stays(lines, lines.select(*LINE_KEY, "_content").clear())
    touched = stored.join(news, on="declaration_id", how="semi")
    # A version takes the place of the one before as a whole, lines that say the same among them: whether both
    # came in one run makes no difference.
    sent = [name for name in ("sent_at",) if name in fresh.columns and name in touched.columns]
    same = [*LINE_KEY, "_content", "_day", *sent]
    kept = fresh.join(touched, on=same, how="anti", nulls_equal=True)
    removed = touched.join(fresh, on=same, how="anti", nulls_equal=True).select(*LINE_KEY, "_day")
    superseded = overtaken + repeats + fresh.height - kept.height
    return Merged(
        kept,
        duplicates,
        superseded,
        removed,
        decided.select(*LEDGER_COLUMNS, "_file"),
        _first_sent(heads, pl.concat([ledger, news])),
        _untimely(heads, ledger),
    )


def _heads(rows: pl.DataFrame) -> pl.DataFrame:
    """One row a message, with what orders it among the messages about its declaration."""
    heads = rows.group_by(_MESSAGE, maintain_order=True).agg(
        pl.col("_message_at").first().fill_null(NEVER).alias("message_at"),
        pl.col("_action").first().replace_strict(ACTION_RANKS, return_dtype=pl.Int8).alias("rank"),
        pl.col("_content").unique().sort().cast(pl.String).str.join(",").alias("digest"),
    )
    return heads.with_columns(hash_text(heads["digest"]).alias("digest"))


def last_of_moment(rows: pl.DataFrame, ledger: pl.DataFrame) -> pl.DataFrame:
    """The rows of messages that are the last of those about a declaration that were sent at the same time."""
    heads = _heads(rows)
    messages = pl.concat([heads.select(*LEDGER_COLUMNS), ledger.select(*LEDGER_COLUMNS)])
    last = messages.sort(_ORDER).unique(["declaration_id", "message_at"], keep="last", maintain_order=True)
    speaking = heads.join(last, on=list(LEDGER_COLUMNS), how="semi")
    return rows.join(speaking, on=_MESSAGE, how="semi", nulls_equal=True)


def _first_sent(heads: pl.DataFrame, ledger: pl.DataFrame) -> pl.DataFrame:
    """When declarations were first sent, where the ledger does not say it by a message that decided."""
    first = _earliest(heads)
    known = _earliest(ledger).rename({"first_at": "known_at"})
    unknown = first.join(known, on="declaration_id", how="left").filter(
        pl.col("known_at").is_null() | (pl.col("first_at") < pl.col("known_at"))
    )
    # No content has this digest: the message itself is still news if it comes alone.
    return unknown.select(
        "declaration_id",
        pl.col("first_at").alias("message_at"),
        pl.lit(ACTION_RANKS["new"], pl.Int8).alias("rank"),
        pl.lit(0, pl.UInt64).alias("digest"),
    )


def _untimely(heads: pl.DataFrame, ledger: pl.DataFrame) -> list[str]:
    """Declarations with a change or deletion sent before them, whichever of the two this run brings."""
    incoming = heads.select(*LEDGER_COLUMNS)
    first = _earliest(pl.concat([incoming, ledger]))
    stored = ledger.join(_earliest(ledger), on="declaration_id", how="anti")
    overtaken = pl.concat([incoming, stored]).filter(pl.col("rank") > ACTION_RANKS["new"])
    early = overtaken.join(first, on="declaration_id").filter(pl.col("message_at") < pl.col("first_at"))
    return early["declaration_id"].unique().sort().to_list()


def _earliest(messages: pl.DataFrame) -> pl.DataFrame:
    """`first_at`: when each declaration was first sent."""
    new = messages.filter(pl.col("rank") == ACTION_RANKS["new"])
    return new.group_by("declaration_id").agg(pl.col("message_at").min().alias("first_at"))


def _latest(messages: pl.DataFrame) -> pl.DataFrame:
    return messages.sort(_ORDER).unique("declaration_id", keep="last", maintain_order=True)


def _is_later() -> pl.Expr:
    """Whether a message comes after the one known before; an equal one is a repeat."""
    at, rank, digest = (pl.col(name) > pl.col(f"{name}_known") for name in _ORDER)
    same_at = pl.col("message_at") == pl.col("message_at_known")
    same_rank = pl.col("rank") == pl.col("rank_known")
    later = at | (same_at & (rank | (same_rank & digest)))
    return pl.col("rank_known").is_null() | later


def _first_stays(rows: pl.DataFrame, state: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame, int]:
    """Rows in their order: those whose key is new, those with another content, and how many repeat one."""
    first = rows.unique(LINE_KEY, keep="first", maintain_order=True)
    kept = first.join(state, on=LINE_KEY, how="anti")
    holds = pl.concat([state, kept.select(*LINE_KEY, "_content")])
    later = rows.join(kept, on=list(ORIGIN), how="anti")
    repeats = later.join(holds, on=[*LINE_KEY, "_content"], how="semi")
    others = later.join(holds, on=[*LINE_KEY, "_content"], how="anti")
    return kept, others.select(*ORIGIN), repeats.height
