"""What a store knows about itself: its format, and the columns that its sources brought."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import polars as pl

from configs.errors import StoreError
from features.contract.declarations import DECLARATION_COLUMNS
from features.contract.inspections import INSPECTION_COLUMNS
from pipelines.store.day_table import DayTable
from pipelines.store.layout import Layout

FORMAT = 1
_KINDS: Final[dict[str, pl.DataType]] = {
    "category": pl.String(),
    "number": pl.Float64(),
    "code": pl.String(),
    "moment": pl.Datetime("us", "UTC"),
}
_SEEN: Final = ("category", "number")


@dataclass(frozen=True)
class StoreMeta:
    """Content of `store.json`.

    Attributes:
        format: number of the store's layout.
        created_by: version of the program that made the store.
        identity: tells the store from others, wherever it lies; empty before its first training.
        extras: extra columns of declarations, name to `category` (text) or `number`; what checks need and no
            model sees is `code` (text) or `moment`.
        extra_keys: extra columns whose hit rates are known, and the column that says of each what goods are.
        labels: label columns of inspections, sorted.
        pseudonym_key: what `pipelines.privacy.key_record` remembers of the pseudonyms' key; empty where none
            was made yet, or by a version that did not note it.
    """

    format: int
    created_by: str
    identity: str = ""
    extras: Mapping[str, str] = field(default_factory=dict)
    extra_keys: Mapping[str, str] = field(default_factory=dict)
    labels: tuple[str, ...] = ()
    pseudonym_key: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def new(cls) -> StoreMeta:
        """Return the description of an empty store."""
        try:
            return cls(FORMAT, version("parcel-risk"))
        except PackageNotFoundError:
            return cls(FORMAT, "unknown")

    @classmethod
    def read(cls, path: Path) -> StoreMeta:
        """Read `store.json`.

        Raises:
            StoreError: the file is not what this program writes.
        """
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            return cls(
                format=int(content["format"]),
                created_by=str(content.get("created_by", "unknown")),
                identity=str(content.get("identity", "")),
                extras=dict(content.get("extras", {})),
                extra_keys=dict(content.get("extra_keys", {})),
                labels=tuple(content.get("labels", ())),
                pseudonym_key=dict(content.get("pseudonym_key", {})),
            )
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise StoreError(
                f"{path} is not readable as a store's description: expected JSON with a format, got {error!r}"
            ) from error

    def write(self, path: Path) -> None:
        """Write the description; the same knowledge gives the same bytes."""
        content: dict[str, object] = {"format": self.format, "created_by": self.created_by}
        if self.identity:
            content["identity"] = self.identity
        if self.extras:
            content["extras"] = dict(sorted(self.extras.items()))
        if self.extra_keys:
            content["extra_keys"] = dict(self.extra_keys)
        if self.labels:
            content["labels"] = sorted(self.labels)
        if self.pseudonym_key:
            content["pseudonym_key"] = dict(self.pseudonym_key)
        # Beside and renamed: a store whose description was cut short could not be opened again.
        beside = path.with_name(path.name + ".new")
        beside.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
        beside.replace(path)

    def identified(self) -> StoreMeta:
        """Return the description with an identity, drawn at random."""
        return replace(self, identity=uuid4().hex)

    def with_extra_keys(self, columns: Mapping[str, str]) -> StoreMeta:
        """Return the description with these extra columns as those whose hit rates are known."""
        return replace(self, extra_keys=dict(columns))

    def declaration_schema(self) -> dict[str, pl.DataType]:
        """Return the columns of a line that models may see: the contract's, then the extra ones by name."""
        return DECLARATION_COLUMNS | {
            name: _KINDS[kind] for name, kind in sorted(self.extras.items()) if kind in _SEEN
        }

    def stored_schema(self) -> dict[str, pl.DataType]:
        """Return all columns of a line: the contract's, then the extra ones by name."""
        return DECLARATION_COLUMNS | {name: _KINDS[kind] for name, kind in sorted(self.extras.items())}

    def inspection_schema(self) -> dict[str, pl.DataType]:
        """Return the columns of an inspection: the contract's, then further label columns by name."""
        further = [name for name in self.labels if name not in INSPECTION_COLUMNS]
        return INSPECTION_COLUMNS | {name: pl.Boolean() for name in further}

    def widened(self, extras: Mapping[str, str], labels: Sequence[str]) -> StoreMeta:
        """Return the description with further columns.

        Raises:
            StoreError: an extra column is known with the other kind.
        """
        for name, kind in extras.items():
            if self.extras.get(name, kind) != kind:
                raise StoreError(
                    f"the extra column {name} is a {self.extras[name]} in this store, "
                    f"and a {kind} in the new source: give it another name in the source's mapping"
                )
        return replace(
            self,
            extras=dict(sorted({**self.extras, **extras}.items())),
            labels=tuple(sorted({*self.labels, *labels})),
        )


def check_format(layout: Layout) -> None:
    """Make sure that this version can read a store.

    Raises:
        StoreError: there is no store, or another version made it.
    """
    path, meta = layout.root, layout.meta
    if not meta.exists():
        if layout.table(DayTable.DECLARATIONS).exists():
            raise StoreError(
                f"the store {path} has no {meta.name}: an older version made it. Expected format {FORMAT}: "
                "ingest the source files into a new store"
            )
        raise StoreError(f"expected a store at {path}, found a folder without {meta.name}")
    described = StoreMeta.read(meta)
    if described.format != FORMAT:
        age, cure = "a newer", "use that version or later"
        if described.format < FORMAT:
            age, cure = "an older", "ingest the source files into a new store"
        raise StoreError(
            f"the store {path} was made by {age} version ({described.created_by}): expected format {FORMAT}, "
            f"found {described.format}; {cure}"
        )
