"""The champions as the nightly job uses them: copied from MLflow once, so that a night can do without it."""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from configs.errors import NoChampionError, StoreError, TrackingError
from models.risk.level import Level
from models.risk.saved_model import MODEL_FILE, is_of_before, saved_level
from models.tracking.addresses import shown_address
from models.tracking.registry import Champion
from models.tracking.tracker import RegistryState, Tracker
from pipelines.store.digests import changed_files, damaged, note_copies
from pipelines.store.layout import CHAMPION, WITHDRAWN, Layout
from pipelines.store.store import Store

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class ModelInUse:
    """A champion's version, and the folder with its model, whose files `digest` names.

    `doubt` is what is to be said of it wherever it is named, None where it passed its gate.
    """

    version: str
    folder: Path
    digest: str
    doubt: str | None = None


@dataclass(frozen=True)
class ModelsInUse:
    """The models of a night.

    Attributes:
        models: the model in use of each risk that has one.
        withdrawn: risks that had one and have none any more.
        notes: what a user should know about them.
    """

    models: Mapping[str, ModelInUse]
    withdrawn: Sequence[str] = ()
    notes: Sequence[str] = ()


@dataclass(frozen=True)
class _Remembered:
    """What `CHAMPION` holds: which copy is in use, and the registry that said so."""

    version: int
    since: str
    run: str
    address: str
    registry: str | None = None
    doubt: str | None = None

    @classmethod
    def of(cls, champion: Champion, state: RegistryState, tracker: Tracker) -> _Remembered:
        return cls(
            champion.version, champion.since, champion.run_id, tracker.shown, state.identity, champion.doubt
        )

    @classmethod
    def read(cls, place: Path) -> _Remembered | None:
        file = place / CHAMPION
        if not file.exists():
            return None
        try:
            content = json.loads(file.read_text(encoding="utf-8"))
            # The versions before wrote the address with its password.
            address = shown_address(str(content.get("address", content.get("uri", ""))))
            found = cls(
                int(content["version"]), str(content["since"]), str(content["run"]), address,
                content.get("registry"), content.get("doubt"),
            )  # fmt: skip
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise StoreError(
                f"{file} is damaged: expected the model in use as JSON. Restore it from a backup of the "
                "store, or take it away: the next run asks MLflow for the model"
            ) from error
        if "uri" in content:
            found.write(place)
        return found

    def write(self, place: Path) -> None:
        beside = place / f".{CHAMPION}.new"
        beside.write_text(json.dumps(asdict(self), sort_keys=True) + "\n", encoding="utf-8")
        beside.replace(place / CHAMPION)

    @property
    def folder_name(self) -> str:
        return f"version-{self.version}-{self.run[:8]}"


def models_in_use(store: Store, risks: Collection[str]) -> ModelsInUse:
    """The champion of each of `risks` that has one.

    Champions are copied into the store. The copies of the last run are used where MLflow cannot be reached,
    and where another registry than theirs answers that knows no model or only older ones: what a run finds
    under a wrong address takes no model out of use.

    Raises:
        NoChampionError: none of the risks has a champion.
        ConfigurationError: the address of MLflow cannot be used, or a model is that of another store.
        StoreError: the note of the model in use is damaged, or its copy is and MLflow cannot be reached.
    """
    notes: list[str] = []
    try:
        notes += _follow_registry(store, risks)
    except TrackingError as error:
        notes.append(f"{error} The models of the last run are used.")
    for note in notes:
        logger.warning("%s", note)
    models = {risk: model for risk in risks if (model := _copied(store, risk)) is not None}
    if not models:
        reason = f" {notes[-1]}" if notes else ""
        raise NoChampionError(
            f"expected a model in use for one of the risks {', '.join(risks)}, found none.{reason} "
            "Train one with `parcel-risk train`, or promote one with `parcel-risk champion promote`."
        )
    # One whose copy is not whole is told of where it is loaded.
    whole = {risk: model for risk, model in models.items() if (model.folder / MODEL_FILE).exists()}
    old = [risk for risk, model in whole.items() if is_of_before(model.folder)]
    if old:
        notes.append(
            f"{', '.join(old)}: the model in use is of an earlier version of this program. It is read, but "
            "learned from hit rates that were smoothed otherwise: train anew with `parcel-risk train`"
        )
        logger.warning("%s", notes[-1])
    withdrawn = [risk for risk in risks if risk not in models and _mark(store, risk).exists()]
    for risk in withdrawn:
        notes.append(_without_model(store, risk))
        logger.warning("%s", notes[-1])
    return ModelsInUse(models, withdrawn, notes)


