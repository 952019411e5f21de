"""Weights of waybill and inventory."""

from __future__ import annotations

import pytest

from configs.schema.checks import ChecksConfig
from tests.features.checked_days import LINE, WAYBILL, day_of, findings, found


@pytest.mark.parametrize(
    ("declared", "carried", "rows"),
    [
        (1.0, 1.0, 0),
        # Within 0.1 kg, whatever the share.
        (0.3, 0.4, 0),
        (0.05, 0.15, 0),
        (0.3, 0.41, 1),
        # Within a tenth of the larger.
        (9.0, 10.0, 0),
        (2.2, 1.98, 0),
        (8.99, 10.0, 1),
        (10.0, 8.99, 1),
        (None, 10.0, 0),
        (10.0, None, 0),
    ],
)
def test_beyond_both_tolerances(declared: float | None, carried: float | None, rows: int) -> None:
    day = day_of([LINE | {"gross_weight_kg": declared}], waybills=[WAYBILL | {"gross_weight_kg": carried}])
    assert len(found(day)) == rows


def test_the_finding_and_exports() -> None:
    (row,) = findings(
        day_of([LINE | {"direction": "export"}], waybills=[WAYBILL | {"gross_weight_kg": 1.25}])
    )
    assert (row["check"], row["line_no"], row["outcome"]) == ("weight", None, "failed")
    assert (row["found"], row["expected"]) == ("inventory 1 kg", "waybill 1.25 kg")
    assert row["basis"] == "waybill W1 of C1"


def test_the_tolerances_are_configured() -> None:
    waybills = [WAYBILL | {"gross_weight_kg": 2.0}]
    assert found(day_of(waybills=waybills, config=ChecksConfig(weight_tolerance_kg=2.0))) == []
    assert found(day_of(waybills=waybills, config=ChecksConfig(weight_tolerance_share=0.6))) == []


def test_the_waybill_of_another_carrier_is_another() -> None:
    other = WAYBILL | {"carrier_id": "C2", "gross_weight_kg": 5.0}
    assert found(day_of(waybills=[WAYBILL, other])) == []
