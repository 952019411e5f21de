"""Whatever looks back in time, recomputed by plain SQL over the raw tables."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import duckdb
import polars as pl
import pytest

from configs.schema.settings import Settings
from features.assemble import FeatureSet
from tests.features.small_world import SmallWorld

Replayed = Callable[[SmallWorld], dict[date, FeatureSet]]

LABEL = "prohibited_item"
SQL = """
WITH lines AS (
    SELECT *, total_price * CASE currency WHEN 'CNY' THEN 1.0 WHEN 'USD' THEN {usd} END AS cny
    FROM declarations),
effective AS (
    SELECT i.declaration_id, i.line_no, last(i.{label} ORDER BY i.reported_on) AS finding,
           min(i.reported_on) AS first_known
    FROM inspections i WHERE i.reported_on < DATE '{day}' AND i.{label} IS NOT NULL GROUP BY ALL),
known AS (
    SELECT l.seller_id, l.hs_code, e.* FROM effective e JOIN lines l USING (declaration_id, line_no))
SELECT t.declaration_id, t.line_no,
    (SELECT count(*) FROM lines b
        WHERE b.seller_id = t.seller_id AND b.declared_on < t.declared_on) AS seller_lines,
    (SELECT date_diff('day', min(b.declared_on), t.declared_on) FROM lines b
        WHERE b.seller_id = t.seller_id AND b.declared_on < t.declared_on) AS seller_age_days,
    (SELECT coalesce(sum(round(b.cny * 100)), 0) / 100 FROM lines b
        WHERE b.seller_id = t.seller_id AND b.declared_on < t.declared_on) AS seller_value_cny,
    (SELECT coalesce(sum(pow(2, -date_diff('day', b.declared_on, t.declared_on) / 7.0)), 0) FROM lines b
        WHERE b.seller_id = t.seller_id AND b.declared_on < t.declared_on) AS seller_lines_7d,
    (SELECT count(*) FROM lines b WHERE substr(b.hs_code, 1, 6) = substr(t.hs_code, 1, 6)
        AND b.declared_on < t.declared_on) AS hs6_lines,
    (SELECT count(DISTINCT b.declaration_id) FROM lines b WHERE b.buyer_id = t.buyer_id
        AND b.declared_on = t.declared_on) AS buyer_parcels,
    (SELECT coalesce(sum(round(b.cny * 100)), 0) / 100 / 26000 FROM lines b WHERE b.buyer_id = t.buyer_id
        AND b.declared_on <= t.declared_on AND year(b.declared_on) = year(t.declared_on)) AS allowance_used,
    (SELECT count(*) FROM known k WHERE k.seller_id = t.seller_id) AS seller_inspected,
    (SELECT count(*) FROM known k WHERE k.seller_id = t.seller_id AND k.finding) AS seller_findings,
    (SELECT count(*) FROM known k WHERE k.seller_id = t.seller_id
        AND substr(k.hs_code, 1, 4) = substr(t.hs_code, 1, 4))        AS seller_hs4_inspected,
    (SELECT count(*) FROM lines b WHERE b.address_id = t.address_id AND b.declared_on < t.declared_on
        AND b.seller_id IS NOT NULL
        AND NOT EXISTS (SELECT 1 FROM lines o
            WHERE o.seller_id = b.seller_id AND o.declared_on < b.declared_on))
        / nullif((SELECT count(*) FROM lines b
            WHERE b.address_id = t.address_id AND b.declared_on < t.declared_on), 0)
        AS address_new_sellers_share
