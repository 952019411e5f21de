"""Owns figures about rankings and distributions that know nothing of a risk: metrics with intervals,
  drift, spread.

Uses nothing of the project but array types and the settings of training.
Begin with `metrics`.
"""
