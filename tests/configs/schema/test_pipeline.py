"""The pipeline's configuration: what is packaged, and what is refused."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from configs.loader import load_settings
from configs.schema.pipeline import (
    Combination,
    HistoryConfig,
    IngestConfig,
    PeerLevel,
    PeersConfig,
    PipelineConfig,
    TrainingConfig,
)
from configs.schema.tuning import TuningConfig


def test_defaults_in_code_are_the_packaged_ones() -> None:
    packaged = load_settings().pipeline
    bare = PipelineConfig(
        ingest=IngestConfig(null_words=packaged.ingest.null_words),
        history=HistoryConfig(parties=packaged.history.parties, combinations=packaged.history.combinations),
        peers=PeersConfig(levels=packaged.peers.levels, goods_levels=packaged.peers.goods_levels),
        training=TrainingConfig(candidates=packaged.training.candidates),
        tuning=TuningConfig(space=packaged.tuning.space),
    )
    assert bare == packaged


def test_peer_levels_go_from_long_to_short() -> None:
    levels = [level.columns for level in load_settings().pipeline.peers.levels]
    assert levels == [("hs_code", "origin_country"), ("hs6", "origin_country"), ("hs6",), ("hs4",), ("hs2",)]


def test_hit_rate_keys_name_each_key_once_and_after_its_backoff() -> None:
    history = load_settings().pipeline.history
    seen: set[str] = set()
    for key in history.hit_rate_keys:
        assert key.name not in seen
        assert key.backoff is None or key.backoff in seen
        seen.add(key.name)
    assert {party.removesuffix("_id") for party in history.parties} <= seen


def test_parties_that_no_combination_spells_out_are_added() -> None:
    history = HistoryConfig(
        parties=("seller_id", "buyer_id"),
        combinations=(
            Combination(name="all", columns=()),
            Combination(name="buyer", columns=("buyer_id",), backoff="all"),
            Combination(name="seller_hs6", columns=("seller_id", "hs6"), backoff="seller"),
        ),
    )
    keys = {key.name: key for key in history.hit_rate_keys}
    assert list(keys) == ["all", "seller", "buyer", "seller_hs6"]
    assert keys["seller"] == Combination(name="seller", columns=("seller_id",), backoff="all")


def test_a_history_without_a_prior_has_no_backoff() -> None:
    history = HistoryConfig(parties=("seller_id",), combinations=())
    assert [key.backoff for key in history.hit_rate_keys] == [None]


def test_configuration_can_be_a_key_of_a_cache() -> None:
    assert hash(load_settings().pipeline) == hash(load_settings().pipeline)


@pytest.mark.parametrize(
    ("combinations", "message"),
    [
        ([{"name": "a", "columns": ["hs6"], "backoff": "b"}], "listed above it"),
        ([{"name": "a", "columns": ["hs6"], "backoff": "a"}], "listed above it"),
        ([{"name": "a", "columns": ["hs6"]}, {"name": "a", "columns": ["hs4"]}], "listed twice"),
        ([{"name": "a", "columns": ["hs6", "hs6"]}], "a column stands in it twice"),
        ([{"name": "A b", "columns": ["hs6"]}], "should match pattern"),
        ([{"name": "a", "columns": list("uvwxyz")}], "at most 5 items"),
    ],
)
def test_combinations_that_make_no_sense(combinations: list[dict[str, object]], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        HistoryConfig.model_validate({"parties": ["seller_id"], "combinations": combinations})


@pytest.mark.parametrize("parties", [["seller"], ["seller_id", "seller_id"]])
def test_parties_are_different_id_columns(parties: list[str]) -> None:
    with pytest.raises(ValidationError, match="different columns that end in _id"):
        HistoryConfig.model_validate({"parties": parties, "combinations": []})


@pytest.mark.parametrize("capacities", [(0.1, 0.05), (0.1, 0.1)])
def test_capacities_rise(capacities: tuple[float, ...]) -> None:
    with pytest.raises(ValidationError, match="from small to large"):
        TrainingConfig(capacities=capacities)


def test_levels_have_names_of_their_own() -> None:
    level = PeerLevel(name="hs6", columns=("hs6",))
    with pytest.raises(ValidationError, match="two levels have the same name"):
        PeersConfig(levels=(level, level))


def test_configuration_is_immutable() -> None:
    config = IngestConfig()
    with pytest.raises(ValidationError, match="frozen"):
        setattr(config, "tolerance", 0.5)  # noqa: B010 (mypy knows that it is read-only)
