"""Whether the account may write where the program writes, and who else may read it."""

from __future__ import annotations

import fcntl
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from configs.schema.pipeline import PipelineConfig
from pipelines.machine.finding import Finding, State
from pipelines.store.layout import Layout
from pipelines.work.caches import may_write
from pipelines.work.permissions import UMASKS

_LEAST_FREE = 0.05
# A national store has hundreds of thousands of files; their modes are alike.
_MOST_FILES = 20_000


def check_places(store: Path | None, config: PipelineConfig) -> Iterator[Finding]:
    """Yield what is found of the folders that every run needs, and of those of the store."""
    temporary = Path(tempfile.gettempdir())
    yield _writable("temporary folder", temporary, "Set TMPDIR to a folder that the account may write to")
    for variable in ("NUMBA_CACHE_DIR", "MPLCONFIGDIR"):
        if named := os.environ.get(variable):
            yield _writable(
                variable, Path(named), f"Set {variable} to a folder that the account may write to"
            )
    if config.scoring.metrics_file is not None:
        file = Path(config.scoring.metrics_file)
        yield _writable(
            "scoring.metrics_file", file.parent, "Let the account write there, or name another file"
        )
    if store is not None:
        yield from _check_store(Layout(store), config)


def _check_store(layout: Layout, config: PipelineConfig) -> Iterator[Finding]:
    root = layout.root
    if not root.exists():
        yield _writable("store", root.absolute().parent, f"It is where {root} will be made")
        return
    yield (found := _writable("store", root, f"Give it to the account: chown -R ACCOUNT {root}"))
    if found.state is State.OK:
        yield from _locks(root)
    beside = layout.mlflow if layout.mlflow.exists() else layout.mlflow.parent
    yield _writable("beside the store", beside, "Models and caches lie there where no other place is named")
    usage = shutil.disk_usage(root)
    if usage.free < _LEAST_FREE * usage.total:
        free = f"{usage.free / 2**30:.1f} GiB of {usage.total / 2**30:.1f} are free"
        yield Finding(
            "disk", State.NOTE, free, "A night needs room for the lines and the history of a day once more"
        )
    yield from _open_to_others(root, UMASKS[config.store.readable_by])


def _locks(root: Path) -> Iterator[Finding]:
    with tempfile.TemporaryFile(dir=root) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            cure = "Put the store on a disk whose file system has locks (for NFS: mount it with them)"
            yield Finding("locks", State.LACKS, f"{root} cannot be locked: {error.strerror}", cure)


def _open_to_others(root: Path, mask: int) -> Iterator[Finding]:
    every = (Path(folder, name) for folder, _, names in os.walk(root) for name in names)
    wide = [path for path in islice(every, _MOST_FILES) if stat.S_IMODE(path.lstat().st_mode) & mask & 0o044]
    if wide and stat.S_IMODE(root.stat().st_mode) & mask & 0o055:
        found = (
            f"{len(wide)} files or more can be read by others than store.readable_by says, such as {wide[0]}"
        )
        yield Finding("permissions", State.NOTE, found, f"chmod -R {'g' * (mask & 0o040 != 0)}o-rwx {root}")


def _writable(subject: str, folder: Path, cure: str) -> Finding:
    if folder.is_dir() and may_write(folder):
        return Finding(subject, State.OK, str(folder))
    what = "may not be written by this account" if folder.is_dir() else "is no folder"
    return Finding(subject, State.LACKS, f"{folder} {what}", cure)
