"""What was reported on a day counts the same, whether it is read from the store or held by the caller."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from features.contract.declarations import LINE_KEY
from pipelines.history.chronicle import Chronicle
from tests.pipelines.trained_world import World


@pytest.fixture(scope="module")
def corrected(tmp_path_factory: pytest.TempPathFactory, untrained: World) -> tuple[Chronicle, pl.DataFrame]:
    """A store where some lines were reported twice, the second time the other way round; those lines."""
    world = untrained.copy(tmp_path_factory.mktemp("corrected"))
    store = world.store
    day = store.inspection_days()[-1] + timedelta(days=1)
    before = store.read_inspections().filter(pl.col("undervaluation").is_not_null())
    again = before.sort(LINE_KEY).gather_every(3).unique(LINE_KEY, keep="first", maintain_order=True)
    again = again.with_columns(~pl.col("undervaluation"), reported_on=pl.lit(day, pl.Date))
    with store.lock("feedback"), store.transaction() as t:
        store.write_inspections(t, day, again)
    return Chronicle(store, world.settings), again


def test_reports_that_the_caller_holds_count_as_those_of_the_store(
    corrected: tuple[Chronicle, pl.DataFrame],
) -> None:
    chronicle, _ = corrected
    days = chronicle.store.inspection_days()
    by_day = chronicle.results_by_day(days[-1])
    assert set(by_day) == set(days)
    for day in days:
        known = chronicle.store.read_inspections(reported_to=day)
        stored = chronicle.results(day)
        for other in (chronicle.results(day, known), by_day[day]):
            _assert_same(other, stored)


def test_a_correction_takes_back_what_the_first_report_added(
    corrected: tuple[Chronicle, pl.DataFrame],
) -> None:
    chronicle, again = corrected
    day = again["reported_on"][0]
    found = chronicle.results(day)["all"].select("inspected__undervaluation", "findings__undervaluation")
    said = int(again["undervaluation"].sum()) - int((~again["undervaluation"]).sum())
    assert again["undervaluation"].n_unique() == 2
    assert found.row(0) == (0, said)


def test_a_day_without_reports_counts_nothing(corrected: tuple[Chronicle, pl.DataFrame]) -> None:
    chronicle, again = corrected
    late = again["reported_on"][0] + timedelta(days=1)
    assert chronicle.results(late) == {}
    assert chronicle.results(late, chronicle.store.read_inspections()) == {}


def _assert_same(found: Mapping[str, pl.DataFrame], expected: Mapping[str, pl.DataFrame]) -> None:
    assert set(found) == set(expected)
    for name, table in expected.items():
        assert table.height > 0, name
        assert_frame_equal(found[name].sort("key"), table.sort("key"), check_exact=True)
