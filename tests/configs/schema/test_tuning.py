from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from configs.loader import load_settings
from configs.schema.tuning import SearchRange, TuningConfig
from tests.places import ROOT

PAGE = ROOT / "docs" / "howto-tune.md"


def test_the_packaged_space_holds_the_packaged_parameters_of_every_risk() -> None:
    """A search that cannot reach what is configured would start with a handicap."""
    settings = load_settings()
    for wanted in settings.pipeline.tuning.space:
        for risk in settings.risks.values():
            assert wanted.low <= float(risk.model.get(wanted.name, wanted.low)) <= wanted.high


def test_the_example_of_the_page_loads(tmp_path: Path) -> None:
    texts = re.findall(r"^```yaml\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.M | re.S)
    (tmp_path / "pipeline.yaml").write_text("\n".join(texts), encoding="utf-8")
    assert load_settings(tmp_path).pipeline.history.hit_rate_keys[-1].name == "seller_office"
    tuning = load_settings(tmp_path).pipeline.tuning
    assert (tuning.trials, len(tuning.space)) == (60, 3)
    assert tuning.rounds == load_settings().pipeline.tuning.rounds
    assert [wanted.whole for wanted in tuning.space] == [False, True, True]


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ({"name": "num_leafs", "low": 2, "high": 9}, "is not a model parameter"),
        ({"name": "boosting", "low": 0, "high": 1}, "is not a model parameter that can be searched"),
        ({"name": "extra_trees", "low": 0, "high": 2}, "high: 1 for extra_trees, which is on or off"),
        ({"name": "is_unbalance", "low": 0.0, "high": 1.0}, "low: 0 and high: 1 for is_unbalance"),
        ({"name": "max_bin", "low": 9, "high": 9}, "expected low below high for max_bin, came 9 and 9"),
        ({"name": "lambda_l2", "low": 0.0, "high": 9.0, "log": True}, "low above 0 for lambda_l2"),
        ({"name": "lambda_l2", "low": -1.0, "high": 9.0}, "greater than or equal to 0"),
        ({"name": "num_leaves", "low": 2, "high": 65}, "whole num_leaves from 2 to 64"),
        ({"name": "num_leaves", "low": 2.5, "high": 9.0}, "whole num_leaves from 2 to 64"),
    ],
)
def test_ranges_that_make_no_sense(wanted: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        SearchRange.model_validate(wanted)


def test_a_parameter_is_searched_once() -> None:
    wanted = SearchRange(name="max_bin", low=15, high=255)
    with pytest.raises(ValidationError, match="a parameter stands in it twice"):
        TuningConfig(space=(wanted, wanted))
