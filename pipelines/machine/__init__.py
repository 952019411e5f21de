"""Owns what the program needs of its machine and its account, and says what is missing.

Uses `models.tracking`, `privacy`, `store`, `work`; nothing heavy until it is known to load.
Begin with `doctor`.
"""
