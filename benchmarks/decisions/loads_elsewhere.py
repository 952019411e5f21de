"""A registered model in an environment that has only what MLflow installs for it.

`python -m benchmarks.decisions.loads_elsewhere` trains and registers a small model, makes a fresh environment
from the model's own `requirements.txt`, loads the model there and compares the scores of ten lines to the
bit.
It needs a package index.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path

import mlflow
import polars as pl

from configs.schema.pipeline import TrainingConfig
from configs.schema.risk import ConstantValue, RiskConfig, Title
from models.fitting.training import fit_risk
from models.tracking.run_content import RunContent
from models.tracking.tracker import Tracker
from tests.models.conftest import build_frame

RISK = RiskConfig(
    name="undervaluation",
    label="undervaluation",
    title=Title(en="Undervaluation"),
    fair_value=True,
    rounds=20,
    maturity_days=3,
    finding_value=ConstantValue(kind="constant", cny=100.0),
)
LINES = 10
# Runs there, so it may use nothing of this program.
SCORE = """
import sys
import mlflow
import pandas as pd

model, lines, scores = sys.argv[1:]
loaded = mlflow.pyfunc.load_model(model)
pd.DataFrame({"score": loaded.predict(pd.read_parquet(lines))}).to_parquet(scores)
import models
print("code of the model:", models.__file__)
"""


def main() -> int:
    """Print how long each step took and whether the scores agree; 1 where they do not."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        frame = build_frame()
        fitted = fit_risk(frame, RISK, TrainingConfig(folds=2, evaluation_days=10))
        tracker = Tracker.in_folder(folder / "store.mlflow")
        clock = time.perf_counter()
        logged = tracker.log_training(fitted, RunContent())
        print(f"registered as version {logged.version} in {time.perf_counter() - clock:.1f} s")
        mlflow.set_tracking_uri(tracker.uri)
        model = mlflow.artifacts.download_artifacts(
            f"models:/parcel-risk-{RISK.name}/{logged.version}", dst_path=str(folder / "model")
        )
        features = frame[:, : frame.columns.index("declared_on")].head(LINES)
        # Float64 and strings as pandas has them; the index plays no part.
        features.to_pandas().to_parquet(folder / "lines.parquet")
        clock = time.perf_counter()
        _score_elsewhere(folder, Path(model))
        print(f"installed, loaded and scored elsewhere in {time.perf_counter() - clock:.1f} s")
        there = pl.read_parquet(folder / "scores.parquet")["score"].to_numpy()
        same = there.tobytes() == fitted.model.predict(features).tobytes()
    print(f"{LINES} scores are {'equal to the bit' if same else 'NOT equal'}")
    return 0 if same else 1


def _score_elsewhere(folder: Path, model: Path) -> None:
    venv.create(folder / "env", with_pip=True)
    python = str(folder / "env" / "bin" / "python")
    install = [python, "-m", "pip", "install", "-qq", "-r", str(model / "requirements.txt")]
    # Nothing of this environment: neither its path nor its address of MLflow.
    clean = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    for command in (
        install,
        [
            python,
            "-I",
            "-c",
            SCORE,
            str(model),
            str(folder / "lines.parquet"),
            str(folder / "scores.parquet"),
        ],
    ):
        subprocess.run(command, check=True, cwd=folder, env=clean)


if __name__ == "__main__":
    sys.exit(main())
