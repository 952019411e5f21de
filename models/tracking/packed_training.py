"""A fitted model in a folder with all that its run in MLflow will hold: it outlives a server that is away."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from models.risk.risk_model import RiskModel
from models.tracking.lineage import copy_code, requirements
from models.tracking.run_content import KIND_TAG, TAG_CHARACTERS, RunContent

if TYPE_CHECKING:
    from models.fitting.training import FittedRisk
    from models.judging.gate import GateDecision

TRAINING = "training"
MODEL = "risk_model"
"""The folder with the model; MLflow names its copy after it."""
OUT_OF_TIME = "out_of_time.parquet"
_FILES, _DESCRIPTION = "files", "training.json"


@dataclass(frozen=True)
class PackedTraining:
    """A training that can be logged and registered at any time.

    Attributes:
        folder: with the model, and the files of the run.
        risk: whose model it is.
        name: of the run.
        tags, parameters, metrics: of the run.
    """

    folder: Path
    risk: str
    name: str
    tags: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def pack(
        cls, fitted: FittedRisk, content: RunContent, decision: GateDecision | None, folder: Path
    ) -> PackedTraining:
        """Write a training into a new or empty folder, which can be read once all of it is there."""
        model, evaluation = fitted.model, fitted.evaluation
        tags = {KIND_TAG: TRAINING, "risk": model.name}
        tags |= {f"model.{key}": value for key, value in model.metadata.items()}
        if decision is not None:
            tags |= {"gate": decision.verdict}
            tags |= {"gate_reasons": "\n".join(decision.reasons)[:TAG_CHARACTERS]}
        packed = cls(
            folder,
            model.name,
            f"{model.name} {model.metadata.get('declared_to', '')}".strip(),
            {**tags, **content.tags},
            {key: str(value) for key, value in content.parameters.items()},
            {**evaluation.headline(), **content.finite_metrics},
        )
        model.save(folder / MODEL)
        packed.files.mkdir(parents=True, exist_ok=True)
        fitted.out_of_time.write_parquet(packed.files / OUT_OF_TIME)
        metrics = json.dumps(dict(sorted(evaluation.as_metrics().items())), indent=2)
        for name, text in {"metrics.json": metrics, **content.texts}.items():
            packed._place(name).write_text(text, encoding="utf-8")
        for name, picture in content.pictures.items():
            packed._place(name).write_bytes(picture)
        for name, path in content.files.items():
            shutil.copyfile(path, packed._place(name))
        described = {key: value for key, value in asdict(packed).items() if key != "folder"}
        (folder / _DESCRIPTION).write_text(json.dumps(described, ensure_ascii=False), encoding="utf-8")
        return packed

    @classmethod
    def read(cls, folder: Path) -> PackedTraining | None:
        """Read what `pack` wrote, None where it wrote nothing or was killed before its end."""
        try:
            return cls(folder, **json.loads((folder / _DESCRIPTION).read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None

    @property
    def model(self) -> Path:
        """The directory that `RiskModel.load` reads."""
        return self.folder / MODEL

    @property
    def files(self) -> Path:
        """The folder with the files of the run, in the folders that they have there."""
        return self.folder / _FILES

    @property
    def content(self) -> RunContent:
        """Tags, parameters and metrics of the run."""
        return RunContent(self.tags, self.parameters, self.metrics)

    def log_model(self, mlflow: ModuleType, run_id: str) -> tuple[str, str]:
        """Log the model as a pyfunc of a run; its URI and identity."""
        from models.tracking.signature import signature_of

        model = RiskModel.load(self.model)
        with mlflow.start_run(run_id=run_id), tempfile.TemporaryDirectory() as code:
            info = mlflow.pyfunc.log_model(
                name=f"{model.name}-model",
                python_model=str(Path(__file__).with_name("pyfunc.py")),
                artifacts={MODEL: str(self.model)},
                signature=signature_of(model),
                pip_requirements=requirements(),
                code_paths=copy_code(Path(code)),
                metadata=dict(model.metadata),
            )
        return str(info.model_uri), str(info.model_id)

    def _place(self, name: str) -> Path:
        place = self.files / name
        place.parent.mkdir(parents=True, exist_ok=True)
        return place
