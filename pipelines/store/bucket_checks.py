"""Whether the buckets of a day are what was written: none missing, none damaged.

A reader of Parquet sees a file that was cut short, but not bytes that changed within a column. So the store
keeps the number of lines and the SHA-256 of every bucket in `.checks/<day>.json`, outside of the tables.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from configs.errors import StoreError
from pipelines.store.files import file_digest, reading, row_count
from pipelines.store.journal import Transaction
from pipelines.store.layout import DayTable, Layout, bucket_name, bucket_of


@dataclass(frozen=True)
class Bucket:
    """One bucket of a day.

    Attributes:
        path: its file, whether it exists or not.
        lines: how many lines were written to it; None where nobody knows any more.
        digest: the SHA-256 of its bytes; empty where it cannot be read.
        fault: why its lines cannot be used; None where they can.
    """

    path: Path
    lines: int | None
    digest: bytes
    fault: str | None = None


def stage_checks(t: Transaction, layout: Layout, day: date) -> None:
    """Stage what the buckets of a day staged in `t` hold, so that later damage is seen."""
    staged = t.staged(layout.partition(DayTable.DECLARATIONS, day))
    assert staged is not None, "the day is staged first"
    files = sorted(staged.iterdir())
    if not files:
        t.remove(layout.checks(day))
        return
    noted = {file.name: {"lines": row_count(file), "sha256": file_digest(file).hex()} for file in files}
    t.stage_file(layout.checks(day)).write_text(json.dumps(noted, indent=1) + "\n", encoding="utf-8")


def check_buckets(layout: Layout, day: date) -> list[Bucket]:
    """Return the buckets of a day in their order, also those whose file is gone.

    A day that an older version wrote has no checks, so its lines are counted in the files themselves.

    Raises:
        StoreError: the checks cannot be read.
    """
    files, noted = layout.buckets(day), _noted(layout.checks(day))
    count = bucket_of(files[0])[1] if files else 0
    names = list(noted) or [bucket_name(number, count) for number in range(count)]
    names += [file.name for file in files if file.name not in names]
    folder = layout.partition(DayTable.DECLARATIONS, day)
    return [_bucket(folder / name, noted.get(name)) for name in sorted(names)]


def require_whole(layout: Layout, day: date) -> list[Bucket]:
    """Return the buckets of a day of which every line can be read, for what is built on the whole of it.

    Raises:
        StoreError: a bucket is missing or damaged.
    """
    buckets = check_buckets(layout, day)
    faults = [bucket.fault for bucket in buckets if bucket.fault is not None]
    if faults:
        more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        raise StoreError(
            f"every line of {day} is needed, and some cannot be read: {faults[0]}{more}. Days are "
            "closed in order: no later day is scored before that is mended. Then start the same command again"
        )
    return buckets


def require_undamaged(layout: Layout, day: date) -> None:
    """Check that the files of a day are what was written, before they are merged into new ones.

    A file that is gone is no fault here: its lines come back with their source.

    Raises:
        StoreError: a file is damaged.
    """
    for bucket in check_buckets(layout, day):
        if bucket.fault is not None and bucket.path.exists():
            raise StoreError(f"{bucket.fault}; nothing was taken in")


def _bucket(path: Path, noted: Mapping[str, object] | None) -> Bucket:
    lines = None if noted is None else int(str(noted["lines"]))
    try:
        with reading(path):
            digest = file_digest(path)
        if noted is None:
            return Bucket(path, row_count(path), digest)
    except StoreError as error:
        return Bucket(path, lines, b"", str(error))
    damaged = "is damaged: its bytes are not those that were written. Restore it from a backup of the store"
    return Bucket(path, lines, digest, None if digest.hex() == noted["sha256"] else f"{path} {damaged}")


def _noted(file: Path) -> dict[str, dict[str, object]]:
    if not file.exists():
        return {}
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        return {str(name): dict(entry) for name, entry in content.items()}
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise StoreError(
            f"{file} is damaged: expected the checks of a day as JSON. Restore it from a backup of the store"
        ) from error
