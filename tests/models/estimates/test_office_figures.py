"""Rates, lift and delay of an office against figures worked out by hand."""

from __future__ import annotations

import math
from datetime import date
from typing import Any

import polars as pl
import pytest

from models.estimates.office_figures import (
    LISTED_PARCEL_COLUMNS,
    delays,
    hit_rates,
    lifts,
    mantel_haenszel,
    skipped_draws,
)

MONDAY, NEXT = date(2026, 11, 16), date(2026, 11, 23)


def parcels(*groups: tuple[str, date, str, int, int], **values: Any) -> pl.DataFrame:
    """Groups of office, week, selection, parcels and findings."""
    rows = [
        {
            "declaration_id": f"{office}-{week}-{selection}-{number}", "customs_office": office, "week": week,
            "declared_on": week, "selection": selection, "inspected": True, "examined": True,
            "found": number < findings,
            "recovered_tax_cny": 60.0 if number < findings else 0.0, "delay_days": number % 10,
        } | values
        for office, week, selection, count, findings in groups
        for number in range(count)
    ]  # fmt: skip
    return pl.DataFrame(rows, schema=LISTED_PARCEL_COLUMNS)


def test_a_hit_rate_has_wilsons_interval_and_too_few_have_none() -> None:
    found = hit_rates(
        parcels(("A", MONDAY, "risk", 10, 5), ("A", MONDAY, "random", 9, 3)), ["customs_office"], 5
    )
    few, rate = found.to_dicts()
    assert (rate["selection"], rate["inspected"], rate["findings"], rate["hit_rate"]) == ("risk", 10, 5, 0.5)
    # Wilson 1927: (0.5 + z2/20 ± z sqrt(0.025 + z2/400)) / (1 + z2/10) with z2 = 3.8415
    assert [round(rate[end], 3) for end in ("low", "high")] == [0.237, 0.763]
    assert (rate["recovered_tax_cny"], rate["tax_per_inspection"]) == (300.0, 30.0)
    assert [few[name] for name in ("hit_rate", "low", "high", "tax_per_inspection")] == [None] * 4
    assert (few["inspected"], few["findings"], few["recovered_tax_cny"]) == (9, 3, 180.0)


def test_too_few_findings_make_no_hit_rate_however_many_parcels_there_are() -> None:
    row = hit_rates(parcels(("A", MONDAY, "risk", 50, 9)), [], 10).row(0, named=True)
    assert [row[name] for name in ("hit_rate", "low", "high", "tax_per_inspection")] == [None] * 4
    assert (row["inspected"], row["findings"]) == (50, 9)


def test_taxes_that_nobody_told_are_not_known() -> None:
    group = ("A", MONDAY, "risk", 20, 12)
    told, untold = parcels(group), parcels(group, recovered_tax_cny=None)
    names = ("recovered_tax_cny", "tax_per_inspection")
    assert hit_rates(untold, [], 5).select(names).row(0) == (None, None)
    # Who told some brought in that much.
    assert hit_rates(pl.concat([told, untold]), [], 5).select(names).row(0) == (720.0, 18.0)


def test_a_parcel_that_was_not_examined_counts_in_no_rate() -> None:
    rows = pl.concat([
        parcels(("A", MONDAY, "risk", 20, 5)),
        parcels(("A", NEXT, "risk", 20, 0), examined=False),
    ])  # fmt: skip
    row = hit_rates(rows, [], 1).row(0, named=True)
    assert (row["inspected"], row["examined"], row["hit_rate"], row["tax_per_inspection"]) == (
        40,
        20,
        0.25,
        7.5,
    )


def test_the_lift_compares_within_office_and_week() -> None:
    # Office A finds 40% of what it chooses and 20% at random, office B 10% and 5%: twice as many in each.
    # Thrown together they would say (40 + 2) / 120 over (4 + 5) / 120 = 4.7.
    rows = parcels(
        ("A", MONDAY, "risk", 100, 40), ("A", MONDAY, "random", 20, 4),
        ("B", MONDAY, "risk", 20, 2), ("B", MONDAY, "random", 100, 5),
    )  # fmt: skip
    whole = lifts(rows, [], 5).row(0, named=True)
    assert [whole[name] for name in ("chosen_findings", "chosen", "random_findings", "random")] == [
        42,
        120,
        9,
        120,
    ]
    assert whole["lift"] == pytest.approx(2.0)
    # Greenland and Robins: P = sum (m1 m0 t - a b N) / N2, R = sum a m0 / N, S = sum b m1 / N
    p = (100 * 20 * 44 - 40 * 4 * 120 + 20 * 100 * 7 - 2 * 5 * 120) / 120**2
    r, s = (40 * 20 + 2 * 100) / 120, (4 * 100 + 5 * 20) / 120
    spread = math.exp(1.959964 * math.sqrt(p / (r * s)))
    assert whole["low"] == pytest.approx(2.0 / spread, rel=1e-6)
    assert whole["high"] == pytest.approx(2.0 * spread, rel=1e-6)
    by_office = lifts(rows, ["customs_office"], 5)
    assert by_office["lift"].to_list() == pytest.approx([2.0, 2.0])
    assert (by_office["high"] / by_office["low"] > whole["high"] / whole["low"]).all()


def test_of_one_stratum_it_is_the_ratio_with_katzs_interval() -> None:
    value, low, high = mantel_haenszel([(40, 100, 10, 100)], 10)
    assert value == pytest.approx(4.0)
    half = 1.959964 * math.sqrt(1 / 40 - 1 / 100 + 1 / 10 - 1 / 100)
    assert low == pytest.approx(4.0 * math.exp(-half), rel=1e-6)
    assert high == pytest.approx(4.0 * math.exp(half), rel=1e-6)


def test_weeks_and_offices_without_a_random_share_do_not_count() -> None:
    rows = parcels(("A", MONDAY, "risk", 50, 25), ("A", NEXT, "random", 50, 5), ("A", NEXT, "rule", 50, 50))
    whole = lifts(rows, [], 5).row(0, named=True)
    assert whole["lift"] is None
    assert (whole["chosen"], whole["random"]) == (0, 0)


@pytest.mark.parametrize(
    "stratum",
    [(4, 9, 2, 50), (4, 50, 2, 9), (3, 50, 1, 50), (30, 50, 0, 50), (0, 50, 30, 50)],
    ids=["few chosen", "few at random", "few findings", "none at random", "none chosen"],
)
def test_too_few_make_no_lift(stratum: tuple[int, int, int, int]) -> None:
    assert mantel_haenszel([stratum], 5) == (None, None, None)


def test_the_delay_is_that_of_half_and_of_most_parcels() -> None:
    rows = parcels(("A", MONDAY, "risk", 20, 1), ("B", MONDAY, "risk", 9, 1))
    assert delays(rows, ["customs_office"]).rows() == [("A", 20, 4.0, 8.0), ("B", 9, None, None)]
    none = parcels(("A", MONDAY, "risk", 20, 1), delay_days=None)
    assert delays(none, []).rows() == [(0, None, None)]


def test_an_office_that_leaves_out_draws_is_named() -> None:
    counts = pl.DataFrame(
        [("A", "random", 20, 8), ("A", "risk", 100, 90), ("B", "random", 20, 17), ("B", "risk", 100, 90),
         ("C", "random", 9, 0), ("C", "risk", 100, 90)],
        schema=["customs_office", "selection", "listed", "opened"], orient="row",
    )  # fmt: skip
    assert skipped_draws(counts) == ["A"]
