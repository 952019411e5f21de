"""Owns work on many items: processes, a cluster, tries, limits of memory, progress, reports.

Uses `configs.errors`, `pipelines.store.layout`.
Begin with `execution`.
"""
