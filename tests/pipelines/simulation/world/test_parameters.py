"""Parameters no world can have are refused by name."""

from dataclasses import replace

import pytest

from pipelines.cli.verbs.simulate import OFFICERS_OF_WORLDS
from pipelines.simulation.world.parameters import OFFICERS, WorldParameters


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("undervaluation_rate", 1.2, r"undervaluation_rate: expected a number in \[0, 1\], got 1.2"),
        ("sensitivity_food", -0.1, r"sensitivity_food: expected a number in \[0, 1\], got -0.1"),
        ("sellers", 0, "sellers: expected a whole number from 1, got 0"),
        ("sparsity", 1.0, r"sparsity: expected a number in \[0, 1\), got 1.0"),
        ("officers", "by_mood", "officers: expected one of programmes, watch_list, .*, got by_mood"),
        ("lines_per_parcel", 0.5, "lines_per_parcel: expected a number from 1, got 0.5"),
        ("undervaluation_mix", (0.0, 0.0, 0.0), "undervaluation_mix: expected three shares"),
    ],
)
def test_impossible_numbers_are_refused(name: str, value: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(WorldParameters(), **{name: value})  # type: ignore[arg-type]


def test_the_parties_grow_with_the_volume() -> None:
    small, large = WorldParameters.for_volume(100), WorldParameters.for_volume(10_000)
    assert small.sellers < large.sellers
    assert small.buyers < large.buyers
    assert small.undervaluation_rate == large.undervaluation_rate


def test_a_sparse_world_has_half_the_inspections() -> None:
    usual = WorldParameters()
    sparse = usual.sparse()
    assert sparse.sparsity == 0.4
    assert sparse.inspection_share == usual.inspection_share / 2
    assert sparse.random_share == usual.random_share / 2


def test_other_officers_change_inspections_and_not_who_trades() -> None:
    usual = WorldParameters.for_volume(600)
    assert usual.with_officers("programmes") is usual
    others = [usual.with_officers(kind) for kind in OFFICERS[1:]]
    assert len({world.officers for world in others}) == len(OFFICERS) - 1
    assert all(world.random_share < usual.random_share / 5 for world in others)
    assert all((world.sellers, world.buyers) == (usual.sellers, usual.buyers) for world in others)
    assert replace(others[0].with_faulty_records(), officers="price").unknown_selection_share > 0


def test_the_command_line_offers_every_kind_of_officers() -> None:
    assert OFFICERS_OF_WORLDS == OFFICERS
