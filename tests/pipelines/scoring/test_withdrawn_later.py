"""Parcels that are withdrawn after the close of their day: scores and lists stay, later days know of it."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest

from features.contract.declarations import LINE_KEY
from pipelines.feedback.parcels import KnownParcels
from pipelines.history.chronicle import Chronicle
from pipelines.ingest.ingest import IngestOptions, ingest
from pipelines.scoring.features_of_day import features_of_day
from pipelines.work.progress import Progress
from tests.pipelines.ceb_documents import inventory
from tests.pipelines.document_messages import (
    CANCELLATION,
    INVENTORY,
    INVENTORY_LINE,
    STATE,
    element,
    written,
)
from tests.pipelines.taken_in import LATER_THAN_ANY_TEST, stored_rows
from tests.pipelines.trained_world import NIGHT, World, different, with_bucket_rows

pytestmark = pytest.mark.usefixtures("key")
NEXT = NIGHT + timedelta(days=1)
NIGHTS_OWN = ("scores", "values", "lists", "strata")


def take(world: World, *files: Path, reopened: date | None = None) -> None:
    options = IngestOptions(now=LATER_THAN_ANY_TEST)
    # The day keeps as many buckets as it had.
    settings = with_bucket_rows(world.settings, 150)
    report = ingest(files, world.path, options, settings=settings, progress=Progress.silent())
    assert (report.exit_code, report.reopened) == (0, reopened)


def cancelled(folder: Path, numbers: list[str], day: date = NEXT) -> Path:
    return written(folder, "623", [
        element("InvtCancel", CANCELLATION | {"invtNo": number, "appTime": f"{day:%Y%m%d}100000"})
        for number in numbers
    ])  # fmt: skip


def manifest(world: World, day: date) -> dict[str, int]:
    file = world.store.layout.manifests_of_day("score", day)[-1]
    return dict(json.loads(file.read_text(encoding="utf-8")))


@pytest.fixture
def numbers(scored_world: World) -> list[str]:
    """Some parcels of the night's most frequent seller, one of them listed."""
    lines = scored_world.store.read_declarations(NIGHT)
    of_seller = lines.filter(pl.col("seller_id") == lines["seller_id"].drop_nulls().mode().sort()[0])
    listed = scored_world.listed()["declaration_id"].sort()[:1]
    return [*listed, *of_seller["declaration_id"].unique().sort()[:4]]


