"""Who may read the files that the program makes: nobody but their owner, unless the configuration says so."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from configs.schema.pipeline import Readers

UMASKS: Final[dict[Readers, int]] = {"owner": 0o077, "group": 0o027, "all": 0o022}
"""The bits that new files and folders lack. Nobody but the owner ever writes."""


def umask_now() -> int:
    """Return the umask of this process, which can only be asked for by setting it."""
    os.umask(umask := os.umask(0o077))
    return umask


@contextmanager
def readable_by(readers: Readers) -> Iterator[None]:
    """Make the files of the block readable by these; processes that it starts take that with them."""
    before = os.umask(UMASKS[readers])
    try:
        yield
    finally:
        os.umask(before)
