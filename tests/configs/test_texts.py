from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.configs.catalogue import messages, names, templates
from tests.places import ROOT

# Read by engineers, in English.
_OF_ENGINEERS = {"evaluation.html.j2", "model_report.html.j2"}
_SHOWN = re.compile(r'>([^<]*)<|\b(?:aria-label|title|placeholder|alt|data-(?:label|words))="([^"]*)"')
_FOR_PEOPLE = [
    *(ROOT / "features/words").glob("*.py"),
    # Spellings of headings stand in fields.py.
    *(path for path in (ROOT / "pipelines/lists").glob("*.py") if path.name != "fields.py"),
    *(ROOT / "pipelines/reporting").glob("*.py"),
    *(ROOT / "pipelines/monitoring").glob("*.py"),
    *(ROOT / "pipelines/statistics/documents").glob("*.py"),
    ROOT / "pipelines/feedback/report.py",
    ROOT / "pipelines/feedback/to_correct.py",
    ROOT / "pipelines/night/plan.py",
    ROOT / "models/watch/verdict.py",
]
# Steps of the log, parts of exceptions, columns of other programs.
_NOT_SHOWN = re.compile(
    "parcels of|days compared|.*found none|lists were issued|no list was issued| of office|.*not in MLflow"
    "|.*COULD NOT BE WRITTEN"
)


@pytest.mark.parametrize("path", [each for each in templates() if each.name not in _OF_ENGINEERS])
def test_a_page_shows_no_text_but_what_its_language_says(path: Path) -> None:
    page = path.read_text(encoding="utf-8")
    bare = re.sub(r"\{#.*?#\}|\{\{.*?\}\}|\{%.*?%\}", "\x00", page, flags=re.DOTALL)
    shown = [text for pair in _SHOWN.findall(bare) for text in pair]
    assert not [
        text for text in shown if re.search("[A-Za-z]{2,}", text.replace("Enter", "").replace("Esc", ""))
    ]


def test_modules_whose_words_people_read_say_messages_of_the_catalogue() -> None:
    known = messages().union(*names().values())
    strange = [
        (path.name, text)
        for path in _FOR_PEOPLE
        for text in _sentences(ast.parse(path.read_text(encoding="utf-8")))
        if text not in known and not _NOT_SHOWN.match(text)
    ]
    assert not strange


def _sentences(tree: ast.AST) -> Iterator[str]:
    """Texts of several words that are neither documentation nor the message of an exception."""
    passed = (ast.Raise, ast.Assert)
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, passed) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
            continue
        if isinstance(node, ast.JoinedStr):
            text = "".join(
                str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values
            )
            if re.search("[a-z]{2,} [a-z]{2,}", text):
                yield text
            continue
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            if re.search("[a-z]{2,} [a-z]{2,}", node.value):
                yield node.value
            continue
        yield from _sentences(node)
