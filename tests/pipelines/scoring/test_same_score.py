"""A line has one probability, to the last bit: whatever file, bucket, worker or program computes it."""

from __future__ import annotations

import shutil
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import polars as pl
import pytest

from configs.errors import ConfigurationError, UsageError
from features.assemble import as_declared
from models.text.declared import DeclaredTexts
from pipelines.history.chronicle import Chronicle
from pipelines.scoring.features_of_day import features_of_day
from pipelines.scoring.line_scores import scores_of_goods
from pipelines.scoring.models_in_use import models_in_use
from pipelines.store.store import Store
from tests.pipelines.taken_in import take_in
from tests.pipelines.trained_world import END, NIGHT, RISKS, TRAINED_UNTIL, World, different, with_bucket_rows

KEY = ["declaration_id", "line_no"]

pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy is deprecated")


def same_bits(found: pl.DataFrame, expected: pl.DataFrame) -> bool:
    """Equal to the bit, where `equals` would take 0.0 for -0.0."""
    found, expected = found.sort(KEY), expected.sort(KEY)
    return found.select(KEY).equals(expected.select(KEY)) and all(
        (found[risk].to_numpy().view(np.uint64) == expected[risk].to_numpy().view(np.uint64)).all()
        for risk in RISKS
    )


@pytest.fixture
def rearranged(tmp_path: Path, trained: World) -> World:
    """The same lines and results, brought in another order in many files, in many small buckets."""
    settings = with_bucket_rows(trained.settings, 60)
    store = Store.create(tmp_path / "S")
    lines = trained.store.scan_declarations(None, NIGHT).drop("declared_on").collect()
    lines = lines.sample(fraction=1.0, shuffle=True, seed=1)
    for part in (lines[5000:], lines[:2000], lines[2000:5000]):
        take_in(store.path, part, settings=settings)
    results = trained.store.read_inspections().sample(fraction=1.0, shuffle=True, seed=1)
    take_in(store.path, results, settings=settings)
    shutil.copytree(trained.path.with_name("S.mlflow"), tmp_path / "S.mlflow")  # to read only
    return World(tmp_path / "S", trained.configs)


def test_order_of_arrival_buckets_and_workers_play_no_part(rearranged: World, scored: World) -> None:
    assert len(rearranged.store.layout.buckets(NIGHT)) > 4 > len(scored.store.layout.buckets(NIGHT))
    assert rearranged.score(NIGHT, "--workers", "2", "--threads", "2") == 0
    assert same_bits(rearranged.scores(), scored.scores())
    assert rearranged.listed().equals(scored.listed())
    # What training has folded is what nights fold.
    eve = f"profiles/as_of={TRAINED_UNTIL}"
    changed = different(rearranged.results(eve), scored.results(eve))
    assert changed == [f"{eve}/profile.json"], "the description names the files that went into it"
    for path in (scored.path / f"lists/declared_on={NIGHT}").iterdir():
        assert (rearranged.path / f"lists/declared_on={NIGHT}" / path.name).read_bytes() == path.read_bytes()


def test_a_goods_model_that_risks_share_is_asked_once_a_line(scored: World) -> None:
    in_use = models_in_use(scored.store, RISKS).models
    champions = [(risk, model.folder) for risk, model in in_use.items()]
    chronicle = Chronicle(scored.store, scored.settings)
    lines = chronicle.prepared(NIGHT)
    said = scores_of_goods(champions, dict.fromkeys(RISKS, as_declared(lines)), DeclaredTexts(lines))
    assert set(said) == set(RISKS)
    assert len({id(scores) for scores in said.values()}) == 1


@pytest.fixture
def registry(trained: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """MLflow as a data scientist turns it to the store's models."""
    address = f"sqlite:///{trained.path.with_name('S.mlflow') / 'mlflow.db'}"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", address)


@pytest.mark.usefixtures("registry")
def test_the_pyfunc_gives_the_probabilities_of_the_night(trained: World, scored: World) -> None:
    before = sorted(trained.path.rglob("*"))
    for risk in RISKS:
        features = features_of_day(trained.path, NIGHT, risk, trained.settings)
        model = mlflow.pyfunc.load_model(f"models:/parcel-risk-{risk}@champion")
        shuffled = features.sample(frac=1.0, random_state=5)
        shuffled.index = pd.Index(np.zeros(len(shuffled), dtype=np.int64))
        for frame in (features, shuffled, features.iloc[7:8]):
            predicted = np.asarray(model.predict(frame), dtype=np.float64)
            lines = pl.DataFrame(
                {"declaration_id": list(frame["declaration_id"]), "line_no": list(frame["line_no"])}
            )
            joined = lines.cast({"line_no": pl.Int32}).join(
                scored.scores(), on=KEY, how="left", maintain_order="left"
            )
            assert (predicted.view(np.uint64) == joined[risk].to_numpy().view(np.uint64)).all()
    assert sorted(trained.path.rglob("*")) == before, "a notebook changes nothing"


def test_features_of_a_day_are_text_and_numbers_in_the_order_of_the_scores(
    trained: World, scored: World
) -> None:
    features = features_of_day(trained.path, NIGHT, "undervaluation", trained.settings)
    assert list(features["declaration_id"]) == scored.scores()["declaration_id"].to_list()
    assert {str(kind) for kind in features.dtypes} <= {"str", "float64"}
    assert [name for name in features.columns if name.startswith("price__")]


def test_features_of_a_day_that_is_not_there(trained: World) -> None:
    with pytest.raises(UsageError, match=f"expected declarations on 2020-01-01 .* it holds .* to {END}"):
        features_of_day(trained.path, NIGHT.replace(year=2020, month=1, day=1), RISKS[0], trained.settings)
    with pytest.raises(ConfigurationError, match="'arson'"):
        features_of_day(trained.path, NIGHT, "arson", trained.settings)
