"""The tutorial notebook runs from top to bottom, on the small store of the tests."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import nbclient
import nbformat
import pytest

from models.tracking.tracker import Tracker
from tests.pipelines.trained_world import END, World
from tests.places import ROOT

NOTEBOOK = ROOT / "docs" / "tutorial.ipynb"


@pytest.fixture
def notebook() -> nbformat.NotebookNode:
    return nbformat.read(NOTEBOOK, as_version=4)


def test_the_tutorial_runs_and_leaves_a_champion(
    notebook: nbformat.NotebookNode, tmp_path: Path, untrained: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = untrained.newest(tmp_path, END - timedelta(days=13))
    monkeypatch.setenv("PARCEL_RISK_TUTORIAL_STORE", str(world.path))
    monkeypatch.setenv("PARCEL_RISK_TUTORIAL_CONFIGS", str(world.configs))
    nbclient.NotebookClient(
        notebook,
        timeout=None,
        startup_timeout=600,
        kernel_name="python3",
        resources={"metadata": {"path": str(tmp_path)}},
        shutdown_kernel="immediate",  # a kernel that is slow to end would outlive the test
    ).execute()

    (champion,) = Tracker.in_folder(world.store.layout.mlflow).champions()
    assert (champion.risk, champion.version) == ("undervaluation", 2)
    assert champion.why == "smaller trees, tried in the tutorial"
    mine = World(world.path, tmp_path / "tutorial" / "mine").settings
    assert mine.risk("undervaluation").model["num_leaves"] == 7
    assert world.scores(END)["undervaluation"].null_count() == 0
    shown = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert sum("to the last bit" in str(output.get("data", "")) for output in shown) == 1


def test_every_step_is_explained_and_no_output_is_kept(notebook: nbformat.NotebookNode) -> None:
    kinds = [cell.cell_type for cell in notebook.cells]
    assert kinds[0] == "markdown"
    assert "code, code, code" not in ", ".join(kinds)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(not cell.outputs and cell.execution_count is None for cell in code)


def test_what_the_tutorial_points_to_is_there(notebook: nbformat.NotebookNode) -> None:
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    targets = re.findall(r"\]\(([^)#]+)\)", text)
    assert "howto-tune.md" in targets
    assert [target for target in targets if not (NOTEBOOK.parent / target).is_file()] == []
