"""Owns the statistics of declarations by month: values, sums by day, cells, suppression, issues, documents.

Uses `checks`, `documents`, `lists`, `pages`, `store`, `work`.
Begin with `make_statistics`.
"""
