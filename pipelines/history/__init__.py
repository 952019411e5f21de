"""Owns the history on disk: the store read day by day, the sums of a day, stored and mapped histories.

Uses `store`.
Begin with `chronicle`.
"""
