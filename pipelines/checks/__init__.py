"""Owns how a day's declarations, documents and returns are gathered from the store and checked, the table of
  what was found, and how changed rules are tried on past days.

Uses `documents`, `work`, `store`; what a check is and says is in `features.checks`.
Begin with `check_day`.
"""
