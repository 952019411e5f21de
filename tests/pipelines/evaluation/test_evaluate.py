"""A model is judged on later days: what is written, what is refused, and what nobody may know."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from playwright.sync_api import Browser

from configs.schema.risk import RiskConfig
from models.risk.risk_model import RiskModel
from models.search.single_key import SingleKey
from models.tracking.tracker import Tracker
from pipelines.evaluation import contenders, period
from pipelines.evaluation.evaluate import evaluate_model
from pipelines.evaluation.period import Period, PeriodData, period_data
from pipelines.history.chronicle import Chronicle
from pipelines.training import frames
from pipelines.training.frames import TrainingData, training_data
from pipelines.work.progress import Progress
from tests.pipelines.page_checks import faults_of
from tests.pipelines.trained_world import END, NIGHT, TRAINED_UNTIL, World, without_server

RISK = "undervaluation"
LABEL = "undervaluation"
MEASURES = ["average_precision", "auc", "precision", "log_loss"]
PERIOD = ("--from", NIGHT.isoformat(), "--to", END.isoformat())


def at_a_guess(past: pl.DataFrame, found: np.ndarray, later: pl.DataFrame, **_: int) -> np.ndarray:
    """Stands for a rival where it does not matter what it learns."""
    return np.full(later.height, found.mean())


@pytest.fixture(scope="module", autouse=True)
def learned_once(tmp_path_factory: pytest.TempPathFactory, trained: World) -> Iterator[None]:
    """What a model learns from is replayed once a day, and goods are those of the model in use: all worlds
    here have the same declarations, and the same results until then.
    """
    with without_server():
        goods = model_of(trained, tmp_path_factory.mktemp("in_use")).encoder.goods
    known: dict[date, TrainingData] = {}

    def once(
        chronicle: Chronicle, risks: Sequence[RiskConfig], until: date, progress: Progress
    ) -> TrainingData:
        if until not in known:
            known[until] = training_data(chronicle, risks, until, progress)
        return known[until]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(frames, "goods_model", lambda *_: goods)
        patch.setattr(period, "training_data", once)
        yield


@pytest.fixture
def plain(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Rivals that take no time: neither learns, and no key is looked for."""
    monkeypatch.setattr(contenders, "lightgbm_as_it_comes", at_a_guess)
    monkeypatch.setattr(contenders, "catboost_as_it_comes", lambda *_, **__: None)
    monkeypatch.setattr(contenders, "best_single_key", lambda *_, **__: None)
    return monkeypatch


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory: pytest.TempPathFactory, trained: World) -> World:
    """The world after its model in use was judged on the days after its training. Not to be changed."""
    with without_server(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(contenders, "catboost_as_it_comes", at_a_guess)
        world = trained.copy(tmp_path_factory.mktemp("evaluated"))
        file = world.path.parent / "figures.json"
        world = World(world.path, lenient(world.configs, world.path.parent / "lenient"))
        assert world.run("evaluate", "--risk", RISK, *PERIOD, "--json", file, "--quiet") == 0
    return world


@pytest.fixture(scope="module")
def both(trained: World) -> dict[str, PeriodData]:
    """What is read for the period, with its results withheld and with them coming."""
    settings = trained.settings
    return {
        name: period_data(
            Chronicle(trained.store, settings),
            settings.risk(RISK),
            TRAINED_UNTIL,
            Period(NIGHT, END, coming=name == "coming"),
            Progress.silent(),
        )
        for name in ("withheld", "coming")
    }


def lenient(configs: Path, to: Path) -> Path:
    """The configuration with figures that rest on the few findings of the world's last days."""
    shutil.copytree(configs, to)
    pipeline = to / "pipeline.yaml"
    text = pipeline.read_text(encoding="utf-8")
    pipeline.write_text(f"{text}\ngate: {{least_findings: 2}}\n", encoding="utf-8")
    return to


def figures(world: World) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((world.path.parent / "figures.json").read_text(encoding="utf-8"))
    return content


def inspected(world: World, first: date, last: date) -> pl.DataFrame:
    """Lines declared in these days with a result, straight from the files."""
    files = sorted((world.path / "inspections").glob("*/*.parquet"))
    results = pl.concat([pl.read_parquet(file, hive_partitioning=False) for file in files], how="diagonal")
    days = [
        pl.read_parquet(file, hive_partitioning=False, columns=["declaration_id", "line_no"])
        for day in pl.date_range(first, last, eager=True)
        for file in (world.path / f"declarations/declared_on={day}").glob("*.parquet")
    ]
    known = results.group_by("declaration_id", "line_no").agg(pl.col(LABEL).drop_nulls().last())
    return pl.concat(days).join(known.drop_nulls(), on=["declaration_id", "line_no"])


def test_the_figures_are_those_of_the_contract(evaluated: World) -> None:
    content = figures(evaluated)
    assert list(content) == ["risk", "lines", "findings", "scores", "differences"]
    assert list(content["scores"]) == ["model", "lightgbm", "catboost", "best_key", "random"]
    assert list(content["differences"]) == ["lightgbm", "catboost", "best_key"]
    for name in ("model", "lightgbm", "best_key", "random"):
        measured = content["scores"][name]
        assert list(measured) == MEASURES
        assert list(measured["precision"]) == ["0.01", "0.05", "0.10"]
        assert all(len(measured[measure]) == 3 for measure in ("average_precision", "auc", "log_loss"))
    assert list(content["differences"]["lightgbm"]) == MEASURES


def test_every_line_of_the_period_with_a_result_is_judged_once(evaluated: World) -> None:
    expected, content = inspected(evaluated, NIGHT, END), figures(evaluated)
    assert expected.height > 20
    assert (content["lines"], content["findings"]) == (expected.height, expected[LABEL].sum())


def test_page_manifest_and_run_say_the_same(evaluated: World, browser: Browser) -> None:
    folder = evaluated.path / f"reports/{NIGHT}_{END}_{RISK}"
    content, auc = figures(evaluated), figures(evaluated)["scores"]["model"]["auc"]
    assert json.loads((folder / "report.json").read_text(encoding="utf-8")) == content
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert f"{auc[0]:.3f} [{auc[1]:.3f}, {auc[2]:.3f}]" in page
    assert "Best single key" in page
    assert faults_of(browser, folder / "report.html") == []
    (manifest,) = evaluated.path.glob(f"manifests/evaluate-{END}-*.json")
    told = json.loads(manifest.read_text(encoding="utf-8"))
    assert (told["rows_in"], told["rows_kept"]) == (content["lines"], content["lines"])
    assert told["model_versions"] == {RISK: "1"}
    (run,) = Tracker.in_folder(evaluated.store.layout.mlflow).find_runs("evaluation", {"risk": RISK})
    assert run.metrics["model.auc"] == pytest.approx(auc[0])
    assert run.parameters["results"] == "withheld"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            ("--from", str(TRAINED_UNTIL), "--to", str(END)),
            f"learned from what was reported up to {TRAINED_UNTIL}",
        ),
        (("--from", str(NIGHT), "--to", str(END), "--until", str(NIGHT)), f"Give --until {TRAINED_UNTIL}"),
        (("--from", str(END), "--to", str(NIGHT)), "expected --to on or after --from"),
        (("--from", "2027-01-01", "--to", "2027-01-31"), "found none"),
    ],
)
def test_what_is_refused(
    trained: World, capsys: pytest.CaptureFixture[str], options: tuple[str, ...], said: str
) -> None:
    assert trained.run("evaluate", "--risk", RISK, *options) == 2
    assert said in capsys.readouterr().err


