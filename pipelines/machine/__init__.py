"""Owns what the program needs of its machine and its account: folders for caches, and what `doctor` looks at.

Uses `models.tracking`, `privacy`, `store`, `work`; nothing heavy until it is known to load.
Begin with `doctor`.
"""
