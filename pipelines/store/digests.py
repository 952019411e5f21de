"""Whether a stored file is what was written: the SHA-256 of every table, noted when it enters the store.

A reader of Parquet sees a file that was cut short, but not bytes that changed within a column. So a
transaction notes what it puts in place, outside of the tables, and what is read later is compared with that.

SHA-256, because processors have instructions for it: 1.1 GB a second and core here, where BLAKE2b does 0.5
and CRC-32 2.6. A night writes and reads its history once.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import pyarrow.parquet as pq

from configs.errors import StoreError
from pipelines.store.day_table import DayTable
from pipelines.store.layout import Layout

RESTORE: Final = "Restore it from a backup of the store"
_TABLES: Final = (".parquet", ".json")
FOLD_AGAIN: Final = "Delete the folder {folder}: the history is then folded anew from the declarations"
_TRAIN_AGAIN = "Delete the folder {folder}: cases do without it, and the next `train` writes it anew"
_SCORE_AGAIN = "{restore}, or delete the folder {folder} and score the day again"
_CURES: Final = {
    DayTable.PROFILES.folder: FOLD_AGAIN,
    DayTable.INSPECTED.folder: _TRAIN_AGAIN,
    DayTable.SCORES.folder: _SCORE_AGAIN,
    DayTable.VALUES.folder: _SCORE_AGAIN,
    DayTable.STRATA.folder: _SCORE_AGAIN,
    DayTable.STATISTICS_SUMS.folder: "Delete the folder {folder}: `statistics` then sums it up anew",
    ".keys": "Delete the folder {folder}: keys are then looked up in the tables themselves",
}
_THREADS: Final = 4
# As many as a store of some years has tables and days. A file that changes is another one here.
_MOST_FILES: Final = 100_000

Noted = Mapping[str, Mapping[str, Any]]
"""By the name of a file: its `sha256`, and of a bucket how many `lines` it has."""


def file_digest(path: Path) -> bytes:
    """Return the SHA-256 of a file (32 bytes); one that stays as it is is read once a process."""
    state = path.stat()
    return _digest(path, state.st_mtime_ns, state.st_size, state.st_ino)


@lru_cache(maxsize=_MOST_FILES)
def _digest(path: Path, *_: int) -> bytes:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").digest()


def note(staged: Path, target: Path) -> Noted:
    """Return what is noted of a staged file or folder that will be `target`; nothing of what is no table."""
    files = [staged] if staged.is_file() else sorted(staged.rglob("*"))
    names = {file: target.name if file == staged else file.relative_to(staged).as_posix() for file in files}
    # A single file that is no table (a manifest, the store's description) says itself whether it can be read.
    kinds = _TABLES if staged.is_dir() else _TABLES[:1]
    tables = [file for file in files if Path(names[file]).suffix in kinds]
    with ThreadPoolExecutor(_THREADS) as pool:
        digests = list(pool.map(file_digest, tables))
    return {
        names[file]: _lines(file, target) | {"sha256": digest.hex()}
        for file, digest in zip(tables, digests, strict=True)
    }


def note_copies(layout: Layout, folder: Path) -> None:
    """Note every file of a folder of copies, which comes into the store without a transaction."""
    files = [file for file in sorted(folder.rglob("*")) if file.is_file()]
    notes = {file.relative_to(folder).as_posix(): {"sha256": file_digest(file).hex()} for file in files}
    target = layout.digests(folder)
    target.parent.mkdir(parents=True, exist_ok=True)
    beside = target.with_name(f".{target.name}.new")
    beside.write_text(json.dumps(notes, indent=1) + "\n", encoding="utf-8")
    beside.replace(target)


def changed_files(layout: Layout, folder: Path) -> list[Path]:
    """Return the files of a folder that are gone, or not what was noted."""
    noted = {folder / name: entry["sha256"] for name, entry in read_notes(layout.digests(folder)).items()}
    return [file for file, digest in noted.items() if not file.is_file() or file_digest(file).hex() != digest]


def intact(path: Path) -> Path:
    """Return the path of a file of the store that is what was written.

    A file of which nothing was noted passes: an older version wrote it, or it is no part of a store. One that
    cannot be read is left to its reader.

    Raises:
        StoreError: its bytes are others than those that were written.
    """
    layout = _layout_of(path)
    if layout is None:
        return path
    noted = read_notes(layout.digests(path))
    if not noted and path.parent != layout.root:
        noted = read_notes(layout.digests(path.parent))
    expected = noted.get(path.name)
    with suppress(OSError):
        if expected is not None and file_digest(path).hex() != expected["sha256"]:
            raise StoreError(damaged(path, _cure(layout, path)))
    return path


def noted_digest(layout: Layout, file: Path) -> str:
    """Return the SHA-256 that was noted of a file of the store, else that of its bytes, in hexadecimal."""
    noted = read_notes(layout.digests(file)) or read_notes(layout.digests(file.parent))
    return str(noted[file.name]["sha256"]) if file.name in noted else file_digest(file).hex()


def whole_folder(layout: Layout, folder: Path) -> None:
    """Check that no file of a folder of the store is missing.

    Raises:
        StoreError: a file that was written is gone.
    """
    for name in read_notes(layout.digests(folder)):
        if not (folder / name).exists():
            raise StoreError(
                f"{folder / name} is missing: it was written, and is gone. {_cure(layout, folder / name)}"
            )


def read_notes(file: Path) -> Noted:
    """Return what was noted of a folder or file of the store; nothing where an older version wrote it.

    Raises:
        StoreError: the notes cannot be read.
    """
    try:
        state = file.stat()
    except FileNotFoundError:
        return {}
    return _notes(file, state.st_mtime_ns, state.st_size, state.st_ino)


@lru_cache(maxsize=_MOST_FILES)
def _notes(file: Path, *_: int) -> Noted:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        return {str(name): dict(entry) for name, entry in content.items()}
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise StoreError(f"{file} is damaged: expected digests of stored files as JSON. {RESTORE}") from error


def damaged(path: Path, cure: str = RESTORE) -> str:
    """Return what to say of a file whose bytes have changed."""
    return f"{path} is damaged: its bytes are not those that were written. {cure}"


def _layout_of(path: Path) -> Layout | None:
    """The layout of the store that a file is in, None for any other file."""
    return next((layout for folder in path.parents if (layout := Layout(folder)).meta.exists()), None)


def _cure(layout: Layout, path: Path) -> str:
    table = path.relative_to(layout.root).parts[0]
    return _CURES.get(table, RESTORE).format(restore=RESTORE, folder=path.parent)


def _lines(file: Path, target: Path) -> dict[str, int]:
    """How many lines a bucket of declarations has: who loses one wants to know."""
    is_bucket = target.parent.name == DayTable.DECLARATIONS.folder and file.name.startswith("bucket-")
    return {"lines": int(pq.read_metadata(file).num_rows)} if is_bucket else {}
