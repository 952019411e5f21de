"""Four pictures of a fitted risk that people look at before they trust it.

Drawn with matplotlib's objects on an Agg canvas: no window, no state that another thread could meet.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from features.arrays.types import FloatArray
from models.judging.baselines import line_keys
from models.judging.evaluation import Evaluation
from models.risk.calibration import CalibrationBin, calibration_bins
from models.risk.risk_model import RiskModel
from models.stats.intervals import wilson
from models.stats.rankings import ranking

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


_MODEL_COLOUR = "#0b5394"
_FOUND_COLOUR = "#b45f06"
# Colours that people with impaired colour vision tell apart (Okabe and Ito 2008).
_BASELINES: Mapping[str, tuple[str, str, str]] = {
    "lookup": ("look-up of heading, origin, price", "#d55e00", "-."),
    "seller_rate": ("past hit rate of the seller", "#009e73", "--"),
    "price_high": ("highest value first", "#cc79a7", ":"),
    "price_low": ("lowest value first", "#7f7f7f", ":"),
}
_SHARES = np.geomspace(0.005, 0.5, 40)
_TOP_COLUMNS = 20
_FINDINGS_OF_A_GROUP = 3


def draw_plots(
    model: RiskModel, evaluation: Evaluation, price_residuals: pl.DataFrame | None = None
) -> dict[str, Figure]:
    """Figures by file name: `capacity.png`, `calibration.png`, `importance.png` and, where known,
    `price.png`.

    An evaluation with too few findings has no capacity and no calibration to show.
    """
    figures = {"importance.png": _importance(model)}
    if not evaluation.too_few():
        figures["capacity.png"] = _capacity(evaluation)
        figures["calibration.png"] = _calibration(evaluation)
    if price_residuals is not None and price_residuals["log_price_ratio"].is_finite().any():
        figures["price.png"] = _price(model.name, price_residuals)
    return figures


def as_png(figure: Figure) -> bytes:
    """The figure drawn, the same bytes each time."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()


