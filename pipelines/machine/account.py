"""What the account brings along: an encoding, fonts, a key, and an MLflow that answers."""

from __future__ import annotations

import importlib
import locale
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from configs.errors import ConfigurationError, TrackingError
from configs.schema.pipeline import PseudonymsConfig
from models.tracking.server import TrackingServer
from pipelines.machine.finding import Finding, State

_FONT_FOLDERS = ("/usr/share/fonts", "/usr/local/share/fonts", "~/.fonts", "~/.local/share/fonts")
_CHINESE = re.compile(
    r"cjk|sourcehan|notosanssc|wqy|simsun|simhei|msyh|pingfang|uming|ukai|fallback", re.IGNORECASE
)
_ZONE = Path("/usr/share/zoneinfo/Asia/Shanghai")


def check_words() -> Iterator[Finding]:
    """Yield whether Chinese can be written and drawn, and whether China's zone is known."""
    encodings = {sys.getfilesystemencoding(), locale.getpreferredencoding(do_setlocale=False)}
    encodings.add(getattr(sys.stdout, "encoding", None) or "utf-8")
    others = sorted(name for name in encodings if name.lower().replace("-", "") != "utf8")
    if others:
        cure = "Set LC_ALL=C.UTF-8 (or PYTHONUTF8=1) for the account"
        yield Finding("locale", State.LACKS, f"expected UTF-8, found {', '.join(others)}", cure)
    else:
        yield Finding("locale", State.OK, "UTF-8")
    if any(_CHINESE.search(file.name) for folder in _FONT_FOLDERS for file in _fonts(folder)):
        yield Finding("fonts", State.OK, "one with Chinese characters is there")
    else:
        found = (
            "none with Chinese characters; where lists are opened or printed on this machine, one is needed"
        )
        yield Finding("fonts", State.NOTE, found, "apt-get install fonts-noto-cjk")
    if not _ZONE.exists():
        found = "Asia/Shanghai is not known to the system, which the timer needs; the program does not"
        yield Finding("time zones", State.NOTE, found, "apt-get install tzdata")


def check_key(config: PseudonymsConfig) -> Iterator[Finding]:
    """Yield whether there is a key for pseudonyms; only where Polars loads."""
    pseudonyms = importlib.import_module("pipelines.privacy.pseudonyms")
    try:
        pseudonyms.Pseudonymiser.from_environment(config)
    except ConfigurationError as error:
        there = config.key_file is not None
        found = str(error) if there else "there is none; `ingest` of data about people needs one"
        cure = "" if there else "docs/howto-nightly.md says how to set one"
        yield Finding("key", State.LACKS if there else State.NOTE, found, cure)
    else:
        yield Finding("key", State.OK, "is there")


def check_tracking(folder: Path | None) -> Iterator[Finding]:
    """Yield whether MLflow answers: the named server, else a file in `folder`."""
    try:
        server = TrackingServer.in_folder(folder or Path("mlflow"))
        server.check_reachable()
    except (ConfigurationError, TrackingError) as error:
        yield Finding("MLflow", State.LACKS, str(error))
    else:
        yield Finding("MLflow", State.OK, server.shown)


def _fonts(folder: str) -> Iterator[Path]:
    path = Path(folder)
    try:
        yield from path.expanduser().rglob("*.[to]t[fc]")
    except (OSError, RuntimeError):
        # Without a home, or leave to look: there is none to be used.
        return
