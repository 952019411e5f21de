"""The examples of docs/configuration.md are files that load."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from configs.loader import load_settings, load_source_mapping
from configs.reference.facts import load_reference
from configs.reference.tables import TABLES
from configs.schema.settings import Settings
from tests.places import ROOT

PAGE = ROOT / "docs" / "configuration.md"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """The page's examples as a folder laid over the packaged configuration."""
    page = PAGE.read_text(encoding="utf-8")
    for name, text in re.findall(r"^```yaml\n# (\S+)\n(.*?)^```$", page, flags=re.MULTILINE | re.DOTALL):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    (rates,) = re.findall(r"^```csv\n(.*?)^```$", page, flags=re.MULTILINE | re.DOTALL)
    (tmp_path / "reference").mkdir()
    (tmp_path / "reference" / "exchange_rates.csv").write_text(rates, encoding="utf-8")
    return load_settings(tmp_path)


def test_settings(settings: Settings) -> None:
    assert settings.pipeline.training.folds == 3
    assert settings.capacity.for_office("4601").places(10_000) == 120
    assert settings.capacity.for_office("5316").places(10_000) == 120
    exports = settings.capacity.for_office("5316").exports
    assert exports is not None
    assert exports.parcels == 30
    assert settings.capacity.must_inspect[0].holds_on(date(2026, 11, 1))


def test_risk(settings: Settings) -> None:
    risk = settings.risk("counterfeit")
    assert risk.title.zh == "侵权货物"
    assert len(risk.reasons_for("price")) == 1


def test_source(settings: Settings) -> None:
    mapping = load_source_mapping("harbour", settings.overlay)
    assert mapping.values["transport_mode"]["?"] is None
    assert mapping.labels["undervaluation"].true_when == ("short", "false invoice")


def test_rates(settings: Settings) -> None:
    day = load_reference(settings.overlay).on(date(2025, 1, 31))
    assert day.cny_rate(pl.Series(["USD", "KRW", "JPY"])).to_list() == [7.1884, 0.0049, None]


def test_every_table_is_described() -> None:
    page = PAGE.read_text(encoding="utf-8")
    for table in TABLES:
        assert f"| `{table.name}` | {', '.join(f'`{name}`' for name in table.key)} |" in page
