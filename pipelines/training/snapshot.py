"""What models learn from, of a store as it was at one moment, so that others may write meanwhile.

Files of a store are never changed in place, so a second name for each keeps what it held. A night can thus
run beside a training, and neither sees what the other has only half written.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from configs.errors import ParcelRiskError, StoreError
from pipelines.store.day_table import OBSERVED, DayTable
from pipelines.store.files import put_day_in
from pipelines.store.locking import hold_lock
from pipelines.store.store import Store

CHAMPIONS = "champions"
INSPECTED = "inspected"
_LEARNED_FROM = (*OBSERVED, DayTable.INSPECTIONS)
# A day may be checked again, by a night beside the training: its history stays the same.
_FOLDED = (DayTable.DECLARATIONS, DayTable.CHANGED_DECLARATIONS, DayTable.INSPECTIONS)


@contextmanager
def only_training(store: Store) -> Iterator[Path]:
    """The working folder of the trainings of a store, for one of them at a time.

    Raises:
        StoreLockedError: another training is going on.
        StoreError: the folder cannot be made.
    """
    folder = store.layout.training
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"a training cannot work in {folder}: {error.strerror}") from error
    with hold_lock(folder, "train"):
        try:
            yield folder
        finally:
            for scratch in (_place(folder), folder / CHAMPIONS, folder / INSPECTED):
                shutil.rmtree(scratch, ignore_errors=True)


def freeze(store: Store, folder: Path) -> Store | None:
    """Return the store as it is now, in the working folder `folder`; the caller holds its lock.

    None where the file system cannot give a file a second name.
    """
    frozen = Store(_place(folder))
    shutil.rmtree(frozen.path, ignore_errors=True)
    frozen.path.mkdir()
    try:
        frozen.layout.meta.hardlink_to(store.layout.meta)
    except OSError:
        return None
    for table in _LEARNED_FROM:
        for day in store.days(table):
            put_day_in(store.layout, frozen.layout, table, day)
    return frozen


@contextmanager
def paths_of(store: Store, frozen: Store) -> Iterator[None]:
    """Let errors of the block name the files of the store, not their second names."""
    try:
        yield
    except ParcelRiskError as error:
        said = str(error).replace(str(frozen.path), str(store.path))
        raise type(error)(said) from error


def still_holds(store: Store, frozen: Store, until: date) -> bool:
    """Whether the history of the store up to `until` is folded from what was frozen."""
    return _files(store, until) == _files(frozen, until)


def _files(store: Store, until: date) -> dict[str, int]:
    return {
        str(file.relative_to(store.path)): file.stat().st_ino
        for table in _FOLDED
        for day in store.days(table)
        if day <= until
        for file in store.layout.partition(table, day).iterdir()
    }


def _place(folder: Path) -> Path:
    return folder / "store"
