"""Files go in; every row is accounted for; the store is the same whatever happens on the way."""

from __future__ import annotations

import contextlib
import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from configs.errors import StoreError, UsageError
from configs.loader import load_settings
from configs.schema.settings import Settings
from pipelines.ingest.ingest import IngestOptions, ingest
from pipelines.ingest.report import IngestReport
from pipelines.store.day_table import DayTable
from pipelines.store.layout import bucket_of
from pipelines.store.store import Store
from pipelines.work.progress import Progress
from tests.pipelines.quarantined import read_quarantine

NOW = datetime(2026, 11, 22, tzinfo=UTC)
DAY = date(2026, 11, 20)
SETTINGS = load_settings()


def with_settings(**ingest_values: Any) -> Settings:
    pipeline = SETTINGS.pipeline
    changed = pipeline.model_copy(update={"ingest": pipeline.ingest.model_copy(update=ingest_values)})
    return SETTINGS.model_copy(update={"pipeline": changed})


def lines(count: int, day: str = "2026-11-20", first: int = 0) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "declaration_id": [f"D{number // 2}" for number in range(first, first + count)],
            "line_no": [str(number % 2 + 1) for number in range(first, first + count)],
            "declared_at": day,
            "hs_code": "010121",
            "item_name": '杯, "blue"',
            "total_price": [str(number + 0.5) for number in range(first, first + count)],
            "currency": "CNY",
            "buyer_id": [f"B{number // 4}" for number in range(first, first + count)],
        }
    )


def results(count: int, reported_on: str = "2026-11-21", **labels: Any) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "declaration_id": [f"D{number}" for number in range(count)],
            "line_no": 1,
            "inspected_on": "2026-11-20",
            "reported_on": reported_on,
            "undervaluation": "1",
            **labels,
        }
    )


def put(path: Path, frame: pl.DataFrame) -> Path:
    if path.suffix == ".parquet":
        frame.write_parquet(path)
    else:
        frame.write_csv(path)
    return path


def run(store: Path, *files: Path, settings: Settings = SETTINGS, **options: Any) -> IngestReport:
    asked = IngestOptions(now=NOW, **options)
    report = ingest(files, store, asked, settings=settings, progress=Progress.silent())
    found = report.manifest
    assert found["rows_in"] == found["rows_kept"] + found["rows_quarantined"] + found["rows_superseded"]
    return report


def tables(store: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(store)): path.read_bytes()
        for part in ("declarations", "inspections", "quarantine", "ledger")
        for path in sorted((store / part).rglob("*.parquet"))
    }


@pytest.mark.parametrize("name", ["lines.csv", "lines.parquet"])
def test_a_table_goes_in(tmp_path: Path, name: str) -> None:
    report = run(tmp_path / "S", put(tmp_path / name, lines(10)))
    assert report.exit_code == 0
    assert report.lines()[0] == "10 rows in: 10 kept, 0 in quarantine, 0 repeats or overtaken"
    stored = Store.open(tmp_path / "S").read_declarations(DAY)
    assert stored.height == 10
    assert set(stored["item_name"]) == {'杯, "blue"'}
    manifest = json.loads((tmp_path / "S/manifests/ingest-2026-11-22-1.json").read_text())
    assert manifest["rows_in"] == manifest["rows_kept"] == 10
    assert set(manifest["seconds"]) == set(manifest["peak_memory_mb"]) >= {"read", "merge"}


def test_again_changes_nothing(tmp_path: Path) -> None:
    files = [put(tmp_path / "a.csv", lines(10)), put(tmp_path / "b.csv", results(3))]
    run(tmp_path / "S", *files)
    before = tables(tmp_path / "S")
    report = run(tmp_path / "S", *files)
    assert tables(tmp_path / "S") == before
    assert report.manifest["rows_superseded"] == 13
    assert report.days == []


def test_chunks_buckets_and_passes_of_any_size_give_the_same_store(tmp_path: Path) -> None:
    file = put(tmp_path / "a.csv", pl.concat([lines(60), lines(20, "2026-11-19", first=60)]))
    bad = put(tmp_path / "b.csv", lines(6, first=70).with_columns(pl.lit("9").alias("total_price")))
    run(tmp_path / "S", file, bad)
    run(tmp_path / "T", file, bad, settings=with_settings(chunk_rows=9, merge_rows=7))
    assert tables(tmp_path / "S") == tables(tmp_path / "T")


def test_a_day_that_grows_is_split_into_more_buckets(tmp_path: Path) -> None:
    store = SETTINGS.pipeline.store.model_copy(update={"bucket_rows": 8})
    small = SETTINGS.model_copy(update={"pipeline": SETTINGS.pipeline.model_copy(update={"store": store})})
    for step in range(4):
        run(tmp_path / "S", put(tmp_path / f"{step}.csv", lines(16, first=16 * step)), settings=small)
    run(tmp_path / "T", put(tmp_path / "all.csv", lines(64)), settings=small)
    assert tables(tmp_path / "S") == tables(tmp_path / "T")
    files = Store.open(tmp_path / "S").layout.buckets(DAY)
    assert [bucket_of(path)[1] for path in files] == [8] * 8


