"""Owns fitting a risk: splits in time, weights, blocks of days, rates for training, the prevalence.

Uses `models.risk`, `models.trees`, `models.stats`, `models.judging`.
Begin with `training`.
"""
