"""Owns a simulated world of cross-border parcels, as no public labelled data exists: see docs/simulator.md.

Uses `store`, `work`, `documents`; its own rooms are `world`, `schemes`, `days`, `inspections`,
`documents` and `messages`.
Begin with `run`, then `world`.
"""

from pipelines.simulation.days.day import SimulatedDay, simulate_days
from pipelines.simulation.inspections.inspectorate import Inspectorate
from pipelines.simulation.run import SimulationOptions, SimulationReport, simulate
from pipelines.simulation.world.parameters import WorldParameters
from pipelines.simulation.world.state import World

__all__ = [
    "Inspectorate",
    "SimulatedDay",
    "SimulationOptions",
    "SimulationReport",
    "World",
    "WorldParameters",
    "simulate",
    "simulate_days",
]
