"""What sampling lists would have found, had each listed parcel been opened and everything been seen."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import polars as pl

from models.stats.intervals import wilson
from pipelines.demo.chance_findings import ChanceFindings, chance_findings

ANY = "any of them"
_PARCEL = ["declared_on", "declaration_id"]
_STRATUM = ["declared_on", "customs_office"]


@dataclass(frozen=True)
class RiskOutcome:
    """One risk: the parcels that have it, how many of them are listed, and what random picks would find."""

    risk: str
    parcels: int
    found: int
    listed: int
    random: ChanceFindings

    @property
    def precision(self) -> float:
        """Share of the listed parcels that have the risk."""
        return _share(self.found, self.listed)

    @property
    def recall(self) -> float:
        """Share of the parcels with the risk that were listed."""
        return _share(self.found, self.parcels)

    @property
    def random_precision(self) -> float:
        """What the precision of a random draw would be on average."""
        return _share(self.random.expected, self.listed)

    @property
    def random_recall(self) -> float:
        """What the recall of a random draw would be on average."""
        return _share(self.random.expected, self.parcels)

    @property
    def lift(self) -> float:
        """How many times as much the lists find as a random draw does on average."""
        return _share(self.found, self.random.expected)

    def as_dict(self) -> dict[str, Any]:
        """Counts and shares as plain values; a share of nothing is None."""
        shares = {
            "precision": self.precision,
            "recall": self.recall,
            "random_precision": self.random_precision,
            "random_recall": self.random_recall,
            "lift": self.lift,
        }
        known = {name: value if math.isfinite(value) else None for name, value in shares.items()}
        return asdict(self) | known


@dataclass(frozen=True)
class ListedFor:
    """Parcels listed for one reason, how many kept the promise, and how many the models had promised."""

    reason: str
    listed: int
    found: int
    promised: float | None

    @property
    def interval(self) -> tuple[float, float]:
        """95% interval of the precision (Wilson)."""
        return wilson(self.found, self.listed)


@dataclass(frozen=True)
class ListsOutcome:
    """What the lists of some nights would have found.

    `risks` has one entry a risk and a last one for parcels with any of them; `listed_for` one a risk, of the
    parcels that the models chose for it, then one for each other way of selection that listed any, in which
    any risk counts, the last one of those drawn at random.
    Shortfalls are the tax in CNY that undervalued parcels evade.
    """

    parcels: int
    listed: int
    risks: tuple[RiskOutcome, ...]
    listed_for: tuple[ListedFor, ...]
    shortfall_cny: float
    shortfall_found_cny: float
    shortfall_at_random_cny: float

    def as_dict(self) -> dict[str, Any]:
        """The same as plain values."""
        return asdict(self) | {"risks": {risk.risk: risk.as_dict() for risk in self.risks}}


def list_outcome(parcels: pl.DataFrame, lists: pl.DataFrame, labels: Mapping[str, str]) -> ListsOutcome:
    """Count the listed parcels with each risk, against as many that each office draws on each night.

    Args:
        parcels: every parcel of the nights: declared_on (Date), declaration_id, customs_office, a Boolean
            column per label, and `tax_shortfall_cny`.
        lists: the sampling lists of these nights with their `declared_on`.
        labels: the column of `parcels` for each risk.

    Raises:
        ValueError: a listed parcel is not among `parcels`, or is there twice.
    """
    known = parcels.with_columns(pl.any_horizontal(*labels.values()).alias(ANY))
    marked = known.join(
        lists.select(*_PARCEL, "risk", "probability", "selection"), on=_PARCEL, how="left", validate="1:1"
    ).with_columns(pl.col("selection").is_not_null().alias("is_listed"))
    opened = marked.filter("is_listed")
    if opened.height != lists.height:
        raise ValueError(f"{lists.height} parcels are listed, {opened.height} of them are known")
    columns = {**labels, ANY: ANY}
    shortfall = pl.col("tax_shortfall_cny")
    by_stratum = (
        marked.group_by(_STRATUM, maintain_order=True)
        .agg(shortfall.mean().alias("mean"), pl.col("is_listed").sum().alias("listed"))
        .sort(_STRATUM)
    )
    return ListsOutcome(
        parcels=known.height,
        listed=opened.height,
        risks=tuple(_risk_outcome(marked, risk, column) for risk, column in columns.items()),
        listed_for=(*_chosen_for(opened, labels), *_listed_otherwise(opened)),
        shortfall_cny=float(known["tax_shortfall_cny"].sum()),
        shortfall_found_cny=float(opened["tax_shortfall_cny"].sum()),
        shortfall_at_random_cny=float((by_stratum["mean"] * by_stratum["listed"]).sum()),
    )


def _risk_outcome(marked: pl.DataFrame, risk: str, column: str) -> RiskOutcome:
    # In the order of the strata, so that the last bit does not depend on threads.
    strata = (
        marked.group_by(_STRATUM)
        .agg(
            pl.len().alias("parcels"),
            pl.col(column).sum().alias("with_risk"),
            pl.col("is_listed").sum().alias("listed"),
        )
        .sort(_STRATUM)
    )
    findings = int((marked[column] & marked["is_listed"]).sum())
    return RiskOutcome(
        risk, int(marked[column].sum()), findings, int(marked["is_listed"].sum()), chance_findings(strata)
    )


def _chosen_for(opened: pl.DataFrame, labels: Mapping[str, str]) -> Sequence[ListedFor]:
    chosen = opened.filter(pl.col("selection") == "risk")
    return [
        ListedFor(risk, of.height, int(of[column].sum()), float(of["probability"].sum()))
        for risk, column in labels.items()
        for of in [chosen.filter(pl.col("risk") == risk)]
    ]


def _listed_otherwise(opened: pl.DataFrame) -> list[ListedFor]:
    ways = sorted(set(opened["selection"].to_list()) - {"risk", "random"})
    listed = [(way, opened.filter(selection=way)) for way in (*ways, "random")]
    return [ListedFor(way, of.height, int(of[ANY].sum()), None) for way, of in listed]


def _share(part: float, whole: float) -> float:
    return part / whole if whole else math.nan
