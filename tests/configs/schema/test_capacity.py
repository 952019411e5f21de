"""How many parcels of an office stand on its list."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from configs.loader import load_settings
from configs.schema.capacity import CapacityConfig, ListCapacity, OfficeCapacity, OfficeOverride


def test_defaults_in_code_are_the_packaged_ones() -> None:
    assert CapacityConfig() == load_settings().capacity


@given(
    parcels=st.none() | st.integers(0, 10_000),
    share=st.floats(0, 1),
    minimum=st.integers(0, 1_000),
    present=st.integers(0, 100_000),
)
def test_places_never_exceed_the_parcels(
    parcels: int | None, share: float, minimum: int, present: int
) -> None:
    places = OfficeCapacity(parcels=parcels, share=share, minimum=minimum).places(present)
    assert 0 <= places <= present
    assert places >= min(present, minimum if parcels is None else parcels)


@pytest.mark.parametrize(("share", "parcels", "places"), [(0.07, 100, 7), (0.005, 201, 2), (0.1, 30, 3)])
def test_a_share_rounds_up_but_not_beyond_an_exact_number(share: float, parcels: int, places: int) -> None:
    assert OfficeCapacity(share=share, minimum=0).places(parcels) == places


def test_an_office_overrides_only_what_it_sets() -> None:
    config = CapacityConfig(
        default=OfficeCapacity(share=0.01, minimum=5),
        offices={"0101": OfficeOverride(minimum=20), "4601": OfficeOverride(parcels=3)},
    )
    assert config.for_office("0101") == OfficeCapacity(share=0.01, minimum=20)
    assert config.for_office("4601").places(1_000) == 3
    assert config.for_office("elsewhere") == config.default


def test_an_office_with_a_share_does_not_inherit_a_number() -> None:
    offices = {"4601": OfficeOverride(share=0.5, minimum=0)}
    config = CapacityConfig(default=OfficeCapacity(parcels=100), offices=offices)
    assert config.for_office("4601").places(10) == 5


def test_exports_have_a_list_where_they_are_given_places() -> None:
    assert CapacityConfig().for_office("4601").exports is None
    own = {"offices": {"4601": {"exports": {"parcels": 20}, "parcels": 60}, "5316": {"share": 0.01}}}
    config = CapacityConfig.model_validate({"default": {"exports": {"share": 0.1}}, **own})
    assert config.for_office("4601").exports == ListCapacity(parcels=20)
    assert config.for_office("4601").parcels == 60
    assert config.for_office("5316").exports == ListCapacity(share=0.1)
    assert config.for_office("2244").exports == ListCapacity(share=0.1)


def test_no_shift_goes_by_the_name_of_the_list_of_exports() -> None:
    shifts = {"shifts": {"exports": 3, "late": 2}}
    assert CapacityConfig.model_validate({"offices": {"4601": shifts}}).for_office("4601").places(100) == 5
    for wrong in (
        {"default": {"exports": {}}, "offices": {"4601": shifts}},
        {"default": shifts, "offices": {"4601": {"exports": {"parcels": 3}}}},
    ):
        with pytest.raises(ValidationError, match="4601: expected a shift of another name than 'exports'"):
            CapacityConfig.model_validate(wrong)


def test_an_office_code_may_look_like_a_number() -> None:
    config = CapacityConfig.model_validate({"offices": {4601: {"parcels": 3}}})
    assert config.for_office("4601").parcels == 3


@pytest.mark.parametrize(
    "wrong", [{"random_share": 1.5}, {"default": {"parcels": -1}}, {"caps": {"per_seller": 0}}]
)
def test_numbers_out_of_range(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match="Input should be"):
        CapacityConfig.model_validate(wrong)
