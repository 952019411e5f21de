"""Owns the second pass: what rows of a run are to each other and to what the store holds.

Uses the rest of `ingest` but for its first pass.
Begin with `day_writer`.
"""
