"""Which model is in use, and changing it by hand."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from configs.errors import UsageError
from configs.schema.settings import Settings
from models.tracking.addresses import URI_VARIABLE
from models.tracking.registry import Champion
from models.tracking.tracker import Tracker
from pipelines.store.layout import Layout
from pipelines.store.meta import StoreMeta
from pipelines.work.report import Report


@dataclass(frozen=True)
class ChampionReport(Report):
    """Champions after the verb, and the risks that have none."""

    champions: Sequence[Champion]
    without: Sequence[str] = ()
    message: str = ""

    def _lines(self) -> list[str]:
        listed = [
            f"{champion.risk}: version {champion.version} since {champion.since or 'an unknown time'}"
            + (f" by {champion.who}" if champion.who else "")
            + (f": {champion.why}" if champion.why else "")
            + (f" (this model {champion.doubt})" if _untold(champion) else "")
            for champion in self.champions
        ]
        return [
            *([self.message] if self.message else []),
            *listed,
            *(f"{risk}: no model in use; `parcel-risk train` makes one" for risk in self.without),
        ]

    def _facts(self) -> dict[str, Any]:
        return {"champions": self.champions, "without": self.without}


def _untold(champion: Champion) -> bool:
    """Whether there is a doubt about a model that the reason of its promotion does not name."""
    return champion.doubt is not None and champion.doubt not in champion.why


def list_champions(store: Path | None, *, settings: Settings) -> ChampionReport:
    """Return the model in use of each risk, and the configured risks without one."""
    champions = _tracker(store).champions(settings.risks)
    known = {champion.risk for champion in champions}
    return ChampionReport(champions, [risk for risk in settings.risks if risk not in known])


def promote(
    store: Path | None, risk: str, version: int, *, reason: str, settings: Settings
) -> ChampionReport:
    """Put a version in use, whatever its gate decided.

    Raises:
        UsageError: there is no such version.
    """
    champion = _tracker(store).promote(settings.risk(risk).name, version, reason)
    return ChampionReport([champion], message=f"{risk}: version {version} is now in use")


def rollback(store: Path | None, risk: str, *, reason: str, settings: Settings) -> ChampionReport:
    """Put the earlier model back in use.

    Raises:
        UsageError: there is none.
    """
    champion = _tracker(store).rollback(settings.risk(risk).name, reason)
    return ChampionReport([champion], message=f"{risk}: version {champion.version} is in use again")


def _tracker(store: Path | None) -> Tracker:
    if store is None and not os.environ.get(URI_VARIABLE, "").strip():
        raise UsageError(
            f"expected --store S or the variable {URI_VARIABLE}, came neither: "
            "one of them says where the registered models are"
        )
    if store is None:
        return Tracker.in_folder(Path())
    layout = Layout(store)
    # A store that is not there yet has no identity; models of others are refused all the same.
    identity = StoreMeta.read(layout.meta).identity if layout.meta.exists() else ""
    return Tracker.in_folder(layout.mlflow, identity)
