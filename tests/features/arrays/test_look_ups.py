"""Groups of equal rows, and where keys stand in tables, against what Python's own dictionaries say."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from features.arrays.distinct import distinct_pairs, distinct_rows
from features.arrays.group_sums import distinct_parcels, lines_of, sums_of, union_of
from features.arrays.hashing import combined_hashes, text_hashes
from features.arrays.key_index import NO_KEY, NOT_FOUND, Indexes, rows_of_keys, wanted_keys

TEXTS = ["ant", None, "", "ant ", "蚂蚁", "ant", "Ant", None, "蚂", "蚁", "a\x00", "a"]


def groups_of(rows: list[object]) -> list[int]:
    seen: dict[object, int] = {}
    return [seen.setdefault(row, len(seen)) for row in rows]


def test_rows_are_the_same_where_every_text_is() -> None:
    drawn = np.random.default_rng(1).choice(len(TEXTS), (500, 2))
    frame = pl.DataFrame({name: [TEXTS[i] for i in drawn[:, place]] for place, name in enumerate("ab")})
    same = distinct_rows(frame, ["a", "b"])
    assert same.groups.tolist() == groups_of(frame.rows())
    assert same.spread(frame[same.firsts]).equals(frame)


def test_rows_of_no_columns_are_refused() -> None:
    with pytest.raises(ValueError, match="at least one column"):
        distinct_rows(pl.DataFrame({"a": ["x"]}), [])


def test_sums_of_groups() -> None:
    rng = np.random.default_rng(2)
    keys, others = (rng.integers(0, 9, 400).astype(np.uint64) for _ in range(2))
    values = rng.integers(-50, 50, 400)
    bitmaps = np.uint64(1) << rng.integers(0, 64, 400).astype(np.uint64)
    parcels = rng.integers(0, 40, 400)  # their lines are scattered
    groups = distinct_pairs(keys, others)
    frame = pl.DataFrame(
        {"key": keys, "other": others, "value": values, "bitmap": bitmaps, "parcel": parcels}
    ).filter((pl.col("key") > 0) & (pl.col("other") > 0))
    expected = frame.group_by("key", "other", maintain_order=True).agg(
        pl.len(), pl.col("value").sum(), pl.col("bitmap").bitwise_or(), pl.col("parcel").n_unique()
    )
    assert keys[groups.firsts].tolist() == expected["key"].to_list()
    assert others[groups.firsts].tolist() == expected["other"].to_list()
    assert lines_of(groups).tolist() == expected["len"].to_list()
    assert sums_of(groups, values).tolist() == expected["value"].to_list()
    assert union_of(groups, bitmaps).tolist() == expected["bitmap"].to_list()
    assert distinct_parcels(groups, parcels).tolist() == expected["parcel"].to_list()


@pytest.mark.parametrize("count", [0, 1, 3, 1000])
@pytest.mark.parametrize("crowded", [False, True])
def test_keys_are_found_in_tables_in_any_order(count: int, crowded: bool) -> None:
    rng = np.random.default_rng(count)
    top = np.iinfo(np.uint64).max
    drawn = rng.integers(1, 2000 if crowded else top, 2 * count, dtype=np.uint64, endpoint=True)
    ends = np.array([1, top], dtype=np.uint64)
    keys = np.unique(np.concatenate([drawn, ends]))[-count:] if count else drawn
    wanted = np.concatenate([keys, rng.integers(0, 3000, 200, dtype=np.uint64), drawn, ends])
    for table in (keys, rng.permutation(keys)):
        place = {int(key): row for row, key in enumerate(table)}
        expected = [NO_KEY if key == 0 else place.get(int(key), NOT_FOUND) for key in wanted]
        indexes = Indexes()
        for _ in range(2):
            found = rows_of_keys(indexes, "t", pl.DataFrame({"key": table}), wanted)
            assert found.tolist() == expected


def test_a_line_without_a_key_wants_none() -> None:
    assert wanted_keys(pl.Series([5, None], dtype=pl.UInt64)).tolist() == [5, 0]


def test_a_missing_part_makes_no_combined_hash() -> None:
    parts = [text_hashes(pl.Series(values)) for values in (["a", None, "b"], ["x", "x", None])]
    assert (combined_hashes(parts) == 0).tolist() == [False, True, True]
