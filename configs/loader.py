"""Read the packaged configuration with a folder of the user's laid over it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from configs.errors import ConfigurationError
from configs.language_codes import LANGUAGES
from configs.messages import configuration_error, nearest
from configs.schema.capacity import CapacityConfig
from configs.schema.pipeline import PipelineConfig
from configs.schema.reasons import ReasonsConfig
from configs.schema.risk import RiskConfig
from configs.schema.settings import Settings
from configs.schema.source import SourceMapping
from configs.yaml_file import read_yaml

_Model = TypeVar("_Model", bound=BaseModel)

_SINGLE_FILES = ("capacity.yaml", "pipeline.yaml", "reasons.yaml")
_ADD = "add"
_COMBINATIONS = "combinations"
_FOLDERS = {"risks": ".yaml", "sources": ".yaml", "reference": ".csv", "locale": ".po"}


def load_settings(overlay: Path | None = None) -> Settings:
    """Every setting, from the packaged files and the `overlay` folder laid over them.

    A file of the overlay replaces the packaged one of the same name; in `pipeline.yaml`, `capacity.yaml` and
    `reasons.yaml` a key that it leaves out keeps its packaged value, and in `locale/` a message. A new file
    in `risks/` or `sources/` joins.

    Raises:
        ConfigurationError: the folder or a file in it is not as expected; the message says where and why.

    >>> settings = load_settings()
    >>> list(settings.risks)
    ['food_safety', 'prohibited_items', 'undervaluation']
    >>> settings.pipeline.hit_rates.smoothing
    20.0
    """
    if overlay is not None:
        _check_layout(overlay)
    reasons = _single("reasons.yaml", ReasonsConfig, overlay)
    risks = (_risk(path, reasons) for path in _files("risks", overlay))
    return Settings(
        pipeline=_single("pipeline.yaml", PipelineConfig, overlay),
        capacity=_single("capacity.yaml", CapacityConfig, overlay),
        risks={risk.name: risk for risk in risks if risk.enabled},
        fingerprint=_fingerprint(overlay),
        overlay=overlay,
    )


def load_source_mapping(name_or_path: str | Path, overlay: Path | None = None) -> SourceMapping:
    """The mapping of a foreign table, by its name in `sources/` or by the path of a file.

    Raises:
        ConfigurationError: there is no such mapping, or its file is wrong.
    """
    text = str(name_or_path)
    if isinstance(name_or_path, Path) or "/" in text or "\\" in text or text.endswith((".yaml", ".yml")):
        path = Path(name_or_path)
        if not path.is_file():
            raise ConfigurationError(f"expected a mapping file at {path}; there is none")
    else:
        known = {file.stem: file for file in _files("sources", overlay)}
        if text not in known:
            raise ConfigurationError(
                f"expected one of the mappings {', '.join(known) or '(none)'}, or the path of a .yaml file; "
                f"came {text!r}.{nearest(text, known)}"
            )
        path = known[text]
    return _validated(path, SourceMapping, {**_without_name(path), "name": path.stem})


def reference_path(filename: str, overlay: Path | None = None) -> Path:
    """Where a reference table is read from: the overlay's file if it has one, else the packaged one.

    Raises:
        ConfigurationError: no table of that name is part of the program.
    """
    known = {path.name: path for path in _files("reference", overlay)}
    if filename not in known:
        raise ConfigurationError(
            f"expected one of the reference tables {', '.join(known)}; "
            f"came {filename!r}.{nearest(filename, known)}"
        )
    return known[filename]


def risk_path(name: str, overlay: Path | None = None) -> Path:
    """The file that a configured risk is read from: the overlay's if it has one, else the packaged one."""
    return next(path for path in _files("risks", overlay) if path.stem == name)


def tables_fingerprint(overlay: Path | None) -> str:
    """The SHA-256 of what is read besides the settings: reference tables and catalogues of languages."""
    return _digest([*_files("reference", overlay), *_catalogues(overlay)])


def _packaged() -> Path:
    return Path(str(resources.files("configs")))


def _files(folder: str, overlay: Path | None) -> list[Path]:
    """The effective files of a folder, sorted by name."""
    files: dict[str, Path] = {}
    for root in (_packaged(), overlay):
        if root is not None and (root / folder).is_dir():
            files |= {path.name: path for path in sorted((root / folder).glob(f"*{_FOLDERS[folder]}"))}
    return [files[name] for name in sorted(files)]


def _single(name: str, model: type[_Model], overlay: Path | None) -> _Model:
    path = _packaged() / name
    content = read_yaml(path)
    if overlay is not None and (overlay / name).is_file():
        path = overlay / name
        content = _laid_over(content, _in_sections(read_yaml(path)))
    return _validated(path, model, content)


