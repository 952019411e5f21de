"""What lists of an office found: hit rates, revenue, lift over the random share, delay, skipped draws.

A parcel counts once: a hit is one in which any risk was found, and only parcels of which some risk was
examined count in a rate. The lift compares parcels that were chosen by risk with parcels drawn at random for
the lists of the same office and week, exports on lists of their own apart, so that neither a busy office nor
a good week passes for skill: the ratio of Mantel and Haenszel over offices and weeks, whose interval holds
also where each of them has few parcels. Random parcels count alike, whatever the chance of their stratum.

Sources: Wilson 1927, "Probable Inference"; Mantel and Haenszel 1959, "Statistical Aspects of the Analysis of
Data from Retrospective Studies"; Greenland and Robins 1985, "Estimation of a Common Effect Parameter from
Sparse Follow-up Data" (the interval); Rothman, Greenland, Lash 2008, "Modern Epidemiology", chapter 15.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import polars as pl
from scipy.stats import fisher_exact

from models.stats.intervals import wilson

LEAST_PARCELS = 10
"""Fewer examined parcels than this make no rate, and no mean of taxes."""
_STRATUM = ("customs_office", "exports", "week")
LISTED_PARCEL_COLUMNS: dict[str, pl.DataType] = {
    "declaration_id": pl.String(),
    "customs_office": pl.String(),
    "exports": pl.Boolean(),
    "week": pl.Date(),
    "declared_on": pl.Date(),
    "selection": pl.String(),
    "inspected": pl.Boolean(),
    "examined": pl.Boolean(),
    "found": pl.Boolean(),
    "recovered_tax_cny": pl.Float64(),
    "delay_days": pl.Int64(),
}
"""A parcel on a list: whether that is one of `exports` alone, its channel there, whether any result of it is
known (`inspected`), and one of a risk (`examined`). `week` is the Monday of the week of its declaration,
`delay_days` the days from its declaration to its first result, null without one; `recovered_tax_cny` is null
where nobody told any.
"""
_NORMAL_95 = 1.959963984540054
_SURE = 0.01


def told_tax() -> pl.Expr:
    """The sum of `recovered_tax_cny` of a group, null where nobody told any."""
    told = pl.col("recovered_tax_cny")
    # In one order, so that the last bit does not depend on threads.
    return pl.when(told.count() > 0).then(told.sort().sum()).alias("recovered_tax_cny")


def hit_rates(parcels: pl.DataFrame, keys: Sequence[str], least_findings: int) -> pl.DataFrame:
    """By `keys` and selection: parcels `listed`, `inspected`, `examined` and `findings`, `hit_rate` with
    Wilson's interval (`low`, `high`), `recovered_tax_cny` in all and `tax_per_inspection`; figures of too few
    parcels, or of fewer than `least_findings`, and taxes that nobody told are null.

    `parcels` has `LISTED_PARCEL_COLUMNS`.
    """
    by = [*keys, "selection"]
    counted = (
        parcels.group_by(by)
        .agg(
            pl.len().cast(pl.Int64).alias("listed"),
            pl.col("inspected", "examined").sum().cast(pl.Int64),
            (pl.col("examined") & pl.col("found")).sum().cast(pl.Int64).alias("findings"),
            told_tax(),
        )
        .sort(by, nulls_last=True)
    )
    ends = [wilson(found, drawn) for found, drawn in counted.select("findings", "examined").iter_rows()]
    found = pl.col("findings") >= least_findings
    enough = found & (pl.col("examined") >= LEAST_PARCELS)
    return counted.with_columns(
        pl.when(enough).then(pl.col("findings") / pl.col("examined")).alias("hit_rate"),
        pl.Series("low", [low for low, _ in ends], dtype=pl.Float64),
        pl.Series("high", [high for _, high in ends], dtype=pl.Float64),
        pl.when(found & (pl.col("inspected") >= LEAST_PARCELS))
        .then(pl.col("recovered_tax_cny") / pl.col("inspected"))
        .alias("tax_per_inspection"),
    ).with_columns(pl.when(enough).then(pl.col(name)).alias(name) for name in ("low", "high"))


def lifts(parcels: pl.DataFrame, keys: Sequence[str], least_findings: int) -> pl.DataFrame:
    """By `keys`: the hit rate of parcels chosen by risk over that of parcels drawn at random for the same
    office and week, with its 95% interval; null where too few are known.

    Counts are those of the offices and weeks that have both; `parcels` has `LISTED_PARCEL_COLUMNS`.
    """
    by = list(dict.fromkeys([*keys, *_STRATUM]))
    risk, drawn = (pl.col("selection") == name for name in ("risk", "random"))
    strata = (
        parcels.filter("examined")
        .group_by(by)
        .agg(
            (risk & pl.col("found")).sum().cast(pl.Int64).alias("chosen_findings"),
            risk.sum().cast(pl.Int64).alias("chosen"),
            (drawn & pl.col("found")).sum().cast(pl.Int64).alias("random_findings"),
            drawn.sum().cast(pl.Int64).alias("random"),
        )
        .filter((pl.col("chosen") > 0) & (pl.col("random") > 0))
        .sort(by, nulls_last=True)
    )
    names = ["chosen_findings", "chosen", "random_findings", "random"]
    rows = []
    groups = strata.group_by(keys, maintain_order=True) if keys else [((), strata)]
    for key, group in groups:
        value, low, high = mantel_haenszel(group.select(names).iter_rows(), least_findings)
        rows.append([*key, *(int(group[name].sum()) for name in names), value, low, high])
    schema = {
        **{name: parcels.schema[name] for name in keys},
        **dict.fromkeys(names, pl.Int64()),
        **dict.fromkeys(("lift", "low", "high"), pl.Float64()),
    }
    return pl.DataFrame(rows, schema=schema, orient="row")


def mantel_haenszel(
    strata: Iterable[Sequence[int]], least_findings: int
) -> tuple[float, float, float] | tuple[None, None, None]:
    """The common ratio of two rates over strata and its 95% interval; None where too few are known.

    It takes `least_findings` on both sides together. A stratum is findings and parcels of the one side, then
    of the other, each side with a parcel at least.

    >>> [round(end, 2) for end in mantel_haenszel([(40, 100, 10, 100)], 10)]
    [4.0, 2.12, 7.55]
    >>> mantel_haenszel([(3, 100, 1, 100)], 10)
    (None, None, None)
    """
    ours = theirs = spread = 0.0
    counts = [0, 0, 0, 0]
    for found, chosen, found_at_random, drawn in strata:
        whole = chosen + drawn
        ours += found * drawn / whole
        theirs += found_at_random * chosen / whole
        both = found + found_at_random
        spread += (chosen * drawn * both - found * found_at_random * whole) / whole**2
        counts = [a + b for a, b in zip(counts, (found, chosen, found_at_random, drawn), strict=True)]
    enough = counts[0] + counts[2] >= least_findings and min(counts[1], counts[3]) >= LEAST_PARCELS
    if not enough or ours == 0.0 or theirs == 0.0:
        return None, None, None
    middle, half = math.log(ours / theirs), _NORMAL_95 * math.sqrt(spread / (ours * theirs))
    return ours / theirs, math.exp(middle - half), math.exp(middle + half)


def skipped_draws(counts: pl.DataFrame) -> list[str]:
    """The offices that surely open fewer of the parcels drawn at random than of the others on their lists.

    Everything that is measured rests on the draws, and whoever leaves some out leaves out those that look
    harmless. `counts` has `customs_office`, `selection`, `listed` and `opened`, sorted by office. Fisher's
    exact test, one-sided, at one in a hundred for all offices together.
    """
    chances = {}
    for (office,), rows in counts.group_by("customs_office", maintain_order=True):
        drawn = rows["selection"].eq_missing("random")
        random, other = (
            [int(part["opened"].sum()), int((part["listed"] - part["opened"]).sum())]
            for part in (rows.filter(drawn), rows.filter(~drawn))
        )
        if sum(random) >= LEAST_PARCELS:
            chances[str(office)] = fisher_exact([random, other], "less").pvalue
    return [office for office, chance in chances.items() if chance < _SURE / len(chances)]


def delays(parcels: pl.DataFrame, keys: Sequence[str]) -> pl.DataFrame:
    """By `keys`: parcels with a result, and the days to it for half and for 90% of them; null for too few."""
    known = parcels.filter(pl.col("delay_days").is_not_null())
    days = pl.col("delay_days")
    enough = pl.len() >= LEAST_PARCELS
    return (
        known.group_by(keys or [pl.lit(0).alias("_all")])
        .agg(
            pl.len().cast(pl.Int64).alias("parcels"),
            pl.when(enough).then(days.quantile(0.5, "equiprobable")).alias("half_within_days"),
            pl.when(enough).then(days.quantile(0.9, "equiprobable")).alias("most_within_days"),
        )
        .sort(keys or ["_all"], nulls_last=True)
        .drop("_all", strict=False)
    )
