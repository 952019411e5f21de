"""Owns the store on disk: its layout, lock, journal, tables, buckets, quarantine and manifests.

Uses `features.contract`, `features.arrays`.
Begin with `store`.
"""

from pipelines.store.store import Store

__all__ = ["Store"]
