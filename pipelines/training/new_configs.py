"""The configuration folder that a search writes: the one in use, with one of its files changed."""

from __future__ import annotations

import shutil
from pathlib import Path

from configs.errors import UsageError
from configs.loader import load_settings


def require_new(folder: Path | None) -> None:
    """Check that a folder, if one is named, is new or empty.

    Raises:
        UsageError: something is in it, or it is a file.
    """
    if folder is not None and folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"--write: expected a new or empty folder, {folder} is not: name another one.")


def write_configs(folder: Path, overlay: Path | None, file: str, text: str) -> Path:
    """Copy the configuration folder in use to `folder` with `text` as `file` of it; return its path."""
    if overlay is not None:
        shutil.copytree(overlay, folder, dirs_exist_ok=True)
    path = folder / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    load_settings(folder)  # what is written has to be what a later command reads
    return path
