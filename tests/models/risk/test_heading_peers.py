"""The order of a line's blocks is settled by putting other lines of its heading in its place."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from models.fitting.training import FittedRisk
from models.risk.heading_peers import HeadingPeers
from models.risk.risk_model import RiskModel
from models.trees.blend import Blend
from models.trees.booster import TreeSettings, train_booster
from models.trees.matrix import Matrix

BLOCKS = np.array(["goods", "party", "price"])
PLACES = np.arange(3)


@pytest.fixture(scope="module")
def booster() -> Blend:
    """Findings where the party is bad, whatever the price; goods tell nothing."""
    rng = np.random.default_rng(4)
    values = rng.random((3000, 3))
    found = rng.random(3000) < np.where(values[:, 1] > 0.7, 0.5, 0.02)
    matrix = Matrix(values, ("goods__a", "party__b", "price__c"), ())
    given = {"num_leaves": 4, "feature_fraction": 1.0}
    settings = TreeSettings(rounds=30, seed=1, parameters=given)
    return Blend.of(train_booster(matrix, found, settings).booster, 3)


@pytest.fixture(scope="module")
def peers() -> HeadingPeers:
    rng = np.random.default_rng(5)
    headings = pl.Series(["9503"] * 60 + ["1901"] * 7 + ["0106"] * 4 + [None] * 30, dtype=pl.String)
    values = rng.random((len(headings), 3))
    values[:, 1] *= 0.6
    return HeadingPeers.fit(headings, values)


def test_the_last_twenty_lines_of_each_heading_are_kept() -> None:
    headings = pl.Series(["9503"] * 60 + ["1901"] * 7 + ["0106"] * 4 + [None] * 30, dtype=pl.String)
    peers = HeadingPeers.fit(headings, np.arange(len(headings), dtype=np.float64)[:, None])
    assert peers.headings == ("1901", "9503")
    assert peers.ends.tolist() == [7, 27]
    assert peers.values[:7, 0].tolist() == list(range(60, 67))
    assert peers.values[7:, 0].tolist() == list(range(40, 60))


def settled(peers: HeadingPeers, booster: Blend, headings: list[str | None]) -> pl.DataFrame:
    lines = len(headings)
    pushes = pl.DataFrame({"goods": [0.5] * lines, "party": [1.0] * lines, "price": [2.0] * lines})
    values = np.tile([0.5, 0.9, 0.5], (lines, 1))
    return peers.settled(
        pushes, pl.Series(headings, dtype=pl.String), values, PLACES, blocks=BLOCKS, booster=booster
    )


def test_the_block_without_which_the_score_falls_most_comes_first(
    peers: HeadingPeers, booster: Blend
) -> None:
    got = settled(peers, booster, ["9503", "1901"])
    # The same figures, handed out anew: the party's replacement takes the score away.
    assert got["party"].to_list() == [2.0, 2.0]
    assert sorted(got.row(0)) == [0.5, 1.0, 2.0]


def test_a_heading_without_peers_leaves_the_order_as_it_is(peers: HeadingPeers, booster: Blend) -> None:
    got = settled(peers, booster, ["0106", None, "8517"])
    assert got["price"].to_list() == [2.0] * 3
    assert got["party"].to_list() == [1.0] * 3


def test_a_block_outside_the_three_largest_stays_where_it_is(booster: Blend, peers: HeadingPeers) -> None:
    pushes = pl.DataFrame({"a": [3.0], "b": [2.5], "c": [2.0], "party": [1.0]})
    got = peers.settled(
        pushes, pl.Series(["9503"]), np.array([[0.5, 0.9, 0.5]]), PLACES,
        blocks=np.array(["a", "party", "c"]), booster=booster,
    )  # fmt: skip
    assert got["party"].to_list() == [1.0]
    assert sorted(got.row(0), reverse=True) == [3.0, 2.5, 2.0, 1.0]


def test_peers_are_saved_with_the_model_and_no_batch_changes_an_order(
    fitted: FittedRisk, frame: pl.DataFrame, tmp_path: Path
) -> None:
    lines = frame.head(400).with_columns(pl.col("goods__hs6").alias("hs_code"))
    model = fitted.model.with_background(lines)
    whole = model.contributions_in_heading(lines)
    parts = [model.contributions_in_heading(part) for part in (lines[:3], lines[3:])]
    assert pl.concat(parts).equals(whole)
    model.save(tmp_path)
    assert RiskModel.load(tmp_path).contributions_in_heading(lines).equals(whole)
    assert whole.columns == fitted.model.contributions(lines).columns
