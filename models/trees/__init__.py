"""Owns LightGBM trees as text, their columns as numbers, and their evaluation to the last bit.

Uses `features` and the settings of a risk.
Begin with `booster`.
"""
