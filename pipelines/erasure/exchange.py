"""What takes the place of each pseudonym, and the rows and texts in which it does."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

import polars as pl

from features.arrays.hashing import hash_text
from pipelines.cases.case import with_changed_parcels
from pipelines.privacy.identity_screen import OFFICIAL_COLUMNS, PSEUDONYM_COLUMNS
from pipelines.privacy.renewal import renew_pseudonyms

# Numbers that a list or a returned row has beside those of a declaration.
COLUMNS: Final = (*PSEUDONYM_COLUMNS, *OFFICIAL_COLUMNS, "opened_instead")
_TEXTS: Final = ("record", "message")
# Columns of the ledger and of what was taken, with hashes of numbers instead of the numbers.
_HASHES: Final = ("seller", "own_number", "declaration")
HASHED: Final = re.compile(r"hashed:([0-9a-f]{32})(?![0-9A-Za-z])")
FORGOTTEN: Final = "(forgotten)"
_PSEUDONYM: Final = re.compile(rb"(?<![0-9A-Za-z])[0-9a-f]{32}(?![0-9A-Za-z])")


class Exchange:
    """Replaces pseudonyms by what `renewed` gives for each; the same one stays, None is nothing.

    Attributes:
        changed: what was replaced so far, and by what.
    """

    def __init__(self, renewed: Callable[[str], str | None]) -> None:
        self.changed: dict[str, str | None] = {}
        self._renewed = renewed

    def rows(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Return a table's rows with other pseudonyms, the same object where none changes."""
        exchanged = with_changed_parcels(renew_pseudonyms(rows, COLUMNS, self.of), self.rows)
        for name in _TEXTS:
            if rows.schema.get(name) == pl.String:
                texts = [text if text is None else self.text(text) for text in exchanged[name]]
                exchanged = exchanged.with_columns(pl.Series(name, texts, dtype=pl.String))
        hashes = [name for name in _HASHES if rows.schema.get(name) == pl.UInt64]
        if hashes and self.changed:
            old = hash_text(pl.Series(list(self.changed)))
            new = hash_text(pl.Series([value or key for key, value in self.changed.items()]))
            exchanged = exchanged.with_columns(pl.col(hashes).replace(old, new))
        return rows if exchanged.equals(rows) else exchanged

    def of(self, pseudonym: str) -> str | None:
        """Return what takes the place of a pseudonym."""
        new = self._renewed(pseudonym)
        if new != pseudonym:
            self.changed[pseudonym] = new
        return new

    def text(self, text: str) -> str:
        """Return a quarantined record, or what a row was told, with other pseudonyms."""
        hashed = HASHED.sub(lambda found: "hashed:" + (self.of(found[1]) or FORGOTTEN), text)
        return self.document(hashed.encode()).decode()

    def document(self, content: bytes) -> bytes:
        """Return a document with other pseudonyms, of those that the tables of the store have held."""

        def new(found: re.Match[bytes]) -> bytes:
            old = found[0].decode()
            return (self.changed.get(old, old) or FORGOTTEN).encode()

        return _PSEUDONYM.sub(new, content)