def test_without_a_model_in_use_it_says_how_to_get_one(
    untrained: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    world = untrained.copy(tmp_path)
    assert world.run("evaluate", "--risk", RISK, *PERIOD) == 4
    assert f"--until {TRAINED_UNTIL}" in capsys.readouterr().err


@pytest.mark.usefixtures("plain")
def test_a_model_fitted_for_it_and_too_few_findings(untrained: World, tmp_path: Path) -> None:
    world, file = untrained.copy(tmp_path), tmp_path / "deep/figures.json"
    settings = world.settings
    training = settings.pipeline.training.model_copy(
        update={"candidates": (), "folds": 1, "capacities": (0.05,)}
    )
    pipeline = settings.pipeline.model_copy(update={"training": training})
    report = evaluate_model(
        world.path,
        risk=RISK,
        first=NIGHT,
        last=END,
        until=TRAINED_UNTIL,
        results="coming",
        json_file=file,
        settings=settings.model_copy(update={"pipeline": pipeline}),
        progress=Progress.silent(),
    )
    assert report.judged.version is None
    assert report.judged.until == TRAINED_UNTIL
    assert Tracker.in_folder(world.store.layout.mlflow).champions() == ()
    said, content = "\n".join(report.lines()), json.loads(file.read_text(encoding="utf-8"))
    assert "a model fitted for this" in said
    assert "results count from the day after they are reported" in said
    assert 0 < content["findings"] < world.settings.pipeline.gate.least_findings
    assert f"too few findings ({content['findings']}) for any figure" in said
    assert content["scores"]["model"]["auc"] == [None, None, None]


def test_results_of_the_period_are_withheld_unless_they_come(both: dict[str, PeriodData]) -> None:
    withheld, coming = both["withheld"], both["coming"]
    rates = [name for name in withheld.later.columns if name.startswith("hit_rate__")]
    first = withheld.later["declared_on"] == NIGHT
    assert withheld.later.drop(rates).equals(coming.later.drop(rates))
    assert not withheld.later.select(rates).equals(coming.later.select(rates))
    assert withheld.later.filter(first).equals(coming.later.filter(first))
    assert withheld.known["known_on"].max() < NIGHT
    assert coming.known["known_on"].max() == END - timedelta(days=1)
    assert coming.past.equals(withheld.past)


def test_results_of_the_period_change_nothing_where_they_are_withheld(
    trained: World, tmp_path: Path, both: dict[str, PeriodData]
) -> None:
    world = trained.copy(tmp_path)
    store = world.store
    with store.lock("test"), store.transaction() as t:
        for day in store.inspection_days():
            if day >= NIGHT:
                turned = store.read_results(day).with_columns(~pl.col(LABEL))
                store.write_inspections(t, day, turned)
    settings = world.settings
    data = period_data(
        Chronicle(world.store, settings),
        settings.risk(RISK),
        TRAINED_UNTIL,
        Period(NIGHT, END, coming=False),
        Progress.silent(),
    )
    assert data.later.equals(both["withheld"].later)
    assert data.past.equals(both["withheld"].past)


def test_rivals_get_the_rows_and_columns_of_the_model_and_no_result(
    trained: World, both: dict[str, PeriodData], tmp_path: Path, plain: pytest.MonkeyPatch
) -> None:
    given: list[pl.DataFrame] = []

    def lightgbm(past: pl.DataFrame, found: np.ndarray, later: pl.DataFrame, **_: int) -> np.ndarray:
        given.extend([past, later])
        return at_a_guess(past, found, later)

    plain.setattr(contenders, "lightgbm_as_it_comes", lightgbm)
    model, settings = model_of(trained, tmp_path), trained.settings
    days = Period(NIGHT, END, coming=False)
    made = contenders.contenders_of(model, both["withheld"], settings.risk(RISK), settings, days)
    past, later = given
    frame = both["withheld"].training.frames[RISK]
    known = frame.filter(pl.col(LABEL).is_not_null())
    assert (past.height, made.learned_findings) == (known.height, known[LABEL].sum())
    assert past.columns == later.columns == list(model.encoder.columns.names)
    tells = {LABEL, "found", "selection", "reported_on", "inspected_on", "assessed_unit_price"}
    assert not tells & set(past.columns)
    assert made.scores["catboost"] is None


@pytest.mark.usefixtures("plain")
def test_a_column_that_tells_the_outcome_is_named(
    evaluated: World, both: dict[str, PeriodData], tmp_path: Path
) -> None:
    data, settings, model = both["withheld"], evaluated.settings, model_of(evaluated, tmp_path)
    frame = data.training.frames[RISK]
    told = replace(
        data,
        later=data.later.with_columns(data.judged["found"].cast(pl.Float64).alias("extra__serotype")),
        training=replace(
            data.training,
            frames={RISK: frame.with_columns(pl.col(LABEL).cast(pl.Float64).alias("extra__serotype"))},
        ),
    )
    days = Period(NIGHT, END, coming=False)
    assert not contenders.contenders_of(model, data, settings.risk(RISK), settings, days).telling
    made = contenders.contenders_of(model, told, settings.risk(RISK), settings, days)
    assert [(column.column, column.auc) for column in made.telling] == [("extra__serotype", 1.0)]


def test_the_single_key_is_chosen_before_the_period(
    trained: World, both: dict[str, PeriodData], tmp_path: Path, plain: pytest.MonkeyPatch
) -> None:
    days: list[int] = []

    def chosen(past: Any, *, moving: bool) -> SingleKey:
        days.append(int(past.known.max()))
        return SingleKey(("seller_id",), 5.0)

    plain.setattr(contenders, "best_single_key", chosen)
    model, settings = model_of(trained, tmp_path), trained.settings
    for name, data in both.items():
        span = Period(NIGHT, END, coming=name == "coming")
        made = contenders.contenders_of(model, data, settings.risk(RISK), settings, span)
        assert made.key == SingleKey(("seller_id",), 5.0)
    assert max(days) < (NIGHT - date(1970, 1, 1)).days


def model_of(world: World, folder: Path) -> RiskModel:
    """The model in use of the risk."""
    Tracker.in_folder(world.store.layout.mlflow).download_champion(RISK, folder)
    return RiskModel.load(folder)
