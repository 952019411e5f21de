from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl

from models.judging.groups import each_group, line_groups
from models.judging.leakage import Leakage, SingleColumn, find_leakage

PAST = pl.DataFrame(
    {
        "declaration_id": ["P1", "P2", "P3"],
        "seller_id": ["A", "B", None],
        "goods__hs6": ["950300", "950300", "620442"],
        "route__origin": ["DE", "JP", "DE"],
        "unit_price": [3.0, 4.0, None],
        "total_price": [6.0, 4.0, 9.0],
        "item_name": ["toy", "玩具", None],
        "order_id": ["O1", "O1", "O2"],
        "label": [True, False, None],
    }
)
LATER = pl.DataFrame(
    {
        "declaration_id": ["L1", "L2", "L3", "L4"],
        "seller_id": ["A", "C", None, "B"],
        "goods__hs6": ["950300", "940520", "620442", "950300"],
        "route__origin": ["DE", "DE", "DE", None],
        "unit_price": [3.0, 3.0, None, 4.0],
        "total_price": [6.0, 5.0, 9.0, 4.5],
        "item_name": ["Ｔoy car", "игрушка", "12-3", "玩具 toy"],
        "order_id": ["O9", "O8", "O2", None],
        "customs_office": ["4601", "4601", None, "5316"],
        "price__odds": [9.0, 1.0, 8.0, None],
        "extra__kind": ["x", "y", "x", "y"],
        "label": [True, False, True, False],
    }
)


def test_shared_keys_are_counted_over_lines_and_over_findings() -> None:
    past = PAST.with_columns(pl.lit(None, pl.Float64).alias("price__odds"))
    overlaps = find_leakage(past, "label", LATER).overlaps
    shares = {found.key: (found.lines, found.findings) for found in overlaps}
    assert shares == {
        "seller": (0.5, 0.5),
        "heading": (0.75, 1.0),
        "exact value": (0.25, 0.5),
        "heading, origin and price": (0.25, 0.5),
        "order": (0.25, 0.5),
        "declaration": (0.0, 0.0),
    }


def test_columns_are_ranked_by_what_they_tell_alone_in_either_direction() -> None:
    past = PAST.with_columns(
        pl.Series("price__odds", [1.0, 2.0, 3.0]), pl.Series("extra__kind", ["y", "x", "x"])
    )
    later = LATER.with_columns((-pl.col("price__odds")).alias("price__odds"))
    found = find_leakage(past, "label", later)
    by_name = {column.column: column for column in found.columns}
    assert set(by_name) == {"price__odds", "extra__kind", "goods__hs6", "route__origin"}
    assert by_name["price__odds"] == SingleColumn("price__odds", 1.0, 1.0)
    # Learned from the past, where kind y had the finding: kind x, which has them all here, ranks them last.
    assert by_name["extra__kind"].auc == 1.0
    assert [column.column for column in found.suspects(0.97)] == ["extra__kind", "price__odds"]
    assert found.suspects(1.0) == ()
    metrics = found.as_metrics()
    assert metrics["overlap.heading_origin_and_price_findings"] == 0.5
    assert metrics["best_single_column_auc"] == 1.0


def test_a_column_that_only_the_label_s_noise_separates_is_no_suspect() -> None:
    rng = np.random.default_rng(2)
    kind, found = rng.choice(list("abcdef"), 2000), rng.random(2000) < 0.1
    frame = pl.DataFrame({"price__x": rng.normal(size=2000), "goods__y": kind, "label": found})
    leakage = find_leakage(frame.head(1000), "label", frame.tail(1000))
    assert max(column.auc for column in leakage.columns) < 0.6


def test_without_a_finding_or_a_line_there_is_nothing_to_rank() -> None:
    assert find_leakage(PAST, "label", LATER.with_columns(pl.lit(False).alias("label"))).columns == ()
    empty = find_leakage(PAST, "label", LATER.clear())
    assert empty.columns == ()
    assert all(np.isnan(overlap.lines) for overlap in empty.overlaps)
    assert empty.as_metrics() == Leakage().as_metrics() == {}


def test_lines_are_grouped_by_office_script_seller_and_twin() -> None:
    groups = line_groups(PAST, LATER)
    assert groups["group__office"].to_list() == ["4601", "4601", "unknown", "5316"]
    assert groups["group__script"].to_list() == ["latin", "other", "none", "han"]
    assert groups["group__seller"].to_list() == ["known", "new", "new", "known"]
    assert groups["group__twin"].to_list() == ["a twin", "no twin", "no twin", "no twin"]
    assert "group__trade_mode" not in groups.columns
    named = {name: mask.tolist() for name, mask in each_group(groups)}
    assert named["office 4601"] == [True, True, False, False]
    assert "script han" in named
    one_day = groups.with_columns(pl.lit("x").alias("group__office"), pl.lit(date(2026, 1, 1)).alias("day"))
    assert not any(name.startswith("office") for name, _ in each_group(one_day))
