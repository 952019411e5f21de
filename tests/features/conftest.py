"""The small world, its features and its history, made once for all tests of features."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest

from configs.loader import load_settings
from configs.schema.settings import Settings
from features.assemble import FeatureSet
from features.history.state import History
from tests.features.small_world import SmallWorld, make_world, replay


@pytest.fixture(scope="session")
def settings() -> Settings:
    return load_settings()


@pytest.fixture(scope="session")
def world() -> SmallWorld:
    return make_world(seed=5, days=12, parcels=60)


@pytest.fixture(scope="session")
def replay_steps(world: SmallWorld, settings: Settings) -> list[tuple[date, FeatureSet, History]]:
    """Day, features and the history at its close, for every day of the world."""
    return replay(world, settings)


@pytest.fixture(scope="session")
def replayed(
    world: SmallWorld, settings: Settings, replay_steps: list[tuple[date, FeatureSet, History]]
) -> Callable[[SmallWorld], dict[date, FeatureSet]]:
    """The features of every line of a world, by day."""

    def features_of(given: SmallWorld) -> dict[date, FeatureSet]:
        steps = replay_steps if given is world else replay(given, settings)
        return {day: features for day, features, _ in steps}

    return features_of
