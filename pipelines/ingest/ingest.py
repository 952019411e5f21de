"""Takes files into the store: every row is kept, in quarantine with its reasons, or a repeat."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

import polars as pl

from configs.errors import ConfigurationError, UsageError
from configs.loader import load_source_mapping
from configs.reference.facts import load_reference
from configs.schema.settings import Settings
from pipelines.ingest.report import IngestReport
from pipelines.ingest.run import IngestRun, Opener
from pipelines.ingest.sources.frames import FrameSource
from pipelines.ingest.sources.source import CebSource, Source
from pipelines.ingest.sources.table import open_table
from pipelines.privacy.pseudonyms import Pseudonymiser
from pipelines.store.store import Store
from pipelines.work.progress import Progress

SourceKind = Literal["ceb", "table"]


def ingest(
    files: Sequence[Path],
    store: Path,
    *,
    source: SourceKind | None,
    mapping: str | None,
    settings: Settings,
    progress: Progress,
    now: datetime | None = None,
) -> IngestReport:
    """Take CEB messages and tables into a store, all of them or, if the run dies, none.

    Args:
        files: in an order that matters for tables only: of two rows with a key, the first stays.
        store: folder of the store; made where there is none.
        source: what the files are; None looks at each.
        mapping: name or path of the mapping of foreign tables.
        settings: configuration.
        progress: shows a bar over the files.
        now: the present moment, for tests; declarations dated too far after it are rejected.

    Raises:
        UsageError: a file is missing, or the arguments do not go together.
        ConfigurationError: the mapping is wrong, or a key for pseudonyms is needed and there is none.
        StoreLockedError: another run holds the store.
    """
    paths = [Path(path) for path in files]
    _check_usage(paths, source, mapping)
    mapped = None if mapping is None else load_source_mapping(mapping, settings.overlay)
    now = now or datetime.now(UTC)
    key = PseudonymKey(settings)
    kinds = [source or ("ceb" if _is_xml(path) else "table") for path in paths]
    if "ceb" in kinds or (mapped is not None and mapped.pseudonymise):
        key()  # a missing key is better told before anything is read
    countries, currencies = _customs_codes(settings, now) if "ceb" in kinds else ({}, {})
    opened = Store.create(Path(store))
    labels = _labels(opened, settings)

    def opener(path: Path, kind: str) -> Callable[[], Source]:
        if kind == "ceb":
            return lambda: CebSource(path, key, countries, currencies)
        return lambda: open_table(path, mapped, dict(opened.meta.extras), labels, key, key.is_there)

    openers = [Opener(str(path), opener(path, kind)) for path, kind in zip(paths, kinds, strict=True)]
    latest = now + timedelta(days=settings.pipeline.ingest.future_days)
    return IngestRun(opened, settings, progress, key, latest=latest, now=now).run(openers)


def write_frames(
    store: Store,
    declarations: pl.DataFrame | None = None,
    inspections: pl.DataFrame | None = None,
    *,
    settings: Settings,
    name: str = "frames",
    extra_categories: Sequence[str] = (),
    extra_numbers: Sequence[str] = (),
    labels: Sequence[str] = (),
    progress: Progress | None = None,
    verb: str = "ingest",
) -> IngestReport:
    """Take frames in the contract's columns into a store, the way of a file: checked, merged, accounted for.

    Args:
        store: not locked by the caller.
        declarations: goods lines of any days.
        inspections: results of any days.
        settings: configuration.
        name: stands in the quarantine where else the file stands.
        extra_categories: further columns of declarations to keep as text.
        extra_numbers: further columns of declarations to keep as numbers.
        labels: label columns of inspections beyond the contract's.
        progress: default none.
        verb: for the lock and the manifest.
    """
    frames = FrameSource(Path(name), declarations, inspections)
    frames.extra_categories, frames.extra_numbers = tuple(extra_categories), tuple(extra_numbers)
    frames.labels = tuple(labels)
    key = PseudonymKey(settings)
    now = datetime.now(UTC)
    run = IngestRun(store, settings, progress or Progress.silent(), key, latest=None, now=now, verb=verb)
    return run.run([Opener(name, lambda: frames)])


class PseudonymKey:
    """The pseudonymiser, made when something is to be hashed: tables without identities need no key."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._made: Pseudonymiser | None = None

    def __call__(self) -> Pseudonymiser:
        """The pseudonymiser.

        Raises:
            ConfigurationError: there is no usable key.
        """
        if self._made is None:
            self._made = Pseudonymiser.from_environment(self._settings)
        return self._made

    @property
    def is_there(self) -> bool:
        """Whether there is a key."""
        try:
            self()
        except ConfigurationError:
            return False
        return True


def _check_usage(paths: Sequence[Path], source: SourceKind | None, mapping: str | None) -> None:
    if not paths:
        raise UsageError("expected at least one file to take in, got none")
    for path in paths:
        if not path.is_file():
            what = "a folder" if path.is_dir() else "nothing"
            raise UsageError(f"expected a file at {path}, found {what}")
    if source == "ceb" and mapping is not None:
        raise UsageError("a mapping is for tables: leave --mapping away, or say --source table")


def _is_xml(path: Path) -> bool:
    if path.suffix.lower() == ".xml":
        return True
    with path.open("rb") as handle:
        return handle.read(512).lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")


def _customs_codes(settings: Settings, now: datetime) -> tuple[dict[str, str], dict[str, str]]:
    tables = load_reference(settings.overlay).on(now.date())
    return _pairs(tables["countries"]), _pairs(tables["currencies"])


def _pairs(codes: pl.DataFrame) -> dict[str, str]:
    known = codes.drop_nulls(["customs_code", "iso"])
    return dict(zip(known["customs_code"].cast(pl.String), known["iso"], strict=True))


def _labels(store: Store, settings: Settings) -> set[str]:
    return {*store.meta.labels, *(risk.label for risk in settings.risks.values())}
