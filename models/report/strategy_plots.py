"""The picture of a backtest: what each strategy had found by the end of each week, and how often it hit."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from features.arrays.types import FloatArray
from models.report.plots import new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Colours that people with impaired colour vision tell apart (Okabe and Ito 2008), and lines that print in
# grey.
_STYLES = (
    ("#7f7f7f", ":"),
    ("#cc79a7", ":"),
    ("#009e73", "--"),
    ("#d55e00", "-."),
    ("#e69f00", "-"),
    ("#56b4e9", "-"),
    ("#0b5394", "-"),
)


def draw_backtest(weeks: pl.DataFrame, title: str, *, tax: bool) -> Figure:
    """Findings so far by strategy, recovered tax so far where it is known (`tax`), and the hit rate of each
    week with its 95% interval.

    `weeks` has strategy, week_from (Date), days, findings, recovered_tax_cny, hit_rate, hit_rate_low and
    hit_rate_high, in the order of the weeks.
    """
    figure, axes = new_figure(5.6 * (2 + tax), 5.6, columns=2 + tax)
    names = weeks["strategy"].unique(maintain_order=True).to_list()
    for place, name in enumerate(names):
        colour, style = _STYLES[place % len(_STYLES)]
        part = weeks.filter(strategy=name)
        starts = part["week_from"].to_list()
        ends = [
            starts[0],
            *(start + timedelta(days=days) for start, days in zip(starts, part["days"], strict=True)),
        ]
        line: dict[str, Any] = {"color": colour, "linestyle": style, "linewidth": 1.8}
        axes[0].plot(ends, _so_far(part["findings"]), label=name, **line)
        if tax:
            axes[1].plot(ends, _so_far(part["recovered_tax_cny"]) / 1000.0, **line)
        rates = 100.0 * part.select("hit_rate", "hit_rate_low", "hit_rate_high").to_numpy().astype(np.float64)
        axes[-1].plot(starts, rates[:, 0], marker="o", markersize=3, **line)
        if name == names[-1]:
            axes[-1].fill_between(starts, rates[:, 1], rates[:, 2], color=colour, alpha=0.15, linewidth=0)
    axes[0].set_ylabel("parcels with a finding, so far")
    if tax:
        axes[1].set_ylabel("recovered tax so far, thousand CNY")
    axes[-1].set_ylabel(f"hit rate of the week, %, with the 95% interval of {names[-1]}")
    for axis in axes:
        axis.set_ylim(0.0, None)
        axis.tick_params(axis="x", labelrotation=30, labelsize=8)
    axes[-1].set_xlabel("week that begins on")
    figure.legend(frameon=False, fontsize=9, loc="outside lower center", ncols=len(names))
    figure.suptitle(title, fontsize=11)
    return figure


def _so_far(amounts: pl.Series) -> FloatArray:
    return np.concatenate([[0.0], np.cumsum(amounts.to_numpy(), dtype=np.float64)])
