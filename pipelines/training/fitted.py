"""A risk that was fitted and judged, kept in a folder until a registry has it: the work outlives a server."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from models.judging.evaluation import Evaluation
from models.tracking.packed_training import PackedTraining
from models.tracking.tracker import Tracker
from pipelines.training.report import RiskTrained

logger = logging.getLogger(__name__)

_OUTCOME = "outcome.json"
_PACKED = "packed"


@dataclass(frozen=True)
class FittedOnDisk:
    """A fitted risk, and what is to be done with it.

    Attributes:
        folder: where it is kept.
        key: names all that the model was made of.
        packed: what its run will hold.
        promotion: why it is put in use; None where it is only registered.
        reasons, warnings: what the gate and the fit said.
        doubt: the warning that a person has to hear of under --quiet too, if there is one.
        evaluation: None where an earlier run has fitted it.
    """

    folder: Path
    key: str
    packed: PackedTraining
    promotion: str | None
    reasons: Sequence[str]
    warnings: Sequence[str]
    doubt: str = ""
    evaluation: Evaluation | None = None

    @staticmethod
    def place(folder: Path) -> Path:
        """Return the emptied folder in `folder` to pack the training into."""
        shutil.rmtree(folder, ignore_errors=True)
        place = folder / _PACKED
        place.mkdir(parents=True)
        return place

    @classmethod
    def find(cls, folder: Path, key: str) -> Self | None:
        """Return what a run that was made of the same has left, None where none did."""
        try:
            told: dict[str, Any] = json.loads((folder / _OUTCOME).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        packed = PackedTraining.read(folder / _PACKED)
        if packed is None or told.pop("key", None) != key:
            return None
        note = "an earlier run fitted this model, and could not register it"
        return cls(folder, key, packed, **{**told, "warnings": [*told["warnings"], note]})

    def write(self) -> None:
        """Note what is to be done."""
        told = {
            "key": self.key,
            "promotion": self.promotion,
            "reasons": list(self.reasons),
            "warnings": list(self.warnings),
            "doubt": self.doubt,
        }
        (self.folder / _OUTCOME).write_text(json.dumps(told, ensure_ascii=False), encoding="utf-8")

    def register(self, tracker: Tracker) -> RiskTrained:
        """Log, register and promote; what a registry has is kept no longer.

        Raises:
            TrackingError: MLflow cannot be reached or refuses; the same can be done later.
        """
        risk, promoted = self.packed.risk, self.promotion is not None
        version = tracker.log_packed(self.packed).version
        if self.promotion is not None:
            tracker.promote(risk, version, self.promotion)
        if self.doubt:
            logger.warning("%s: version %s: %s", risk, version, self.doubt)
        shutil.rmtree(self.folder, ignore_errors=True)
        return RiskTrained(risk, version, promoted, self.reasons, self.evaluation, list(self.warnings))
