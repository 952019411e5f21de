"""Whether the buckets of a day are what was written: none missing, none damaged.

The store notes the lines and the SHA-256 of every bucket (`pipelines.store.digests`). Of another table a file
that is not what was noted is refused; a bucket is set aside, with what it would have held.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Final

from configs.errors import StoreError
from features.contract.declarations import DECLARATION_COLUMNS, LINE_KEY
from pipelines.store.buckets import COUNTED, buckets_at_close, ended_lines, lines_at_close
from pipelines.store.day_table import DayTable
from pipelines.store.digests import damaged, file_digest, read_notes
from pipelines.store.files import reading, row_count
from pipelines.store.layout import Layout, bucket_name, bucket_of

_KEY: Final = {name: DECLARATION_COLUMNS[name] for name in LINE_KEY}


@dataclass(frozen=True)
class Bucket:
    """One bucket of a day.

    Attributes:
        path: its file, whether it exists or not.
        lines: how many lines it has; None where nobody knows any more.
        digest: the SHA-256 of what its lines come from; empty where that cannot be read.
        fault: why its lines cannot be used; None where they can.
    """

    path: Path
    lines: int | None
    digest: bytes
    fault: str | None = None


def check_buckets(layout: Layout, day: date) -> list[Bucket]:
    """Return the buckets of a day as known at its close, in their order, also those whose file is gone.

    A day that an older version wrote has no checks, so its lines are counted in the files themselves.

    Raises:
        StoreError: the checks, or versions that no longer hold, cannot be read.
    """
    buckets = _written_buckets(layout, day)
    if not ended_lines(layout, day)[COUNTED].any():
        return buckets
    ended = [file_digest(file) for file in layout.files(DayTable.CHANGED_DECLARATIONS, day)]
    known = buckets or [Bucket(path, 0, b"") for path in buckets_at_close(layout, day)]
    return [_at_close(layout, bucket, ended) if bucket.fault is None else bucket for bucket in known]


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
    for bucket in _written_buckets(layout, day):
        if bucket.fault is not None and bucket.path.exists():
            raise StoreError(f"{bucket.fault}; nothing was taken in")


def _at_close(layout: Layout, bucket: Bucket, ended: Sequence[bytes]) -> Bucket:
    lines = lines_at_close(layout, bucket.path, _KEY, list(_KEY))
    digest = hashlib.sha256(b"".join([bucket.digest, *ended])).digest()
    return replace(bucket, lines=lines.height, digest=digest)


def _written_buckets(layout: Layout, day: date) -> list[Bucket]:
    """The buckets that the store holds."""
    folder = layout.partition(DayTable.DECLARATIONS, day)
    files, noted = layout.buckets(day), read_notes(layout.digests(folder))
    count = bucket_of(files[0])[1] if files else 0
    names = list(noted) or [bucket_name(number, count) for number in range(count)]
    names += [file.name for file in files if file.name not in names]
    return [_bucket(folder / name, noted.get(name)) for name in sorted(names)]


def changed_later(layout: Layout, day: date) -> int:
    """Return how many lines of a day were changed or withdrawn after its close."""
    return ended_lines(layout, day).filter(COUNTED).height


def _bucket(path: Path, noted: Mapping[str, object] | None) -> Bucket:
    lines = None if noted is None else int(str(noted["lines"]))
    try:
        with reading(path):
            digest = file_digest(path)
        if noted is None:
            return Bucket(path, row_count(path), digest)
    except StoreError as error:
        return Bucket(path, lines, b"", str(error))
    return Bucket(path, lines, digest, None if digest.hex() == noted["sha256"] else damaged(path))
