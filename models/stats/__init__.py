"""Owns figures about rankings and distributions that know nothing of a risk: metrics with intervals,
  drift, spread.

Uses nothing of the project.
Begin with `metrics`.
"""
