"""The group of verbs: found when they are called for, with what they run loaded only when they run."""

from __future__ import annotations

import pkgutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import LazyLoader
from types import ModuleType
from typing import Any

import click

_DEFERRED = ("configs.", "features.", "models.", "pipelines.")


class LazyGroup(click.Group):
    """A group whose commands are the modules of a package: the module `train` holds the command `train`.

    A command is imported when it is called for. The modules of this project that it takes from their rooms
    as modules (`from pipelines.training import tune`) are loaded when it first uses them: neither the help
    of the program nor that of a verb waits for them.

    Args:
        package: holds the modules.
        order: names of commands in the order of the help; others follow by name.
        settings: of `click.Group`.
    """

    def __init__(self, *, package: ModuleType, order: Sequence[str], **settings: Any) -> None:
        super().__init__(**settings)
        self._package = package.__name__
        places = {name: place for place, name in enumerate(order)}
        modules = sorted(module.name for module in pkgutil.iter_modules(package.__path__))
        self._found = sorted(modules, key=lambda name: places.get(name, len(order)))

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands, in the order of the help."""
        return [*self._found, *(name for name in self.commands if name not in self._found)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command, None where there is none: `commands` then holds all, to name the nearest."""
        for name in [cmd_name] if cmd_name in self.list_commands(ctx) else self._found:
            if name not in self.commands:
                with _deferred_imports():
                    command = getattr(import_module(f"{self._package}.{name}"), name)
                self.add_command(command, name)
        return super().get_command(ctx, cmd_name)


class _DeferringFinder:
    @staticmethod
    def find_spec(
        name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        spec = PathFinder.find_spec(name, path, target) if name.startswith(_DEFERRED) else None
        if spec is not None and spec.loader is not None:
            spec.loader = LazyLoader(spec.loader)
        return spec


@contextmanager
def _deferred_imports() -> Iterator[None]:
    finder = _DeferringFinder()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
