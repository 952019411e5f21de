"""Who runs the program, where, and which program it is, as the system says.

Variables of the environment, which anybody may set, are not asked.
"""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Mapping
from functools import cache
from importlib import metadata
from pathlib import Path

_DISTRIBUTION = "parcel-risk"
_GIT_SECONDS = 10.0
_ROOT = Path(__file__).resolve().parents[1]


def _user_name() -> str:
    """The account that runs this process; its number where it has no name, as in a bare container."""
    try:
        import pwd
    except ImportError:  # pragma: no cover - not a POSIX system
        return os.getlogin()
    number = os.getuid()
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"uid {number}"


def responsible() -> dict[str, str]:
    """`user`, `host`, `code_version`, and in a checkout `code_commit` and `code_changed`."""
    return {"user": _user_name(), "host": socket.gethostname(), **code_version()}


@cache
def code_version() -> Mapping[str, str]:
    """`code_version`, the version of the installed package, and in a git checkout `code_commit` and
    `code_changed`, "true" where tracked files differ from the commit.

    Without git, or installed from a package, the two are left out: the version then names the code.
    """
    version = {"code_version": metadata.version(_DISTRIBUTION)}
    if not (_ROOT / ".git").exists():
        return version
    commit, changes = _git("rev-parse", "HEAD"), _git("status", "--porcelain", "-uno")
    if commit is not None and changes is not None:
        version |= {"code_commit": commit, "code_changed": "true" if changes else "false"}
    return version


def _git(*arguments: str) -> str | None:
    """The output of git, None where there is no git or it refuses."""
    try:
        answer = subprocess.run(
            ["git", "-C", str(_ROOT), *arguments],
            capture_output=True,
            text=True,
            check=True,
            timeout=_GIT_SECONDS,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.stdout.strip()
