"""What a run in MLflow holds, as it is written and as it is found again."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any

KIND_TAG = "kind"
PARENT_TAG = "mlflow.parentRunId"
# MLflow's own limits.
_PARAMETER_CHARACTERS = 6_000
TAG_CHARACTERS = 8_000


@dataclass(frozen=True)
class RunContent:
    """What is written into a run.

    Keys of `texts`, `pictures` and `files` are file names within the run (`report.html`, `plots/drift.png`);
    the values of `files` are files on disk of the same last name. Metrics that are not finite are left out.
    """

    tags: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, object] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)
    pictures: Mapping[str, bytes] = field(default_factory=dict)
    files: Mapping[str, Path] = field(default_factory=dict)

    @property
    def finite_metrics(self) -> dict[str, float]:
        """The metrics that MLflow can compare, by name.

        >>> RunContent(metrics={"b": 1.0, "a": 0.5, "none": float("nan")}).finite_metrics
        {'a': 0.5, 'b': 1.0}
        """
        return {name: float(value) for name, value in sorted(self.metrics.items()) if math.isfinite(value)}

    def write(self, client: Any, run_id: str) -> None:
        """Write everything but the metrics with an `mlflow.MlflowClient`."""
        for key, tag in self.tags.items():
            client.set_tag(run_id, key, tag[:TAG_CHARACTERS])
        for key, parameter in self.parameters.items():
            client.log_param(run_id, key, str(parameter)[:_PARAMETER_CHARACTERS])
        for name, text in self.texts.items():
            client.log_text(run_id, text, name)
        for name, picture in self.pictures.items():
            with tempfile.TemporaryDirectory() as folder:
                place = PurePosixPath(name)
                file = Path(folder) / place.name
                file.write_bytes(picture)
                client.log_artifact(run_id, str(file), str(place.parent).removeprefix(".") or None)
        for name, path in self.files.items():
            place = PurePosixPath(name)
            if place.name != path.name:
                raise ValueError(f"expected a file called {place.name} for {name}, got {path.name}")
            client.log_artifact(run_id, str(path), None if place.parent.name == "" else str(place.parent))


@dataclass(frozen=True)
class LoggedRun:
    """A run as MLflow holds it; `finished` is False for one that is open, was killed or failed."""

    run_id: str
    name: str
    finished: bool
    started: datetime
    tags: Mapping[str, str]
    parameters: Mapping[str, str]
    metrics: Mapping[str, float]

    @classmethod
    def of(cls, run: Any) -> LoggedRun:
        """From an `mlflow.entities.Run`."""
        return cls(
            run.info.run_id,
            run.info.run_name or "",
            run.info.status == "FINISHED",
            datetime.fromtimestamp(run.info.start_time / 1000, UTC),
            dict(run.data.tags),
            dict(run.data.params),
            dict(run.data.metrics),
        )
