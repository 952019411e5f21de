"""Owns what a monitored day is judged by: shifts of columns, results that came in, the verdict.

Uses `models.stats`, `models.fitting`.
Begin with `monitoring`, then `verdict`.
"""
