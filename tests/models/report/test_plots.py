from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from configs.schema.pipeline import TrainingConfig
from configs.schema.risk import RiskConfig
from models.fitting.training import FittedRisk
from models.judging.evaluation import Prediction, evaluate
from models.report.plots import draw_plots


@pytest.mark.parametrize(
    ("which", "names"),
    [
        ("fitted", {"capacity.png", "calibration.png", "importance.png", "price.png"}),
        ("fitted_prohibited", {"capacity.png", "calibration.png", "importance.png"}),
    ],
)
def test_every_axis_says_what_it_shows(which: str, names: set[str], request: pytest.FixtureRequest) -> None:
    result: FittedRisk = request.getfixturevalue(which)
    figures = draw_plots(result.model, result.evaluation, result.price_residuals)
    assert set(figures) == names
    for figure in figures.values():
        picture = io.BytesIO()
        figure.savefig(picture)
        assert picture.getvalue().startswith(b"\x89PNG")
        assert figure.get_suptitle() or figure.axes[0].get_title()
        for axis in figure.axes:
            assert axis.get_xlabel()


def test_an_evaluation_without_findings_shows_what_there_is(
    fitted: FittedRisk, undervaluation: RiskConfig
) -> None:
    nothing = np.empty(0)
    lines = fitted.evaluation.lines.rename({"found": "label"})
    empty = evaluate(
        undervaluation.model_copy(update={"label": "label"}),
        lines,
        lines.clear(),
        Prediction(nothing, nothing),
        TrainingConfig(),
    )
    assert set(draw_plots(fitted.model, empty, None)) == {"importance.png"}


def test_groups_in_which_all_lines_are_findings_can_be_drawn(fitted: FittedRisk) -> None:
    lines = fitted.evaluation.lines
    certain = replace(fitted.evaluation, lines=lines.with_columns(found=pl.col("probability") > 0.0))
    assert certain.lines["found"].all()
    assert "calibration.png" in draw_plots(fitted.model, certain, None)
