"""Owns the store on disk: its layout, lock, journal, tables, buckets, quarantine and manifests.

Uses `features.contract`, `features.arrays`.
Begin with `store`.
"""

from __future__ import annotations

from typing import Any


def __getattr__(name: str) -> Any:
    """Notebooks take `Store` from here; whoever asks for the layout alone need not load Polars for it."""
    if name != "Store":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from pipelines.store.store import Store

    return Store
