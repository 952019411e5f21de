"""Owns data that others made, judged as it comes: the Korean table, two agencies' tables, an office's days.

Uses `judging` and `shared`.
Begin with `agencies`.
"""
