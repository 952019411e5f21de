"""Extra columns of a source get hit rates: taken once from the store's own lines, then kept."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from configs.loader import load_settings
from features.assemble import assemble
from features.history.view import DayContext
from pipelines.cli.main import run
from pipelines.history.chronicle import Chronicle
from pipelines.history.source_keys import (
    found_extra_keys,
    known_extra_keys,
    remember_extra_keys,
    with_source_keys,
)
from pipelines.store.store import Store

MAPPING = """
constants: {direction: import, currency: USD, total_price: 1, hs_code: "020700", line_no: 1}
rename: {declaration_id: form, declared_at: day, seller_id: plant, item_name: kind}
extra: {categories: {project: project, serial: serial}}
labels: {food_safety: {column: result, true_when: [bad], false_when: [good]}}
inspection:
  {selection: random, inspection_probability: 1.0, inspected_on: declared_at, reported_on: declared_at}
"""
DAYS, A_DAY = 12, 20


@pytest.fixture
def store(tmp_path: Path, key: None) -> Store:
    """Twelve days of samples: project p1 is bad throughout, all others are good."""
    place = range(DAYS * A_DAY)
    table = pl.DataFrame(
        {
            "form": [f"f{i:04}" for i in place],
            "day": [f"2026-03-{i // A_DAY + 1:02}" for i in place],
            "plant": [f"plant {i % 9}" for i in place],
            "kind": [("leg", "wing")[i % 2] for i in place],
            "project": [f"p{i % 5}" for i in place],
            "serial": [f"s{i}" for i in place],
            "result": ["bad" if i % 5 == 1 else "good" for i in place],
        }
    )
    table.write_csv(tmp_path / "samples.csv")
    (tmp_path / "samples.yaml").write_text(MAPPING, encoding="utf-8")
    given = ["--mapping", str(tmp_path / "samples.yaml"), "--store", str(tmp_path / "S"), "--backfill"]
    assert run(["ingest", str(tmp_path / "samples.csv"), *given]) == 0
    return Store.open(tmp_path / "S")


def test_a_column_of_the_source_has_a_hit_rate_as_of_each_day(store: Store) -> None:
    settings = load_settings()
    day = date(2026, 3, 7)
    found = found_extra_keys(store, settings, day)
    assert found == {"project": "item_key"}
    completed = with_source_keys(settings, found)
    chronicle, risk = Chronicle(store, completed), completed.risk("food_safety")
    lines, eve = chronicle.prepared(day), chronicle.history_before(day)
    context = DayContext(day, eve, chronicle.tables(lines, day, eve), completed.pipeline.features)
    built = assemble(lines, context, chronicle.reference.on(day), [risk]).for_risk(risk)
    projects = lines["project"]
    for column, count in (("inspected", 6 * A_DAY // 5), ("findings", 6 * A_DAY // 5)):
        bad = built[f"hit_rate__extra_project_{column}"].filter(projects == "p1")
        assert set(bad) == {count}
    rate = built["hit_rate__extra_project_rate"]
    assert rate.filter(projects == "p1").min() > 0.7  # type: ignore[operator]
    assert rate.filter(projects != "p1").max() < 0.05  # type: ignore[operator]
    assert {"hit_rate__extra_project_goods_rate", "hit_rate__extra_project_seller_rate"} <= set(built.columns)
    assert not [name for name in built.columns if "serial" in name and name.startswith("hit_rate")]


def test_what_was_taken_once_stays(store: Store) -> None:
    settings = load_settings()
    assert known_extra_keys(store, settings) == {}
    with store.lock("train"):
        remember_extra_keys(store, {"project": "hs6"})
    assert known_extra_keys(store, settings) == {"project": "hs6"}
    assert found_extra_keys(Store.open(store.path), settings, None) == {"project": "hs6"}
    history = settings.pipeline.history.model_copy(update={"extra_columns": 0})
    none = settings.model_copy(update={"pipeline": settings.pipeline.model_copy(update={"history": history})})
    assert known_extra_keys(store, none) == {}
    assert with_source_keys(none, {}) == none
    # The number of columns wanted is no part of what a stored history depends on.
    assert Chronicle(store, none).spec.fingerprint == Chronicle(store, settings).spec.fingerprint
