"""Which room uses which, read from the code; `python -m tests.room_graph` prints it as a picture."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Mapping
from graphlib import TopologicalSorter
from itertools import pairwise
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("pipelines", "models", "features", "configs")


def modules() -> list[Path]:
    return [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]


def is_shim(path: Path) -> bool:
    """A module under an old name: it imports, and defines nothing."""
    body = ast.parse(path.read_text(encoding="utf-8")).body
    kinds = (ast.Expr, ast.Import, ast.ImportFrom, ast.Assign)
    return (
        path.name != "__init__.py"
        and len(path.relative_to(ROOT).parts) == 2
        and (
            all(isinstance(node, kinds) for node in body)
            and any(isinstance(node, ast.ImportFrom) for node in body)
        )
    )


def imported_modules(path: Path) -> Iterator[str]:
    """Every module that a module imports, inside functions and for types too, and every name it takes."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def room_graph(package: str) -> dict[str, set[str]]:
    """The rooms of a package, and those of the same package that each of them uses."""
    parts = {path: path.relative_to(ROOT).with_suffix("").parts for path in modules() if not is_shim(path)}
    own = {path: names for path, names in parts.items() if names[0] == package and names[1] != "__init__"}
    graph: dict[str, set[str]] = {names[1]: set() for names in own.values()}
    for path, names in own.items():
        used = {name.split(".")[1] for name in imported_modules(path) if name.startswith(f"{package}.")}
        graph[names[1]] |= (used & graph.keys()) - {names[1]}
    return graph


def reduced(graph: Mapping[str, set[str]]) -> dict[str, set[str]]:
    """The graph without arrows that a longer way stands for."""
    below: dict[str, set[str]] = {}
    for room in TopologicalSorter(graph).static_order():
        below[room] = set().union(*({used} | below[used] for used in graph[room]))
    return {room: used - set().union(*(below[other] for other in used)) for room, used in graph.items()}


def picture() -> str:
    """The rooms of all four packages as a Mermaid diagram."""
    lines = ["flowchart TD"]
    for package in PACKAGES:
        graph = reduced(room_graph(package))
        lines += [f"  subgraph {package}"]
        lines += [f"    {package}.{room}[{room}]" for room in sorted(graph)]
        lines += [
            f"    {package}.{room} --> {package}.{used}"
            for room in sorted(graph)
            for used in sorted(graph[room])
        ]
        lines += ["  end"]
    lines += [f"  {upper} ==> {lower}" for upper, lower in pairwise(PACKAGES)]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.stdout.write(picture() + "\n")
