"""Owns searches of parameters (the only room that knows Optuna) and of combinations of columns.

Uses `models.fitting` and what that uses.
Begin with `parameters`.
"""