def test_a_second_row_with_a_key_goes_to_quarantine_as_it_came(tmp_path: Path) -> None:
    other = lines(2).with_columns(pl.lit("77").alias("total_price"))
    file = put(tmp_path / "a.csv", pl.concat([lines(40), lines(1), other]))
    report = run(tmp_path / "S", file)
    assert (report.manifest["rows_kept"], report.manifest["rows_superseded"]) == (40, 1)
    assert report.manifest["reasons"] == {"duplicate_key": 2}
    assert report.exit_code == 0, "2 of 43 rows is within the tolerance"
    rejected = read_quarantine(tmp_path / "S")
    assert rejected["source_row"].to_list() == [42, 43]
    assert rejected["declared_on"].to_list() == [DAY, DAY]
    assert json.loads(rejected["record"][0])["total_price"] == "77"
    before = tables(tmp_path / "S")
    run(tmp_path / "S", file)
    assert tables(tmp_path / "S") == before


def test_a_key_of_another_day_is_found(tmp_path: Path) -> None:
    run(tmp_path / "S", put(tmp_path / "a.csv", lines(40)))
    report = run(tmp_path / "S", put(tmp_path / "b.csv", lines(40, "2026-11-21")))
    assert report.manifest["reasons"] == {"duplicate_key": 40}
    assert report.exit_code == 3
    assert Store.open(tmp_path / "S").declaration_days() == [DAY]


def test_results_of_a_later_day_stand_beside_the_earlier(tmp_path: Path) -> None:
    first = put(tmp_path / "a.csv", results(2))
    laboratory = put(tmp_path / "b.csv", results(2, "2026-11-23", counterfeit=["true", None]))
    report = run(tmp_path / "S", first, laboratory)
    assert report.manifest["unknown_declarations"] == 4
    found = Store.open(tmp_path / "S").read_inspections()
    assert found.height == 4
    assert found.filter(pl.col("counterfeit")).height == 1


def test_a_number_or_a_late_word_makes_no_label(tmp_path: Path) -> None:
    frame = results(3, remark=["1", "0", "see file"], seals=["1", "2", "3"])
    report = run(tmp_path / "S", put(tmp_path / "a.csv", frame), settings=with_settings(chunk_rows=1))
    assert "not stored: 'remark', 'seals'" in "\n".join(report.lines())
    assert Store.open(tmp_path / "S").meta.labels == ()


def test_a_row_that_breaks_the_contract_is_told_with_place_and_value(tmp_path: Path) -> None:
    bad = lines(1).with_columns(pl.lit("12AB").alias("hs_code"), pl.lit("-3").alias("total_price"))
    file = put(
        tmp_path / "a.csv", pl.concat([lines(3), bad.with_columns(pl.lit("D9").alias("declaration_id"))])
    )
    report = run(tmp_path / "S", file)
    assert report.exit_code == 3
    text = "\n".join(report.lines())
    assert "reasons for quarantine: hs_code:bad_format 1, total_price:out_of_range 1" in text
    assert f"for example {file}, row 4: hs_code '12AB' (bad format)" in text
    assert "1 rows (25.0%) break the contract" in text
    assert read_quarantine(tmp_path / "S")["reasons"].to_list() == [
        ["hs_code:bad_format", "total_price:out_of_range"]
    ]


def test_a_summary_has_at_most_five_examples(tmp_path: Path) -> None:
    file = put(tmp_path / "a.csv", lines(50).with_columns(pl.lit("?").alias("hs_code")))
    text = run(tmp_path / "S", file, settings=with_settings(chunk_rows=7)).lines()
    assert sum("for example" in line for line in text) == 5


def test_late_data_reopens_the_history(tmp_path: Path) -> None:
    store = Store.create(tmp_path / "S")
    for day in (19, 20, 21):
        store.layout.partition(DayTable.PROFILES, date(2026, 11, day)).mkdir(parents=True)
    report = run(tmp_path / "S", put(tmp_path / "a.csv", lines(2)))
    assert report.reopened == DAY
    assert "reopened from 2026-11-20" in "\n".join(report.lines())
    assert store.days(DayTable.PROFILES) == [date(2026, 11, 19)]
    assert run(tmp_path / "S", put(tmp_path / "b.csv", results(1))).reopened is None


