"""Owns what models and lists are judged on and against: simulated worlds, the Korean table, a
  reference model.

Uses `shared`.
Begin with `world_run`.
"""