def _laid_over(base: Mapping[str, Any], top: Mapping[str, Any]) -> dict[str, Any]:
    """`top` with the keys of `base` that it leaves out; a list is replaced, or prolonged by `add`."""
    merged = dict(base)
    for key, value in top.items():
        below = merged.get(key)
        if isinstance(below, Mapping) and isinstance(value, Mapping):
            merged[key] = _laid_over(below, value)
        elif isinstance(below, list) and isinstance(value, Mapping) and set(value) == {_ADD}:
            more = value[_ADD]
            merged[key] = [*below, *(more if isinstance(more, list) else [more])]
        else:
            merged[key] = value
    return merged


def _in_sections(content: Mapping[str, Any]) -> dict[str, Any]:
    """The content of a user's `pipeline.yaml` with `combinations` where they belong, in `history`."""
    placed = dict(content)
    history = placed.get("history") or {}
    if _COMBINATIONS in placed and isinstance(history, Mapping) and _COMBINATIONS not in history:
        placed["history"] = {**history, _COMBINATIONS: placed.pop(_COMBINATIONS)}
    return placed


def _risk(path: Path, reasons: ReasonsConfig) -> RiskConfig:
    content = _without_name(path)
    title = content.get("title", path.stem.replace("_", " ").capitalize())
    content["title"] = {"en": title} if isinstance(title, str) else title
    content.setdefault("fallback_reason", reasons.fallback)
    risk = _validated(path, RiskConfig, {**content, "name": path.stem})
    shared = frozenset(reasons.blocks) - frozenset(risk.reasons)
    every = {**reasons.blocks, **risk.reasons}
    return risk.model_copy(update={"reasons": every, "shared_reasons": shared})


def _without_name(path: Path) -> dict[str, Any]:
    content = read_yaml(path)
    if "name" in content:
        raise ConfigurationError(f"{path}: name: the name is that of the file, {path.stem!r}; remove the key")
    return content


def _validated(path: Path, model: type[_Model], content: Mapping[str, Any]) -> _Model:
    try:
        return model.model_validate(content)
    except ValidationError as error:
        raise configuration_error(path, error, model) from error


def _check_layout(overlay: Path) -> None:
    """A misspelt file would be ignored in silence, so every file has to be one that is read."""
    if not overlay.is_dir():
        raise ConfigurationError(f"--configs: expected a folder; {overlay} is none")
    for path in sorted(overlay.iterdir()):
        if path.name.startswith((".", "__")) or path.suffix in (".md", ".txt", ".py"):
            continue
        if path.is_dir() and path.name in _FOLDERS:
            _check_folder(path, _FOLDERS[path.name])
        elif path.is_dir() or path.name not in _SINGLE_FILES:
            allowed = [*_SINGLE_FILES, *(f"{folder}/" for folder in _FOLDERS)]
            raise _not_allowed(path, "not part of a configuration folder", allowed)


def _check_folder(folder: Path, suffix: str) -> None:
    tables = [path.name for path in _files("reference", None)]
    catalogues = [f"{code}.po" for code in LANGUAGES]
    for path in sorted(folder.iterdir()):
        if path.name.startswith((".", "__")) or path.suffix in (".md", ".txt"):
            continue
        if path.suffix != suffix:
            raise ConfigurationError(
                f"{path}: expected files named *{suffix} in {folder.name}/; came this one"
            )
        if folder.name == "locale" and path.name not in catalogues:
            raise _not_allowed(path, "no language of the documents", catalogues)
        if folder.name == "reference" and path.name not in tables:
            raise _not_allowed(path, "no such reference table", tables)


def _not_allowed(path: Path, what: str, allowed: Sequence[str]) -> ConfigurationError:
    hint = nearest(path.name, allowed)
    return ConfigurationError(f"{path}: {what}.{hint} Allowed: {', '.join(allowed)}")


def _fingerprint(overlay: Path | None) -> str:
    # What the overlay leaves out of a single file or a catalogue comes from the packaged one, so both count.
    paths = [
        root / name
        for name in _SINGLE_FILES
        for root in (_packaged(), overlay)
        if root is not None and (root / name).is_file()
    ]
    for folder in ("risks", "sources", "reference"):
        paths += _files(folder, overlay)
    return _digest(paths + _catalogues(overlay))


def _catalogues(overlay: Path | None) -> list[Path]:
    roots = filter(None, (_packaged(), overlay))
    return [path for root in roots for path in sorted((root / "locale").glob("*.po"))]


def _digest(paths: Sequence[Path]) -> str:
    digest = hashlib.sha256()
    for path in paths:
        content = path.read_bytes()
        digest.update(f"{path.name}:{len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()
