"""What `Settings` finds by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from configs.errors import ConfigurationError
from configs.loader import load_settings, load_source_mapping, reference_path
from tests.places import ROOT

MAPPING = "description: own\nrename: {hs_code: HS}\n"


def test_risks_are_found_by_name() -> None:
    settings = load_settings()
    assert settings.risk("food_safety") is settings.risks["food_safety"]
    with pytest.raises(ConfigurationError, match="came 'food'"):
        settings.risk("food")
    with pytest.raises(ConfigurationError, match="Did you mean 'undervaluation'"):
        settings.risk("undervaluatoin")


def test_selected_risks_come_once_and_in_order() -> None:
    settings = load_settings()
    chosen = settings.select_risks(["undervaluation", "food_safety", "undervaluation"])
    assert [risk.name for risk in chosen] == ["food_safety", "undervaluation"]
    assert [risk.name for risk in settings.select_risks([])] == list(settings.risks)


def test_a_mapping_of_the_overlay_is_found_by_name_and_by_path(tmp_path: Path) -> None:
    (tmp_path / "sources").mkdir()
    path = tmp_path / "sources" / "own.yaml"
    path.write_text(MAPPING, encoding="utf-8")
    settings = load_settings(tmp_path)
    assert (
        load_source_mapping("own", settings.overlay)
        == load_source_mapping(path, settings.overlay)
        == load_source_mapping(str(path), settings.overlay)
    )
    assert load_source_mapping("own", settings.overlay).name == "own"


def test_an_unknown_mapping_names_those_there_are(tmp_path: Path) -> None:
    (tmp_path / "sources").mkdir()
    (tmp_path / "sources" / "harbour.yaml").write_text(MAPPING, encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"harbour.*came 'harbor'\. Did you mean 'harbour'\?"):
        load_source_mapping("harbor", tmp_path)


def test_a_path_without_a_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"expected a mapping file at .*none\.yaml; there is none"):
        load_source_mapping(str(tmp_path / "none.yaml"))


def test_a_wrong_mapping_names_file_and_key(tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    path.write_text("renames: {hs_code: HS}\n", encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"own\.yaml:\n  renames: unknown key.*'rename'\?"):
        load_source_mapping(path)


def test_every_packaged_mapping_loads() -> None:
    sources = ROOT / "configs" / "sources"
    for path in sorted(sources.glob("*.yaml")):
        assert load_source_mapping(path.stem).description


def test_reference_tables_come_from_the_overlay_first(tmp_path: Path) -> None:
    (tmp_path / "reference").mkdir()
    own = tmp_path / "reference" / "limits.csv"
    own.write_text("", encoding="utf-8")
    settings = load_settings(tmp_path)
    assert reference_path("limits.csv", settings.overlay) == own
    assert reference_path("units.csv", settings.overlay).parent.name == "reference"
    with pytest.raises(ConfigurationError, match=r"Did you mean 'limits\.csv'\?"):
        reference_path("limit.csv", settings.overlay)
