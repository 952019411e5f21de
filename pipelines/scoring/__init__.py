"""Owns the functions that a night maps over buckets, the task of a day, folding it, the models in use.

Uses `history`, `store`, `work`.
Begin with `bucket`.
"""
