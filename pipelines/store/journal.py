"""All-or-nothing changes of a store: files are staged, listed in a redo journal, and renamed into place."""

from __future__ import annotations

import json
import os
import shutil
import uuid
from pathlib import Path
from typing import Self

from configs.errors import StoreError
from pipelines.store.digests import note
from pipelines.store.layout import Layout


class Transaction:
    """Changes of a store that happen together or not at all.

    Use as a context manager. Whatever is staged inside the block replaces its target when the block
    ends without an exception, and is thrown away when it does not. The list of renames is written to
    a journal first: a run that is killed before that has changed nothing, one that is killed later is
    finished by `roll_forward`.

    A staged folder that stays empty removes its target. Of every table that comes in, the digest is noted, so
    that later damage is seen. The caller holds the lock of the store `root`.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._name = uuid.uuid4().hex
        self._area = Layout(root).staging / self._name
        self._operations: list[dict[str, str]] = []
        self._staged: dict[str, Path] = {}

    def __enter__(self) -> Self:
        self._area.mkdir(parents=True)
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self._commit()
        shutil.rmtree(self._area, ignore_errors=True)

    def stage(self, folder: Path) -> Path:
        """Return an empty folder whose content replaces `folder` of the store at commit.

        Raises:
            StoreError: the folder was staged before in this transaction, or lies outside the store.
        """
        path = self.stage_file(folder)
        path.mkdir()
        return path

    def stage_file(self, file: Path) -> Path:
        """Return the path to write a file to that replaces `file` of the store at commit.

        Raises:
            StoreError: the file was staged before in this transaction, or lies outside the store.
        """
        target = self._target(file)
        if target in self._staged:
            raise StoreError(f"{target} was staged twice in one transaction; expected once")
        path = self._area / f"new-{len(self._operations):05d}"
        self._staged[target] = path
        staged = str(path.relative_to(self._root))
        self._operations.append({"do": "replace", "target": target, "staged": staged, "aside": self._aside()})
        return path

    def staged(self, path: Path) -> Path | None:
        """Return where `path` was staged in this transaction, None if it was not."""
        return self._staged.get(self._target(path))

    def remove(self, path: Path) -> None:
        """Take a file or folder out of the store at commit; nothing happens where it does not exist.

        Raises:
            StoreError: it lies outside the store.
        """
        self._operations.append({"do": "remove", "target": self._target(path), "aside": self._aside()})

    def scratch(self, name: str) -> Path:
        """Return a folder for working files, which is thrown away in the end whatever happens."""
        path = self._area / f"scratch-{name}"
        path.mkdir(exist_ok=True)
        return path

    def abandon(self) -> None:
        """Change nothing after all, whatever was staged."""
        self._operations.clear()
        self._staged.clear()

    def _target(self, path: Path) -> str:
        """Return the path as the journal has it: relative to the store, which may be moved."""
        target = path.relative_to(self._root) if path.is_relative_to(self._root) else Path()
        if not target.parts or ".." in target.parts:
            raise StoreError(f"expected a path inside the store, got {str(path)!r}")
        return target.as_posix()

    def _aside(self) -> str:
        return str((self._area / f"old-{len(self._operations):05d}").relative_to(self._root))

    def _commit(self) -> None:
        operations = [_settle(self._root, operation) for operation in self._operations]
        if not operations:
            return
        for operation in operations:
            self._note(operation)
        operations += self._operations[len(operations) :]
        _sync_tree(self._area)
        folder = Layout(self._root).journal
        folder.mkdir(exist_ok=True)
        unfinished = folder / f"{self._name}.tmp"
        with unfinished.open("w", encoding="utf-8") as handle:
            json.dump(operations, handle)
            handle.flush()
            os.fsync(handle.fileno())
        journal = folder / f"{self._name}.json"
        unfinished.replace(journal)
        _sync(folder)
        _apply(self._root, journal)

    def _note(self, operation: dict[str, str]) -> None:
        """Stage what is noted of a change, in place of what was noted before."""
        target = self._root / operation["target"]
        file = Layout(self._root).digests(target)
        notes = note(self._root / operation["staged"], target) if operation["do"] == "replace" else {}
        if notes:
            self.stage_file(file).write_text(json.dumps(notes, indent=1) + "\n", encoding="utf-8")
        elif file.exists():
            self.remove(file)
        # What came into a folder file by file was noted in a folder.
        if (folder := file.with_suffix("")).is_dir():
            self.remove(folder)


def roll_forward(root: Path) -> None:
    """Finish the changes that a killed run of the store `root` had decided on, and clear what it had only
    begun; the caller holds the lock.
    """
    for journal in pending(root):
        _apply(root, journal)
    layout = Layout(root)
    for leftover in layout.journal.glob("*.tmp"):
        leftover.unlink()
    shutil.rmtree(layout.staging, ignore_errors=True)


def pending(root: Path) -> list[Path]:
    """Return the journals of runs that were killed between their decision and its end."""
    return sorted(Layout(root).journal.glob("*.json"))


def _apply(root: Path, journal: Path) -> None:
    """Do what a journal lists; doing it again after an interruption at any step ends in the same state."""
    parents: set[Path] = set()
    for operation in _operations(journal):
        target = root / operation["target"]
        aside = root / operation["aside"]
        staged = root / operation["staged"] if operation["do"] == "replace" else None
        if staged is not None and not staged.exists():
            continue  # renamed before the interruption
        if target.exists() and not aside.exists():
            target.rename(aside)
        if staged is not None:
            target.parent.mkdir(parents=True, exist_ok=True)
            staged.rename(target)
        if target.parent.exists():
            parents.add(target.parent)
    for parent in sorted(parents):
        _sync(parent)
    journal.unlink()
    _sync(journal.parent)


def _operations(journal: Path) -> list[dict[str, str]]:
    """The changes that a journal lists."""
    try:
        operations = json.loads(journal.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise StoreError(
            f"{journal} is damaged: expected the changes that a killed run had decided on, as JSON, found "
            f"{journal.stat().st_size:,} bytes that are none. Some of them may be made, others not: restore "
            "the store from a backup. Without one, delete this file and start the killed command again"
        ) from error
    return list(operations)


def _settle(root: Path, operation: dict[str, str]) -> dict[str, str]:
    if operation["do"] == "remove":
        return operation
    staged = root / operation["staged"]
    if staged.is_dir() and not any(staged.iterdir()):
        return {"do": "remove", "target": operation["target"], "aside": operation["aside"]}
    if not staged.exists():
        raise StoreError(f"{operation['target']} was staged but never written")
    return operation


def _sync_tree(area: Path) -> None:
    for folder, names, files in os.walk(area):
        names[:] = [name for name in names if not name.startswith("scratch-")]
        for name in files:
            _sync(Path(folder, name))
        _sync(Path(folder))


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
