"""Owns compiled functions of arrays: hashes, distinct rows, sums by group, places of keys, quantiles.

Uses nothing of the project.
Begin with `hashing`, which every other module rests on.
"""
