"""The house rules that no linter knows: layers, pins, licence, and documents that tell the truth."""

from __future__ import annotations

import ast
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import click
import pytest

from features.contract.declarations import DECLARATION_COLUMNS
from features.contract.inspections import INSPECTION_COLUMNS
from features.contract.reject_reasons import RejectReason
from pipelines.cli.main import cli

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("configs", "features", "models", "pipelines")
DOCUMENTS = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])
PICKLERS = {"pickle", "cloudpickle", "joblib", "dill", "marshal", "shelve"}


def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def modules() -> list[Path]:
    return [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]


def imported(path: Path) -> set[str]:
    """The top-level packages that a module imports anywhere, also inside functions."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.partition(".")[0])
    return names


def modules_imported(path: Path) -> set[str]:
    """The modules that a module imports anywhere, by their whole names."""
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


def normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


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


def test_imports_keep_to_the_layers() -> None:
    program = Path(sys.executable).with_name("lint-imports")
    result = subprocess.run([program, "--no-logo"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_no_module_imports_a_pickler(path: Path) -> None:
    assert not imported(path) & PICKLERS


def test_only_a_named_scheduler_leads_to_dask() -> None:
    knowing = {path.name for path in modules() if imported(path) & {"dask", "distributed"}}
    assert knowing == {"cluster.py"}
    # It is imported by name, once Dask is known to be there.
    told = {path.name for path in modules() if "pipelines.work.cluster" in modules_imported(path)}
    assert told == set()


def test_an_import_inside_a_function_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "module.py"
    path.write_text("def load():\n    from pickle import load\n    import os.path\n")
    assert imported(path) == {"pickle", "os"}


def test_every_package_describes_and_types_itself() -> None:
    for package in PACKAGES:
        assert ast.get_docstring(ast.parse((ROOT / package / "__init__.py").read_text(encoding="utf-8")))
        assert (ROOT / package / "py.typed").is_file()


def test_packaging_names_the_four_packages() -> None:
    assert project()["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"] == list(PACKAGES)


def test_every_dependency_is_pinned_exactly() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if not line.startswith("#")]
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][\w.+!]*", pin) for pin in pins)
    pinned = {normalised(pin.partition("==")[0]) for pin in pins}
    described = project()["project"]
    extras = described["optional-dependencies"]
    assert set(extras["cluster"]) <= set(extras["dev"]), "tests of the cluster would not run everywhere"
    required = described["dependencies"] + extras["dev"] + extras["bench"]
    named = {normalised(re.split(r"[<>=!~\[; ]", requirement)[0]) for requirement in required}
    assert named <= pinned
    assert "parcel-risk" not in pinned


def test_licence_is_the_whole_of_apache_2() -> None:
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert "Apache License" in text
    assert "Version 2.0, January 2004" in text
    assert "END OF TERMS AND CONDITIONS" in text
    assert project()["project"]["license"] == "Apache-2.0"


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


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_documents_link_to_files_that_exist(document: Path) -> None:
    targets = re.findall(r"\]\((?!https?:|#)([^)#]+)", document.read_text(encoding="utf-8"))
    assert [target for target in targets if not (document.parent / target).exists()] == []


def test_readme_leads_with_the_two_commands() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M))
    for target in ("demo", "test"):
        assert f"make {target}" in readme
        assert target in targets
    verbs = {words[0] for words in commands(ROOT / "README.md")}
    assert {"ingest", "train", "score", "select"} <= verbs


def test_every_column_and_reason_of_the_contract_is_documented() -> None:
    text = (ROOT / "docs" / "data-contract.md").read_text(encoding="utf-8")
    names = (*DECLARATION_COLUMNS, *INSPECTION_COLUMNS, *RejectReason)
    assert [name for name in names if f"`{name}`" not in text] == []


SKIPPING = """
import pytest
def test_shared(shared): assert shared.is_dir()
def test_other(): pytest.skip("not today")
@pytest.mark.xfail(strict=True)
def test_expected(): assert False
"""


@pytest.mark.parametrize(
    ("forbid", "beside", "summary"),
    [
        ("0", False, "2 skipped, 1 xfailed"),
        ("1", False, "1 failed, 1 skipped, 1 xfailed"),
        ("1", True, "1 failed, 1 passed, 1 xfailed"),
    ],
)
def test_a_skip_is_a_failure_where_it_is_forbidden(
    tmp_path: Path, forbid: str, beside: bool, summary: str
) -> None:
    tests = tmp_path / "checkout" / "tests"
    tests.mkdir(parents=True)
    shutil.copy(ROOT / "tests" / "conftest.py", tests)
    (tests / "test_skipping.py").write_text(SKIPPING)
    if beside:
        (tmp_path / "shared").mkdir()
    result = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", tests, tests],
        cwd=tests,
        env={**os.environ, "PARCEL_RISK_FORBID_SKIPS": forbid},
        capture_output=True,
        text=True,
        check=False,
    )
    assert summary in result.stdout.splitlines()[-1]
