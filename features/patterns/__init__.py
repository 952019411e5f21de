"""Owns how returns become shares and speeds of those behind them, and how parcels become rings.

Uses `features.pattern` and `features.check`, which say what goes in and comes out, `features.contract` and
the reference tables.
Begin with `rings`.
"""
