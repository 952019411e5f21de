"""Where libraries keep what they make once: compiled functions (numba), lists of fonts (Matplotlib).

numba looks for a folder beside the module, then in the home, and gives up where it may write to neither. A
service account often has no home, and a program that it may not change. Then a folder beside the store is
named.
"""

from __future__ import annotations

import atexit
import logging
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from pipelines.store.layout import Layout

logger = logging.getLogger(__name__)

_PROGRAM = Path(__file__).resolve().parents[2]
# One folder with compiled functions stands for all: they are installed together.
_COMPILED = _PROGRAM / "features" / "arrays" / "__pycache__"


@dataclass(frozen=True)
class _Library:
    """Its variable that names a folder, the name of that folder, and where it looks otherwise."""

    variable: str
    name: str
    folders: tuple[Path, ...]


def name_caches(store: Path | None) -> None:
    """Name a folder for the caches of libraries that have none, before they are loaded.

    It is beside the `store` where the account may write there, else a temporary one, which is told: what it
    holds is made anew in each run. Processes that are started take the names with them.
    """
    _name_home(store)
    for library in _libraries():
        if os.environ.get(library.variable) or any(may_write(folder) for folder in library.folders):
            continue
        kept = None if store is None else Layout(store).caches / library.name
        if kept is not None and may_write(kept):
            logger.debug("%s: %s, because none of the usual folders can be written", library.variable, kept)
        else:
            kept = Path(tempfile.mkdtemp(prefix=f"parcel-risk-{library.name}-"))
            atexit.register(shutil.rmtree, kept, ignore_errors=True)
            if store is not None:
                logger.warning(
                    "%s keeps nothing from run to run, which costs each run up to a minute: this account may "
                    "not write to %s. Name a folder of its own in the variable %s",
                    library.name,
                    ", ".join(str(folder) for folder in (*library.folders, Layout(store).caches)),
                    library.variable,
                )
        os.environ[library.variable] = str(kept)


def _name_home(store: Path | None) -> None:
    """Give an account that the system does not know a home: libraries ask for one when they are loaded."""
    try:
        Path.home()
    except RuntimeError:
        beside = None if store is None else Layout(store).caches
        os.environ["HOME"] = str(beside or tempfile.gettempdir())


def may_write(folder: Path) -> bool:
    """Whether this account may put files into a folder, which is made where its parent allows that."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def _libraries() -> list[_Library]:
    return [
        _Library("NUMBA_CACHE_DIR", "numba", (_COMPILED, *_in_home("XDG_CACHE_HOME", ".cache", "numba"))),
        _Library("MPLCONFIGDIR", "matplotlib", _in_home("XDG_CONFIG_HOME", ".config", "matplotlib")),
    ]


def _in_home(variable: str, folder: str, name: str) -> tuple[Path, ...]:
    """The folder of a library in the home; none where there is no home."""
    base = os.environ.get(variable) or os.path.expanduser(f"~/{folder}")  # noqa: PTH111 - a home may be missing
    return (Path(base) / name,) if Path(base).is_absolute() else ()
