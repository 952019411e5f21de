"""Measured performance of a scored store: who counts, from when on, and what never enters."""

from __future__ import annotations

import shutil
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from configs.errors import UsageError
from configs.loader import load_settings
from configs.schema.settings import Settings
from features.arrays.hashing import hash_text
from pipelines.monitoring.performance import (
    MEASURED_SCHEMA,
    METHODS,
    QUANTITIES,
    flagged_of_day,
    measured_performance,
    scored_parcels,
)
from pipelines.simulation import simulate
from pipelines.store.day_table import DayTable
from pipelines.store.store import Store
from pipelines.work.progress import Progress

END = date(2026, 11, 20)
DAYS = [END - timedelta(days=back) for back in (2, 1, 0)]
MATURED = END + timedelta(days=60)
RISKS = ("food_safety", "prohibited_items", "undervaluation")
KEY = ["declaration_id", "line_no"]


@pytest.fixture(scope="module")
def settings() -> Settings:
    return load_settings()


@pytest.fixture(scope="module")
def scored_store(tmp_path_factory: pytest.TempPathFactory, settings: Settings) -> Path:
    """Three simulated days with made-up scores that know something; no results. Not to be changed."""
    path = tmp_path_factory.mktemp("measured") / "S"
    simulate(
        path, days=3, parcels_per_day=400, end=END, seed=5, drift=False, settings=settings,
        progress=Progress.silent(),
    )  # fmt: skip
    store = Store.open(path)
    with store.lock("test"), store.transaction() as t:
        for reported_on in store.inspection_days():
            t.remove(store.layout.partition(DayTable.INSPECTIONS, reported_on))
    with store.lock("test"), store.transaction() as t:
        for day in DAYS:
            truth = pl.read_parquet(path / f"truth/declared_on={day}/truth.parquet")
            noise = (hash_text(truth["declaration_id"]).to_numpy() % 1000) / 4000.0
            probability = pl.Series(noise) + 0.3 * truth["undervaluation"].cast(pl.Float64)
            for kind, number in (
                (DayTable.SCORES, probability),
                (DayTable.VALUES, probability * 0.0 + 200.0),
            ):
                table = truth.select(KEY).with_columns(
                    *(number.alias(risk) for risk in RISKS[1:]), pl.lit(None, pl.Float64).alias(RISKS[0])
                )
                folder = t.stage(store.layout.partition(kind, day))
                table.write_parquet(folder / "bucket-000-of-001.parquet")
    return path


@pytest.fixture
def store(scored_store: Path, tmp_path: Path) -> Store:
    """A copy to which a test adds results."""
    shutil.copytree(scored_store, tmp_path / "S")
    return Store.open(tmp_path / "S")


def truth_of(store: Store) -> pl.DataFrame:
    parts = [
        pl.read_parquet(store.path / f"truth/declared_on={day}/truth.parquet").with_columns(
            pl.lit(day).alias("declared_on")
        )
        for day in DAYS
    ]
    return pl.concat(parts)


def report(
    store: Store,
    lines: pl.DataFrame,
    selection: str,
    chance: float | None,
    *,
    after: int = 3,
    inspected_after: int = 1,
    found: bool | None = None,
) -> None:
    """Results of whole lines: what is true, or `found` for all of them."""
    opinion = pl.col("undervaluation") if found is None else pl.lit(found)
    rows = lines.select(
        *KEY,
        (pl.col("declared_on") + pl.duration(days=inspected_after)).alias("inspected_on"),
        (pl.col("declared_on") + pl.duration(days=after)).alias("reported_on"),
        pl.lit(selection).alias("selection"),
        pl.lit(chance, pl.Float64).alias("inspection_probability"),
        opinion.alias("undervaluation"),
        pl.lit(None, pl.Boolean).alias("prohibited_item"),
        pl.lit(None, pl.Boolean).alias("food_safety"),
        pl.lit(None, pl.Float64).alias("assessed_unit_price"),
        pl.when(opinion).then(50.0).alias("recovered_tax_cny"),
    )
    with store.lock("test"), store.transaction() as t:
        for (reported_on,), part in rows.group_by("reported_on"):
            assert isinstance(reported_on, date)
            earlier = store.read_results(reported_on)
            every = pl.concat([earlier, part], how="diagonal")
            store.write_inspections(t, reported_on, every)


def share_of(lines: pl.DataFrame, number: int, of: int) -> pl.DataFrame:
    return lines.filter(hash_text(lines["declaration_id"]) % of == number)


def figure(table: pl.DataFrame, quantity: str, method: str = "random_share") -> dict[str, float]:
    (row,) = table.filter(quantity=quantity, method=method).to_dicts()
    return row


