"""Finds the modules of a folder, each of which holds one class of a kind."""

from __future__ import annotations

import importlib
import pkgutil
import sys
from types import ModuleType
from typing import Any, Final, TypeVar

from configs.errors import ConfigurationError

T = TypeVar("T")
_FOUND: Final[dict[tuple[str, type], tuple[tuple[ModuleType | None, ...], dict[str, type[Any]]]]] = {}


def module_names(package: ModuleType) -> tuple[str, ...]:
    """The names of the modules in a package, sorted; none of them is imported.

    >>> import pipelines.ingest.sources
    >>> module_names(pipelines.ingest.sources)
    ('ceb', 'table')
    """
    return tuple(sorted(module.name for module in pkgutil.iter_modules(package.__path__)))


def found_classes(package: ModuleType, base: type[T]) -> dict[str, type[T]]:
    """The class that each module of a package holds, by the module's name.

    The classes derive from `base`. What it annotates without a value, a class has to declare.

    Raises:
        ConfigurationError: a module holds none or several, or its class lacks something.
    """
    names = [f"{package.__name__}.{name}" for name in module_names(package)]
    # Asked for by every file of a run; a module that came, went or was loaded anew is looked at.
    loaded = tuple(sys.modules.get(name) for name in names)
    found = _FOUND.get((package.__name__, base))
    if found is None or found[0] != loaded or None in loaded:
        classes = {name.rpartition(".")[2]: _class_in(name, base) for name in names}
        found = tuple(sys.modules.get(name) for name in names), classes
        _FOUND[package.__name__, base] = found
    return dict(found[1])


def _class_in(module_name: str, base: type[T]) -> type[T]:
    members = vars(importlib.import_module(module_name)).values()
    classes = [each for each in members if isinstance(each, type) and issubclass(each, base)]
    classes = [each for each in classes if each.__module__ == module_name]
    if len(classes) != 1:
        names = ", ".join(each.__name__ for each in classes) or "none"
        raise ConfigurationError(
            f"{module_name}: expected one class that derives from {base.__name__}, got {names}"
        )
    found = classes[0]
    abstract: frozenset[str] = getattr(found, "__abstractmethods__", frozenset())
    lacking = sorted({*abstract, *(name for name in base.__annotations__ if not hasattr(found, name))})
    if lacking:
        raise ConfigurationError(f"{module_name}: {found.__name__} does not declare {', '.join(lacking)}")
    return found
