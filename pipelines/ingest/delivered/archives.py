"""What an archive holds, unpacked within bounds; nothing in it decides where a file is written."""

from __future__ import annotations

import errno
import gzip
import re
import stat
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from lzma import LZMAError
from pathlib import Path
from typing import IO, Final

from configs.errors import DataError
from configs.schema.pipeline import ArchiveConfig
from pipelines.ingest.delivered.deliveries import Delivered
from pipelines.ingest.delivered.names import is_leftover, printable

_GZIP: Final = b"\x1f\x8b"
_ZIP: Final = (b"PK\x03\x04", b"PK\x05\x06")
_OTHERS: Final = {
    b"7z\xbc\xaf\x27\x1c": "7z",
    b"Rar!\x1a\x07": "rar",
    b"BZh": "bz2",
    b"\xfd7zXZ\x00": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
}
_TAR: Final = (257, b"ustar")
_BLOCK: Final = 2**20
# Below this many bytes no ratio is dangerous.
_HARMLESS_BYTES: Final = 2**24
_SUFFIX: Final = re.compile(r"\.[a-z0-9]{1,8}")
_BROKEN: Final = (
    zipfile.BadZipFile, zlib.error, EOFError, LZMAError, NotImplementedError, UnicodeDecodeError, OSError,
)  # fmt: skip
# An OSError with one of these comes from the archive's bytes, not from the disk: bz2 and gzip set no errno, a
# seek to before the start of the file is EINVAL.
_OF_THE_BYTES: Final = (None, errno.EINVAL)

Unpacked = tuple[Delivered, DataError | None]
"""A file that an archive held, and why it cannot be taken in."""


@dataclass
class Unpacker:
    """Unpacks archives into `folder`, which the caller throws away, each within `limits`.

    `leftovers` are the names of what was passed over in them.
    """

    folder: Path
    limits: ArchiveConfig
    leftovers: list[str] = field(default_factory=list)
    _made: int = 0

    def files(self, file: Delivered) -> Iterator[Unpacked]:
        """The file itself, or what it holds where it is an archive.

        Raises:
            OSError: the file cannot be read, or the disk is full.
        """
        yield from self._files(file, 0, _Budget(self.limits, file))

    def _files(self, file: Delivered, depth: int, budget: _Budget) -> Iterator[Unpacked]:
        kind = _kind(file.path)
        if kind is None:
            yield file, None
        elif kind not in ("zip", "gzip"):
            yield file, DataError(f"{file.name} is a {kind} archive: unpack it, or send it as .zip or .gz")
        elif depth == self.limits.depth:
            yield (
                file,
                DataError(
                    f"{file.name} is an archive within {depth} others, deeper than ingest.archives.depth "
                    "allows: unpack it"
                ),
            )
        else:
            members = self._zipped(file, budget) if kind == "zip" else self._gzipped(file, budget)
            try:
                for member, fault in members:
                    if fault is None:
                        yield from self._files(member, depth + 1, budget)
                    else:
                        yield member, fault
            except DataError as error:
                yield file, error

    def _gzipped(self, file: Delivered, budget: _Budget) -> Iterator[Unpacked]:
        name = file.name[:-3] if file.name.lower().endswith(".gz") else file.name
        try:
            with gzip.open(file.path) as content:
                yield Delivered(self._write(content, name, budget), name, file.is_named), None
        except _BROKEN as error:
            yield file, _damage(file.name, error)

    def _zipped(self, file: Delivered, budget: _Budget) -> Iterator[Unpacked]:
        try:
            with zipfile.ZipFile(file.path) as archive:
                entries = [entry for entry in archive.infolist() if not entry.is_dir()]
                budget.announce(len(entries), sum(entry.file_size for entry in entries))
                for entry in entries:
                    yield from self._entry(file, archive, entry, budget)
        except _BROKEN as error:
            yield file, _damage(file.name, error)

    def _entry(
        self, file: Delivered, archive: zipfile.ZipFile, entry: zipfile.ZipInfo, budget: _Budget
    ) -> Iterator[Unpacked]:
        inner = _name(entry)
        parts = re.split(r"[/\\]", inner)
        name = f"{file.name}/{printable(inner)}"
        if any(map(is_leftover, parts)):
            self.leftovers.append(name)
            return
        shown = Delivered(Path(name), name)
        if stat.S_ISLNK(entry.external_attr >> 16):
            yield shown, DataError(f"{name} is a link: send the file itself")
        elif entry.flag_bits & 1:
            yield shown, DataError(f"{name} has a password: send it without one")
        else:
            try:
                with archive.open(entry) as content:
                    path = self._write(content, inner, budget)
            except _BROKEN as error:
                yield shown, _damage(name, error)
            else:
                yield Delivered(path, name, file.is_named), None

    def _write(self, content: IO[bytes] | gzip.GzipFile, name: str, budget: _Budget) -> Path:
        """Write a file under a number; of its name only a harmless ending stays, which readers ask for."""
        ending = _SUFFIX.fullmatch(Path(name).suffix.lower())
        path = self.folder / f"{self._made:06d}{ending[0] if ending else ''}"
        self._made += 1
        with path.open("wb") as out:
            while block := content.read(_BLOCK):
                budget.spend(len(block))
                out.write(block)
        return path


