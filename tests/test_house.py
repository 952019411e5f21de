"""The house rules that no linter knows: rooms, sizes, names, what may be imported where."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.room_graph import PACKAGES, ROOT, imported_modules, modules

PICKLERS = {"pickle", "cloudpickle", "joblib", "dill", "marshal", "shelve"}
# Folders of found things: each module is one, and there are as many as there are.
FOUND = {
    *("features/blocks", "features/checks"),
    *("pipelines/cli/verbs", "pipelines/ingest/sources", "pipelines/ingest/messages"),
}
MOST_MODULES, MOST_LINES, MOST_FUNCTION_LINES, MOST_PARAMETERS = 15, 300, 60, 6
# A verb's pipeline is named as the decision that it carries out.
ALIKE = {"select"}

Function = ast.FunctionDef | ast.AsyncFunctionDef


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def rooms() -> list[Path]:
    """The folders with Python in them, without the four packages themselves."""
    return sorted({path.parent for path in modules()} - {ROOT / package for package in PACKAGES})


def functions() -> Iterator[tuple[Path, Function]]:
    """Every function but numba's kernels, which have no objects to group arguments in."""
    for path in modules():
        for node in ast.walk(tree(path)):
            if isinstance(node, Function) and not any(
                "numba" in ast.unparse(one) for one in node.decorator_list
            ):
                yield path, node


def test_imports_keep_to_the_contracts() -> None:
    program = Path(sys.executable).with_name("lint-imports")
    result = subprocess.run([program, "--no-logo"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


def test_no_module_imports_a_pickler() -> None:
    wrong = {
        named(path) for path in modules() for name in imported_modules(path) if name.split(".")[0] in PICKLERS
    }
    assert wrong == set()


def test_only_a_named_scheduler_leads_to_dask() -> None:
    used = {path: set(imported_modules(path)) for path in modules()}
    knowing = {
        path.name
        for path, names in used.items()
        if {name.split(".")[0] for name in names} & {"dask", "distributed"}
    }
    assert knowing == {"cluster.py"}
    # It is imported by name, once Dask is known to be there.
    cluster = "pipelines.work.cluster"
    assert [
        path for path, names in used.items() if any(f"{name}.".startswith(f"{cluster}.") for name in names)
    ] == []


def test_an_import_inside_a_function_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "module.py"
    path.write_text("def load():\n    from pickle import load\n    import os.path\n")
    assert set(imported_modules(path)) == {"pickle.load", "os.path"}


def test_every_package_describes_and_types_itself() -> None:
    for package in PACKAGES:
        assert ast.get_docstring(tree(ROOT / package / "__init__.py"))
        assert (ROOT / package / "py.typed").is_file()


@pytest.mark.parametrize("room", rooms(), ids=named)
def test_a_room_says_what_it_owns_what_it_uses_and_where_to_begin(room: Path) -> None:
    words = (ast.get_docstring(tree(room / "__init__.py")) or "").split()
    assert words[:1] == ["Owns"]
    assert {"Uses", "Begin"} <= set(words)


def test_no_room_is_crowded() -> None:
    counts = Counter(named(path.parent) for path in modules() if path.name != "__init__.py")
    assert {room for room, count in counts.items() if count > MOST_MODULES} <= FOUND


def test_no_file_is_longer_than_it_may_be() -> None:
    lengths = {named(path): len(path.read_text(encoding="utf-8").splitlines()) for path in modules()}
    assert {name for name, lines in lengths.items() if lines > MOST_LINES} == set()


def test_every_function_fits_a_screen() -> None:
    lengths = {
        f"{named(path)}: {node.name}": (node.end_lineno or 0) - node.lineno + 1 for path, node in functions()
    }
    assert {name for name, lines in lengths.items() if lines > MOST_FUNCTION_LINES} == set()


def test_no_function_has_more_parameters_than_it_may() -> None:
    counts = {
        f"{named(path)}: {node.name}": len(
            {one.arg for one in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)}
            - {"self", "cls"}
        )
        for path, node in functions()
    }
    assert {name for name, count in counts.items() if count > MOST_PARAMETERS} == set()


def test_no_two_public_things_share_a_name() -> None:
    """What is found by its name, and a verb beside its pipeline, are meant to be alike."""
    places = defaultdict(list)
    for path in modules():
        if named(path.parent) not in FOUND:
            for node in tree(path).body:
                if isinstance(node, (ast.ClassDef, *Function.__args__)) and not node.name.startswith("_"):
                    places[node.name].append(named(path))
    assert {name: where for name, where in places.items() if len(where) > 1 and name not in ALIKE} == {}