def test_scoring_the_day_again_gives_what_was_known_at_its_close(
    scored_world: World, numbers: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = scored_world.results(*NIGHTS_OWN)
    lines = scored_world.store.read_declarations(NIGHT)
    take(scored_world, cancelled(tmp_path, numbers))
    held = stored_rows(scored_world.path, f"declarations/declared_on={NIGHT}")
    gone = lines.filter(pl.col("declaration_id").is_in(numbers))
    assert held.height == lines.height - gone.height > 0
    assert scored_world.store.read_declarations(NIGHT).equals(lines)
    assert scored_world.score() == 0
    said = capsys.readouterr().out
    assert f"{gone.height} lines were changed or withdrawn after the close of the day" in said
    assert different(scored_world.results(*NIGHTS_OWN), before) == []
    told = manifest(scored_world, NIGHT)
    assert told["rows_in"] == told["rows_kept"] == told["rows_scored"] == lines.height
    assert (told["lines_changed_later"], told["lines_added_later"]) == (gone.height, 0)
    assert scored_world.run("select", "--date", str(NIGHT)) == 0
    assert set(numbers[:1]) <= set(scored_world.listed()["declaration_id"])


def test_lines_that_a_later_change_brings_have_scores_and_may_have_results(
    scored_world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    head = INVENTORY | {"invtNo": "LATER1", "copNo": "LATER1", "declTime": f"{NIGHT:%Y%m%d}"}
    second = INVENTORY_LINE | {"gnum": "2"}
    at_close = inventory(head | {"appType": "1", "appTime": f"{NIGHT:%Y%m%d}100000"}, INVENTORY_LINE)
    later = inventory(head | {"appType": "2", "appTime": f"{NEXT:%Y%m%d}100000"}, INVENTORY_LINE, second)
    take(scored_world, written(tmp_path, "621", [at_close], "first"), reopened=NIGHT)
    assert scored_world.score() == 0
    before = scored_world.results("lists", "strata", "values")
    take(scored_world, written(tmp_path, "621", [later], "second"))
    assert scored_world.score() == 0
    assert "1 lines came with such changes" in capsys.readouterr().out
    held = stored_rows(scored_world.path, f"declarations/declared_on={NIGHT}").select(LINE_KEY)
    assert held.filter(declaration_id="LATER1").height == 2
    assert held.join(scored_world.scores(), on=LINE_KEY, how="anti").is_empty()
    assert scored_world.scores().filter(declaration_id="LATER1")["undervaluation"].null_count() == 0
    opened = KnownParcels.of(scored_world.store, {NIGHT: ["LATER1"]}, [], past_days=30)
    assert opened.lines == {"LATER1": [1, 2]}
    assert different(scored_world.results("lists", "strata", "values"), before) == []
    told = manifest(scored_world, NIGHT)
    assert told["rows_in"] == told["rows_kept"] == told["rows_scored"] == held.height
    assert scored_world.run("select", "--date", str(NIGHT)) == 0


def test_a_day_of_which_all_was_withdrawn_is_scored_all_the_same(scored_world: World, tmp_path: Path) -> None:
    before = scored_world.scores()
    numbers = scored_world.store.read_declarations(NIGHT)["declaration_id"].unique().to_list()
    take(scored_world, cancelled(tmp_path, numbers))
    assert not scored_world.store.layout.buckets(NIGHT)
    assert NIGHT in scored_world.store.declaration_days()
    assert scored_world.score() == 0
    assert (
        scored_world.scores()
        .sort("declaration_id", "line_no")
        .equals(before.sort("declaration_id", "line_no"))
    )


def test_later_days_count_less_and_a_refused_one_again(
    scored_world: World, numbers: list[str], tmp_path: Path
) -> None:
    day = NEXT + timedelta(days=1)
    lines = scored_world.store.read_declarations(NIGHT)
    withdrawn = lines.filter(pl.col("declaration_id").is_in(numbers[1:]))
    seller = withdrawn["seller_id"][0]

    def counted(on: date) -> float:
        features = features_of_day(scored_world.path, on, "undervaluation", scored_world.settings)
        return float(features.loc[features["seller_id"] == seller, "party__seller_lines"].iloc[0])

    before = {each: counted(each) for each in (NEXT, day)}
    take(scored_world, cancelled(tmp_path, numbers[1:]))
    assert counted(NEXT) == before[NEXT], "it is known on the next day only"
    assert counted(day) == before[day] - withdrawn.height
    answers = [
        element(
            "InvtCancelReturn",
            STATE | {"invtNo": number, "returnTime": f"{day:%Y%m%d}100000000"},
        )
        for number in numbers[1:]
    ]
    take(scored_world, written(tmp_path, "624", answers))
    assert counted(day) == before[day] - withdrawn.height
    after = Chronicle(scored_world.store, scored_world.settings).history_before(day + timedelta(days=1))
    again = scored_world.copy(tmp_path / "never")
    assert after.tables["all"]["lines"].sum() == _lines_until(again, day)


def _lines_until(world: World, last: date) -> int:
    days = [day for day in world.store.declaration_days() if day <= last]
    return sum(world.store.read_declarations(day).height for day in days)


def test_what_is_inspected_and_then_withdrawn_keeps_its_result(scored_world: World, tmp_path: Path) -> None:
    chronicle = Chronicle(scored_world.store, scored_world.settings)
    results = scored_world.store.read_inspections(reported_from=NIGHT, reported_to=NIGHT)
    before = chronicle.results(NIGHT)
    take(scored_world, cancelled(tmp_path, results["declaration_id"].unique().to_list()))
    assert scored_world.store.read_inspections(reported_from=NIGHT, reported_to=NIGHT).equals(results)
    after = Chronicle(scored_world.store, scored_world.settings).results(NIGHT)
    for name, table in before.items():
        assert after[name].sort("key").equals(table.sort("key")), name
