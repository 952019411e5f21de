"""Owns who and what there is in a simulated world: goods, places, parties, parcels, seasons.

Uses nothing of the project.
Begin with `state`.
"""
