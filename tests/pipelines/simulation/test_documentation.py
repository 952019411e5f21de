"""docs/simulator.md names every parameter with the value that it has."""

from dataclasses import fields

import pytest

from pipelines.simulation.world.parameters import WorldParameters
from tests.places import ROOT

PAGE = ROOT / "docs" / "simulator.md"


@pytest.mark.parametrize("name", [field.name for field in fields(WorldParameters)])
def test_every_parameter_is_documented_with_its_default(name: str) -> None:
    default = getattr(WorldParameters(), name)
    assert f"| `{name}` | {default} | " in PAGE.read_text(encoding="utf-8")
