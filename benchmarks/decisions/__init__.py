"""Owns what the choices of docs/decisions.md cost, beside what was not chosen: a script a choice.

Uses `judging`, `national` and `shared`.
Begin with `trees`.
"""