FROM lines t WHERE t.declared_on = DATE '{day}' ORDER BY t.declaration_id, t.line_no
"""
PAIRS = {
    "party__seller_lines": "seller_lines",
    "party__seller_age_days": "seller_age_days",
    "party__seller_value_cny": "seller_value_cny",
    "party__seller_lines_7d": "seller_lines_7d",
    "goods__hs6_lines": "hs6_lines",
    "same_day__buyer_parcels": "buyer_parcels",
    "same_day__allowance_used": "allowance_used",
    "hit_rate__seller_inspected": "seller_inspected",
    "hit_rate__seller_findings": "seller_findings",
    "hit_rate__seller_hs4_inspected": "seller_hs4_inspected",
    "party__address_new_sellers_share": "address_new_sellers_share",
}
PARTY_OF = {
    "party__seller": "seller_id",
    "hit_rate__seller": "seller_id",
    "same_day__buyer": "buyer_id",
    "same_day__allowance": "buyer_id",
}


def oracle(declarations: pl.DataFrame, inspections: pl.DataFrame, day: date, usd: float) -> pl.DataFrame:
    with duckdb.connect() as connection:
        connection.register("declarations", declarations.to_arrow())
        connection.register("inspections", inspections.to_arrow())
        return connection.sql(SQL.format(day=day, usd=usd, label=LABEL)).pl()


def frame_of(features: FeatureSet, settings: Settings) -> pl.DataFrame:
    return features.for_risk(settings.risks["prohibited_items"]).sort("declaration_id", "line_no")


def _inspected(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.select(pl.col("^hit_rate__.*_inspected$"))


def usd_rate(features: FeatureSet) -> float:
    return float(features.lines.filter(currency="USD")["_rate"][0])


@pytest.mark.parametrize("position", [0, 1, 5, 11])
def test_look_back_features_agree_with_sql(
    world: SmallWorld, replayed: Replayed, settings: Settings, position: int
) -> None:
    day = world.days[position]
    features = replayed(world)[day]
    ours = frame_of(features, settings)
    theirs = oracle(world.declarations, world.inspections, day, usd_rate(features))
    lines = features.lines.sort("declaration_id", "line_no")
    assert ours["declaration_id"].to_list() == theirs["declaration_id"].to_list()
    for feature, column in PAIRS.items():
        has_party = pl.Series([True] * ours.height)
        for prefix, party in PARTY_OF.items():
            if feature.startswith(prefix):
                has_party = has_party & lines[party].is_not_null()
        got = ours[feature].filter(has_party)
        expected = theirs[column].cast(pl.Float64).filter(has_party)
        assert got.is_null().to_list() == expected.is_null().to_list(), feature
        assert got.drop_nulls().to_list() == pytest.approx(expected.drop_nulls().to_list(), rel=1e-9), feature
        assert ours[feature].filter(~has_party).null_count() == (~has_party).sum(), feature


def test_a_result_counts_from_the_day_after_its_report(
    world: SmallWorld, replayed: Replayed, settings: Settings
) -> None:
    shifted_key = world.inspections.filter(
        pl.col(LABEL).is_not_null() & (pl.col("reported_on") == world.days[3])
    ).row(0, named=True)
    is_shifted = (
        (pl.col("declaration_id") == shifted_key["declaration_id"])
        & (pl.col("line_no") == shifted_key["line_no"])
        & (pl.col("reported_on") == world.days[3])
    )
    later = world.inspections.with_columns(
        reported_on=pl.when(is_shifted)
        .then(pl.col("reported_on") + timedelta(days=2))
        .otherwise(pl.col("reported_on"))
    )
    before, after = replayed(world), replayed(SmallWorld(world.declarations, later, world.days))
    changed = [
        day
        for day in world.days
        if not _inspected(frame_of(before[day], settings)).equals(_inspected(frame_of(after[day], settings)))
    ]
    assert changed == [world.days[4], world.days[5]]


def test_no_feature_depends_on_a_later_day(world: SmallWorld, replayed: Replayed, settings: Settings) -> None:
    cut = world.days[6]
    truncated = SmallWorld(
        world.declarations.filter(pl.col("declared_on") <= cut),
        world.inspections.filter(pl.col("reported_on") < cut),
        [day for day in world.days if day <= cut],
    )
    whole, part = replayed(world)[cut], replayed(truncated)[cut]
    for risk in settings.risks.values():
        assert whole.for_risk(risk).equals(part.for_risk(risk), null_equal=True)


def test_without_any_result_there_is_no_hit_rate(
    world: SmallWorld, replayed: Replayed, settings: Settings
) -> None:
    first, last = (frame_of(replayed(world)[world.days[place]], settings) for place in (0, -1))
    assert first["hit_rate__seller_rate"].null_count() == first.height
    known = last["hit_rate__seller_inspected"] > 0
    assert last["hit_rate__seller_rate"].is_not_null().to_list() == known.fill_null(False).to_list()
    assert known.any()


def test_nothing_that_is_the_same_for_all_lines_of_a_day_is_a_hit_rate(
    world: SmallWorld, replayed: Replayed, settings: Settings
) -> None:
    last = frame_of(replayed(world)[world.days[-1]], settings)
    assert not [name for name in last.columns if name.startswith("hit_rate__all")]
