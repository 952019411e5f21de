"""What the strategies of a backtest found: in all, by week and by the way of selection, with intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final

import numpy as np
import polars as pl

from models.stats.intervals import bootstrap_interval, bootstrap_weights, wilson
from pipelines.backtest.outcome import FOUND_PREFIX

_WEEK: Final = 7
_DRAWS: Final = 2000
_SUMS: Final = ("findings", "recovered_tax_cny", "value_cny")
# Of fewer weeks a bootstrap gives intervals that are too narrow to be shown.
_LEAST_WEEKS: Final = 4


def totals(
    opened: pl.DataFrame, nights: pl.DataFrame, strategies: Sequence[str], least_findings: int
) -> pl.DataFrame:
    """One row a strategy, in the order given.

    `opened` has one row a parcel that a strategy opened, `nights` one a night, both with `strategy`; see
    `pipelines.backtest.replay`. Columns: strategy, parcels (of the period), opened, findings, hit_rate with
    Wilson's 95% interval in hit_rate_low and hit_rate_high, recovered_tax_cny, value_cny, `found__<risk>`
    (parcels); and for strategies with a model what they brought against the highest expected values of the
    same nights alone: risk_share_of_sort (the value found by the part chosen by risk over that of a sort of
    equal size) and list_share_of_sort (the same of whole lists), null for the others. Rates and shares of
    fewer findings than `least_findings` are null.
    """
    by_risk = opened.filter(selection="risk").group_by("strategy").agg(risk_value=pl.col("value_cny").sum())
    sums = nights.group_by("strategy").agg(
        pl.col("parcels").sum(), pl.col("sort_value_cny").sum(), pl.col("full_sort_value_cny").sum()
    )
    table = (
        _summed(opened, ["strategy"])
        .join(sums, on="strategy", how="full", coalesce=True)
        .join(by_risk, on="strategy", how="left")
    )
    positive = pl.when(pl.col("sort_value_cny") > 0.0), pl.when(pl.col("full_sort_value_cny") > 0.0)
    table = table.with_columns(
        positive[0].then(pl.col("risk_value") / pl.col("sort_value_cny")).alias("risk_share_of_sort"),
        positive[1].then(pl.col("value_cny") / pl.col("full_sort_value_cny")).alias("list_share_of_sort"),
    ).drop("risk_value", "sort_value_cny", "full_sort_value_cny")
    counts = [
        name for name in table.columns if name in ("opened", "findings") or name.startswith(FOUND_PREFIX)
    ]
    table = table.with_columns(pl.col(*counts, "recovered_tax_cny", "value_cny").fill_null(0))
    few = pl.col("findings") < least_findings
    table = table.with_columns(
        pl.when(few).then(None).otherwise(pl.col(name)).alias(name)
        for name in ("risk_share_of_sort", "list_share_of_sort")
    )
    return _with_rate(table, least_findings).sort(pl.col("strategy").replace_strict(_places(strategies)))


def by_week(
    opened: pl.DataFrame,
    days: Sequence[date],
    strategies: Sequence[str],
    parcels: Mapping[date, int],
    least_findings: int,
) -> pl.DataFrame:
    """One row a strategy and week of seven days from the first of `days`; the last may be shorter.

    Columns: strategy, week (from 1), week_from, days, parcels (`parcels` by day, added up), then as in
    `totals` from opened to `found__<risk>`. A week in which nothing was opened has zeros, and a hit rate of
    null, as has one with fewer findings than `least_findings`.
    """
    first = days[0]
    calendar = pl.DataFrame({"declared_on": list(days)}).with_columns(
        week=(pl.col("declared_on") - first).dt.total_days() // _WEEK + 1,
        parcels=pl.col("declared_on").replace_strict(dict(parcels), default=0, return_dtype=pl.Int64),
    )
    weeks = (
        calendar.group_by("week")
        .agg(week_from=pl.col("declared_on").min(), days=pl.len(), parcels=pl.col("parcels").sum())
        .sort("week")
    )
    grid = pl.DataFrame({"strategy": list(strategies)}).join(weeks, how="cross")
    sums = _summed(
        opened.join(calendar.select("declared_on", "week"), on="declared_on"), ["strategy", "week"]
    )
    table = grid.join(sums, on=["strategy", "week"], how="left", maintain_order="left")
    zeros = [name for name in sums.columns if name not in ("strategy", "week")]
    return _with_rate(table.with_columns(pl.col(zeros).fill_null(0)), least_findings)


def by_selection(opened: pl.DataFrame, strategies: Sequence[str], least_findings: int) -> pl.DataFrame:
    """As `totals`, one row a strategy and way of selection that it used."""
    table = _with_rate(_summed(opened, ["strategy", "selection"]), least_findings)
    return table.sort(pl.col("strategy").replace_strict(_places(strategies)), "selection")


def differences(weeks: pl.DataFrame, reference: str, *, seed: int) -> pl.DataFrame:
    """What `reference` brought more than every other strategy over the whole period, by `by_week`.

    Columns: strategy, against, figure (findings, recovered_tax_cny or value_cny), difference, low and high:
    the 95% interval of a bootstrap over weeks, in which both strategies have the same weeks; null with fewer
    than four weeks. It tells how much the weeks differ, not how worlds do.
    """
    rows = []
    ours = weeks.filter(strategy=reference).sort("week")
    for name in weeks["strategy"].unique(maintain_order=True).to_list():
        if name == reference:
            continue
        theirs = weeks.filter(strategy=name).sort("week")
        for figure in _SUMS:
            gain = (ours[figure] - theirs[figure]).cast(pl.Float64).to_numpy()
            low, high = _interval_of_sum(gain, seed)
            row = {"strategy": reference, "against": name, "figure": figure}
            rows.append(row | {"difference": float(gain.sum()), "low": low, "high": high})
    schema = {"strategy": pl.String, "against": pl.String, "figure": pl.String}
    return pl.DataFrame(rows, schema=schema | dict.fromkeys(("difference", "low", "high"), pl.Float64))


def _interval_of_sum(gain: np.typing.NDArray[np.float64], seed: int) -> tuple[float | None, float | None]:
    if len(gain) < _LEAST_WEEKS:
        return None, None
    weights = bootstrap_weights(np.arange(len(gain)), draws=_DRAWS, seed=seed)
    return bootstrap_interval((weights * gain).sum(axis=1))


def _summed(opened: pl.DataFrame, keys: list[str]) -> pl.DataFrame:
    flags = [name for name in opened.columns if name.startswith(FOUND_PREFIX)]
    return opened.group_by(keys).agg(
        opened=pl.len().cast(pl.Int64),
        findings=pl.col("found").sum().cast(pl.Int64),
        # Amounts are added in a fixed order: otherwise the last bit depends on how the rows were grouped.
        recovered_tax_cny=pl.col("recovered_tax_cny").sort().sum(),
        value_cny=pl.col("value_cny").sort().sum(),
        **{name: pl.col(name).sum().cast(pl.Int64) for name in flags},
    )


def _with_rate(table: pl.DataFrame, least_findings: int) -> pl.DataFrame:
    ends = [wilson(found, drawn) for found, drawn in table.select("findings", "opened").iter_rows()]
    some = pl.when((pl.col("opened") > 0) & (pl.col("findings") >= least_findings))
    return table.with_columns(
        some.then(pl.col("findings") / pl.col("opened")).alias("hit_rate"),
        some.then(pl.Series([low for low, _ in ends], dtype=pl.Float64)).alias("hit_rate_low"),
        some.then(pl.Series([high for _, high in ends], dtype=pl.Float64)).alias("hit_rate_high"),
    )


def _places(strategies: Sequence[str]) -> dict[str, int]:
    return {name: place for place, name in enumerate(strategies)}
