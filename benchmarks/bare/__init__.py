"""Owns a machine for one night's script: an account without a home, a clock, a tracking server, deliveries.

Begin with `machine`.
"""