def doubts_of(in_use: Mapping[str, ModelInUse]) -> dict[str, str]:
    """What is to be said of models that nothing shows to be of use, by risk."""
    return {risk: model.doubt for risk, model in sorted(in_use.items()) if model.doubt}


def levels_of(in_use: Mapping[str, ModelInUse]) -> dict[str, Level]:
    """How sure the level of each risk's probabilities is, where its model says so."""
    known = {risk: saved_level(model.folder) for risk, model in sorted(in_use.items())}
    return {risk: level for risk, level in known.items() if level is not None}


def _without_model(store: Store, risk: str) -> str:
    return (
        f"{risk}: had a model in use and has none any more: its scores are null, and nothing is listed for "
        "it. Put one in use with `parcel-risk train` or `parcel-risk champion promote`; if it shall stay "
        f"without, take {_mark(store, risk)} away"
    )


def _follow_registry(store: Store, risks: Collection[str]) -> list[str]:
    """Copy the champions and remember them; what to tell where they were not followed."""
    tracker = Tracker.in_folder(store.layout.mlflow, store.meta.identity)
    remembered = {risk: _Remembered.read(store.layout.models(risk)) for risk in risks}
    state = tracker.registry(risks)
    champions = {champion.risk: champion for champion in state.champions}
    notes = []
    for risk, known in remembered.items():
        champion, place = champions.get(risk), store.layout.models(risk)
        if known is not None and not _may_replace(known, risk, champion, state, tracker):
            found = "none" if champion is None else f"only the older version {champion.version}"
            notes.append(
                f"{risk}: version {known.version} from {known.address} stays in use: {tracker.named} "
                f"is another registry and has {found}. Check MLFLOW_TRACKING_URI, or train there."
            )
        elif champion is not None:
            _copy(tracker, store.layout, risk, _Remembered.of(champion, state, tracker))
        elif known is not None:
            (place / CHAMPION).replace(place / WITHDRAWN)
    return notes


def _may_replace(
    known: _Remembered, risk: str, champion: Champion | None, state: RegistryState, tracker: Tracker
) -> bool:
    """Whether what a registry says of a risk counts against the remembered model."""
    if champion is not None and champion.since > known.since:
        return True
    if known.registry is not None:
        return known.registry == state.identity
    return state.identity is not None and tracker.holds(risk, known.version, known.run)


def _copy(tracker: Tracker, layout: Layout, risk: str, champion: _Remembered) -> None:
    place = layout.models(risk)
    folder = place / champion.folder_name
    changed = changed_files(layout, folder) if folder.exists() else []
    if changed or not folder.exists():
        beside = place / f".{folder.name}.new"
        shutil.rmtree(beside, ignore_errors=True)
        beside.mkdir(parents=True)
        tracker.download_champion(risk, beside)
        if changed:
            logger.warning("%s", damaged(changed[0], "It was fetched from MLflow again"))
            shutil.rmtree(folder)
        beside.replace(folder)
        note_copies(layout, folder)
    champion.write(place)
    (place / WITHDRAWN).unlink(missing_ok=True)


def _copied(store: Store, risk: str) -> ModelInUse | None:
    place = store.layout.models(risk)
    known = _Remembered.read(place)
    if known is None:
        return None
    folder = place / known.folder_name
    if changed := changed_files(store.layout, folder):
        cure = f"While MLflow answers, it is fetched again; else restore the folder {folder} from a backup"
        raise StoreError(damaged(changed[0], cure))
    return ModelInUse(str(known.version), folder, _digest(folder), known.doubt)


def _digest(folder: Path) -> str:
    digest = hashlib.sha256()
    for file in sorted(folder.rglob("*")):
        if file.is_file():
            digest.update(str(file.relative_to(folder)).encode())
            digest.update(file.read_bytes())
    return digest.hexdigest()


def _mark(store: Store, risk: str) -> Path:
    """What says that the registry withdrew the risk's model."""
    place = store.layout.models(risk)
    return place / WITHDRAWN
