"""Owns a fitted risk: encoder, trees, calibration, value of a finding, and what explains a line.

Uses `models.trees`, `models.text`.
Begin with `risk_model`.
"""
