"""What runs: each verb of `parcel-risk` reads, calls the layers below, and writes."""

import gc
import os
from typing import Final

ALLOCATOR_VARIABLE: Final = "_RJEM_MALLOC_CONF"
ALLOCATOR: Final = "thp:always,dirty_decay_ms:10000"
"""How the allocator of Polars, jemalloc, holds memory: in large pages, kept for some seconds before they go
back to the system, which makes less work than small ones that go back at once.
Measured by `benchmarks/decisions/allocator.py`."""

# Read when Polars is loaded; processes that are started take it with them.
os.environ.setdefault(ALLOCATOR_VARIABLE, ALLOCATOR)

_OBJECTS_BETWEEN_COLLECTIONS = 50_000


def collect_rarely() -> None:
    """Let Python look for garbage after many new objects, not after 700: what a program loads stays to its
    end, and looking through it again and again took a quarter of the time of loading it.
    """
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS, *gc.get_threshold()[1:])
