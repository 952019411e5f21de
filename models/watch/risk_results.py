"""A risk's results that have come in, against the probabilities that its lines had on their day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl

from features.arrays.hashing import hash_text
from models.fitting.channels import chosen_by_outcome
from models.watch.monitoring import (
    UNKNOWN,
    HitRate,
    Interval,
    deflated_over_expected,
    design_effect,
    ratio,
    weighted_hit_rate,
)

_WEEK = 7
_CHOSEN = ("risk", "exploration")
RANDOM_SHARE = "the random share"
ALL_SHARES = "all but referrals"


@dataclass(frozen=True)
class CalibrationRow:
    """Findings of some lines beside the sum of their probabilities."""

    share: str
    versions: Sequence[str]
    lines: int
    findings: int
    expected: float
    effect: float

    def tells(self, least_findings: int) -> bool:
        """Whether there are so many findings, or would have been, that the ratio is no luck."""
        return max(self.findings, self.expected) >= least_findings

    def as_dict(self, least_findings: int = 1) -> dict[str, Any]:
        """The figures by name; `ratio` is findings over expectation, NaN where that would be luck."""
        found = deflated_over_expected(self.findings, self.expected, effect=self.effect)
        if not self.tells(least_findings):
            found = UNKNOWN
        return {
            "share": self.share,
            "versions": list(self.versions),
            "lines": self.lines,
            "findings": self.findings,
            "expected": self.expected,
            "ratio": found.value,
            "low": found.low,
            "high": found.high,
            "design_effect": self.effect,
        }


@dataclass(frozen=True)
class WeekOfResults:
    """Hit rates of parcels declared in a week: of what was chosen by risk, of all by the random share."""

    first: date
    last: date
    chosen: HitRate
    random: HitRate
    drawn: int
    random_findings: int

    def as_dict(self, least_findings: int = 1) -> dict[str, Any]:
        """The figures by name; a rate of fewer findings than `least_findings` is NaN."""
        chosen_findings = int(self.chosen.findings)
        return {
            "from": self.first.isoformat(),
            "to": self.last.isoformat(),
            "chosen_parcels": int(self.chosen.examined),
            "chosen_findings": chosen_findings,
            "chosen_rate": _figure(self.chosen.interval(), chosen_findings, least_findings),
            "random_parcels": self.drawn,
            "random_findings": self.random_findings,
            "random_rate": _figure(self.random.interval(), self.random_findings, least_findings),
        }


@dataclass(frozen=True)
class RiskResults:
    """What is known of a risk: calibration by share of lines, hit rates of parcels in all and by week.

    `random_findings` are those of the random share, as counted. Figures of fewer than `least_findings` are
    none.
    """

    mature_to: date
    calibration: Sequence[CalibrationRow]
    chosen: HitRate
    random: HitRate
    weeks: Sequence[WeekOfResults]
    random_findings: int
    least_findings: int = 1

    @property
    def chosen_findings(self) -> int:
        """Findings of what was chosen by risk."""
        return int(self.chosen.findings)

    def as_dict(self) -> dict[str, Any]:
        """The figures by name."""
        least, chosen, drawn = self.least_findings, self.chosen_findings, self.random_findings
        return {
            "declared_to": self.mature_to.isoformat(),
            "calibration": [row.as_dict(least) for row in self.calibration],
            "chosen_rate": _figure(self.chosen.interval(), chosen, least),
            "random_rate": _figure(self.random.interval(), drawn, least),
            "lift": _figure(ratio(self.chosen, self.random), min(chosen, drawn), least),
            "weeks": [week.as_dict(least) for week in self.weeks],
        }


def risk_results(
    inspected: pl.DataFrame, risk: str, label: str, *, mature_to: date, weeks: int, version: str | None
) -> RiskResults:
    """Results of the lines declared in the `weeks` up to `mature_to`, the last day whose results are in.

    `inspected` has a row an inspected line: `declared_on`, `selection`, `inspection_probability`,
    `seller_id`, `declaration_id`, the label (null = not examined, and so no finding recorded),
    `probability__<risk>` and `version__<risk>`. Calibration is of lines, as probabilities are: that of
    `version` where any of its lines has a result, else that of all versions, which the row names. Hit rates
    count as an office's report does: a parcel, where it was examined for the risk, is a finding once.
    """
    lines = inspected.filter(
        pl.col("declared_on").is_between(mature_to - timedelta(days=_WEEK * weeks - 1), mature_to)
        & pl.col(f"probability__{risk}").is_not_null()
        & ~pl.Series(chosen_by_outcome(inspected))
    ).with_columns(pl.col(label).fill_null(False).alias("found"))
    at_random = lines.filter(
        (pl.col("selection") == "random") & pl.col("inspection_probability").is_not_null()
    )
    calibration = []
    for share, part in ((RANDOM_SHARE, at_random), (ALL_SHARES, lines)):
        current = part if version is None else part.filter(pl.col(f"version__{risk}") == version)
        row = _calibration_row(share, part if current.is_empty() else current, risk)
        calibration += [row] if row.lines else []
    drawn = _parcels(at_random, label)
    chosen = _parcels(lines.filter(pl.col("selection").is_in(list(_CHOSEN))), label)
    blocks = [_week(drawn, chosen, mature_to - timedelta(days=_WEEK * back)) for back in range(weeks)]
    return RiskResults(
        mature_to,
        calibration,
        _rate(chosen),
        _random_rate(drawn),
        [block for block in reversed(blocks) if block.chosen.examined or block.drawn],
        int(drawn["found"].sum()),
    )


def _parcels(lines: pl.DataFrame, label: str) -> pl.DataFrame:
    """Parcels that were examined for the risk: whether it was found on a line of them, and their chance."""
    return (
        lines.filter(pl.col(label).is_not_null())
        .group_by("declaration_id", maintain_order=True)
        .agg(pl.col("declared_on", "inspection_probability").first(), pl.col("found").any())
    )


def _figure(interval: Interval, findings: int, least: int) -> dict[str, Any]:
    """A figure and what it rests on; NaN where that is too little."""
    shown = interval if findings >= least else UNKNOWN
    return {**shown.as_dict(), "findings": findings}


def _calibration_row(share: str, lines: pl.DataFrame, risk: str) -> CalibrationRow:
    probability, found = lines[f"probability__{risk}"].to_numpy(), lines["found"].to_numpy()
    cluster = hash_text(lines.select(pl.coalesce("seller_id", "declaration_id")).to_series())
    return CalibrationRow(
        share,
        sorted(lines[f"version__{risk}"].drop_nulls().unique().to_list()),
        lines.height,
        int(found.sum()),
        float(probability.sum()),
        design_effect(probability, found, cluster.to_numpy().astype(np.int64)),
    )


def _week(drawn: pl.DataFrame, chosen: pl.DataFrame, last: date) -> WeekOfResults:
    first = last - timedelta(days=_WEEK - 1)
    inside = pl.col("declared_on").is_between(first, last)
    drawn = drawn.filter(inside)
    findings = int(drawn["found"].sum())
    return WeekOfResults(
        first, last, _rate(chosen.filter(inside)), _random_rate(drawn), drawn.height, findings
    )


def _rate(parcels: pl.DataFrame) -> HitRate:
    return HitRate(float(parcels.height), float(parcels["found"].sum()))


def _random_rate(parcels: pl.DataFrame) -> HitRate:
    return weighted_hit_rate(parcels["found"].to_numpy(), parcels["inspection_probability"].to_numpy())
