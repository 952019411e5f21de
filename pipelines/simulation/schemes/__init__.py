"""Owns what dishonest sellers do, one module a risk.

Uses `simulation.world`.
Begin with `undervaluation`.
"""
