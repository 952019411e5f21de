"""Owns the store on disk: its layout, lock, journal, tables, buckets, quarantine and manifests.

Uses `features.contract`, `features.arrays`.
Begin with `store`.
"""
