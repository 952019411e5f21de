"""Owns which parcels of a day are opened: draws with known chances, caps, order, and the planner.

Uses `features` and the capacities of the configuration.
Begin with `select`.
"""
