"""What a verb reports: how it ended, for people and for programs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from datetime import date
from pathlib import Path
from typing import Any


class Report(ABC):
    """The report of a verb, or of a part of one: each says its lines and its facts."""

    @property
    def exit_code(self) -> int:
        """The exit code of the program; 0 where everything is done."""
        return 0

    def lines(self) -> list[str]:
        """The report for people, line by line."""
        return list(self._lines())

    def as_dict(self) -> dict[str, Any]:
        """The report for programs: plain values, dates and paths as text."""
        return {name: _plain(value) for name, value in self._facts().items()}

    @abstractmethod
    def _lines(self) -> Iterable[str]: ...

    @abstractmethod
    def _facts(self) -> Mapping[str, Any]: ...


def _plain(value: Any) -> Any:
    if isinstance(value, Report):
        return value.as_dict()
    if isinstance(value, date | Path):
        return str(value)
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    return value
