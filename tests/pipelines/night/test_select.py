"""Lists can be made again with another capacity, from the scores that are there and nothing else."""

from __future__ import annotations

import json
import re
import shutil
from collections import Counter
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from lxml import html

from features.assemble import FeatureSet
from features.contract.declarations import LINE_KEY
from pipelines.scoring.bucket import Workspace
from tests.pipelines.trained_world import END, NIGHT, World, different


def test_the_same_capacity_gives_the_same_lists(scored_world: World, scored: World) -> None:
    assert scored_world.run("select", "--date", NIGHT.isoformat()) == 0
    assert different(scored_world.results(), scored.results()) == []
    assert [path.name[:16] for path in (scored_world.path / ".work").iterdir()] == [f"today-{NIGHT}"]


def test_another_capacity_gives_other_lists_from_the_same_scores(scored_world: World, scored: World) -> None:
    assert scored_world.run("select", "--date", NIGHT.isoformat(), "--capacity", "3") == 0
    changed = different(scored_world.results(), scored.results())
    assert changed
    assert {name.split("/")[0] for name in changed} <= {"lists", "strata"}
    sizes = scored_world.listed().group_by("customs_office").len()["len"]
    assert sizes.max() == 3
    said = json.loads(scored_world.store.layout.manifests("select")[-1].read_text(encoding="utf-8"))
    assert said["capacity"]["default"]["parcels"] == 3
    assert said["parcels_listed"] == scored_world.listed().height


def test_a_night_that_is_asked_for_again_keeps_the_lists_made_by_hand(
    scored_world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    assert scored_world.run("select", "--date", NIGHT.isoformat(), "--capacity", "3") == 0
    by_hand = scored_world.results("lists")
    assert scored_world.score() == 0
    assert "was scored before" in capsys.readouterr().out
    assert different(scored_world.results("lists"), by_hand) == []


def test_a_day_without_scores_is_refused(scored_world: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert scored_world.run("select", "--date", END.isoformat()) == 2
    said = capsys.readouterr().err
    assert f"expected scores of {END}" in said
    assert f"parcel-risk score --date {END}" in said
    assert str(NIGHT) in said


def test_lines_that_came_after_the_scores_are_not_left_out_in_silence(
    scored_world: World, scored: World, capsys: pytest.CaptureFixture[str]
) -> None:
    late_line(scored_world, NIGHT)
    assert scored_world.run("select", "--date", NIGHT.isoformat()) == 3
    assert f"parcel-risk score --date {NIGHT}" in capsys.readouterr().err
    assert different(scored_world.results("lists", "scores"), scored.results("lists", "scores")) == []


def late_line(world: World, day: date) -> None:
    file = world.path.parent / "late.csv"
    pl.DataFrame(
        {
            "declaration_id": ["LATE-1"], "line_no": [1], "declared_at": [f"{day} 12:00"],
            "hs_code": ["330499"], "total_price": [120.0], "currency": ["CNY"], "item_name": ["面膜"],
        }
    ).write_csv(file)  # fmt: skip
    assert world.run("ingest", file) == 0


def test_lists_are_made_again_without_adding_up_the_day_anew(
    scored_world: World, scored: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def not_again(*_: object, **__: object) -> None:
        raise AssertionError("the sums of the day are there")

    with monkeypatch.context() as patch:
        patch.setattr("pipelines.night.select.sum_buckets", not_again)
        assert scored_world.run("select", "--date", NIGHT.isoformat(), "--capacity", "3") == 0
        assert scored_world.run("select", "--date", NIGHT.isoformat()) == 0
    assert different(scored_world.results(), scored.results()) == []
    for kept in (scored_world.path / ".work").glob("today-*"):
        shutil.rmtree(kept)
    assert scored_world.run("select", "--date", NIGHT.isoformat()) == 0
    assert different(scored_world.results(), scored.results()) == []


def test_listed_lines_have_the_features_that_they_were_scored_with(
    scored_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the listed parcels are prepared again; parcels of several lines must come whole."""
    features = Workspace.features
    compared, parcels = set[str](), Counter[str]()

    def both(space: Workspace, lines: pl.DataFrame, file: Path) -> FeatureSet:
        found, whole = features(space, lines, file), features(space, space.lines(file), file)
        for risk in space.settings.risks.values():
            some, every = found.for_risk(risk), whole.for_risk(risk)
            again = every.join(some, on=LINE_KEY, how="semi", maintain_order="left")
            assert some.equals(again)
        compared.update(lines["declaration_id"].to_list())
        parcels.update(space.lines(file)["declaration_id"].to_list())
        return found

    monkeypatch.setattr(Workspace, "features", both)
    assert scored_world.run("select", "--date", NIGHT.isoformat()) == 0
    assert compared == set(scored_world.listed()["declaration_id"])
    assert max(parcels[name] for name in compared) > 1


def test_an_office_gets_reasons_in_its_language_and_the_tables_stay_as_they_are(
    scored_world: World, scored: World, tmp_path: Path
) -> None:
    office, other = scored.listed()["customs_office"].unique().sort()[:2]
    configs = shutil.copytree(scored_world.configs, tmp_path / "configs")
    words = f"offices: {{{office!r}: {{language: zh-CN}}}}\n"
    (configs / "capacity.yaml").write_text(words, encoding="utf-8")
    assert World(scored_world.path, configs).run("select", "--date", NIGHT.isoformat()) == 0
    changed = {file.rpartition("/")[2] for file in different(scored_world.results(), scored.results())}
    assert {f"{office}.html", f"{office}.xlsx"} <= changed
    assert not changed & {f"{other}.html", f"{other}.xlsx", "sampling_list.csv", "sampling_list.parquet"}
    page = html.parse(scored_world.path / f"lists/declared_on={NIGHT}/{office}.html")
    assert page.getroot().get("lang") == "zh-CN"
    reasons = [str(each.text_content()) for each in page.xpath("//ol/li")]
    assert reasons
    assert [reason for reason in reasons if not re.search("[\u4e00-\u9fff]", reason)] == []
    english = scored.listed().filter(customs_office=office)["reason_1"].to_list()
    assert not set(reasons) & set(english)


@pytest.mark.parametrize("verb", ["select", "score"])
def test_a_language_on_the_command_line_is_that_of_all_documents(scored_world: World, verb: str) -> None:
    shutil.rmtree(scored_world.path / f"lists/declared_on={NIGHT}")
    assert scored_world.run(verb, "--date", NIGHT.isoformat(), "--language", "zh-CN") == 0
    pages = sorted((scored_world.path / f"lists/declared_on={NIGHT}").glob("*.html"))
    assert pages
    for page in map(html.parse, pages):
        assert page.getroot().get("lang") == "zh-CN"
        reasons = [str(each.text_content()) for each in page.xpath("//ol/li")]
        assert reasons
        assert [reason for reason in reasons if not re.search("[\u4e00-\u9fff]", reason)] == []
