"""A backtest learns only what its own parcels showed, when that was known, and goes on where it was
killed.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest

from models.stats.intervals import wilson
from models.tracking.tracker import Tracker
from pipelines import backtest as package
from pipelines.backtest import replay as replaying
from pipelines.store.store import Store
from pipelines.work.progress import Progress
from tests.pipelines.trained_world import World, different, without_server

FIRST, LAST = date(2026, 11, 12), date(2026, 11, 17)
STRATEGIES = ("random", "past-hit-rate", "full")
TABLES = ("strategies", "weeks", "selections", "differences", "opened", "nights")
PLAIN_FILES = ("backtest.txt", "backtest.png", "asked.json", *(f"{name}.parquet" for name in TABLES))
KEY = ["declaration_id", "line_no"]


@dataclass(frozen=True)
class Done:
    """A finished backtest: the store that it read, and where its results are."""

    world: World
    out: Path

    def table(self, name: str) -> pl.DataFrame:
        return pl.read_parquet(self.out / f"{name}.parquet")

    def own(self, strategy: str) -> Store:
        return Store.open(self.out / "work" / strategy)

    def night(self, strategy: str, table: str) -> pl.DataFrame:
        return pl.read_parquet(
            self.out / f"work/{strategy}/nights/*/{table}.parquet", hive_partitioning=False
        )

    def files(self) -> dict[str, bytes]:
        return {name: (self.out / name).read_bytes() for name in PLAIN_FILES}


def options(out: Path, *strategies: str) -> list[str]:
    chosen = [word for name in strategies for word in ("--strategy", name)]
    period = ["--from", FIRST.isoformat(), "--to", LAST.isoformat()]
    return [*period, *chosen, "--capacity", "3", "--retrain-every", "4", "--no-gate", "--out", str(out)]


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory, untrained: World) -> Done:
    """Six nights of three strategies, with a training in between. Not to be changed."""
    folder = tmp_path_factory.mktemp("backtest")
    with without_server():
        before = untrained.results("declarations", "inspections", "truth", "manifests", "store.json")
        assert untrained.run("backtest", *options(folder / "B", *STRATEGIES)) == 0
        after = untrained.results("declarations", "inspections", "truth", "manifests", "store.json")
        assert different(after, before) == []
    return Done(untrained, folder / "B")


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_strategy_knows_its_own_results_from_the_day_after_their_report(done: Done, strategy: str) -> None:
    own, source = done.own(strategy), done.world.store
    known = own.read_inspections(reported_from=FIRST)
    opened = done.night(strategy, "opened").select("declaration_id", "declared_on")
    mine = known.join(opened, on="declaration_id", how="left")
    # Chosen on its day, opened on the next, and known as it was reported.
    later = mine.filter(pl.col("declared_on").is_not_null())
    assert later.height > 0
    assert (later["inspected_on"] == later["declared_on"].dt.offset_by("1d")).all()
    # Everything else was opened before the period and is reported as in the store.
    others = mine.filter(pl.col("declared_on").is_null()).drop("declared_on")
    assert (others["inspected_on"] < FIRST).all()
    late = source.read_inspections(reported_from=FIRST, reported_to=LAST).filter(
        pl.col("inspected_on") < FIRST
    )
    assert others.sort(*KEY, "reported_on").equals(late.select(others.columns).sort(*KEY, "reported_on"))
    # The store of a strategy never holds what is not reported yet: the last night has added the reports of
    # its day.
    assert own.inspection_days()[-1] <= LAST
    shown = done.night(strategy, "shown")
    assert (shown["reported_on"] > LAST).any()
    whole = pl.concat([known.select(shown.columns), shown.filter(pl.col("reported_on") > LAST)])
    assert shown.join(whole, on=[*KEY, "reported_on"], how="anti").is_empty()


def test_what_was_known_before_the_period_is_that_of_the_store(done: Done) -> None:
    eve = FIRST - timedelta(days=1)
    for strategy in STRATEGIES:
        before = done.own(strategy).read_inspections(reported_to=eve)
        assert before.equals(done.world.store.read_inspections(reported_to=eve))


def test_features_and_models_rest_on_the_strategys_own_inspections(done: Done) -> None:
    own = done.own("full")
    learned = pl.concat(
        pl.read_parquet(file).select("declaration_id", "line_no", "declared_on")
        for file in own.path.glob("learning/inspected/*/undervaluation.parquet")
    )
    in_period = learned.filter(pl.col("declared_on") >= FIRST)
    shown = done.night("full", "shown").select(pl.col("declaration_id"), pl.col("line_no").cast(pl.Float64))
    assert in_period.height == shown.unique().height
    assert in_period.join(shown, on=KEY, how="anti").is_empty()
    trained = json.loads((own.path / "in_use/2026-11-15.json").read_text())
    assert set(trained["models"].values()) == {"2026-11-15"}
    model = json.loads((own.path / "models/undervaluation/2026-11-15/model.json").read_text())
    assert model["metadata"]["until"] == "2026-11-15"
    assert model["metadata"]["declared_to"] <= "2026-11-15"


def test_a_night_of_a_backtest_is_the_night_of_the_nightly_job(
    tmp_path: Path, done: Done, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first night, with the models of the start handed to `score` as its champions."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    world = done.world.copy(tmp_path)
    source = done.own("start").path / "models"
    eve = (FIRST - timedelta(days=1)).isoformat()
    for folder in source.iterdir():
        place = world.path / "models" / folder.name
        place.mkdir(parents=True)
        (place / "version-1-run").symlink_to((folder / eve).resolve())
        described = {"version": 1, "since": "", "run": "run", "uri": ""}
        (place / "champion.json").write_text(json.dumps(described))
    configs = tmp_path / "configs"
    (configs / "risks").mkdir(parents=True)
    for file in (done.world.configs / "risks").iterdir():
        (configs / "risks" / file.name).write_text(file.read_text())
    (configs / "pipeline.yaml").write_text((done.world.configs / "pipeline.yaml").read_text())
    (configs / "capacity.yaml").write_text("default: {parcels: 3}\n")
    assert World(world.path, configs).score(FIRST) == 0
    listed, chosen = world.listed(FIRST), done.table("opened").filter(strategy="full", declared_on=FIRST)
    columns = ["customs_office", "rank", "declaration_id", "risk", "expected_value_cny", "selection"]
    assert listed.height > 10
    assert chosen.select(columns).sort(columns[:2]).equals(listed.select(columns).sort(columns[:2]))


def test_random_finds_about_the_base_rate_and_the_tables_agree(done: Done) -> None:
    totals = done.table("strategies")
    assert totals["strategy"].to_list() == list(STRATEGIES)
    assert totals["opened"].n_unique() <= 2
    opened = done.table("opened")
    for row in totals.iter_rows(named=True):
        mine = opened.filter(strategy=row["strategy"])
        assert (row["opened"], row["findings"]) == (mine.height, mine["found"].sum())
        ends = [row[f"hit_rate{end}"] for end in ("_low", "", "_high")]
        # A few findings make no rate.
        assert ends == sorted(ends) if row["findings"] >= 10 else ends == [None] * 3
        weeks = done.table("weeks").filter(strategy=row["strategy"])
        assert weeks["findings"].sum() == row["findings"]
        assert weeks["days"].to_list() == [6]
    truth = pl.read_parquet(done.world.path / "truth/*/*.parquet", hive_partitioning=True)
    risky = pl.any_horizontal("undervaluation", "prohibited_item", "food_safety").any()
    parcels = (
        truth.filter(pl.col("declared_on").is_between(FIRST, LAST)).group_by("declaration_id").agg(risky)
    )
    base = parcels["undervaluation"].mean()
    lowest, highest = wilson(*totals.filter(strategy="random").select("findings", "opened").row(0))
    assert lowest < base < highest  # type: ignore[operator]
    ways = done.table("selections").group_by("strategy").agg(pl.col("selection").sort())
    assert dict(ways.iter_rows())["random"] == ["random"]
    assert dict(ways.iter_rows())["past-hit-rate"] == ["risk"]
    assert {"random", "risk"} <= set(dict(ways.iter_rows())["full"])


def test_a_parcel_shows_the_same_under_every_strategy(done: Done) -> None:
    shown = pl.concat(done.night(name, "shown") for name in STRATEGIES).drop(
        "selection", "inspection_probability"
    )
    assert shown.height > shown.unique().height
    assert shown.unique().select(*KEY, "reported_on").is_unique().all()


def test_results_carry_the_way_of_selection_and_its_chance(done: Done) -> None:
    shown = done.night("full", "shown").select("declaration_id", "selection", "inspection_probability")
    opened = done.table("opened").filter(strategy="full")
    joined = shown.unique().join(opened, on="declaration_id", suffix="_listed")
    assert joined.height == opened.height
    assert (joined["selection"] == joined["selection_listed"]).all()
    assert (joined["inspection_probability"] == joined["inspection_probability_listed"]).all()


def test_each_backtest_is_a_run_with_one_for_each_strategy(done: Done) -> None:
    tracker = Tracker.in_folder(done.world.store.layout.mlflow)
    (parent,) = tracker.find_runs("backtest")
    children = tracker.find_runs("backtest-strategy", parent=parent.run_id)
    assert [run.name for run in children] == list(STRATEGIES)
    assert parent.finished
    totals = done.table("strategies")
    assert [run.metrics["findings"] for run in children] == totals["findings"].cast(pl.Float64).to_list()


class _Killed(BaseException):
    """The end of the process."""


def killed_in_the_fifth_night(run: Callable[[], None]) -> None:
    """The program dies in the middle of a night, before its change is whole."""
    stage, nights = replaying.stage_night, []

    def stop(*given: object, **tables: pl.DataFrame) -> None:
        stage(*given, **tables)  # type: ignore[arg-type]
        nights.append(given)
        if len(nights) == 5:
            raise _Killed("in the middle of a night")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(replaying, "stage_night", stop)
        with pytest.raises(_Killed, match="in the middle"):
            run()


def test_a_killed_backtest_goes_on_and_ends_with_the_same_bytes(tmp_path: Path, done: Done) -> None:
    settings, out = done.world.settings, tmp_path / "B"
    plan = package.Plan(FIRST, LAST, 4, gated=False)
    capacity = settings.capacity.model_copy(
        update={"default": settings.capacity.default.model_copy(update={"parcels": 3})}
    )
    settings = settings.model_copy(update={"capacity": capacity})

    def run() -> None:
        package.backtest(
            done.world.path, plan=plan, strategies=["full"], out=out, settings=settings,
            progress=Progress.silent(),
        )  # fmt: skip

    # The start is the same for every strategy and interrupted by no night.
    (out / "work").mkdir(parents=True)
    (out / "work/start").symlink_to(done.out / "work/start")
    (out / "asked.json").write_bytes((done.out / "asked.json").read_bytes())
    killed_in_the_fifth_night(run)
    assert len(list((out / "work/full/nights").iterdir())) == 4
    run()
    mine, whole = pl.read_parquet(out / "opened.parquet"), done.table("opened").filter(strategy="full")
    assert mine.equals(whole)
    kept = ("nights", "inspections", "models", "in_use")
    left = {name: _tree(out / "work/full" / name) for name in kept}
    assert left == {name: _tree(done.out / "work/full" / name) for name in kept}


def _tree(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def written(folder: Path) -> dict[Path, int]:
    """When each table below a folder was written."""
    return {file: file.stat().st_mtime_ns for file in folder.rglob("*.parquet")}


def test_a_finished_backtest_is_not_done_again(done: Done) -> None:
    before, tracker = done.files(), Tracker.in_folder(done.world.store.layout.mlflow)
    logged = tracker.find_runs("backtest")
    nights = written(done.out / "work")
    assert done.world.run("backtest", *options(done.out, *STRATEGIES)) == 0
    assert different(done.files(), before) == []
    assert written(done.out / "work") == nights
    assert tracker.find_runs("backtest") == logged


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (["--from", "2026-11-18"], "--to 2026-11-17 is before --from 2026-11-18"),
        (["--from", "2027-01-01", "--to", "2027-01-31"], "it holds 2026-10-30 to 2026-11-20"),
        (["--strategy", "best"], "expected one of the strategies random, price"),
        (["--seed", "5"], "holds a backtest that differs in: capacity"),
        (["--from", "2026-10-30", "--out", "NEW", "--strategy", "full"], "Choose a later --from"),
        (["--out", "INSIDE"], "lies inside the store"),
    ],
)
def test_what_cannot_be_done_is_told(
    tmp_path: Path, done: Done, changed: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    places = {"NEW": str(tmp_path / "new"), "INSIDE": str(done.world.path / "B")}
    given = [*options(done.out, "random"), *(places.get(word, word) for word in changed)]
    assert done.world.run("backtest", *given) == 2
    assert said in capsys.readouterr().err


def test_a_store_that_was_checked_since_is_another(
    tmp_path: Path, done: Done, capsys: pytest.CaptureFixture[str]
) -> None:
    world = done.world.copy(tmp_path)
    assert world.run("check", "--date", str(LAST), "--quiet") == 0
    assert world.run("backtest", *options(done.out, *STRATEGIES)) == 2
    assert "holds a backtest that differs in: data" in capsys.readouterr().err


def test_a_store_with_neither_truth_nor_labels_is_refused(
    tmp_path: Path, untrained: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world = untrained.copy(tmp_path)
    (world.path / "truth").rename(tmp_path / "truth")
    assert world.run("backtest", *options(tmp_path / "B", "random")) == 2
    assert "expected the truth of a simulated store, or a result for each of the" in capsys.readouterr().err
    assert not (tmp_path / "B").exists()
