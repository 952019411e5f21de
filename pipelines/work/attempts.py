"""How often work on a bucket is tried, which failures concern one bucket only, and how they are reported."""

from __future__ import annotations

import errno
import re
import traceback
from collections.abc import Mapping, Sequence
from concurrent.futures import BrokenExecutor
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from configs.errors import ConfigurationError, NoChampionError, ParcelRiskError, StoreLockedError, UsageError

Item = TypeVar("Item")
Result = TypeVar("Result")

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
# How libraries say it where they leave the error's number out.
_NO_ROOM_SAID = re.compile(
    r"No space left on device|Disk quota exceeded|os error (28|122)\b|disk is full|"
    r"requested and \d+ written|encoder error -2 when writing"
)
# What the next bucket would meet as well: trying again or going on without the bucket helps nobody.
_OF_THE_RUN = (ConfigurationError, NoChampionError, StoreLockedError, UsageError)


@dataclass(frozen=True)
class Limits:
    """How patient a run is: tries of an item in all, and seconds that each may take (None: any time)."""

    tries: int = 1
    seconds: float | None = None


@dataclass(frozen=True)
class TaskResults(Generic[Result]):
    """The results of a sequence of items, and the failures among them.

    Attributes:
        results: of every item in its place; None where it failed.
        failed: why the last try of an item failed, by the item's place.
        retried: why each earlier try failed, by the place of an item that was tried more than once.
    """

    results: Sequence[Result | None]
    failed: Mapping[int, str] = field(default_factory=dict)
    retried: Mapping[int, Sequence[str]] = field(default_factory=dict)

    @property
    def succeeded(self) -> list[Result]:
        """The results of the items that did not fail, in order."""
        return [
            result
            for place, result in enumerate(self.results)
            if place not in self.failed and result is not None
        ]


def concerns_the_run(error: BaseException) -> bool:
    """Whether a failure is not that of one item: a full disk, a wrong configuration, an interruption.

    >>> concerns_the_run(OSError(errno.ENOSPC, "No space left on device")), concerns_the_run(MemoryError())
    (True, False)
    """
    if _no_room(error) or (isinstance(error, OSError) and error.errno == errno.EROFS):
        return True
    return isinstance(error, (*_OF_THE_RUN, KeyboardInterrupt, SystemExit))


def in_words(error: BaseException) -> str:
    """Describes a failure in one line that quotes no data.

    >>> in_words(OSError(errno.EACCES, "Permission denied", "/data/store/x"))
    'the system refused: Permission denied (/data/store/x)'
    """
    if isinstance(error, ParcelRiskError):
        return str(error)
    if _no_room(error):
        written = getattr(error, "filename", None)
        return "the disk is full" + (f" while {written} was written" if written else "")
    if isinstance(error, OSError):
        place = f" ({error.filename})" if error.filename else ""
        return f"the system refused: {error.strerror or error}{place}"
    if isinstance(error, MemoryError):
        return "out of memory"
    # The second is Dask's word for it, whose package may not be there.
    if isinstance(error, BrokenExecutor) or type(error).__name__ == "KilledWorker":
        return "its worker died, and so did each that got it next, mostly for want of memory"
    # The text of an unexpected error may quote a row of data, so the line says only what and where.
    frame = traceback.extract_tb(error.__traceback__)[-1:]
    place = f" in {frame[0].filename}, line {frame[0].lineno}" if frame else ""
    return f"unexpected {type(error).__name__}{place}"


def _no_room(error: BaseException) -> bool:
    return getattr(error, "errno", None) in _NO_ROOM or bool(_NO_ROOM_SAID.search(str(error)))


def exit_code_of(error: BaseException) -> int:
    """The exit code of a run that an error ended.

    >>> exit_code_of(NoChampionError("none")), exit_code_of(MemoryError()), exit_code_of(KeyboardInterrupt())
    (4, 1, 130)
    """
    if isinstance(error, ParcelRiskError):
        return error.exit_code
    return 130 if isinstance(error, KeyboardInterrupt) else 1


def cure(error: BaseException) -> str:
    """What to do about a failure that ended a run, as a sentence; empty where its message says it.

    >>> cure(MemoryError())
    'Fewer --workers need less, and so does a smaller store.bucket_rows.'
    """
    if isinstance(error, ParcelRiskError):
        return ""
    if _no_room(error):
        return "Make room, then start the same command again: what is complete is kept."
    if isinstance(error, OSError):
        return "When that is mended, start the same command again: what is complete is kept."
    if isinstance(error, MemoryError | BrokenExecutor):
        return "Fewer --workers need less, and so does a smaller store.bucket_rows."
    return "This is a fault of the program; -v shows all of it, which may quote data."
