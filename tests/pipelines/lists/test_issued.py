"""Every list that was issued is kept, once, whatever is issued after it."""

from __future__ import annotations

from datetime import date

import polars as pl

from pipelines.lists.issued import find_lists, issued_lists, stage_issued, with_list_ids
from tests.pipelines.list_examples import DAY, listed
from tests.pipelines.trained_world import NIGHT, World


def test_a_night_records_what_it_issued_and_select_adds_only_what_is_new(scored_world: World) -> None:
    first = scored_world.results("issued")
    record = issued_lists(scored_world.store, NIGHT)
    columns = ["customs_office", "rank", "declaration_id", "line_no", "risk", "selection"]
    night = scored_world.listed().select(*columns, "inspection_probability")
    assert (
        record.select(night.columns)
        .sort("customs_office", "rank")
        .equals(night.sort("customs_office", "rank"))
    )
    assert record["list_id"].n_unique() == night["customs_office"].n_unique() == len(first)
    assert scored_world.run("select", "--date", NIGHT.isoformat()) == 0
    assert scored_world.results("issued") == first
    assert scored_world.run("select", "--date", NIGHT.isoformat(), "--capacity", "3") == 0
    both = scored_world.results("issued")
    assert first.items() <= both.items()
    again = issued_lists(scored_world.store, NIGHT)
    newest = again.filter(issue=2)
    assert newest.select(columns).sort("customs_office", "rank").equals(scored_world.listed().select(columns))
    assert set(again.filter(issue=1)["list_id"]) == set(record["list_id"])
    kept = pl.read_parquet(
        scored_world.path / f"issued/declared_on={NIGHT}/0001-*.parquet", hive_partitioning=False
    )
    assert {"item_name", "waybill_id", "reason_1", "expected_value_cny"} <= set(kept.columns)


def test_a_list_is_found_by_its_id_and_by_a_parcel_on_the_newest_day(world: World) -> None:
    store, later = world.store, date(2026, 11, 21)
    rows = listed([{"declaration_id": "A"}, {"declaration_id": "B", "customs_office": "5316"}])
    with store.lock("test"):
        for day in (DAY, later):
            with store.transaction() as t:
                assert stage_issued(t, store, day, with_list_ids(rows, day)) == 2
        with store.transaction() as t:
            assert stage_issued(t, store, DAY, with_list_ids(rows, DAY)) == 0
    old = dict(issued_lists(store, DAY).select("declaration_id", "list_id").iter_rows())
    by_parcel = find_lists(store, (), ["A", "nowhere"])
    assert by_parcel.select("declaration_id", "declared_on").rows() == [("A", later)]
    by_id = find_lists(store, [old["B"], "0123456789ab"], ())
    assert by_id.select("declaration_id", "declared_on").rows() == [("B", DAY)]


def test_lists_from_before_the_record_are_known_as_they_lie_there(world: World) -> None:
    rows = listed([{"declaration_id": "A"}])
    folder = world.path / f"lists/declared_on={DAY}"
    folder.mkdir(parents=True)
    rows.drop("trade_mode").write_parquet(folder / "sampling_list.parquet")
    found = find_lists(world.store, (), ["A"])
    assert found["list_id"].to_list() == with_list_ids(rows, DAY)["list_id"].to_list()
    assert find_lists(world.store, found["list_id"].to_list(), ()).equals(found)


def test_the_id_tells_lists_apart() -> None:
    rows = listed([{}, {}])
    same = with_list_ids(rows.reverse(), DAY)["list_id"].unique().to_list()
    ids = [
        same,
        with_list_ids(rows, date(2026, 11, 21))["list_id"].unique().to_list(),
        with_list_ids(rows.with_columns(pl.lit("night").alias("shift")), DAY)["list_id"].unique().to_list(),
        with_list_ids(rows.with_columns(inspection_probability=0.5), DAY)["list_id"].unique().to_list(),
    ]
    assert same == with_list_ids(rows, DAY)["list_id"].unique().to_list()
    assert len({list_id for (list_id,) in ids}) == len(ids)
