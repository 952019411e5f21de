"""Owns the erasure of a person's pseudonyms, and the change of their key, all over a store.

Uses `cases`, `privacy`, `store` and `work`.
Begin with `forget`.
"""
