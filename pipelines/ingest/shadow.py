"""A store to try something on, which shows what another one holds and takes nothing to it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipelines.store.layout import Layout


@contextmanager
def shadow_of(store: Path) -> Iterator[Path]:
    """Yield a folder that reads like the store, or like one to be made where there is none.

    It is thrown away in the end. A transaction on it has to be abandoned: committed, it would rename folders
    of the store itself.
    """
    with tempfile.TemporaryDirectory(prefix="parcel-risk-check-") as folder:
        own = Layout(store)
        apart = {own.lock, own.staging, own.journal}
        for path in store.iterdir() if store.is_dir() else ():
            if path not in apart:
                (Path(folder) / path.name).symlink_to(path.resolve())
        yield Path(folder)
