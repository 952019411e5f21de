"""The exit codes are part of the contract with whoever calls the program."""

from __future__ import annotations

import pytest

from configs import errors


@pytest.mark.parametrize(
    ("name", "exit_code"),
    [
        ("ParcelRiskError", 1),
        ("StoreError", 1),
        ("StoreLockedError", 1),
        ("TrackingError", 1),
        ("ConfigurationError", 2),
        ("UsageError", 2),
        ("DataError", 3),
        ("NoChampionError", 4),
    ],
)
def test_exit_codes(name: str, exit_code: int) -> None:
    error = getattr(errors, name)("words")
    assert isinstance(error, errors.ParcelRiskError)
    assert error.exit_code == exit_code
    assert str(error) == "words"
