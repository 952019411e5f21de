"""Takes files into the store: every row is kept, in quarantine with its reasons, or a repeat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pipelines.ingest.sources
from configs.errors import UsageError
from configs.loader import load_source_mapping
from configs.messages import nearest
from configs.schema.settings import Settings
from pipelines.ingest.reading.found import found_classes
from pipelines.ingest.reading.source import Source, Surroundings
from pipelines.ingest.report import IngestReport
from pipelines.ingest.run import IngestRun
from pipelines.store.store import Store
from pipelines.work.progress import Progress


@dataclass(frozen=True)
class IngestOptions:
    """How files are taken in.

    Attributes:
        source: what they are, by the name of a module in `sources/`; None looks at each.
        mapping: name or path of the mapping of foreign tables.
        now: the present moment, for tests; declarations dated too far after it are rejected.
    """

    source: str | None = None
    mapping: str | None = None
    now: datetime | None = None


def ingest(
    files: Sequence[Path],
    store: Path,
    options: IngestOptions = IngestOptions(),
    *,
    settings: Settings,
    progress: Progress,
) -> IngestReport:
    """Take messages and tables into a store, all of them or, if the run dies, none.

    Args:
        files: in an order that matters for tables only: of two rows with a key, the first stays.
        store: folder of the store; made where there is none.
        options: what the files are.
        settings: configuration.
        progress: shows a bar over the files.

    Raises:
        UsageError: a file is missing, or the options do not go together.
        ConfigurationError: the mapping is wrong, or a key for pseudonyms is needed and there is none.
        StoreLockedError: another run holds the store.
    """
    paths = [Path(path) for path in files]
    sources = found_classes(pipelines.ingest.sources, Source)  # type: ignore[type-abstract]
    _check_usage(paths, options, sources)
    mapping = None if options.mapping is None else load_source_mapping(options.mapping, settings.overlay)
    around = Surroundings(settings, mapping, options.now or datetime.now(UTC))
    kinds = [_kind_of(path, options.source, sources) for path in paths]
    for kind in dict.fromkeys(kinds):
        kind.require(around)
    run = IngestRun(Store.create(Path(store)), around, progress)
    return run.run(list(zip(paths, kinds, strict=True)))


def _check_usage(paths: Sequence[Path], options: IngestOptions, sources: dict[str, type[Source]]) -> None:
    if not paths:
        raise UsageError("expected at least one file to take in, got none")
    for path in paths:
        if not path.is_file():
            what = "a folder" if path.is_dir() else "nothing"
            raise UsageError(f"expected a file at {path}, found {what}")
    if options.source is None:
        return
    if options.source not in sources:
        hint = nearest(options.source, sources)
        raise UsageError(f"expected a source among {', '.join(sources)}, got {options.source!r}.{hint}")
    if options.mapping is not None and not sources[options.source].takes_mapping:
        raise UsageError("a mapping is for tables: leave --mapping away, or say --source table")


def _kind_of(path: Path, name: str | None, sources: dict[str, type[Source]]) -> type[Source]:
    """The source of a name, else the first that recognises the file, else the default one."""
    if name is not None:
        return sources[name]
    by_rank = sorted(sources.values(), key=lambda source: source.is_default)
    return next(source for source in by_rank if source.is_default or source.recognises(path))
