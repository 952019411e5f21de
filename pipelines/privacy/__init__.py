"""Owns pseudonyms, and the screen that finds what looks like a person.

Uses `configs.errors`.
Begin with `pseudonyms`.
"""
