"""Owns pseudonyms, the screen that finds what looks like a person, and the masking of what is logged.

Uses `configs.errors`.
Begin with `pseudonyms`.
"""
