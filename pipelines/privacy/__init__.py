"""Owns pseudonyms, the screen that every text of a source passes, and the masking of what is logged.

Uses `configs.errors`, `features.contract` and `models.tracking.addresses`.
Begin with `identity_screen`, and with `pseudonyms` for the key.
"""
