"""Owns judging a fitted risk: baselines, slices, leakage, the gate and its checks.

Uses `models.risk`, `models.trees`, `models.stats`.
Begin with `evaluation`, then `gate`.
"""
