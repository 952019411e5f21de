"""Owns the judgement of a model on a later period, beside plain rivals.

Uses `training`, `pages`, `history`, `store`, `work`.
Begin with `evaluate`.
"""
