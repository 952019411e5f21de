"""The group of verbs: its commands are modules that are found, and imported when they are called for."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

import click
import pytest

from pipelines.cli.lazy import LazyGroup

_COMMAND = """
import click

@click.command(short_help="Does {name}.")
def {name}():
    click.echo("done: {name}")
"""


@pytest.fixture
def group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> LazyGroup:
    package = f"verbs_of_{request.node.name}"
    (tmp_path / package).mkdir()
    (tmp_path / package / "__init__.py").touch()
    for name in ("alpha", "beta", "gamma"):
        (tmp_path / package / f"{name}.py").write_text(_COMMAND.format(name=name))
    monkeypatch.syspath_prepend(tmp_path)
    return LazyGroup(name="group", package=import_module(package), order=("gamma",))


def loaded(group: LazyGroup) -> set[str]:
    return {name.rpartition(".")[2] for name in sys.modules if name.startswith(f"{group._package}.")}


def test_modules_are_found_and_ordered(group: LazyGroup, capsys: pytest.CaptureFixture[str]) -> None:
    group.main(["--help"], standalone_mode=False)
    listed = capsys.readouterr().out.partition("Commands:")[2].split("\n")
    assert [line.strip() for line in listed if line] == [
        *("gamma  Does gamma.", "alpha  Does alpha.", "beta   Does beta."),
    ]


def test_only_the_command_that_is_called_is_imported(
    group: LazyGroup, capsys: pytest.CaptureFixture[str]
) -> None:
    group.main(["beta"], standalone_mode=False)
    assert capsys.readouterr().out == "done: beta\n"
    assert loaded(group) == {"beta"}


def test_a_wrong_name_is_told_the_nearest(group: LazyGroup) -> None:
    with pytest.raises(click.UsageError, match="No such command 'bet'") as wrong:
        group.main(["bet"], standalone_mode=False)
    assert wrong.value.format_message().endswith("Did you mean 'beta'?")
