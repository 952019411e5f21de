"""Owns what the choices of docs/decisions.md cost, beside what was not chosen: a script a choice.

Uses `national`.
Begin with `trees`.
"""
