"""Which packages made a run, and the code that travels with a registered model.

With them, `configs.who`, data, configuration and seed, a run can be repeated; with its code, a model loads
where this program is not installed.
"""

from __future__ import annotations

import platform
import shutil
from collections.abc import Mapping
from functools import cache
from importlib import metadata
from modulefinder import ModuleFinder
from pathlib import Path
from typing import Any

PACKAGES = ("lightgbm", "numba", "numpy", "pandas", "polars", "pyarrow", "pydantic", "scipy")
_ROOT = Path(__file__).resolve().parents[2]
_CARRIED = ("configs", "features", "models")
_ENTRY = "models.risk.risk_model"
# What the carried code imports beside the packages that numbers depend on.
_ALSO = ("PyYAML", "babel", "pandera", "scikit-learn", "threadpoolctl")


@cache
def package_versions() -> Mapping[str, str]:
    """The versions of Python and of each package that numbers depend on, by name."""
    return {"python": platform.python_version(), **{name: metadata.version(name) for name in PACKAGES}}


def requirements() -> list[str]:
    """The packages that a registered model needs, each pinned to the version that trained it."""
    return [f"{name}=={metadata.version(name)}" for name in (*PACKAGES, *_ALSO)]


def copy_code(into: Path) -> list[str]:
    """Copy the modules that a model needs to predict; the folders for MLflow's `code_paths`."""
    for module in _modules():
        target = into / module.relative_to(_ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(module, target)
    return [str(into / package) for package in _CARRIED]


@cache
def _modules() -> tuple[Path, ...]:
    finder = _OwnModules(path=[str(_ROOT)])
    finder.import_hook(_ENTRY)
    return tuple(sorted(Path(str(vars(module)["__file__"])) for module in finder.modules.values()))


class _OwnModules(ModuleFinder):
    """Follows imports, those inside functions too, through this program's packages only."""

    def find_module(self, name: str, path: str | None, parent: Any = None) -> Any:
        """Where a module is; ImportError for those of others."""
        if path is None and name not in _CARRIED:
            raise ImportError(name)
        return super().find_module(name, path, parent)
