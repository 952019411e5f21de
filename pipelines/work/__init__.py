"""Owns executors (this process, a pool of processes, a cluster), tries, memory limit, progress, reports.

Uses `configs.errors`, `pipelines.store.layout`.
Begin with `execution`.
"""