class _Budget:
    """What an archive and those within it may unpack to."""

    def __init__(self, limits: ArchiveConfig, file: Delivered) -> None:
        self._limits = limits
        self._file = file
        self._packed = file.path.stat().st_size
        self._files = self._bytes = 0

    def announce(self, files: int, size: int) -> None:
        """Refuse before anything is unpacked."""
        self._files += files
        if self._files > self._limits.files:
            raise self._refusal(f"{self._files:,} files", "files", f"{self._limits.files:,}")
        self._check(self._bytes + size)

    def spend(self, size: int) -> None:
        """Refuse where an archive holds more than it announced."""
        self._bytes += size
        self._check(self._bytes)

    def _check(self, size: int) -> None:
        if size > self._limits.bytes:
            raise self._refusal(f"{size:,} bytes or more", "bytes", f"{self._limits.bytes:,}")
        if size > max(_HARMLESS_BYTES, self._limits.ratio * self._packed):
            raise self._refusal(
                f"{self._limits.ratio:,} times its size or more", "ratio", f"{self._limits.ratio:,}"
            )

    def _refusal(self, what: str, key: str, limit: str) -> DataError:
        return DataError(
            f"{self._file.name} unpacks to {what}, more than ingest.archives.{key} ({limit}) in "
            "pipeline.yaml allows. Send it in parts, or raise the limit if it is what it should be"
        )


def _kind(path: Path) -> str | None:
    with path.open("rb") as handle:
        start = handle.read(512)
    if start.startswith(_GZIP):
        return "gzip"
    if start.startswith(_ZIP):
        return None if _is_workbook(path) else "zip"
    if start[_TAR[0] :].startswith(_TAR[1]):
        return "tar"
    return next((name for magic, name in _OTHERS.items() if start.startswith(magic)), None)


def _is_workbook(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as parts:
            return not {"[Content_Types].xml", "content.xml"}.isdisjoint(parts.namelist())
    except _BROKEN:
        return path.suffix.lower() in (".xlsx", ".xlsm", ".xlsb", ".ods")


def _name(entry: zipfile.ZipInfo) -> str:
    """The name as it was meant: without its flag it is in whatever the packing system spoke."""
    if entry.flag_bits & 0x800:
        return entry.filename
    raw = entry.filename.encode("cp437", "replace")
    for encoding in ("utf-8", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return entry.filename


def _damage(name: str, error: Exception) -> DataError:
    """What to say of an archive.

    Raises:
        OSError: it is not damaged: it cannot be read, or the disk is full.
    """
    if isinstance(error, OSError) and error.errno not in _OF_THE_BYTES:
        raise error
    return DataError(f"{name} is an archive that cannot be unpacked ({type(error).__name__}): send it again")
