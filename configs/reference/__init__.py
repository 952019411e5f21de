"""Owns the dated facts that ship as CSV files in this folder, how they are read, and the tax that
  follows from them.

Uses `configs.loader` and what that uses.
Begin with `facts`; `tables` lists the tables there are.
"""
