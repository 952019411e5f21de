"""Owns what documents add to the lists, and what they cost at volume.

Uses `national`, `judging` and `shared`.
Begin with `__main__`.
"""
