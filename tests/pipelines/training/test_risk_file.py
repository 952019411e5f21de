from __future__ import annotations

import re
from pathlib import Path

import pytest

from configs.loader import load_settings
from configs.yaml_file import read_yaml
from pipelines.training.risk_file import with_parameters
from tests.places import ROOT

FILES = sorted((ROOT / "configs" / "risks").glob("*.yaml"))
RISKS = [path for path in FILES if "enabled: false" not in path.read_text(encoding="utf-8")]
FOUND = {"learning_rate": 0.03123, "num_leaves": 9, "path_smooth": 1e-05, "extra_trees": True}


@pytest.mark.parametrize("path", RISKS, ids=lambda path: path.stem)
def test_a_packaged_file_keeps_every_other_line_and_comment(path: Path, tmp_path: Path) -> None:
    before = path.read_text(encoding="utf-8")
    after = with_parameters(before, FOUND, 123)
    (tmp_path / "risks").mkdir()
    (tmp_path / "risks" / path.name).write_text(after, encoding="utf-8")
    packaged, loaded = load_settings().risk(path.stem), load_settings(tmp_path).risk(path.stem)
    assert loaded.model == {**packaged.model, **FOUND}
    assert loaded == packaged.model_copy(update={"model": loaded.model, "rounds": 123})
    assert re.findall("#.*", after) == re.findall("#.*", before)
    kept = [line for line in before.splitlines() if not re.match(r"\s+\w+: [\d.]+$|rounds", line)]
    assert [line for line in after.splitlines() if line in kept] == kept


@pytest.mark.parametrize(
    "text",
    [
        "label: a\nmodel:\nrounds: 5\n",
        "label: a\nmodel: {}\n",
        "label: a",
        "model: {num_leaves: 31,\n  learning_rate: 0.1}   # two lines\nlabel: a\n",
        "rounds: 5  # few\nmodel:\n    num_leaves: 31  # many\n    max_bin: 63\n\nlabel: a\n",
        "label: a\nmodel:\n  num_leaves: 31",
    ],
)
def test_any_way_to_write_a_model_is_changed(text: str, tmp_path: Path) -> None:
    path = tmp_path / "risk.yaml"
    path.write_text(text, encoding="utf-8")
    before = read_yaml(path)
    path.write_text(with_parameters(text, FOUND, 80), encoding="utf-8")
    after = read_yaml(path)
    assert after == {**before, "model": {**(before.get("model") or {}), **FOUND}, "rounds": 80}
    assert ("#" in path.read_text()) == ("#" in text)
