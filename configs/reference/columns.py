"""What a reference table and its columns are."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import polars as pl


@dataclass(frozen=True)
class ReferenceColumn:
    """One column of a table: what its values are, and whether each row needs one."""

    name: str
    kind: Literal["text", "number", "keywords"] = "text"
    required: bool = True
    pattern: str | None = None
    expected: str = "a text"
    minimum: float | None = None
    maximum: float | None = None
    may_lack: bool = False
    """Whether a file without the column is one, too: it is then null."""

    @property
    def dtype(self) -> pl.DataType:
        """The type in memory."""
        return {"text": pl.String(), "number": pl.Float64(), "keywords": pl.List(pl.String())}[self.kind]


@dataclass(frozen=True)
class ReferenceTable:
    """A reference table: its file, its columns, and the columns that identify what a row is about.

    Each table also has `valid_from`: a row holds from that day until a later row with the same key.
    """

    name: str
    columns: tuple[ReferenceColumn, ...]
    key: tuple[str, ...]
    needs: frozenset[str] = field(default=frozenset())
    """Values of the first key column without which the program cannot work."""
    may_be_empty: bool = False
    """Whether a file with column names alone is one: of facts that an office has to load."""

    @property
    def filename(self) -> str:
        """The name of the table's file in `reference/`."""
        return f"{self.name}.csv"
