"""Documents that could not be written: the lists are issued without them, and a later run writes them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from pipelines.store.files import read_json
from pipelines.store.layout import SET_ASIDE


@dataclass(frozen=True)
class SetAside:
    """A document that could not be written: the name of its file, its list, and why."""

    document: str
    list_id: str
    reason: str

    def __str__(self) -> str:
        return f"{self.document} COULD NOT BE WRITTEN, the others are issued: {self.reason}"

    def as_dict(self) -> dict[str, str]:
        """As plain values, for manifests and marks."""
        return asdict(self)


def documents_set_aside(folder: Path) -> list[SetAside]:
    """The documents that the lists in a folder lack.

    Raises:
        StoreError: the file that names them is damaged.
    """
    file = folder / SET_ASIDE
    return [SetAside(**entry) for entry in read_json(file)["documents"]] if file.exists() else []


def write_set_aside(file: Path, documents: Sequence[SetAside]) -> None:
    """Writes which documents the lists lack."""
    content = {"documents": [each.as_dict() for each in documents]}
    text = json.dumps(content, indent=2, ensure_ascii=False)
    file.write_text(text + "\n", encoding="utf-8")
