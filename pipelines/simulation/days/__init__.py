"""Owns the days of a simulated world: its parcels as declarations.

Uses `simulation.world`, `simulation.schemes`.
Begin with `day`.
"""
