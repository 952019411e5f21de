"""Owns how simulated declarations and documents are written as official messages, with invented persons.

Uses `simulation.world`, `features.contract`, `configs.reference`.
Begin with `files`.
"""
