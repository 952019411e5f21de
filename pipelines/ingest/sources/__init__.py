"""Owns the sources that a file may come from, customs' messages and tables, and how each becomes rows.

Uses `store`, `privacy`.
Begin with `source`, which says what intake asks of one.
"""
