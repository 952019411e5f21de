"""Owns what models and lists are judged on and against: simulated worlds, the released program, a reference
  model.

Uses `shared`.
Begin with `world_run`.
"""