def new_figure(width: float, height: float, columns: int = 1, **layout: Any) -> tuple[Figure, list[Axes]]:
    """A figure of so many inches with axes side by side, in the style of all pictures."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained", dpi=120)
    FigureCanvasAgg(figure)
    axes = np.atleast_1d(figure.subplots(1, columns, **layout))
    for axis in axes:
        axis.spines[["top", "right"]].set_visible(False)
        axis.grid(alpha=0.25, linewidth=0.6)
    return figure, list(axes)


def _about(evaluation: Evaluation) -> str:
    first, last = evaluation.period or ("", "")
    return (
        f"{evaluation.lines.height:,} inspected lines of {first} to {last}, {evaluation.findings:,} findings"
    )


def _capacity(evaluation: Evaluation) -> Figure:
    figure, (precision, recall) = new_figure(11.0, 4.8, columns=2)
    lines = evaluation.lines
    found, ties = lines["found"].to_numpy(), line_keys(lines)
    total, height = int(found.sum()), lines.height
    drawn = np.unique(np.maximum(1, np.ceil(_SHARES * height)).astype(int))
    percent = 100.0 * drawn / height

    def hits(column: str) -> FloatArray:
        order = ranking(lines[column].to_numpy().astype(np.float64), ties)
        return np.asarray(np.cumsum(found[order])[drawn - 1], dtype=np.float64)

    for name, (label, colour, style) in _BASELINES.items():
        caught = hits(f"baseline_{name}")
        precision.plot(percent, 100 * caught / drawn, color=colour, linestyle=style, label=label)
        recall.plot(percent, 100 * caught / total, color=colour, linestyle=style, label=label)
    precision.axhline(100.0 * total / height, color="black", linewidth=0.9, label="chance")
    recall.plot(percent, percent, color="black", linewidth=0.9, label="chance")
    caught = hits("probability")
    for axis, below in ((precision, drawn), (recall, np.full(len(drawn), total))):
        ends = np.array([wilson(int(hit), int(of)) for hit, of in zip(caught, below, strict=True)])
        axis.fill_between(
            percent, 100 * ends[:, 0], 100 * ends[:, 1], color=_MODEL_COLOUR, alpha=0.15, linewidth=0
        )
        axis.plot(
            percent, 100 * caught / below, color=_MODEL_COLOUR, linewidth=2.2, label="model, 95% interval"
        )
        axis.set_xscale("log")
        axis.set_xticks([0.5, 1, 2, 5, 10, 20, 50], ["0.5", "1", "2", "5", "10", "20", "50"])
        axis.minorticks_off()
        axis.set_xlabel("capacity: share of lines inspected, %")
        axis.set_ylim(0.0, None)
    precision.set_ylabel("precision: findings among those inspected, %")
    recall.set_ylabel("recall: findings caught of all findings, %")
    recall.legend(frameon=False, fontsize=8, loc="upper left")
    figure.suptitle(f"{evaluation.risk}: what a capacity finds\n{_about(evaluation)}", fontsize=11)
    return figure


def _calibration(evaluation: Evaluation) -> Figure:
    figure, (axis,) = new_figure(6.4, 5.6)
    probability, found = evaluation.lines["probability"].to_numpy(), evaluation.lines["found"].to_numpy()
    bins = _with_findings(calibration_bins(probability, found, bins=20))
    promised = 100.0 * np.array([part.mean_probability for part in bins])
    seen = 100.0 * np.array([part.findings / part.lines for part in bins])
    ends = 100.0 * np.array([wilson(part.findings, part.lines) for part in bins])
    foot = 0.5 * min(float(promised.min()), float(seen[seen > 0].min()))
    # Where all lines of a group are findings, the interval ends a rounding error short of the share.
    spread = np.maximum([np.minimum(seen - ends[:, 0], seen - foot), ends[:, 1] - seen], 0.0)
    axis.plot([foot, 100.0], [foot, 100.0], color="black", linewidth=0.9, label="as said")
    axis.errorbar(
        promised,
        seen,
        yerr=spread,
        fmt="o",
        color=_MODEL_COLOUR,
        capsize=3,
        label="groups of similar lines, 95% interval",
    )
    for part, x, y in zip(bins, promised, seen, strict=True):
        axis.annotate(
            f"{part.findings}/{part.lines}", (x, y), (6, -9), textcoords="offset points", fontsize=7
        )
    axis.set_xscale("log")
    axis.set_yscale("log")
    for one in (axis.xaxis, axis.yaxis):
        one.set_major_formatter("{x:g}")
    axis.set_xlim(foot, 110.0)
    axis.set_ylim(foot, 110.0)
    axis.set_xlabel("predicted probability of a finding, %")
    axis.set_ylabel("findings among the lines, % (findings/lines beside each point)")
    axis.legend(frameon=False, fontsize=8, loc="upper left")
    error, chance = 100 * evaluation.calibration_error, 100 * evaluation.calibration_error_by_chance
    figure.suptitle(
        f"{evaluation.risk}: calibration\n{_about(evaluation)}\n"
        f"expected error {error:.2f} points, {chance:.2f} by chance alone",
        fontsize=10,
    )
    return figure


def _with_findings(bins: Sequence[CalibrationBin]) -> list[CalibrationBin]:
    """Neighbours put together until each group holds three findings; a share of zero tells little."""
    groups: list[list[CalibrationBin]] = [[]]
    for part in reversed(bins):
        if sum(other.findings for other in groups[-1]) >= _FINDINGS_OF_A_GROUP:
            groups.append([])
        groups[-1].append(part)
    if len(groups) > 1 and sum(part.findings for part in groups[-1]) == 0:
        groups[-2].extend(groups.pop())
    return [
        CalibrationBin(
            lines := sum(part.lines for part in group),
            sum(part.findings for part in group),
            sum(part.lines * part.mean_probability for part in group) / lines,
        )
        for group in groups
    ]


def _importance(model: RiskModel) -> Figure:
    figure, (blocks, columns) = new_figure(11.0, 5.6, columns=2)
    table = model.importance()
    by_block = table.group_by("block").agg(pl.col("gain").sum()).sort("gain", "block")
    blocks.barh(by_block["block"].to_list(), 100 * by_block["gain"].to_numpy(), color=_MODEL_COLOUR)
    blocks.set_title("by feature block", fontsize=10)
    top = table.head(_TOP_COLUMNS).reverse()
    columns.barh(top["column"].to_list(), 100 * top["gain"].to_numpy(), color=_MODEL_COLOUR)
    columns.set_title(f"the {top.height} columns with most", fontsize=10)
    for axis in (blocks, columns):
        axis.set_xlabel("share of the loss that splits took away, %")
        axis.tick_params(axis="y", labelsize=8)
        axis.grid(visible=False, axis="y")
    about = f"{model.metadata.get('lines', '?')} lines, {model.metadata.get('findings', '?')} findings"
    figure.suptitle(f"{model.name}: what the model rests on ({about})", fontsize=11)
    return figure


def _price(risk: str, residuals: pl.DataFrame) -> Figure:
    figure, (axis,) = new_figure(8.0, 4.8)
    known = residuals.filter(pl.col("log_price_ratio").is_finite())
    edges = np.linspace(np.log(1 / 20), np.log(20), 81)
    for is_found, colour, name in (
        (False, _MODEL_COLOUR, "no finding"),
        (True, _FOUND_COLOUR, "undervalued"),
    ):
        values = known.filter(pl.col("found") == is_found)["log_price_ratio"].to_numpy()
        if len(values):
            share = np.full(len(values), 100.0 / len(values))
            label = f"{name}: {len(values):,} lines, median × {np.exp(np.median(values)):.2f}"
            axis.hist(
                np.clip(values, edges[0], edges[-1]),
                edges.tolist(),
                weights=share,
                color=colour,
                alpha=0.55,
                label=label,
            )
    axis.axvline(0.0, color="black", linewidth=0.9)
    ratios = [0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20]
    axis.set_xticks(np.log(ratios), [f"× {ratio:g}" for ratio in ratios])
    axis.set_xlabel("declared over expected price (by a model that has not seen the seller)")
    axis.set_ylabel("share of the lines of that kind, %")
    axis.legend(frameon=False, fontsize=9, loc="upper right")
    axis.set_title(f"{risk}: declared against expected price", fontsize=11)
    return figure
