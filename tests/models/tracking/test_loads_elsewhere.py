"""A registered model loads without this program installed, and one of an earlier version loads with it."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
import sysconfig
from importlib.metadata import packages_distributions
from pathlib import Path

import mlflow
import numpy as np
import polars as pl
import pytest

from models.fitting.training import FittedRisk
from models.tracking.lineage import copy_code, requirements
from models.tracking.run_content import RunContent
from models.tracking.tracker import Tracker

BEFORE = Path(__file__).with_name("registered_before")
# MLflow 3.17 uses an option that SQLAlchemy 2.1 calls old.
pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy is deprecated")

SCORE = """
import json, sys
sys.path.insert(0, sys.argv[1])
import mlflow.pyfunc
import pandas as pd

loaded = mlflow.pyfunc.load_model(sys.argv[2])
lines = pd.read_parquet(sys.argv[3])
import models.risk.risk_model
print(json.dumps([models.__file__, *(score.hex() for score in loaded.predict(lines).tolist())]))
"""


@pytest.fixture(scope="module")
def model(fitted: FittedRisk, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a model as MLflow keeps it."""
    folder = tmp_path_factory.mktemp("registered")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        Tracker.in_folder(folder / "store.mlflow").log_training(fitted, RunContent())
    (described,) = folder.rglob("MLmodel")
    return described.parent


def without_this_program(folder: Path) -> Path:
    """A folder of every installed package but this program, which `.pth` files would lead to as well."""
    folder.mkdir()
    for kind in ("purelib", "platlib"):
        for path in Path(sysconfig.get_path(kind)).iterdir():
            link = folder / path.name
            if path.suffix != ".pth" and "parcel_risk" not in path.name and not link.exists():
                link.symlink_to(path)
    return folder


def test_it_scores_the_same_bits_where_the_program_is_not_installed(
    model: Path, fitted: FittedRisk, frame: pl.DataFrame, tmp_path: Path
) -> None:
    lines = frame[:, : frame.columns.index("declared_on")].head(10)
    lines.to_pandas().to_parquet(tmp_path / "lines.parquet")
    packages = without_this_program(tmp_path / "packages")
    result = subprocess.run(
        [sys.executable, "-I", "-S", "-c", SCORE, packages, model, tmp_path / "lines.parquet"],
        cwd=tmp_path,
        env={name: text for name, text in os.environ.items() if not name.startswith(("PYTHON", "MLFLOW"))},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    code, *scores = json.loads(result.stdout.splitlines()[-1])
    assert Path(code).is_relative_to(model / "code")
    assert scores == [score.hex() for score in fitted.model.predict(lines).tolist()]


def test_it_needs_no_package_that_is_not_among_its_requirements(tmp_path: Path) -> None:
    copy_code(tmp_path)
    files = [
        *tmp_path.rglob("*.py"),
        Path(sys.modules[Tracker.__module__].__file__ or "").parent / "pyfunc.py",
    ]
    names = set()
    for node in (node for path in files for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add((node.module or "").partition(".")[0])
    others = names - sys.stdlib_module_names - {"configs", "features", "models", "mlflow"}
    distributions = packages_distributions()
    pinned = {line.partition("==")[0] for line in requirements()}
    assert {name for name in others if not pinned & set(distributions[name])} == set()


def test_the_code_of_a_model_never_hides_the_installed_program(model: Path, frame: pl.DataFrame) -> None:
    before = list(sys.path)
    mlflow.pyfunc.load_model(str(model))
    assert sys.path == before


def test_a_model_of_version_0_1_loads_and_scores_as_it_did() -> None:
    lines = pl.read_csv(
        BEFORE / "lines.csv", schema_overrides={"goods__hs6": pl.String, "goods__unit": pl.String}
    )
    loaded = mlflow.pyfunc.load_model(str(BEFORE / "model"))
    scores = [float.fromhex(score) for score in json.loads((BEFORE / "scores.json").read_text())]
    # It read numbers of 64 bits.
    np.testing.assert_allclose(loaded.predict(lines.to_pandas()), scores, rtol=1e-6)
