"""Owns what is true of all parcels, estimated from those that were opened.

Uses `models.stats`.
Begin with `survey`.
"""