def test_repeats_do_not_reopen_the_history(tmp_path: Path) -> None:
    file = put(tmp_path / "a.csv", lines(2))
    run(tmp_path / "S", file)
    store = Store.open(tmp_path / "S")
    store.layout.partition(DayTable.PROFILES, DAY).mkdir(parents=True)
    assert run(tmp_path / "S", file).reopened is None
    assert store.days(DayTable.PROFILES) == [DAY]


class Killed(BaseException):
    """Stands for SIGKILL."""


@pytest.mark.parametrize("step", range(1, 17, 2))
def test_a_killed_run_is_repeated_as_if_nothing_had_been(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    files = [put(tmp_path / "a.csv", lines(20)), put(tmp_path / "b.csv", results(3))]
    run(tmp_path / "T", *files)
    calls = 0

    def killing(real: Any) -> Any:
        def call(*arguments: Any, **options: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls >= step:
                raise Killed("killed")
            return real(*arguments, **options)

        return call

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", killing(Path.rename))
        patch.setattr(pl.DataFrame, "write_parquet", killing(pl.DataFrame.write_parquet))
        with contextlib.suppress(Killed):
            run(tmp_path / "S", *files)
    run(tmp_path / "S", *files)
    assert tables(tmp_path / "S") == tables(tmp_path / "T")


def test_wrong_usage(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"expected a file or folder at .*nowhere\.csv: it does not exist"):
        run(tmp_path / "S", tmp_path / "nowhere.csv")
    with pytest.raises(UsageError, match="at least one file"):
        run(tmp_path / "S")
    with pytest.raises(UsageError, match="a mapping is for tables"):
        run(tmp_path / "S", put(tmp_path / "a.csv", lines(1)), source="ceb", mapping="korea")
    with pytest.raises(UsageError, match=r"expected a source among ceb, table, got 'cebb'\. .*'ceb'"):
        run(tmp_path / "S", put(tmp_path / "a.csv", lines(1)), source="cebb")
    assert not (tmp_path / "S").exists()


def test_an_older_store_is_refused(tmp_path: Path) -> None:
    (tmp_path / "S").mkdir()
    (tmp_path / "S/store.json").write_text('{"format": 0, "created_by": "0.0.1"}')
    with pytest.raises(StoreError, match="an older version"):
        run(tmp_path / "S", put(tmp_path / "a.csv", lines(1)))


def test_an_extra_column_keeps_its_kind(tmp_path: Path) -> None:
    mapping = """
rename: {{declaration_id: declaration_id, line_no: line_no, declared_at: declared_at, hs_code: hs_code,
  total_price: total_price, currency: currency}}
extra: {{{kind}: {{tax_type: tax_type}}}}
"""
    file = put(tmp_path / "a.csv", lines(4).with_columns(pl.lit("8").alias("tax_type")))
    for kind in ("categories", "numbers"):
        (tmp_path / f"{kind}.yaml").write_text(mapping.format(kind=kind), encoding="utf-8")
    assert run(tmp_path / "S", file, mapping=str(tmp_path / "categories.yaml")).manifest["rows_kept"] == 4
    assert Store.open(tmp_path / "S").read_declarations(DAY)["tax_type"].to_list() == ["8"] * 4
    with pytest.raises(StoreError, match="tax_type is a category in this store"):
        run(tmp_path / "S", file, mapping=str(tmp_path / "numbers.yaml"))


ROW = st.fixed_dictionaries(
    {
        "declaration_id": st.sampled_from(["D1", "D2", "D3", ""]),
        "line_no": st.sampled_from(["1", "2", "x"]),
        "declared_at": st.sampled_from(["2026-11-20", "2026-11-21", "2036-01-01", "never"]),
        "hs_code": st.sampled_from(["010121", "1"]),
        "total_price": st.sampled_from(["1", "2", "-1"]),
        "currency": st.just("CNY"),
    }
)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(ROW, min_size=1, max_size=8), min_size=1, max_size=3), st.sampled_from([3, 50]))
def test_whatever_comes_the_accounts_add_up_and_again_changes_nothing(
    tmp_path_factory: pytest.TempPathFactory, tables_of_rows: list[list[dict[str, str]]], chunk_rows: int
) -> None:
    folder = tmp_path_factory.mktemp("accounts")
    files = [put(folder / f"{number}.csv", pl.DataFrame(rows)) for number, rows in enumerate(tables_of_rows)]
    small = with_settings(chunk_rows=chunk_rows)
    report = run(folder / "S", *files, settings=small)
    assert report.manifest["rows_in"] == sum(map(len, tables_of_rows))
    before = tables(folder / "S")
    store = Store.open(folder / "S")
    assert report.manifest["rows_kept"] == sum(
        store.read_declarations(day).height for day in store.declaration_days()
    )
    assert read_quarantine(folder / "S").height == report.manifest["rows_quarantined"]
    again = run(folder / "S", *files, settings=small)
    assert again.manifest["rows_kept"] == 0
    assert tables(folder / "S") == before
