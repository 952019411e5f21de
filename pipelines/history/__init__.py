"""Owns the history on disk: the store read day by day, the sums of a day, profiles, what a day lacks.

Uses `store`, `work`.
Begin with `chronicle`.
"""
