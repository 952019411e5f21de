"""Finds what the modules of a folder declare: a new module is registered nowhere."""

from __future__ import annotations

import importlib
import pkgutil
from types import ModuleType
from typing import TypeVar

from configs.errors import ConfigurationError
from configs.messages import quoted

T = TypeVar("T")


def declared_in(package: ModuleType, name: str, kind: type[T], *, what: str, expected: str) -> dict[str, T]:
    """Return what each module of a package declares under a name, by the module's, in the order of these.

    Args:
        package: the folder of the modules.
        name: what the declaration is called in every module.
        kind: the class that it has to be of.
        what: how an error calls a module.
        expected: how an error says what a module has to declare.

    Raises:
        ConfigurationError: a module declares nothing of the kind, or makes a slip in what it declares.
    """
    found = {}
    for module in sorted(each.name for each in pkgutil.iter_modules(package.__path__)):
        where = f"{what} {module}"
        try:
            declared = getattr(importlib.import_module(f"{package.__name__}.{module}"), name, None)
        except TypeError as error:
            raise ConfigurationError(f"{where}: {error}") from error
        if not isinstance(declared, kind):
            raise ConfigurationError(f"{where}: expected {expected}; came {quoted(declared)}")
        found[module] = declared
    return found
