"""Owns how a day's declarations, documents and returns are gathered from the store and checked, and the table
  of what was found.

Uses `documents`, `work`, `store`; what a check is and says is in `features.checks`.
Begin with `check_day`.
"""
