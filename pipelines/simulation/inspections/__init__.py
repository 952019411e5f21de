"""Owns what simulated inspectors open and find, and the truth that is kept for evaluation.

Uses the other rooms of `simulation`.
Begin with `inspectorate`.
"""
