"""What the file of a saved model says of it, without the model: how sure its level is, and how old it is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from configs.errors import DataError
from models.risk.level import Level

MODEL_FILE = "model.json"
MODEL_FORMAT = 4
# Models of format 3 have one booster.
READ_FORMATS = (3, MODEL_FORMAT)


def saved_model(folder: Path) -> dict[str, Any]:
    """What `RiskModel.save` wrote into the folder's `MODEL_FILE`.

    Raises:
        DataError: the folder holds no model.
    """
    try:
        stored = json.loads((folder / MODEL_FILE).read_bytes())
        if not isinstance(stored, dict):
            raise TypeError("expected a JSON object")
    except (OSError, ValueError, TypeError) as error:
        raise DataError(f"no readable model in {folder} ({error}); train the risk anew.") from error
    return stored


def saved_level(folder: Path) -> Level | None:
    """The level of the model in a folder; None where it says nothing of it.

    Raises:
        DataError: the folder holds no model.
    """
    return Level.of(saved_model(folder).get("metadata", {}))


def is_of_before(folder: Path) -> bool:
    """Whether an earlier version of the program wrote the model: it is read, but learned from other rates.

    Raises:
        DataError: the folder holds no model.
    """
    return bool(saved_model(folder).get("format") != MODEL_FORMAT)
