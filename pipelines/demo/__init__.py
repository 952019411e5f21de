"""Owns all of it on simulated data, and what its lists would have found in truth.

Uses `night`, `training`, `simulation`, `lists`, `pages`, `privacy`, `store`, `work`.
Begin with `demo`.
"""
