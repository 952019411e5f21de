"""Reads the files of a run into its spools: unpacked, told apart, and each content once."""

from __future__ import annotations

import errno
import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from configs.errors import DataError
from configs.messages import some_of
from pipelines.ingest.accounts import FileResult
from pipelines.ingest.delivered.archives import Unpacked, Unpacker
from pipelines.ingest.delivered.deliveries import Delivered, Deliveries
from pipelines.ingest.intake import Intake
from pipelines.ingest.reading.gathered import SmallFile
from pipelines.ingest.reading.source import Source, Surroundings
from pipelines.store.digests import file_digest
from pipelines.store.meta import StoreMeta
from pipelines.work.progress import Progress

logger = logging.getLogger(__name__)

# Files of up to so many bytes are read whole, and their rows looked at together: that costs more by the call
# than by the row.
_SMALL_BYTES: Final = 2**18
_MOST_GATHERED: Final = 4_096

KindOf = Callable[[Path], type[Source]]


@dataclass
class FileReader:
    """Reads files one after the other; what one of them is or does harms no other.

    Attributes:
        around: what they are read with.
        meta: what the store knows of its columns.
        intake: takes their rows.
        unpacker: opens archives.
        kind_of: the source of a file.
        known: fingerprints of the files that the store has taken: found again, they are passed over.
        results: what became of each file that was read or refused.
        sources: the files that were read, by their place in `results`.
        passed_over: names of files whose content was taken before.
    """

    around: Surroundings
    meta: StoreMeta
    intake: Intake
    unpacker: Unpacker
    kind_of: KindOf
    known: set[str]
    results: list[FileResult] = field(default_factory=list)
    sources: dict[int, Source] = field(default_factory=dict)
    passed_over: list[str] = field(default_factory=list)
    _waiting: list[SmallFile] = field(default_factory=list)
    _waiting_rows: int = 0

    def read(self, found: Deliveries, progress: Progress) -> None:
        """Read all that was found.

        Raises:
            ConfigurationError: the mapping is wrong, or there is no key where names have to be hashed.
        """
        for file, reason in found.faults:
            self._refuse(file, reason)
        with progress.task("read files", total=len(found.files)) as task:
            for file in found.files:
                for unpacked, fault in self._unpacked(file):
                    if fault is None:
                        self._take(unpacked)
                    else:
                        self._refuse(unpacked, fault)
                task.advance()
        self._flush()

    def told(self, found: Deliveries) -> list[str]:
        """What was passed over, in words."""
        leftovers = [*found.leftovers, *self.unpacker.leftovers]
        before = (
            "files were passed over, for their content was taken in before, or withdrawn (name one by itself "
            "to have it read again)"
        )
        left = "files were passed over, for they are what an editor or a transfer left"
        texts = ((self.passed_over, before), (leftovers, left))
        return [f"{len(names):,} {text}: {some_of(names)}" for names, text in texts if names]

    def _unpacked(self, file: Delivered) -> Iterator[Unpacked]:
        # What goes wrong where the rows are put is no fault of the file, and is not met here.
        try:
            yield from self.unpacker.files(file)
        except OSError as error:
            yield file, _of_file(file, error)

    def _take(self, file: Delivered) -> None:
        try:
            fingerprint = file_digest(file.path).hex()
            kind = self.kind_of(file.path)
        except OSError as error:
            self._refuse(file, _of_file(file, error))
            return
        if fingerprint in self.known and not file.is_named:
            self.passed_over.append(file.name)
            return
        try:
            kind.require(self.around)
            source = kind.open(file.path, self.around, self.meta)
            source.name = file.name
            self.meta = widened(self.meta, [source])
            is_small = file.path.stat().st_size <= _SMALL_BYTES
            chunks = list(source.chunks(self.intake.settings.chunk_rows)) if is_small else []
        except (DataError, OSError) as error:
            self._refuse(file, _of_file(file, error))
            return
        number = len(self.results)
        if is_small:
            result = FileResult(file.name, rows=sum(chunk.rows for chunk in chunks), notes=source.notes)
            result.labels, result.faults = source.label_tally, source.faults
            result.passed_over.update(source.passed_over)
            self.results.append(result)
            self._gather(SmallFile(number, source, chunk) for chunk in chunks)
        else:
            self._flush()
            result = self.intake.take(source, number)
            self.results.append(result)
        result.fingerprint = fingerprint
        result.fault = None if result.fault is None else file.told(result.fault)
        result.notes = [file.told(note) for note in result.notes]
        if result.fault is None:
            self.sources[number] = source
            self.known.add(fingerprint)
            if not result.rows and not result.passed_over:
                logger.warning("%s: a file without rows: nothing was taken from it", file.name)

    def _gather(self, files: Iterable[SmallFile]) -> None:
        """Put small files aside until they are worth looking at."""
        for file in files:
            if self._waiting and file.kind != self._waiting[-1].kind:
                self._flush()
            self._waiting.append(file)
            self._waiting_rows += file.chunk.rows
        if self._waiting_rows >= self.intake.settings.chunk_rows or len(self._waiting) >= _MOST_GATHERED:
            self._flush()

    def _flush(self) -> None:
        if self._waiting:
            self.intake.take_together(self._waiting, self.results)
        self._waiting, self._waiting_rows = [], 0

    def _refuse(self, file: Delivered, fault: DataError) -> None:
        told = DataError(file.told(str(fault)), offset=fault.offset)
        self.results.append(self.intake.refuse(file.name, told))


def _of_file(file: Delivered, error: DataError | OSError) -> DataError:
    """What to say of a file that cannot be read, or is gone since its folder was listed.

    Raises:
        OSError: it is no fault of the file: the disk is full.
    """
    if isinstance(error, DataError):
        return error
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EMFILE):
        raise error
    return DataError(f"{file.name} cannot be read: {error.strerror or type(error).__name__}")


def widened(meta: StoreMeta, sources: Iterable[Source]) -> StoreMeta:
    """What the store knows of its columns, with those that sources bring."""
    for source in sources:
        extras = dict.fromkeys(source.extra_categories, "category")
        extras |= dict.fromkeys(source.extra_numbers, "number")
        extras |= {name: kind for name, (kind, _) in source.kept_columns.items()}
        meta = meta.widened(extras, source.labels)
    return meta
