"""What a stored history depends on besides the data."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from configs.loader import reference_path
from configs.schema.pipeline import HistoryConfig, PeersConfig
from configs.schema.settings import Settings
from features.history.keys import KeySpec, key_specs
from features.history.peers import sketch_names
from features.history.state import History
from pipelines.store.layout import key_file, price_file

_FORMAT = 4
# What else is configured of the history, and changes no table of it.
_NOT_COUNTED_BY = {"keep_daily_profiles", "keep_weekly_profiles", "extra_columns"}
_REFERENCE = ("currencies.csv", "exchange_rates.csv", "units.csv", "countries.csv")


@dataclass(frozen=True)
class HistorySpec:
    """The keys, labels, half-lives and commodity levels that a history counts by.

    Attributes:
        config: keys and half-lives.
        peers: commodity levels of the price sketches.
        labels: those whose results are counted, of every configured risk, sorted.
        overlay: folder with reference tables of the user's, if there is one.
    """

    config: HistoryConfig
    peers: PeersConfig
    labels: tuple[str, ...]
    overlay: Path | None

    @classmethod
    def of(cls, settings: Settings) -> HistorySpec:
        """The spec of the histories under these settings."""
        labels = tuple(sorted({risk.label for risk in settings.risks.values()}))
        return cls(settings.pipeline.history, settings.pipeline.peers, labels, settings.overlay)

    @cached_property
    def keys(self) -> tuple[KeySpec, ...]:
        """The keys of the tables."""
        return key_specs(self.config)

    @property
    def sketches(self) -> list[str]:
        """The names of the price sketches."""
        return sketch_names(self.peers.columns_by_level)

    @property
    def files(self) -> list[str]:
        """The files of a stored history, each one table."""
        return [*(key_file(key.name) for key in self.keys), *map(price_file, self.sketches)]

    @cached_property
    def fingerprint(self) -> str:
        """A digest of all of it, with the exchange rates, units and countries that are read.

        A stored history of another fingerprint is not used but folded anew.
        """
        described = {
            "format": _FORMAT,
            "history": self.config.model_dump(mode="json", exclude=_NOT_COUNTED_BY),
            "levels": self.peers.model_dump(mode="json"),
            "labels": self.labels,
        }
        digest = hashlib.sha256(json.dumps(described, sort_keys=True).encode())
        for name in _REFERENCE:
            digest.update(reference_path(name, self.overlay).read_bytes())
        return digest.hexdigest()

    def empty(self) -> History:
        """The history before the first day."""
        return History.empty(self.config, self.labels, self.sketches)
