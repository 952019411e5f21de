"""A night leaves a score for every line, lists for every office, and says the same when asked again."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import date, timedelta
from typing import Any

import duckdb
import polars as pl
import pytest

from features.words.chance import chance_between
from features.words.reasons import NOTHING_STANDS_OUT
from models.risk.level import Level
from models.risk.saved_model import saved_level
from pipelines.lists.write import SAMPLING_LIST_SCHEMA
from pipelines.scoring import bucket as score_bucket
from pipelines.scoring.line_scores import Scored
from pipelines.scoring.models_in_use import models_in_use
from pipelines.store.day_table import DayTable
from pipelines.work.process_pool import ProcessPool
from tests.pipelines.trained_world import DAYS, END, NIGHT, RISKS, World, different


def declared(world: World, day: date = NIGHT) -> pl.DataFrame:
    return world.store.read_declarations(day)


def manifest(world: World, verb: str = "score") -> dict[str, object]:
    found: dict[str, object] = json.loads(world.store.layout.manifests(verb)[-1].read_text(encoding="utf-8"))
    return found


def test_every_kept_line_of_the_day_has_one_score_per_risk(scored: World) -> None:
    found = scored.scores()
    assert found.columns == ["declaration_id", "line_no", *RISKS]
    assert found.schema == {
        "declaration_id": pl.String, "line_no": pl.Int32, **dict.fromkeys(RISKS, pl.Float64)
    }  # fmt: skip
    keys = ["declaration_id", "line_no"]
    assert found.select(keys).equals(declared(scored).select(keys))
    for risk in RISKS:
        assert found[risk].is_between(0.0, 1.0).all()
        assert found[risk].n_unique() > 1


def test_the_manifest_accounts_for_every_row(scored: World) -> None:
    said = manifest(scored)
    rows = declared(scored).height
    assert (said["rows_in"], said["rows_kept"], said["rows_scored"]) == (rows, rows, rows)
    assert (said["rows_quarantined"], said["rows_superseded"]) == (0, 0)
    assert said["model_versions"] == dict.fromkeys(RISKS, "1")
    assert set(said["seconds"]) == set(said["peak_memory_mb"])  # type: ignore[call-overload]
    assert {"history", "scores", "lists"} <= set(said["seconds"])  # type: ignore[call-overload]


def test_lists_have_the_contract_s_columns_and_every_place_says_why(scored: World) -> None:
    listed = scored.listed()
    assert listed.schema == SAMPLING_LIST_SCHEMA
    assert listed["declaration_id"].is_unique().all()
    assert set(listed["selection"]) == {"random", "risk", "exploration"}
    assert set(listed["risk"]) <= set(RISKS)
    assert listed["reason_1"].null_count() == 0
    assert listed["inspection_probability"].is_between(0.0, 1.0, closed="right").all()
    assert (
        listed.select("declaration_id", "line_no")
        .join(declared(scored), on=["declaration_id", "line_no"], how="anti")
        .is_empty()
    )
    for (office,), places in listed.group_by("customs_office"):
        assert sorted(places["rank"]) == list(range(1, places.height + 1)), office
    documents = {path.suffix for path in (scored.path / f"lists/declared_on={NIGHT}").iterdir()}
    assert documents == {".parquet", ".csv", ".xlsx", ".html"}


def test_lists_say_both_ends_of_a_chance_where_the_models_level_is_known_so_far_only(scored: World) -> None:
    levels = manifest(scored)["levels"]
    assert isinstance(levels, dict)
    models = models_in_use(scored.store, RISKS).models
    assert levels == {risk: asdict(saved_level(model.folder)) for risk, model in models.items()}
    wide = {risk for risk, level in levels.items() if level["high"] > 4.0 * level["low"]}
    listed = scored.listed().filter(pl.col("risk").is_in(wide), pl.col("probability").is_between(0.001, 0.5))
    assert listed.height
    for row in listed.head(5).iter_rows(named=True):
        said = chance_between(*Level(**levels[row["risk"]]).around(row["probability"]))
        assert " to " in said
        page = scored.path / f"lists/declared_on={NIGHT}" / f"{row['customs_office']}.html"
        assert said in page.read_text(encoding="utf-8")


def test_all_chances_of_a_listed_parcel_stand_beside_the_list(scored: World) -> None:
    key = ["declaration_id", "risk"]
    chances = pl.read_parquet(scored.path / f"lists/declared_on={NIGHT}" / "chances.parquet")
    listed = scored.listed()
    models = models_in_use(scored.store, RISKS).models
    assert chances.columns[:6] == [*key, "line_no", "probability", "probability_low", "probability_high"]
    assert chances.height == listed.height * len(models)
    both = listed.join(chances, on=key, how="inner", suffix="_beside")
    assert both.height == listed.height
    assert both["probability"].equals(both["probability_beside"])
    by_risk = both.filter(selection="risk")
    assert by_risk["reason_1"].equals(by_risk["reason_1_beside"])
    assert by_risk["line_no"].equals(by_risk["line_no_beside"])
    at_random = listed.filter(selection="random")
    assert at_random["reason_1"].str.starts_with("random check: ").all()
    assert at_random.height > at_random["reason_2"].null_count() > 0
    assert NOTHING_STANDS_OUT not in at_random["reason_2"]
    other = chances.join(listed, on=key, how="anti")
    likely = pl.col("probability") >= 0.05
    assert other.filter(likely).height
    assert other.filter(likely)["reason_1"].null_count() == 0
    assert other.filter(~likely)["reason_1"].null_count() == other.filter(~likely).height > 0
    assert chances.filter(
        (pl.col("probability_low") > pl.col("probability"))
        | (pl.col("probability_high") < pl.col("probability"))
    ).is_empty()


def test_duckdb_reads_every_table_with_its_days(scored: World) -> None:
    tables = {
        "declarations": "declared_on",
        "inspections": "reported_on",
        "scores": "declared_on",
        "lists": "declared_on",
        "truth": "declared_on",
    }
    with duckdb.connect() as connection:
        for table, day in tables.items():
            source = (
                f"read_parquet('{scored.path}/{table}/*/*.parquet', "
                "hive_partitioning = true, union_by_name = true)"
            )
            counted = connection.sql(f"select {day}::date, count(*) from {source} group by all").fetchall()
            assert counted, table
            folders = {path.name for path in (scored.path / table).iterdir()}
            assert {f"{day}={found}" for found, _ in counted} == folders, table
        joined = connection.sql(
            f"""
            select count(*) from read_parquet('{scored.path}/scores/*/*.parquet', hive_partitioning = true) s
            join read_parquet('{scored.path}/declarations/*/*.parquet', hive_partitioning = true) d
            using (declared_on, declaration_id, line_no)
            """
        ).fetchall()
    assert joined == [(declared(scored).height,)]


def test_a_second_run_changes_nothing_and_says_so(
    scored_world: World, scored: World, capsys: pytest.CaptureFixture[str]
) -> None:
    assert scored_world.score() == 0
    assert "was scored before with the same result" in capsys.readouterr().out
    assert different(scored_world.results(), scored.results()) == []
    assert len(scored_world.store.layout.manifests("score")) == 1
    assert [path.name[:16] for path in (scored_world.path / ".work").iterdir()] == [f"today-{NIGHT}"]


def test_a_process_scores_one_line_before_its_first_bucket(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    heights: list[int] = []

    def noted(lines: pl.DataFrame, *others: Any) -> Scored:
        heights.append(lines.height)
        return scored_lines(lines, *others)

    scored_lines = score_bucket.scored
    monkeypatch.setattr(score_bucket, "scored", noted)
    assert world.score() == 0
    assert heights[0] == 1
    assert sum(heights[1:]) == world.scores().height


def test_the_very_first_day_of_a_store_is_scored(world: World) -> None:
    first = END - timedelta(days=DAYS - 1)
    assert world.store.declaration_days()[0] == first
    assert world.score(first) == 0
    assert world.scores(first).height == declared(world, first).height
    assert world.scores(first)["undervaluation"].null_count() == 0


def test_a_gap_is_caught_up_and_a_range_is_scored_day_by_day(
    world: World, scored: World, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = world.copy(tmp_path_factory.mktemp("gap"))
    assert world.run("score", "--date", NIGHT.isoformat(), "--to", END.isoformat()) == 0
    assert world.store.days(DayTable.SCORES) == [NIGHT, NIGHT + timedelta(days=1), END]
    assert (
        different(
            world.results(f"scores/declared_on={NIGHT}", f"lists/declared_on={NIGHT}"),
            scored.results(f"scores/declared_on={NIGHT}", f"lists/declared_on={NIGHT}"),
        )
        == []
    )
    # The two days before were never scored here, but they are part of what the last one knows.
    assert other.score(END) == 0
    assert (
        different(other.results(f"scores/declared_on={END}"), world.results(f"scores/declared_on={END}"))
        == []
    )
    assert other.store.days(DayTable.SCORES) == [END]


def test_a_night_starts_no_more_processes_than_fit_into_its_memory(
    world: World, scored: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = world.results()
    assert world.score(NIGHT, "--memory-limit", "300MiB") == 2
    assert "--memory-limit: expected at least 50" in capsys.readouterr().err
    assert different(world.results(), before) == []

    def too_much(*_: object) -> None:
        raise AssertionError("there is room for one process")

    monkeypatch.setattr(ProcessPool, "work", too_much)
    assert world.score(NIGHT, "--workers", "2", "--memory-limit", "600MiB") == 0
    assert different(world.results("scores", "lists"), scored.results("scores", "lists")) == []
    assert world.score(NIGHT, "--scheduler", "tcp://127.0.0.1:1", "--memory-limit", "1GiB") == 2
    assert "the workers of a cluster have their own" in capsys.readouterr().err
