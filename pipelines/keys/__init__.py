"""Owns the index of keys: which files of the store may hold rows with some keys, without reading them.

Uses `store`.
Begin with `key_index`.
"""
