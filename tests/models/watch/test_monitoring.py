"""Results against probabilities: calibration, hit rates, lift, delay, newcomers, and what follows."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from configs.language import language
from configs.schema.monitoring import MonitoringConfig
from models.watch.monitoring import (
    HitRate,
    deflated_over_expected,
    delay,
    design_effect,
    newcomers,
    ratio,
    weighted_hit_rate,
)
from models.watch.risk_results import ALL_SHARES, RANDOM_SHARE, RiskResults, risk_results
from models.watch.verdict import delay_reasons, newcomer_reasons, result_reasons
from tests.english import english_in

CONFIG = MonitoringConfig()
LAST = date(2026, 11, 15)


def inspected(rng: np.random.Generator, *, findings: float = 1.0, lift: float = 4.0) -> pl.DataFrame:
    """Four weeks of inspected lines whose findings are `findings` times what the probabilities say."""
    lines = 6000
    selection = rng.choice(["random", "risk", "referral"], lines, p=[0.4, 0.5, 0.1])
    probability = rng.uniform(0.02, 0.10, lines) * np.where(selection == "risk", lift, 1.0)
    found = rng.random(lines) < np.where(selection == "referral", 0.9, probability * findings)
    return pl.DataFrame(
        {
            "declaration_id": [f"D{number}" for number in range(lines)],
            "seller_id": [None if number % 5 == 0 else f"S{number % 900}" for number in range(lines)],
            "declared_on": [LAST - timedelta(days=int(back)) for back in rng.integers(0, 28, lines)],
            "selection": selection,
            "inspection_probability": np.where(selection == "random", 0.1, 0.9),
            "label": found,
            "probability__r": probability,
            "version__r": "1",
        }
    )


def results(lines: pl.DataFrame, version: str | None = "1") -> RiskResults:
    return risk_results(lines, "r", "label", mature_to=LAST, weeks=4, version=version)


def test_probabilities_that_hold_give_no_reason() -> None:
    found = results(inspected(np.random.default_rng(1)))
    assert [row.share for row in found.calibration] == [RANDOM_SHARE, ALL_SHARES]
    for row in found.calibration:
        shown = row.as_dict()
        assert shown["low"] < 1.0 < shown["high"]
    assert result_reasons({"r": found}, CONFIG) == []
    assert len(found.weeks) == 4
    assert ratio(found.chosen, found.random).low > 2.0


@pytest.mark.parametrize(("factor", "level"), [(0.75, "watch"), (0.3, "retrain"), (2.2, "retrain")])
def test_probabilities_that_do_not_hold_are_named(factor: float, level: str) -> None:
    reasons = result_reasons({"r": results(inspected(np.random.default_rng(2), findings=factor))}, CONFIG)
    calibration = [reason for reason in reasons if reason.check == "calibration"]
    assert max(reason.level for reason in calibration if ALL_SHARES in reason.text) == level
    assert ("more" if factor > 1 else "fewer") in calibration[0].text
    assert not english_in(*(reason.message.in_language(language("zh-CN")) for reason in reasons))


def test_lists_no_better_than_random_picks_ask_for_retraining() -> None:
    reasons = result_reasons({"r": results(inspected(np.random.default_rng(3), lift=0.7))}, CONFIG)
    assert [(reason.level, reason.check) for reason in reasons] == [("retrain", "lift")]


def test_a_newest_week_without_findings_is_watched() -> None:
    lines = inspected(np.random.default_rng(4))
    newest = (pl.col("declared_on") > LAST - timedelta(days=7)) & (pl.col("selection") == "risk")
    fallen = lines.with_columns(pl.when(newest).then(False).otherwise(pl.col("label")).alias("label"))
    checks = [reason.check for reason in result_reasons({"r": results(fallen)}, CONFIG)]
    assert "hit rate" in checks


def test_what_depends_on_the_outcome_or_is_not_ripe_counts_nowhere() -> None:
    lines = inspected(np.random.default_rng(5))
    tomorrow = pl.lit(LAST + timedelta(days=1)).alias("declared_on")
    late = lines.with_columns(tomorrow, pl.lit(True).alias("label"))
    referred = lines.filter(selection="referral").with_columns(pl.lit(True).alias("label"))
    assert results(pl.concat([lines, late, referred])) == results(lines)


def test_calibration_is_that_of_the_present_version_where_it_has_results() -> None:
    lines = inspected(np.random.default_rng(6)).with_columns(
        pl.when(pl.col("declared_on") == LAST).then(pl.lit("2")).otherwise(pl.lit("1")).alias("version__r")
    )
    assert [list(row.versions) for row in results(lines, "2").calibration] == [["2"], ["2"]]
    assert [list(row.versions) for row in results(lines, "3").calibration] == [["1", "2"], ["1", "2"]]


def test_a_line_that_was_not_examined_has_no_finding_and_counts_in_no_hit_rate() -> None:
    lines = inspected(np.random.default_rng(7))
    unexamined = lines.with_columns(pl.when(pl.col("label")).then(True).alias("label"))
    assert results(unexamined).calibration == results(lines).calibration
    assert results(unexamined).chosen.rate == 1.0


def test_a_parcel_counts_once_however_many_lines_it_has() -> None:
    lines = inspected(np.random.default_rng(8))
    clean = lines.with_columns(pl.lit(False).alias("label"))
    thrice = results(pl.concat([lines, clean, clean]))
    once = results(lines)
    assert (thrice.chosen, thrice.random, thrice.weeks) == (once.chosen, once.random, once.weeks)
    assert thrice.calibration[0].lines == 3 * once.calibration[0].lines


def test_sellers_whose_lines_agree_widen_the_interval() -> None:
    probability, cluster = np.full(1000, 0.1), np.repeat(np.arange(100), 10)
    together = np.repeat(np.arange(100) < 10, 10)
    assert design_effect(probability, together, cluster) > 5.0
    apart = np.random.default_rng(8).random(1000) < 0.1
    assert design_effect(probability, apart, cluster) < 1.5
    assert design_effect(probability, np.zeros(1000, dtype=bool), cluster) == 1.0
    plain, wide = (deflated_over_expected(100, 100.0, effect=effect) for effect in (1.0, 8.0))
    assert wide.low < plain.low < 1.0 < plain.high < wide.high


def test_intervals_of_findings_over_expectation_contain_the_truth() -> None:
    rng = np.random.default_rng(9)
    found = [deflated_over_expected(int(count), 12.0) for count in rng.poisson(12.0, 1000)]
    assert np.mean([one.low <= 1.0 <= one.high for one in found]) >= 0.95
    assert math.isinf(deflated_over_expected(0, 0.0).high)


def test_the_random_share_is_weighted_back_to_all_parcels() -> None:
    rate = weighted_hit_rate(np.array([True] * 10 + [False] * 10), np.array([1.0] * 10 + [0.1] * 10))
    assert rate.rate == pytest.approx(1 / 11)
    assert rate.examined < 20
    assert weighted_hit_rate(np.array([], dtype=bool), np.array([])).examined == 0


def test_lift_without_findings_in_the_random_share_has_no_value_but_an_interval() -> None:
    found = ratio(HitRate(100, 20), HitRate(50, 0))
    assert math.isnan(found.value)
    assert found.low > 1.0
    assert math.isinf(ratio(HitRate(0, 0), HitRate(50, 0)).high)


def test_results_that_come_later_are_watched_and_the_same_delay_is_not() -> None:
    rng = np.random.default_rng(10)
    before = rng.integers(1, 5, 300).astype(float)
    slow, same = delay(before[:100] + 6, before), delay(before[:100], before)
    assert [reason.subject for reason in delay_reasons({"slow": slow, "same": same}, CONFIG)] == ["slow"]
    assert delay(np.array([]), before).chance == 1.0


def test_newcomers_alarm_where_there_are_more_than_on_ordinary_days() -> None:
    lines = np.full(15, 1000)
    usual = np.random.default_rng(11).binomial(1000, 0.1, 15)
    more = np.append(usual[:-1], 300)
    found = {"usual": newcomers(lines, usual, 0.01), "more": newcomers(lines, more, 0.01)}
    reasons = newcomer_reasons(found, CONFIG)
    assert [reason.subject for reason in reasons] == ["more"]
    assert "30.0%" in reasons[0].text
    assert "30.0% 的商品项" in reasons[0].message.in_language(language("zh-CN"))


def test_newcomers_of_days_that_differ_anyway_do_not_alarm() -> None:
    lines, new = np.full(8, 1000), np.array([20, 300, 50, 280, 30, 310, 40, 320])
    assert not newcomers(lines, new, 0.01).alarms
    assert not newcomers(np.array([0, 10]), np.array([0, 10]), 0.01).alarms


def test_too_few_findings_give_neither_rates_nor_a_reason() -> None:
    found = results(inspected(np.random.default_rng(5), lift=0.3))
    assert result_reasons({"r": found}, CONFIG)
    thin = replace(found, least_findings=10**6)
    assert not result_reasons({"r": thin}, CONFIG)
    told = thin.as_dict()
    for figure in (told["chosen_rate"], told["random_rate"], told["lift"]):
        assert math.isnan(figure["value"])
        assert math.isnan(figure["high"])
    assert told["chosen_rate"]["findings"] == found.chosen_findings > 0
    assert all(math.isnan(row["ratio"]) for row in told["calibration"])
    assert all(math.isnan(week["chosen_rate"]["value"]) for week in told["weeks"])
