"""Changes the key of a store's pseudonyms."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from configs.errors import UsageError
from configs.schema.settings import Settings
from features.contract.china_time import china_date
from pipelines.erasure.exchange import Exchange
from pipelines.erasure.forget import key_of
from pipelines.erasure.report import ErasureReport, facts_of
from pipelines.erasure.rewriting import write_anew
from pipelines.privacy.pseudonyms import KEY_VARIABLE, Pseudonymiser
from pipelines.store.manifest import ManifestBuilder
from pipelines.store.store import Store

NEW_KEY_VARIABLE: Final = "PARCEL_RISK_NEW_PSEUDONYM_KEY"
_VERB: Final = "rekey"


def rekey(store: Path, given: str, *, settings: Settings) -> ErasureReport:
    """Write a store anew under another key, all of it or, if the run dies, nothing.

    Raw identities are not in the store, so each pseudonym is hashed once more, with the new key. The store
    keeps the earlier keys, encrypted by the new one: with it alone a buyer gets the same pseudonym as before
    the change, and without it nobody can tell which one a person has, whatever earlier keys they know.

    `given` is the new key where `NEW_KEY_VARIABLE` is not set.

    Raises:
        UsageError: there is no new key, or it is the present one.
        ConfigurationError: there is no present key, it is not the store's, or the new one is soon guessed.
        StoreLockedError: another run holds the store.
    """
    key = os.environ.get(NEW_KEY_VARIABLE, "").strip() or given.strip()
    if not key:
        raise UsageError(
            f"expected the new key in the environment variable {NEW_KEY_VARIABLE} or on standard input, got "
            f"nothing; the present one comes from {KEY_VARIABLE}. Make one with: openssl rand -hex 32"
        )
    opened = Store.open(store)
    # The key that is left may be a weak one: that is why it is left.
    present = key_of(opened, settings, weak_is_allowed=True)
    new = Pseudonymiser.from_variable(key, NEW_KEY_VARIABLE)
    if present.has_key_of(new):
        raise UsageError("the new key is the present one: nothing would change")
    changed = present.followed_by(new)
    exchange = Exchange(lambda old: changed.renew(old, last=True))
    manifest = ManifestBuilder(_VERB)
    with opened.lock(_VERB), opened.transaction() as t:
        with manifest.step("write"):
            touched = write_anew(opened, t, exchange, settings.pipeline.store.bucket_rows)
        opened.write_meta(t, {}, (), changed.record().as_dict())
        manifest.further = facts_of(touched, len(exchange.changed))
        opened.write_manifest(t, _VERB, china_date(datetime.now(UTC)), manifest.as_dict())
    return ErasureReport(
        what=f"{len(exchange.changed):,} pseudonyms were renewed in {touched.lines:,} lines",
        further=(
            f"set {KEY_VARIABLE} (or the key file) to the new key: it alone is needed from now on. "
            "Lists that lie with the offices keep the numbers that they were issued with"
        ),
        facts=manifest.as_dict(),
    )
