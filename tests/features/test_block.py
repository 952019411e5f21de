"""What a module of features/blocks may get wrong, and what it is told then."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from types import ModuleType

import polars as pl
import pytest

from configs.errors import ConfigurationError
from configs.reference.facts import load_reference
from configs.schema.settings import Settings
from features.assemble import FeatureSet, found_blocks
from features.history.day_tables import day_tables
from features.history.state import History
from features.history.view import DayContext, HistoryView

HEAD = """
import polars as pl
from features.block import block
from features.history.needs import KeyKind
"""
BUILD = "def build(lines, history, reference):\n    return "


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """An empty package in which a test writes `own.py`."""
    (tmp_path / "their_blocks").mkdir()
    (tmp_path / "their_blocks" / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    yield importlib.import_module("their_blocks")
    for name in [name for name in sys.modules if name.startswith("their_blocks")]:
        del sys.modules[name]


def _write(package: ModuleType, text: str) -> ModuleType:
    Path(package.__path__[0], "own.py").write_text(HEAD + text, encoding="utf-8")
    importlib.invalidate_caches()
    return package


@pytest.fixture
def view(replay_steps: list[tuple[date, FeatureSet, History]], settings: Settings) -> HistoryView:
    (_, _, history), (day, features, _) = replay_steps[-2:]
    config = settings.pipeline.features
    today = day_tables(features.lines, day, history, config)
    return HistoryView(features.lines, DayContext(day, history, today, config))


def _built(package: ModuleType, view: HistoryView) -> pl.DataFrame:
    return found_blocks(package)["own"](view, "prohibited_item", load_reference().on(view.day))


def test_a_module_is_a_block(package: ModuleType, view: HistoryView) -> None:
    body = "@block(keys=('seller',))\n" + BUILD
    _write(package, body + "lines.select(history.before('seller')['lines'].alias('own__lines').log())")
    assert list(found_blocks(package)) == ["own"]
    frame = _built(package, view)
    # The logarithm of no lines is null, not minus infinity.
    assert frame["own__lines"].is_finite().all()
    assert 0 < frame["own__lines"].null_count() < frame.height


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected @block.* above a function build.*; came None"),
        ("DEPENDS_ON_LABEL = True\n" + BUILD + "lines", "expected @block.*; came <function build"),
        ("@block\n" + BUILD + "lines", r"block\(\) takes 0 positional arguments but 1 was given"),
        ("@block(lable=True)\n" + BUILD + "lines", "unexpected keyword argument 'lable'"),
        ("@block(label='yes')\n" + BUILD + "lines", "label: expected True or False; came 'yes'"),
        ("@block(keys=('seller'))\n" + BUILD + "lines", "keys: expected a tuple of names.*; came 'seller'"),
        ("@block(keys=(1,))\n" + BUILD + "lines", r"keys: expected a tuple.*; came \(1,\)"),
        ("@block()\ndef build(lines, history): ...", "expected the parameters .*'reference'.*; came"),
        ("@block()\ndef build(history, lines, reference): ...", "expected the parameters .*; came"),
    ],
)
def test_a_slip_in_a_declaration_is_found_with_the_block(
    package: ModuleType, text: str, message: str
) -> None:
    with pytest.raises(ConfigurationError, match=f"feature block own: .*{message}"):
        found_blocks(_write(package, text))


@pytest.mark.parametrize(
    ("declaration", "value", "message"),
    [
        ("", "lines.select(pl.lit(history.label))", r"asks for the label .*@block\(label=True\)"),
        ("keys=(KeyKind.EVERY,)", "lines.select(pl.lit(history.label))", "asks for the label"),
        ("", "history.before('seller').frame()", "the key 'seller' .* declared: none"),
        ("", "history.today('seller').frame()", "the key 'seller'"),
        ("", "history.decayed('seller', 'lines_7d', 7).to_frame()", "the key 'seller'"),
        ("keys=('buyer',)", "history.before('seller').frame()", "declared: buyer. Add it to the keys"),
        ("label=True, keys=(KeyKind.PARTY,)", "history.before('hs4').frame()", "declared: every party"),
        ("", "pl.DataFrame() if not history.has('seller') else lines", "the key 'seller'"),
    ],
)
def test_a_need_that_is_not_declared_is_an_error(
    package: ModuleType, view: HistoryView, declaration: str, value: str, message: str
) -> None:
    _write(package, f"@block({declaration})\n{BUILD}{value}")
    with pytest.raises(ConfigurationError, match=f"feature block own: .*{message}"):
        _built(package, view)


def test_a_label_that_is_declared_is_given(package: ModuleType, view: HistoryView) -> None:
    value = "lines.select(own__label=pl.repeat(history.label, pl.len()))"
    _write(package, f"@block(label=True)\n{BUILD}{value}")
    assert _built(package, view)["own__label"].unique().to_list() == ["prohibited_item"]


def test_a_declared_key_that_the_configuration_lacks_is_no_error(
    package: ModuleType, view: HistoryView
) -> None:
    _write(package, f"@block(keys=('moon',))\n{BUILD}pl.DataFrame() if not history.has('moon') else lines")
    assert _built(package, view).is_empty()


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("lines.select(lines=pl.repeat(1.0, pl.len()))", "columns without its prefix: lines"),
        ("lines.head(1).select(pl.lit(1.0).alias('own__one'))", "returned 1 rows for"),
    ],
)
def test_a_frame_that_is_none_of_the_block_is_an_error(
    package: ModuleType, view: HistoryView, value: str, message: str
) -> None:
    _write(package, f"@block()\n{BUILD}{value}")
    with pytest.raises(ValueError, match=f"block own.* {message}"):
        _built(package, view)
