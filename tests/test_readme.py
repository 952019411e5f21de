"""The README's commands do what it says, one after the other, as somebody who reads it would run them."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from pipelines.cli.main import run
from pipelines.privacy.pseudonyms import KEY_VARIABLE
from tests.pipelines.trained_world import END, World
from tests.places import ROOT
from tests.test_documents import commands

IMPORTS = 40


@pytest.fixture
def world(tmp_path: Path, shared: Path, untrained: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """A working directory with the files that the README names, and a store for its /data/store."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(KEY_VARIABLE, "a key for the tests, not a secret")
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    world = untrained.newest(tmp_path / "data", END - timedelta(days=13))
    (tmp_path / "inventories").mkdir()
    shutil.copy(shared / "ceb" / "samples" / "CEB621Message.xml", tmp_path / "inventories")
    store = world.store
    store.read_declarations(END).write_parquet("declarations.parquet")
    store.read_inspections().head(IMPORTS).write_csv("inspections.csv")
    pl.read_csv(shared / "korea" / "train.csv", n_rows=IMPORTS).write_csv("imports.csv")
    return world


def test_the_commands_of_the_readme_run_in_its_order(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    ran = []
    for words in commands(ROOT / "README.md"):
        if "VERB" in words:
            continue
        arguments = [word.replace("/data/store", str(world.path)) for word in words]
        arguments = [file for word in arguments for file in _expanded(word)]
        arguments = [word.replace("/data/tuned", str(world.path.parent / "tuned")) for word in arguments]
        if "--trials" in arguments:
            arguments[arguments.index("--trials") + 1] = "3"
        assert run([*arguments, "--configs", str(world.configs)]) == 0, capsys.readouterr().err
        ran.append(words[0])
    first = ["ingest", "ingest", "ingest", "train", "champion", "tune", "combinations"]
    assert ran == [*first, "score", "check", "monitor", "feedback", "report", "select", "plan"]
    lists = world.path / "lists" / f"declared_on={END}"
    assert world.listed(END).height > 0
    assert list(lists.glob("*.xlsx"))
    assert list(lists.glob("*.html"))


def _expanded(word: str) -> list[str]:
    """What a shell makes of a word."""
    root = Path(Path(word).anchor)
    return sorted(map(str, root.glob(word.removeprefix(str(root))))) if "*" in word else [word]
