"""Owns which cells and entries of a month's statistics are not shown, and what could be worked out of them.

Uses of its neighbours `day_cells`, `month_cells`.
Begin with `suppress`.
"""
