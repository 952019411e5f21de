"""Owns pseudonyms, the screen that every text of a source passes, and the masking of what is logged.

Uses `configs.errors` and `features.contract`.
Begin with `identity_screen`, and with `pseudonyms` for the key.
"""
