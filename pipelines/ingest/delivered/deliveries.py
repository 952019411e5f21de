"""Which files the paths of a command line stand for: files, folders with all below them, and patterns."""

from __future__ import annotations

import glob
import stat
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from pathlib import Path

from configs.errors import DataError, UsageError
from pipelines.ingest.delivered.names import is_leftover, printable


@dataclass(frozen=True)
class Delivered:
    """A file to take in.

    Attributes:
        path: where its bytes are.
        name: what the user knows it by, printable: a file in an archive has the archive's name in front.
        is_named: whether the user named this very file; else it was found in a folder, an archive, or by a
            pattern.
    """

    path: Path
    name: str
    is_named: bool = False

    def told(self, text: str) -> str:
        """A message of a reader, which knows only the path, with the name in its place."""
        return text.replace(str(self.path), self.name)


@dataclass
class Deliveries:
    """What was found.

    Attributes:
        files: the files to take in, those of a folder by name.
        leftovers: names of files that are passed over, for they are what an editor or a transfer left.
        faults: what cannot be taken in, and why.
        notes: what to tell beside.
    """

    files: list[Delivered] = field(default_factory=list)
    leftovers: list[str] = field(default_factory=list)
    faults: list[tuple[Delivered, DataError]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, paths: Sequence[Path]) -> Deliveries:
        """What paths of files and folders, and patterns, stand for.

        Raises:
            UsageError: there are no paths, or nothing is at any of them.
        """
        if not paths:
            raise UsageError("expected at least one file or folder to take in, got none")
        found, missing = cls(), list[Path]()
        for path in paths:
            try:
                is_folder = stat.S_ISDIR(path.stat().st_mode)
            except (FileNotFoundError, NotADirectoryError):
                if path.is_symlink():
                    found._add(path, is_named=True)
                elif (matches := _matches(path)) is not None:
                    count = sum(found._add_any(match, frozenset()) for match in matches)
                    found._note_if_none(path, count, "no file is called so")
                else:
                    missing.append(path)
            except OSError as error:
                found._fault(path, f"cannot be read: {error.strerror}")
            else:
                if is_folder:
                    found._note_if_none(path, found._add_folder(path, frozenset()), "no files in it")
                else:
                    found._add(path, is_named=True)
        if len(missing) == len(paths):
            raise UsageError(f"expected a file or folder at {printable(missing[0])}: it does not exist")
        for path in missing:
            found._fault(path, "is not there, or not any more: give its name as it is, or leave it away")
        return found

    def _fault(self, path: Path, what: str) -> int:
        file = Delivered(path, printable(path))
        self.faults.append((file, DataError(f"{file.name} {what}")))
        return 1

    def _note_if_none(self, path: Path, count: int, what: str) -> None:
        if not count:
            self.notes.append(f"{printable(path)}: {what}, so there is nothing to take in")

    def _add(self, path: Path, *, is_named: bool = False) -> int:
        file = Delivered(path, printable(path), is_named)
        if is_leftover(path.name):
            self.leftovers.append(file.name)
            return 0
        try:
            is_ordinary = stat.S_ISREG(path.stat().st_mode)
        except OSError as error:
            return self._fault(path, f"cannot be read: {error.strerror}")
        if not is_ordinary:
            return self._fault(path, "is no ordinary file: expected one with data")
        self.files.append(file)
        return 1

    def _add_any(self, path: Path, above: frozenset[tuple[int, int]]) -> int:
        return self._add_folder(path, above) if _is_folder(path) else self._add(path)

    def _add_folder(self, folder: Path, above: frozenset[tuple[int, int]]) -> int:
        """Files in a folder and below it; `above` are the folders on the way, by which a loop is seen."""
        try:
            status = folder.stat()
            entries = sorted(folder.iterdir())
        except OSError as error:
            return self._fault(folder, f"cannot be looked into: {error.strerror}")
        place = (status.st_dev, status.st_ino)
        if place in above or is_leftover(folder.name):
            return 0
        return sum(self._add_any(path, above | {place}) for path in entries)


def _is_folder(path: Path) -> bool:
    try:
        return stat.S_ISDIR(path.stat().st_mode)
    except OSError:
        return False


def _matches(path: Path) -> list[Path] | None:
    """The files that a pattern names; None where it is none, or the folder that it looks in is not there."""
    if not glob.has_magic(str(path)):
        return None
    fixed = list(takewhile(lambda part: not glob.has_magic(part), path.parts))
    folder = Path(*fixed)
    return sorted(folder.glob("/".join(path.parts[len(fixed) :]))) if _is_folder(folder) else None
