"""Documents tell the truth: their commands, links, imports and names are those of the program."""

from __future__ import annotations

import importlib
import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from features.contract.declarations import DECLARATION_COLUMNS
from features.contract.inspections import INSPECTION_COLUMNS
from features.contract.reject_reasons import RejectReason
from pipelines.cli.main import cli
from tests.room_graph import picture

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])
RESULTS = sorted((ROOT / "benchmarks" / "results").rglob("*.md"))
TUTORIAL = ROOT / "docs" / "tutorial.ipynb"


def commands(document: Path) -> list[list[str]]:
    """Every `parcel-risk …` line of the document's code blocks, split into words."""
    text = document.read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [
        line for block in re.findall(r"^```\w*\n(.*?)^```", text, re.M | re.S) for line in block.splitlines()
    ]
    found = [match[1] for line in lines if (match := re.search(r"(?:^|[ /=])parcel-risk (\S.*)$", line))]
    # What a shell does after the command is no part of it.
    return [shlex.split(re.split(r" \|| ;| &| #|\)", command)[0]) for command in found]


def command_and_options(words: list[str]) -> tuple[click.Command, list[str]]:
    command: click.Command = cli
    for index, word in enumerate(words):
        if not isinstance(command, click.Group) or word.startswith("-"):
            return command, [rest.partition("=")[0] for rest in words[index:] if rest.startswith("-")]
        inner = command.get_command(click.Context(command), word)
        assert inner is not None, f"parcel-risk {' '.join(words)}: {word!r} is no command"
        command = inner
    return command, []


def documented_imports() -> Iterator[tuple[str, str]]:
    """Every `from package.module import name` of the documents and the tutorial."""
    cells = json.loads(TUTORIAL.read_text(encoding="utf-8"))["cells"]
    texts = [
        *("".join(cell["source"]) for cell in cells),
        *(path.read_text(encoding="utf-8") for path in DOCUMENTS),
    ]
    statement = re.compile(
        r"^from ((?:configs|features|models|pipelines)[.\w]*) import (\([^)]*\)|.*)$", re.M
    )
    for text in texts:
        for module, names in statement.findall(text):
            yield from ((module, name) for name in re.findall(r"\w+", names))


# Documents named these before modules moved into rooms, and notebooks import them still.
EARLIER_IMPORTS = (
    ("configs.loader", "load_settings"),
    ("configs.loader", "risk_path"),
    ("features.assemble", "CARRIED_COLUMNS"),
    ("features.assemble", "KEY_COLUMNS"),
    ("models.risk_model", "RiskModel"),
    ("pipelines.champion", "list_champions"),
    ("pipelines.champion", "promote"),
    ("pipelines.cli_options", "demo_directory"),
    ("pipelines.features_of_day", "features_of_day"),
    ("pipelines.progress", "Progress"),
    ("pipelines.risk_file", "with_parameters"),
    ("pipelines.score", "score"),
    ("pipelines.simulation", "Inspectorate"),
    ("pipelines.simulation", "World"),
    ("pipelines.simulation", "WorldParameters"),
    ("pipelines.simulation", "simulate"),
    ("pipelines.simulation", "simulate_days"),
    ("pipelines.store", "Store"),
    ("pipelines.train", "train"),
)


def test_documented_imports_work() -> None:
    imports = {*documented_imports(), *EARLIER_IMPORTS}
    assert imports > set(EARLIER_IMPORTS), "no import was found in the documents"
    missing = [
        f"{module}.{name}"
        for module, name in sorted(imports)
        if not hasattr(importlib.import_module(module), name)
    ]
    assert missing == []


def test_changelog_keeps_a_place_for_what_comes() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert "## [Unreleased]" in text
    assert set(re.findall(r"^### (\w+)$", text, re.M)) <= {
        "Added",
        "Changed",
        "Deprecated",
        "Removed",
        "Fixed",
        "Security",
    }


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_documented_commands_exist(document: Path) -> None:
    for words in commands(document):
        command, options = command_and_options(words)
        known = {option for parameter in command.params for option in parameter.opts} | {
            "--help",
            "--version",
        }
        assert set(options) <= known, f"parcel-risk {' '.join(words)}"


@pytest.mark.parametrize("document", [*DOCUMENTS, *RESULTS], ids=lambda path: path.name)
def test_documents_link_to_files_that_exist(document: Path) -> None:
    targets = re.findall(r"\]\((?!https?:|#)([^)#]+)", document.read_text(encoding="utf-8"))
    assert [target for target in targets if not (document.parent / target).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_documents_name_files_that_exist(document: Path) -> None:
    packages = "configs|features|models|pipelines|benchmarks|tests"
    text = document.read_text(encoding="utf-8")
    named = re.findall(rf"`((?:{packages})/[\w./-]*\.py)`", text)
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_readme_leads_with_the_two_commands() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M))
    for target in ("demo", "test"):
        assert f"make {target}" in readme
        assert target in targets
    verbs = {words[0] for words in commands(ROOT / "README.md")}
    assert {"ingest", "train", "score", "select"} <= verbs


def test_the_picture_of_the_rooms_is_that_of_the_code() -> None:
    """`python -m tests.room_graph` prints it anew."""
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    assert f"```mermaid\n{picture()}\n```" in text


def test_every_column_and_reason_of_the_contract_is_documented() -> None:
    text = (ROOT / "docs" / "data-contract.md").read_text(encoding="utf-8")
    names = (*DECLARATION_COLUMNS, *INSPECTION_COLUMNS, *RejectReason)
    assert [name for name in names if f"`{name}`" not in text] == []
