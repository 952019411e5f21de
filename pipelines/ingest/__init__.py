"""Owns what enters the store: first and second pass, merging, rejects, the verb `ingest`.

Uses `store`, `privacy`, `work`.
Begin with `ingest`.
"""
