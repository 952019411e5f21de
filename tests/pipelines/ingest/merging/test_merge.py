"""Of several messages and tables about a declaration, the same lines are left whatever order they come in."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.ingest.merging.merge import LEDGER_COLUMNS, Merged, content_hash, merge

SCHEMA: dict[str, pl.DataType] = {
    "declaration_id": pl.String(),
    "line_no": pl.Int32(),
    "total_price": pl.Float64(),
}
ORIGIN: dict[str, pl.DataType] = {
    "_file": pl.Int32(),
    "_source_row": pl.Int64(),
    "_offset": pl.Int64(),
    "_message_at": pl.Datetime("us", "UTC"),
    "_action": pl.String(),
    "_day": pl.Date(),
}
START = datetime(2026, 11, 20, tzinfo=UTC)
NO_LEDGER = pl.DataFrame(schema=LEDGER_COLUMNS)

# A message: declaration, minutes after START, action, lines of (line_no, price).
Message = tuple[str, int, str, tuple[tuple[int, float], ...]]


def rows_of(messages: list[Message], file: int = 0) -> pl.DataFrame:
    rows: list[dict[str, Any]] = []
    for offset, (name, minutes, action, lines) in enumerate(messages):
        for line_no, price in lines or ((1, 1.0),):
            rows.append(
                {
                    "declaration_id": name,
                    "line_no": line_no,
                    "total_price": price,
                    "_file": file,
                    "_source_row": len(rows) + 1,
                    "_offset": None if action == "table" else offset,
                    "_message_at": None if action == "table" else START + timedelta(minutes=minutes),
                    "_action": None if action == "table" else action,
                    # The day is part of the content, as in a real line.
                    "_day": date(2026, 11, 20) + timedelta(days=int(price) % 2),
                }
            )
    frame = pl.DataFrame(rows, schema=SCHEMA | ORIGIN)
    return frame.with_columns(content_hash(frame, list(SCHEMA), []))


def stored_after(stored: pl.DataFrame, merged: Merged) -> pl.DataFrame:
    left = stored.join(merged.removed, on=["declaration_id", "line_no", "_day"], how="anti")
    return pl.concat([left, merged.kept.select(left.columns)])


def replay(files: list[list[Message]], *, together: bool) -> tuple[list[tuple[Any, ...]], list[Merged]]:
    """Lines of the store after the files, and what each run did."""
    stored = rows_of([]).select(*SCHEMA, "_content", "_day")
    ledger = NO_LEDGER
    runs = []
    frames = [rows_of(messages, file) for file, messages in enumerate(files)]
    for incoming in [pl.concat(frames)] if together else frames:
        merged = merge(incoming, stored, ledger)
        account(incoming, merged)
        stored = stored_after(stored, merged)
        ledger = pl.concat([ledger, merged.decided.select(*LEDGER_COLUMNS), merged.first])
        runs.append(merged)
    return sorted(stored.select("declaration_id", "line_no", "total_price", "_day").rows()), runs


def account(incoming: pl.DataFrame, merged: Merged) -> None:
    assert incoming.height == merged.kept.height + merged.duplicates.height + merged.superseded


LINES = st.lists(
    st.tuples(st.integers(1, 3), st.sampled_from([1.0, 2.0])),
    min_size=1,
    max_size=3,
    unique_by=lambda line: line[0],
).map(tuple)
MESSAGES = st.lists(
    st.tuples(
        st.sampled_from(["D1", "D2"]), st.integers(0, 3), st.sampled_from(["new", "change", "delete"]), LINES
    ),
    max_size=5,
)


@settings(max_examples=60, deadline=None)
@given(st.lists(MESSAGES, min_size=1, max_size=3), st.randoms(use_true_random=False), st.booleans())
def test_the_order_of_messages_does_not_matter(
    files: list[list[Message]], random: Any, together: bool
) -> None:
    expected, _ = replay(files, together=True)
    shuffled = [list(messages) for messages in files]
    random.shuffle(shuffled)
    for messages in shuffled:
        random.shuffle(messages)
    found, _ = replay(shuffled, together=together)
    assert found == expected


@settings(max_examples=40, deadline=None)
@given(st.lists(MESSAGES, min_size=1, max_size=2))
def test_the_same_files_again_change_nothing(files: list[list[Message]]) -> None:
    once, _ = replay(files, together=True)
    stored, runs = replay([*files, *files], together=False)
    assert stored == once
    assert all(run.removed.is_empty() for run in runs[len(files) :])
    assert all(run.kept.is_empty() for run in runs[len(files) :])


TABLE_ROWS = st.lists(
    st.tuples(st.sampled_from(["D1", "D2"]), st.just(0), st.just("table"), LINES), max_size=4
)


@settings(max_examples=40, deadline=None)
@given(TABLE_ROWS, MESSAGES, TABLE_ROWS)
def test_every_row_is_accounted_for(
    first: list[Message], messages: list[Message], last: list[Message]
) -> None:
    for together in (True, False):
        stored, _ = replay([first, messages, last], together=together)
        keys = [row[:2] for row in stored]
        assert all(left != right for left, right in pairwise(sorted(keys))), "a key is in the store once"


def test_a_change_replaces_all_lines() -> None:
    stored, runs = replay(
        [[("D1", 0, "new", ((1, 1.0), (2, 1.0)))], [("D1", 1, "change", ((2, 1.0), (3, 5.0)))]],
        together=False,
    )
    assert [row[1:3] for row in stored] == [(2, 1.0), (3, 5.0)]
    assert (runs[1].kept.height, runs[1].superseded, runs[1].removed.height) == (1, 1, 1)


def test_a_deletion_wins_even_if_it_comes_first() -> None:
    messages: list[Message] = [("D1", 0, "new", ((1, 1.0),)), ("D1", 5, "delete", ())]
    for files in ([[messages[0]], [messages[1]]], [[messages[1]], [messages[0]]]):
        stored, runs = replay(files, together=False)
        assert stored == []
        assert sum(run.superseded for run in runs) == 2 - sum(run.kept.height for run in runs)


def test_a_line_number_twice_in_a_message_is_a_duplicate() -> None:
    stored, runs = replay([[("D1", 0, "new", ((1, 1.0), (1, 3.0), (1, 1.0)))]], together=True)
    assert [row[2] for row in stored] == [1.0]
    assert runs[0].duplicates["_source_row"].to_list() == [2]
    assert runs[0].superseded == 1


def test_a_table_changes_nothing_that_is_there() -> None:
    stored, runs = replay(
        [
            [("D1", 0, "table", ((1, 1.0),))],
            [("D1", 0, "table", ((1, 2.0), (2, 2.0))), ("D1", 0, "table", ((1, 1.0),))],
        ],
        together=False,
    )
    assert [row[1:3] for row in stored] == [(1, 1.0), (2, 2.0)]
    assert runs[1].duplicates["_source_row"].to_list() == [1]
    assert runs[1].superseded == 1


def test_content_does_not_depend_on_which_extra_columns_are_known() -> None:
    lines = rows_of([("D1", 0, "new", ((1, 1.0),))])
    wider = lines.with_columns(pl.lit(None, pl.String).alias("a"), pl.lit("x").alias("b"))
    one = content_hash(wider.drop("a"), list(SCHEMA), ["b"])
    assert content_hash(wider, list(SCHEMA), ["a", "b"]).equals(one)
    assert not content_hash(lines, list(SCHEMA), []).equals(one)
