"""Owns work on many items: processes, a cluster, tries, limits of memory, progress.

Uses `configs.errors`, `pipelines.store.layout`.
Begin with `execution`.
"""