def test_a_census_gives_the_truth(store: Store, settings: Settings) -> None:
    truth = truth_of(store)
    report(store, truth, "random", 1.0)
    table = measured_performance(store, settings.risks, DAYS, MATURED, [0.05])
    assert dict(table.schema) == MEASURED_SCHEMA
    assert table["risk"].unique().to_list() == ["undervaluation"]
    assert table.height == len(METHODS) * len(QUANTITIES)
    parcels = pl.concat(
        [
            scored.with_columns(
                pl.Series("flagged", flagged_of_day(
                    scored["probability_undervaluation"].to_numpy(), scored["declaration_id"], 0.05
                ))
            )
            for day in DAYS
            for scored in [scored_parcels(store, day, settings.risks)]
        ]
    ).join(truth.group_by("declaration_id").agg(
        pl.col("undervaluation").any(), (pl.col("undervaluation").sum() * 50.0).alias("tax")
    ), on="declaration_id")  # fmt: skip
    flagged = parcels.filter("flagged")
    for method in ("random_share", "doubly_robust"):
        assert figure(table, "precision", method)["value"] == pytest.approx(flagged["undervaluation"].mean())
        assert figure(table, "recall", method)["value"] == pytest.approx(
            flagged["undervaluation"].sum() / parcels["undervaluation"].sum()
        )
        assert figure(table, "prevalence", method)["value"] == pytest.approx(parcels["undervaluation"].mean())
    # The same value on every line, so both rankings are one.
    assert figure(table, "tax_per_flagged_cny")["value"] == pytest.approx(flagged["tax"].mean(), rel=0.1)
    assert figure(table, "precision")["sample"] == flagged.height
    assert figure(table, "precision", "naive")["value"] is None


@pytest.mark.parametrize(
    ("selection", "chance"), [("referral", None), ("override", 0.5), ("rule", 0.9), ("exploration", 0.3)]
)
def test_referrals_overrides_and_rules_change_nothing(
    store: Store, settings: Settings, selection: str, chance: float | None
) -> None:
    truth = truth_of(store)
    report(store, share_of(truth, 0, 4), "random", 0.25)
    before = measured_performance(store, settings.risks, DAYS, MATURED, [0.02, 0.05])
    report(store, share_of(truth, 1, 4).filter("undervaluation"), selection, chance)
    # Not even where the same parcel is opened again.
    report(store, share_of(truth, 0, 4), selection, chance, after=6, found=True)
    assert measured_performance(store, settings.risks, DAYS, MATURED, [0.02, 0.05]).equals(before)


def test_choices_by_risk_enter_the_second_opinion_only_with_their_chance(
    store: Store, settings: Settings
) -> None:
    truth = truth_of(store)
    report(store, share_of(truth, 0, 4), "random", 0.25)
    before = measured_performance(store, settings.risks, DAYS, MATURED, [0.05])
    report(store, share_of(truth, 1, 4), "risk", None)
    unknown = measured_performance(store, settings.risks, DAYS, MATURED, [0.05])
    own = pl.col("method") != "naive"
    assert unknown.filter(own).equals(before.filter(own))
    assert figure(unknown, "prevalence", "naive")["value"] is not None
    report(store, share_of(truth, 2, 4), "random", None)
    assert (
        measured_performance(store, settings.risks, DAYS, MATURED, [0.05])
        .filter(own)
        .equals(before.filter(own))
    )


def test_known_chances_enter_the_second_opinion_and_not_the_headline(
    store: Store, settings: Settings
) -> None:
    truth = truth_of(store)
    report(store, share_of(truth, 0, 4), "random", 0.25)
    before = measured_performance(store, settings.risks, DAYS, MATURED, [0.05])
    report(store, share_of(truth, 1, 4), "risk", 1 / 3)
    after = measured_performance(store, settings.risks, DAYS, MATURED, [0.05])
    headline = pl.col("method") == "random_share"
    assert after.filter(headline).equals(before.filter(headline))
    second = figure(after, "prevalence", "doubly_robust")
    assert second["sample"] > figure(before, "prevalence", "doubly_robust")["sample"]


def test_results_still_to_come_are_not_negatives(store: Store, settings: Settings) -> None:
    maturity = timedelta(days=settings.risk("undervaluation").maturity_days)
    truth = truth_of(store)
    report(store, share_of(truth, 0, 2), "random", 0.5)
    # Opened so late that nothing is known yet when the days themselves have matured.
    report(store, share_of(truth, 1, 2), "random", 0.5, inspected_after=10, after=40)
    assert measured_performance(
        store, settings.risks, DAYS, DAYS[0] + maturity - timedelta(1), [0.05]
    ).is_empty()
    late = measured_performance(store, settings.risks, DAYS, DAYS[-1] + maturity + timedelta(1), [0.05])
    parcels = share_of(truth, 0, 2)["declaration_id"].n_unique()
    assert figure(late, "prevalence")["sample"] == parcels
    found = share_of(truth, 0, 2).group_by("declaration_id").agg(pl.col("undervaluation").any())
    assert figure(late, "prevalence")["findings"] == found["undervaluation"].sum()


def test_only_scored_days_count(store: Store, settings: Settings) -> None:
    report(store, truth_of(store), "random", 1.0)
    one = measured_performance(store, settings.risks, [DAYS[0], END + timedelta(days=9)], MATURED, [0.05])
    assert figure(one, "prevalence")["sample"] == scored_parcels(store, DAYS[0], settings.risks).height
    assert measured_performance(store, settings.risks, [], MATURED, [0.05]).is_empty()


def test_a_capacity_is_a_share(store: Store, settings: Settings) -> None:
    with pytest.raises(UsageError, match="above 0"):
        measured_performance(store, settings.risks, DAYS, MATURED, [0.05, 5.0])


def test_the_order_of_a_day_does_not_decide_between_equals() -> None:
    names = pl.Series([f"D{number}" for number in range(50)])
    flagged = flagged_of_day(np.zeros(50), names, 0.1)
    again = flagged_of_day(np.zeros(50), names.reverse(), 0.1)
    assert flagged.sum() == 5
    assert flagged.tolist() == again[::-1].tolist()
