"""The store keeps its promises: stable bytes, one writer, nothing half."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import polars as pl
import pytest

from configs.errors import StoreError, StoreLockedError
from features.contract.declarations import DECLARATION_COLUMNS
from features.contract.inspections import INSPECTION_COLUMNS
from pipelines.store.day_table import DayTable
from pipelines.store.layout import bucket_of
from pipelines.store.quarantine import QUARANTINE_COLUMNS
from pipelines.store.store import Store
from tests.pipelines.quarantined import read_quarantine

DAY = date(2026, 11, 20)


def lines(count: int, **columns: object) -> pl.DataFrame:
    """Valid lines, three to a buyer, in an order that is not sorted."""
    number = pl.int_range(count, eager=True)
    given = pl.DataFrame(
        {
            "declaration_id": ("D" + (number * 7 % count).cast(pl.String)),
            "line_no": pl.Series([1] * count, dtype=pl.Int32),
            "buyer_id": ("B" + (number * 7 % count // 3).cast(pl.String)),
            "declared_at": pl.Series([datetime(2026, 11, 20, 1, tzinfo=UTC)] * count),
            "hs_code": ["0101210000"] * count,
            "total_price": (number * 1.5),
            "currency": ["CNY"] * count,
        }
    ).with_columns(**{name: pl.lit(value) for name, value in columns.items()})
    missing = {name: dtype for name, dtype in DECLARATION_COLUMNS.items() if name not in given.columns}
    return given.with_columns(pl.lit(None, dtype=dtype).alias(name) for name, dtype in missing.items())


def results(count: int, **labels: bool | None) -> pl.DataFrame:
    given = pl.DataFrame(
        {
            "declaration_id": [f"D{row}" for row in range(count)],
            "line_no": pl.Series([1] * count, dtype=pl.Int32),
        }
    ).with_columns(pl.lit(DAY).alias("inspected_on"), pl.lit(DAY).alias("reported_on"))
    given = given.with_columns(pl.lit(value, dtype=pl.Boolean).alias(name) for name, value in labels.items())
    missing = {name: dtype for name, dtype in INSPECTION_COLUMNS.items() if name not in given.columns}
    return given.with_columns(pl.lit(None, dtype=dtype).alias(name) for name, dtype in missing.items())


def content(root: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and not path.relative_to(root).parts[0].startswith(".")
    }


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.create(tmp_path / "store")


def write(store: Store, day: date, frame: pl.DataFrame, bucket_rows: int = 100) -> None:
    with store.lock("test"), store.transaction() as t:
        store.write_declarations(t, day, frame, bucket_rows)


def test_bytes_do_not_depend_on_arrival_order(tmp_path: Path) -> None:
    frame = lines(1000, courier="X")
    stores = [Store.create(tmp_path / name) for name in "ab"]
    write(stores[0], DAY, frame)
    shuffled = frame.sample(fraction=1, shuffle=True, seed=3)
    write(stores[1], DAY, pl.concat([shuffled[:10], shuffled[10:]], rechunk=False))
    assert content(stores[0].path) == content(stores[1].path)


def test_buckets_partition_the_day_by_buyer(store: Store) -> None:
    write(store, DAY, lines(1000))
    files = store.layout.buckets(DAY)
    assert [bucket_of(path) for path in files] == [(number, 16) for number in range(16)]
    frames = [store.read_declaration_files([path], ["declaration_id", "buyer_id"]) for path in files]
    assert sum(frame.height for frame in frames) == 1000
    buyers = [set(frame["buyer_id"]) for frame in frames]
    assert sum(map(len, buyers)) == len(set().union(*buyers))
    assert all(frame["declaration_id"].is_sorted() for frame in frames)


def test_a_parcel_is_in_one_bucket_even_if_only_some_lines_name_the_buyer(store: Store) -> None:
    frame = pl.concat([lines(300), lines(300).with_columns(pl.lit(2, pl.Int32).alias("line_no"))])
    frame = frame.with_columns(pl.when(pl.col("line_no") == 1).then("buyer_id").alias("buyer_id"))
    write(store, DAY, frame, bucket_rows=20)
    for path in store.layout.buckets(DAY):
        counts = store.read_declaration_files([path]).group_by("declaration_id").len()["len"]
        assert set(counts) <= {2}


def test_types_and_columns_are_the_same_on_every_day(store: Store) -> None:
    later = date(2026, 11, 21)
    write(store, DAY, lines(3, courier="X"))
    write(store, later, lines(3))
    with store.lock("test"), store.transaction() as t:
        store.write_meta(t, {"courier": "category"}, [])
    assert store.declaration_days() == [DAY, later]
    assert store.read_declarations(DAY).schema == store.read_declarations(later).schema
    assert store.read_declarations(later)["courier"].to_list() == [None] * 3
    assert store.read_declarations(later, ["courier"]).height == 3
    scanned = store.scan_declarations(later, later).collect()
    assert scanned["declared_on"].to_list() == [later] * 3
    assert store.read_declarations(date(2020, 1, 1), ["hs_code"]).schema == {"hs_code": pl.String()}


def test_another_engine_reads_the_store(store: Store) -> None:
    write(store, DAY, lines(3))
    write(store, date(2026, 11, 21), lines(4, courier="X"))
    with store.lock("test"), store.transaction() as t:
        row = pl.DataFrame(
            [["a.csv", 3, None, "declarations", None, None, ["hs_code:missing"], "{}"]],
            schema=QUARANTINE_COLUMNS,
            orient="row",
        )
        store.append_quarantine(t, [row.with_columns(pl.lit(None, pl.Date).alias("declared_on"))])
    files = (
        f"read_parquet('{store.path}/declarations/*/*.parquet', hive_partitioning=true, union_by_name=true)"
    )
    found = duckdb.sql(
        f"select declared_on::date, count(*), max(courier) from {files} group by 1 order by 1"
    ).fetchall()
    assert found == [(DAY, 3, None), (date(2026, 11, 21), 4, "X")]
    files = f"read_parquet('{store.path}/quarantine/*/*.parquet', hive_partitioning=true)"
    rejected = duckdb.sql(f"select declared_on, reasons from {files}").fetchall()
    assert rejected == [(None, ["hs_code:missing"])]


def test_inspections_are_a_union_of_label_columns(store: Store) -> None:
    with store.lock("test"), store.transaction() as t:
        store.write_inspections(t, DAY, results(2, undervaluation=True))
        store.write_inspections(t, date(2026, 11, 25), results(1, counterfeit=False))
        store.write_meta(t, {}, ["counterfeit"])
    found = store.read_inspections()
    assert dict(found.schema) == INSPECTION_COLUMNS | {"counterfeit": pl.Boolean()}
    assert found["counterfeit"].to_list() == [None, None, False]
    assert store.read_inspections(reported_to=DAY).height == 2
    assert store.read_inspections(date(2026, 12, 1)).is_empty()


def test_quarantine_holds_a_row_once(store: Store) -> None:
    row = pl.DataFrame(
        [["a.csv", 3, None, "declarations", "D1", 1, ["hs_code:missing"], '{"hs_code": null}']],
        schema=QUARANTINE_COLUMNS,
        orient="row",
    ).with_columns(pl.lit(DAY).alias("declared_on"))
    other = row.with_columns(pl.lit(4, pl.Int64).alias("source_row"))
    for frame in (row, pl.concat([row, other])):
        with store.lock("test"), store.transaction() as t:
            store.append_quarantine(t, [frame])
    assert read_quarantine(store.path)["source_row"].to_list() == [3, 4]


def test_late_data_drops_the_history_from_its_day_on(store: Store) -> None:
    for day in (19, 20, 21):
        folder = store.layout.partition(DayTable.PROFILES, date(2026, 11, day))
        folder.mkdir(parents=True)
        (folder / "buyers.parquet").touch()
    with store.lock("test"), store.transaction() as t:
        assert store.invalidate_profiles(t, DAY) == [DAY, date(2026, 11, 21)]
    assert store.days(DayTable.PROFILES) == [date(2026, 11, 19)]


def test_the_second_writer_learns_who_is_first(store: Store) -> None:
    second = Store.open(store.path)
    refusal = pytest.raises(StoreLockedError, match=r"in use by `score` \(process \d+ on .*since 20")
    with store.lock("score"), refusal, second.lock("ingest"):
        pass
    with store.lock("ingest"):
        pass


def test_a_change_needs_the_lock(store: Store) -> None:
    with pytest.raises(StoreError, match="needs its lock"):
        store.transaction()


def test_paths_outside_the_store_and_twice_staged_ones_are_refused(store: Store) -> None:
    with store.lock("test"), store.transaction() as t:
        t.stage(store.path / "scores/declared_on=2026-11-20")
        with pytest.raises(StoreError, match="staged twice"):
            t.stage(store.path / "scores/declared_on=2026-11-20")
        for outside in (store.path / "../elsewhere", Path("/tmp/elsewhere"), store.path, Path("scores")):
            with pytest.raises(StoreError, match="inside the store"):
                t.remove(outside)


def test_an_exception_inside_the_block_changes_nothing(store: Store) -> None:
    write(store, DAY, lines(3))
    before = content(store.path)

    def fail_half_way() -> None:
        with store.lock("test"), store.transaction() as t:
            store.write_declarations(t, DAY, lines(9), 100)
            t.remove(store.layout.meta)
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        fail_half_way()
    assert content(store.path) == before
    assert not list((store.path / ".staging").iterdir())


def test_an_empty_day_disappears(store: Store) -> None:
    write(store, DAY, lines(3))
    write(store, DAY, lines(3).clear())
    assert store.declaration_days() == []


def test_opening_says_what_is_wrong(tmp_path: Path, store: Store) -> None:
    with pytest.raises(StoreError, match=r"found none.*parcel-risk ingest"):
        Store.open(tmp_path / "nowhere")
    for number, words in ((0, "an older version"), (2, "a newer version")):
        (store.path / "store.json").write_text(json.dumps({"format": number, "created_by": "0.0.1"}))
        with pytest.raises(StoreError, match=f"{words} .0.0.1.: expected format 1, found {number}"):
            Store.open(store.path)
    (store.path / "store.json").write_text("{")
    with pytest.raises(StoreError, match="not readable as a store's description"):
        Store.create(store.path)
    (store.path / "store.json").unlink()
    (store.path / "declarations").mkdir()
    with pytest.raises(StoreError, match=r"no store\.json: an older version"):
        Store.create(store.path)


def test_an_extra_column_keeps_its_kind(store: Store) -> None:
    with store.lock("test"), store.transaction() as t:
        store.write_meta(t, {"tax_rate": "number"}, ["counterfeit"])
    assert store.declaration_schema()["tax_rate"] == pl.Float64()
    with pytest.raises(StoreError, match="tax_rate is a number in this store, and a category"):
        store.meta.widened({"tax_rate": "category"}, [])


def test_manifests_are_numbered(store: Store) -> None:
    for _ in range(2):
        with store.lock("test"), store.transaction() as t:
            store.write_manifest(t, "ingest", DAY, {"rows_in": 1})
    assert [path.stem for path in store.layout.manifests("ingest")] == [
        "ingest-2026-11-20-1",
        "ingest-2026-11-20-2",
    ]
