"""The champions as the nightly job uses them: copied from MLflow once, so that a night can do without it."""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from configs.errors import NoChampionError, TrackingError
from models.tracking.tracker import Tracker
from pipelines.store.layout import CHAMPION
from pipelines.store.store import Store

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class ModelInUse:
    """A champion's version, and the folder with its model, whose files `digest` names."""

    version: str
    folder: Path
    digest: str


def models_in_use(store: Store, risks: Collection[str]) -> tuple[dict[str, ModelInUse], list[str]]:
    """The champion of each of `risks` that has one, and what a user should know about them.

    Champions are copied into the store. Where MLflow cannot be reached, the copies of the last run are used.

    Raises:
        NoChampionError: none of the risks has a champion.
    """
    notes: list[str] = []
    try:
        _copy_champions(store, risks)
    except TrackingError as error:
        notes.append(f"{error} The models of the last run are used.")
        logger.warning("%s", notes[-1])
    in_use = {risk: model for risk in risks if (model := _copied(store, risk)) is not None}
    if not in_use:
        reason = f" {notes[-1]}" if notes else ""
        raise NoChampionError(
            f"expected a model in use for one of the risks {', '.join(risks)}, found none.{reason} "
            "Train one with `parcel-risk train`, or promote one with `parcel-risk champion promote`."
        )
    return in_use, notes


def _copy_champions(store: Store, risks: Collection[str]) -> None:
    tracker = Tracker.in_folder(store.layout.mlflow)
    champions = {champion.risk: champion for champion in tracker.champions()}
    for risk in risks:
        place = store.layout.models(risk)
        champion = champions.get(risk)
        if champion is None:
            (place / CHAMPION).unlink(missing_ok=True)
            continue
        described = {
            "version": champion.version,
            "since": champion.since,
            "run": champion.run_id,
            "uri": tracker.uri,
        }
        folder = place / _folder_name(champion.version, champion.run_id)
        if not folder.exists():
            beside = place / f".{folder.name}.new"
            shutil.rmtree(beside, ignore_errors=True)
            beside.mkdir(parents=True)
            tracker.download_champion(risk, beside)
            beside.replace(folder)
        beside = place / f".{CHAMPION}.new"
        beside.write_text(json.dumps(described, sort_keys=True) + "\n", encoding="utf-8")
        beside.replace(place / CHAMPION)


def _folder_name(version: int | str, run_id: str) -> str:
    return f"version-{version}-{run_id[:8]}"


def _copied(store: Store, risk: str) -> ModelInUse | None:
    place = store.layout.models(risk)
    if not (place / CHAMPION).exists():
        return None
    described = json.loads((place / CHAMPION).read_text(encoding="utf-8"))
    folder = place / _folder_name(described["version"], described["run"])
    return ModelInUse(str(described["version"]), folder, _digest(folder))


def _digest(folder: Path) -> str:
    digest = hashlib.sha256()
    for file in sorted(folder.rglob("*")):
        if file.is_file():
            digest.update(str(file.relative_to(folder)).encode())
            digest.update(file.read_bytes())
    return digest.hexdigest()
