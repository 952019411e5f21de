"""Which code made a run: version, commit, packages. With data, configuration and seed it can be repeated."""

from __future__ import annotations

import platform
import subprocess
from collections.abc import Mapping
from functools import cache
from importlib import metadata
from pathlib import Path

_DISTRIBUTION = "parcel-risk"
PACKAGES = ("lightgbm", "numba", "numpy", "pandas", "polars", "pyarrow", "pydantic", "scipy")
_GIT_SECONDS = 10.0


@cache
def code_version() -> Mapping[str, str]:
    """`code_version`, the version of the installed package, and in a git checkout `code_commit` and
    `code_changed`, "true" where tracked files differ from the commit.

    Without git, or installed from a package, the two are left out: the version then names the code.
    """
    version = {"code_version": metadata.version(_DISTRIBUTION)}
    root = Path(__file__).resolve().parents[2]
    if not (root / ".git").exists():
        return version
    commit, changes = _git(root, "rev-parse", "HEAD"), _git(root, "status", "--porcelain", "-uno")
    if commit is not None and changes is not None:
        version |= {"code_commit": commit, "code_changed": "true" if changes else "false"}
    return version


@cache
def package_versions() -> Mapping[str, str]:
    """The versions of Python and of each package that numbers depend on, by name."""
    return {"python": platform.python_version(), **{name: metadata.version(name) for name in PACKAGES}}


def _git(root: Path, *arguments: str) -> str | None:
    """The output of git, None where there is no git or it refuses."""
    try:
        answer = subprocess.run(
            ["git", "-C", str(root), *arguments],
            capture_output=True,
            text=True,
            check=True,
            timeout=_GIT_SECONDS,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.stdout.strip()
