"""What any parcel of a simulated store would show: as often found, and as late, as by the world's own
officers.
"""

from datetime import date

import numpy as np
import polars as pl

from features.contract.inspections import validate_inspections
from pipelines.simulation.inspections.oracle import examined

OPENED = date(2026, 11, 2)
LINES = 20_000


def made() -> pl.DataFrame:
    number = pl.Series(np.arange(LINES))
    kind = number % 4
    return pl.DataFrame(
        {
            "declaration_id": number.cast(pl.String),
            "line_no": pl.Series([1], dtype=pl.Int32).new_from_index(0, LINES),
            "direction": "import",
            "hs_code": pl.Series(["1905", "9503"])[(number % 2).to_list()],
            "quantity": 2.0,
            "unit_price": 10.0,
            "undervaluation": kind == 1,
            "prohibited_item": kind == 2,
            "food_safety": kind == 0,
            "true_unit_price": pl.Series([10.0, 20.0])[(kind == 1).cast(pl.Int64).to_list()],
            "tax_shortfall_cny": pl.Series([0.0, 100.0])[(kind == 1).cast(pl.Int64).to_list()],
            "mechanism": pl.Series(["honest", "order_splitting"])[(kind == 1).cast(pl.Int64).to_list()],
            "cny_rate": 1.0,
            "opened_on": OPENED,
        }
    )


def test_inspections_miss_and_wait_as_those_of_the_world() -> None:
    lines = made()
    shown = examined(lines, seed=3)
    assert validate_inspections(shown).rejected.is_empty()
    # Of parts of split orders 0.8 x 0.7 are noticed, of hidden goods 0.92, of unsafe food 0.9.
    for label, share in (("undervaluation", 0.56), ("prohibited_item", 0.92), ("food_safety", 0.9)):
        known = shown.filter(pl.col(label).is_not_null()).join(
            lines.filter(pl.col(label)).select("declaration_id"), on="declaration_id"
        )
        assert abs(float(known[label].cast(pl.Float64).mean()) - share) < 0.025  # type: ignore[arg-type]
    waits = shown.with_columns((pl.col("reported_on") - OPENED).dt.total_days().alias("days"))
    spans = {
        label: waits.filter(pl.col(label).is_not_null())["days"]
        for label in ("prohibited_item", "undervaluation", "food_safety")
    }
    assert sorted(spans["prohibited_item"].unique()) == [0, 1, 2]
    assert 3 <= min(spans["undervaluation"]) < max(spans["undervaluation"]) <= 20
    assert 10 <= min(spans["food_safety"]) < max(spans["food_safety"]) <= 35
    found = shown.filter(pl.col("undervaluation") & (pl.col("declaration_id").cast(pl.Int64) % 4 == 1))
    assert found["recovered_tax_cny"].is_between(75.0, 100.0).all()
    assert shown.filter(~pl.col("undervaluation"))["recovered_tax_cny"].null_count() > 0


def test_a_line_shows_the_same_whatever_is_opened_beside_it() -> None:
    lines = made().head(400)
    whole = examined(lines, seed=3)
    part = examined(lines.reverse().head(50), seed=3)
    alone = whole.join(part.select("declaration_id").unique(), on="declaration_id", how="semi")
    assert part.equals(alone)
    assert not examined(lines, seed=4).equals(whole)
