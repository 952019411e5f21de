"""Owns the report for the head of an office.

Uses `feedback`, `lists`, `pages`, `store`, `work`.
Begin with `report`.
"""
