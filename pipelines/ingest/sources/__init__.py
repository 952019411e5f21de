"""Owns the kinds of files that are taken in: every module here is a source, found and registered nowhere.

Uses `reading`, `messages`.
Begin with `table`; `reading.source` says what a source has to be.
"""
