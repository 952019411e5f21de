"""The cases of listed parcels, against the store from which they were told."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from configs.errors import StoreError
from configs.loader import load_settings
from pipelines.cases.case import CASE, CASE_TYPE, MOST_SHOWN, PARTIES, TRAVELLED_BY, as_issued
from pipelines.cases.others import earlier_parcels
from pipelines.history.inspected import inspected_of
from pipelines.store.day_table import DayTable
from pipelines.store.files import read_whole
from tests.pipelines.store.test_digests import flip_a_bit
from tests.pipelines.trained_world import NIGHT, World

_LABELS = ("food_safety", "prohibited_item", "undervaluation")


@pytest.fixture(scope="module")
def cases(scored: World) -> pl.DataFrame:
    """A row a listed parcel: its `declaration_id`, and its case."""
    rows = pl.concat(read_whole(file) for file in scored.store.layout.issued(NIGHT))
    assert rows[CASE].null_count() == 0
    return rows.select(pl.col("declaration_id").alias("parcel"), CASE).unnest(CASE)


@pytest.fixture(scope="module")
def keys(scored: World) -> pl.DataFrame:
    """The keys of all parcels of the night."""
    lines = scored.store.read_declarations(NIGHT).sort("declaration_id", "line_no")
    ids = [f"{name}_id" for name in TRAVELLED_BY]
    return lines.group_by("declaration_id").agg(pl.col(ids).drop_nulls().first())


def test_earlier_parcels_are_those_of_which_something_was_reported_before_the_night(
    scored: World, cases: pl.DataFrame, keys: pl.DataFrame
) -> None:
    results = scored.store.read_inspections()
    results = results.filter(pl.any_horizontal(pl.col(_LABELS).is_not_null()))
    lines = scored.store.scan_declarations().select("declaration_id", "line_no", *_ids(PARTIES)).collect()
    known = lines.join(results, on=["declaration_id", "line_no"])
    counts, later = {}, 0
    for key in keys.join(cases, left_on="declaration_id", right_on="parcel", how="semi").iter_rows(
        named=True
    ):
        same = pl.any_horizontal(
            pl.col(name).is_in([key[name]]).fill_null(value=False) for name in _ids(PARTIES) if key[name]
        )
        of_parties = known.filter(same & (pl.col("declaration_id") != key["declaration_id"]))
        counts[key["declaration_id"]] = of_parties.filter(pl.col("reported_on") < NIGHT)[
            "declaration_id"
        ].n_unique()
        later += of_parties.filter(pl.col("reported_on") >= NIGHT).height
    assert {row["parcel"]: row["earlier_parcels"] or 0 for row in cases.iter_rows(named=True)} == counts
    assert later > 0, "nothing was reported later that might have been told"
    told = cases.explode("earlier").drop_nulls("earlier").select("earlier").unnest("earlier")
    assert told.height > 50
    assert told["reported_on"].max() == NIGHT - timedelta(days=1)
    assert told.filter(pl.col("found").list.len() > 0).height > 0
    first = results.filter(pl.col("reported_on") < NIGHT).sort("declaration_id", "line_no", "reported_on")
    found = first.group_by("declaration_id").agg(pl.col(_LABELS).any())
    whole = told.unique("declaration_id").join(found, on="declaration_id").rows(named=True)
    assert [row["found"] for row in whole] == [[name for name in _LABELS if row[name]] for row in whole]


def test_parcels_that_travel_together_share_a_key_of_the_day(cases: pl.DataFrame, keys: pl.DataFrame) -> None:
    of_parcel = {row["declaration_id"]: row for row in keys.iter_rows(named=True)}
    by_closest = [f"{name}_id" for name in TRAVELLED_BY if name != "seller"]
    companions = 0
    for row in cases.iter_rows(named=True):
        own = of_parcel[row["parcel"]]
        others = [each for name, each in of_parcel.items() if name != row["parcel"]]
        shared = {
            each["declaration_id"]: {
                name for name in by_closest if own[name] is not None and each[name] == own[name]
            }
            for each in others
        }
        meant = {name: set(by) for name, by in shared.items() if by}
        told = {
            each["declaration_id"]: {f"{name}_id" for name in each["by"]} for each in row["companions"] or ()
        }
        close = {name: by - {"seller_id"} for name, by in told.items() if by != {"seller_id"}}
        assert close.items() <= meant.items()
        assert len(close) == min(len(meant), MOST_SHOWN)
        assert (row["companion_parcels"] or 0) >= len(meant)
        companions += len(close)
    assert companions > 10


def test_parties_and_prices_are_those_of_the_eve(scored: World, cases: pl.DataFrame) -> None:
    eve = NIGHT - timedelta(days=1)
    assert set(cases["history_day"]) == {eve}
    assert set(cases["complete"]) == {True}
    assert cases["models"][0].struct.field("risk").to_list() == list(load_settings().risks)
    before = scored.store.scan_declarations(None, eve).collect()
    (lines,) = (scored.store.read_declarations(NIGHT),)
    seller = (
        lines.filter(pl.col("seller_id").is_not_null())
        .group_by("declaration_id")
        .agg(pl.col("seller_id").first())
    )
    parties = cases.select("parcel", "parties").explode("parties").unnest("parties").filter(party="seller")
    counted = before.group_by("seller_id").agg(pl.len(), pl.col("declared_on").min().alias("first"))
    joined = parties.join(seller, left_on="parcel", right_on="declaration_id").join(counted, on="seller_id")
    assert joined.height > 5
    assert joined["lines"].to_list() == joined["len"].to_list()
    assert joined["first_day"].to_list() == joined["first"].to_list()
    today = lines.group_by("seller_id").len()
    on_day = joined.join(today, on="seller_id", suffix="_today")
    assert on_day["lines_today"].to_list() == on_day["len_today"].to_list()
    prices = cases.select("prices").explode("prices").drop_nulls().unnest("prices")
    assert (
        prices.filter((pl.col("low") <= pl.col("median")) & (pl.col("median") <= pl.col("high"))).height > 20
    )


def test_a_list_that_is_issued_again_shows_the_case_as_it_was() -> None:
    then, now, other = (
        pl.DataFrame(
            {
                "declaration_id": ["A"],
                CASE: [{"complete": complete, "models": models, "earlier_parcels": earlier}],
            },
            schema={"declaration_id": pl.String, CASE: CASE_TYPE},
        )
        for complete, models, earlier in (
            (True, [{"risk": "r", "version": "1"}], 1),
            (True, [{"risk": "r", "version": "1"}], 2),
            (False, [{"risk": "r", "version": "1"}], 3),
        )
    )
    assert as_issued(now, [then, now])[CASE].struct.field("earlier_parcels").to_list() == [1]
    # What was told before all of the day was known is mended.
    assert as_issued(now, [other])[CASE].struct.field("earlier_parcels").to_list() == [2]
    assert as_issued(now, [then.drop(CASE)]).equals(now)


def test_of_an_earlier_parcel_the_line_with_the_finding_is_told() -> None:
    ids = ("declaration_id", "seller_id", "buyer_id", "address_id")
    keys = pl.DataFrame([("A", "s", "b", None)], schema=dict.fromkeys(ids, pl.String), orient="row")
    day = NIGHT - timedelta(days=9)
    unknown = (
        "buyer_id",
        "address_id",
        "found_item",
        "found_how",
        "assessed_unit_price",
        "recovered_tax_cny",
    )
    report = {
        "seller_id": "s", "declared_on": day, "item_name": "toy", "unit_price": 1.0, "currency": "CNY",
        "food_safety": None, **dict.fromkeys(unknown),
    }  # fmt: skip
    seen = [
        {"declaration_id": "A", "line_no": 1, "reported_on": day, "undervaluation": True},
        {"declaration_id": "B", "line_no": 1, "reported_on": day, "undervaluation": False},
        {"declaration_id": "B", "line_no": 2, "reported_on": day, "undervaluation": None},
        {"declaration_id": "B", "line_no": 2, "reported_on": NIGHT, "undervaluation": True},
        {"declaration_id": "C", "line_no": 1, "reported_on": day, "undervaluation": False},
        {"declaration_id": "D", "line_no": 1, "reported_on": day, "undervaluation": None},
    ]
    inspected = pl.DataFrame([report | each for each in seen], infer_schema_length=None)
    inspected = inspected.cast({"buyer_id": pl.String, "address_id": pl.String, "food_safety": pl.Boolean})
    (row,) = earlier_parcels(keys, inspected, ["food_safety", "undervaluation"]).rows(named=True)
    told = [
        (each["declaration_id"], each["line_no"], each["found"], each["examined"]) for each in row["earlier"]
    ]
    assert told == [("B", 2, ["undervaluation"], ["undervaluation"]), ("C", 1, [], ["undervaluation"])]
    assert row["earlier_parcels"] == 2


def test_a_damaged_table_of_inspected_lines_is_named_with_what_to_do(scored: World, tmp_path: Path) -> None:
    day = NIGHT - timedelta(days=1)
    copy = scored.copy(tmp_path).store
    keys = copy.read_declarations(NIGHT, _ids(PARTIES))
    assert inspected_of(copy, keys, NIGHT, 400).height > 0
    file = copy.layout.file(DayTable.INSPECTED, day)
    flip_a_bit(file)
    with pytest.raises(
        StoreError, match=f"{re.escape(str(file))} is damaged.*the next `train` writes it anew"
    ):
        inspected_of(copy, keys, NIGHT, 400)
    file.unlink()
    file.parent.rmdir()
    assert inspected_of(copy, keys, NIGHT, 400)["reported_on"].max() == day - timedelta(days=1)


def _ids(names: tuple[str, ...]) -> list[str]:
    return [f"{name}_id" for name in names]
