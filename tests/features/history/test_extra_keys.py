"""Which columns of a source's own get a hit rate, and with what they are joined."""

from __future__ import annotations

import polars as pl

from configs.loader import load_settings
from features.history.extra_keys import telling_columns, with_extra_keys

LINES = 600


def _sample(**columns: list[str | None]) -> pl.DataFrame:
    place = range(LINES)
    base = {
        "declaration_id": [f"d{i // 2}" for i in place],
        "hs_code": ["0207000000"] * LINES,
        "seller_id": [f"s{i % 40}" for i in place],
    }
    return pl.DataFrame(base | columns)


def test_columns_that_repeat_themselves_are_taken_and_the_others_are_not() -> None:
    place = range(LINES)
    sample = _sample(
        project=[f"p{i % 7}" for i in place],
        state=[f"t{i % 11}" if i % 3 else None for i in place],
        one_value=["x"] * LINES,
        form=[f"f{i}" for i in place],
        waybill=[f"w{i // 2}" for i in place],
        packed_on=[f"2023-01-{i % 9 + 1:02d}" for i in place],
        plant=[f"plant of s{i % 40}" for i in place],
        empty=[None] * LINES,
    )
    names = [name for name in sample.columns if name not in ("declaration_id", "hs_code", "seller_id")]
    assert telling_columns(sample.with_columns(pl.col("empty").cast(pl.String)), names, 6) == {
        "project": "item_key",
        "state": "item_key",
    }
    assert list(telling_columns(sample, ["project", "state"], 1)) == ["state"]


def test_headings_say_what_goods_are_where_there_are_any() -> None:
    sample = _sample(project=[f"p{i % 7}" for i in range(LINES)])
    headings = pl.Series("hs_code", [f"02070{i % 3}" for i in range(LINES)])
    assert telling_columns(sample.with_columns(headings), ["project"], 6) == {"project": "hs6"}


def test_keys_join_those_that_are_configured_once() -> None:
    history = load_settings().pipeline.history
    more = with_extra_keys(history, {"project": "hs6"})
    added = more.combinations[len(history.combinations) :]
    assert [(key.name, key.columns, key.backoff) for key in added] == [
        ("extra_project", ("project",), "all"),
        ("extra_project_goods", ("project", "hs6"), "extra_project"),
        ("extra_project_seller", ("project", "seller_id"), "seller"),
    ]
    assert with_extra_keys(more, {"project": "hs6"}) == more
    assert with_extra_keys(history, {}) == history
