"""Takes a person's pseudonyms out of a store."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import permutations
from pathlib import Path
from typing import Final

import polars as pl

from configs.errors import UsageError
from configs.schema.settings import Settings
from features.contract.china_time import china_date
from pipelines.erasure.exchange import COLUMNS, FORGOTTEN, HASHED, Exchange
from pipelines.erasure.report import ErasureReport, facts_of
from pipelines.erasure.rewriting import write_anew
from pipelines.privacy.identity_screen import PSEUDONYM_COLUMNS
from pipelines.privacy.key_record import KeyRecord
from pipelines.privacy.pseudonyms import Pseudonymiser, normalise
from pipelines.store.day_table import DayTable
from pipelines.store.files import read_whole
from pipelines.store.manifest import ManifestBuilder
from pipelines.store.store import Store

_VERB: Final = "forget"
_HASHED_AS: Final = re.compile(r'"([^"\\]+)":"hashed:')
_BETWEEN: Final = re.compile(r"[\n\t,;，；]+")


def forget(store: Path, identity: str, *, settings: Settings) -> ErasureReport:
    """Remove the pseudonyms of a person from every table and document, all or, if the run dies, none.

    `identity` is what is known of the person, a value a line: identity number, name, telephone, address.

    Raises:
        UsageError: it is empty.
        ConfigurationError: there is no key, or it is not the store's.
        StoreLockedError: another run holds the store.
    """
    values = [part.strip() for part in _BETWEEN.split(identity) if part.strip()]
    # An address has commas of its own: as a line it counts, too.
    values += [line.strip() for line in identity.splitlines() if line.strip()]
    if not values:
        raise UsageError(
            "expected on standard input what is known of the person, a value a line (identity number, name, "
            "telephone, address), got nothing"
        )
    opened = Store.open(store)
    names = key_of(opened, settings)
    manifest = ManifestBuilder(_VERB)
    with opened.lock(_VERB), opened.transaction() as t:
        with manifest.step("find"):
            fields = {*COLUMNS, *_fields_of_records(opened)}
            exchange = _Erasure(set(_pseudonyms(list(dict.fromkeys(values)), names, fields)))
        with manifest.step("write"):
            touched = write_anew(opened, t, exchange, settings.pipeline.store.bucket_rows)
        manifest.further = facts_of(touched, len(exchange.changed))
        opened.write_manifest(t, _VERB, china_date(datetime.now(UTC)), manifest.as_dict())
    found = bool(exchange.changed) or bool(touched.files)
    return ErasureReport(
        what=(
            f"forgotten: {touched.lines:,} lines of {len(touched.days):,} days name the person no more"
            if found
            else "nothing of this person is in the store, under this spelling"
        ),
        further="models that were trained before stay as they are: train anew. So do backups of the store",
        facts=manifest.as_dict(),
    )


def key_of(store: Store, settings: Settings, *, weak_is_allowed: bool = False) -> Pseudonymiser:
    """Return the owner of the key that a store was written with.

    Raises:
        ConfigurationError: there is no key, or it is not the store's.
    """
    names = Pseudonymiser.from_environment(settings.pipeline.pseudonyms, weak_is_allowed=weak_is_allowed)
    noted = store.meta.pseudonym_key
    return names.of_store(KeyRecord.read(noted)) if noted else names


class _Erasure(Exchange):
    """Takes pseudonyms away, and from the lines of a buyer who goes the address, too."""

    def __init__(self, known: set[str]) -> None:
        super().__init__(lambda old: None if old in known else old)
        self._known = known
        self._substitutes: dict[str, str] = {}

    def rows(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Return rows that name the person no more, the same object where none did."""
        cleared = self._without_address(self._with_other_numbers(rows))
        exchanged = super().rows(cleared)
        return rows if exchanged.equals(rows) else exchanged

    def text(self, text: str) -> str:
        """Return a text; of a record that holds a hash of the person, all hashes go."""
        gone = self._known.intersection(HASHED.findall(text))
        if gone:
            self.changed = dict.fromkeys(gone) | self.changed
            return HASHED.sub(f"hashed:{FORGOTTEN}", text)
        return super().text(text)

    def _with_other_numbers(self, rows: pl.DataFrame) -> pl.DataFrame:
        """A declaration has to have a number: one that was the person's becomes a random one."""
        if "declaration_id" not in rows.columns:
            return rows
        for old in rows["declaration_id"].unique().drop_nulls():
            if old in self._known:
                self._substitutes.setdefault(old, secrets.token_hex(16))
        self.changed.update(self._substitutes)
        return rows.with_columns(pl.col("declaration_id").replace(self._substitutes))

    def _without_address(self, rows: pl.DataFrame) -> pl.DataFrame:
        if not all(name in rows.columns for name in PSEUDONYM_COLUMNS):
            return rows
        gone = pl.col("buyer_id").is_in(list(self._known)).fill_null(False)
        return rows.with_columns(pl.when(~gone).then("address_id").alias("address_id"))


def _pseudonyms(values: list[str], names: Pseudonymiser, fields: Iterable[str]) -> Iterator[str]:
    spelled = list(dict.fromkeys(spelling for value in values for spelling in _spellings(value)))
    for value in spelled:
        for field in fields:
            pseudonym = names.hash_value(value, field)
            if pseudonym:
                yield pseudonym
    # A buyer without a number is known by name and telephone.
    for pair in permutations(map(normalise, spelled), 2):
        pseudonym = names.hash_key(pair, "buyer_id")
        if pseudonym:
            yield pseudonym


def _spellings(value: str) -> Iterator[str]:
    """A telephone with and without its country and hyphens; anything else as it is."""
    yield value
    digits = re.sub(r"[\s\-()+]", "", normalise(value))
    if digits.isdigit():
        yield digits
        national = re.sub(r"^(?:00)?86(?=1\d{10}$)", "", digits)
        yield national
        if re.fullmatch(r"1\d{10}", national):
            yield from (f"+86{national}", f"86{national}", f"+86-{national}")


def _fields_of_records(store: Store) -> set[str]:
    """The fields that quarantined records have hashed: each has hashes of its own kind."""
    fields: set[str] = set()
    for path in store.layout.table(DayTable.QUARANTINE).glob("*/*.parquet"):
        for record in read_whole(path, ["record"])["record"].drop_nulls():
            fields.update(_HASHED_AS.findall(record))
    return fields
