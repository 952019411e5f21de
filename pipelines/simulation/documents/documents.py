"""All documents around the declarations of some days, as tables, and the truth about what is wrong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from features.contract.china_time import china_day
from pipelines.simulation.documents.kinds import KINDS, OPEN, SCHEME_KINDS
from pipelines.simulation.documents.orders import orders_of
from pipelines.simulation.documents.payments import payments_of
from pipelines.simulation.documents.receipts import outcomes_of, receipts_of, taxes_of
from pipelines.simulation.documents.returns import RETURN_KINDS, cancellations_of, returns_of
from pipelines.simulation.documents.trade import trade_terms
from pipelines.simulation.documents.waybills import waybills_of

DOCUMENT_TRUTH_COLUMNS: Final[dict[str, pl.DataType]] = {
    "declaration_id": pl.String(),
    "line_no": pl.Int32(),
    "check": pl.String(),
    "outcome": pl.String(),
    "day": pl.Date(),
    "mechanism": pl.String(),
}
"""What a check has to find: on which day, about which parcel or line, and why."""
_MISSING: Final = ("order_missing", "payment_missing", "waybill_missing")
_REUSED: Final = ("payment_reused", "waybill_reused")


@dataclass(frozen=True)
class OpenedByCustoms:
    """Which parcels customs opened.

    Attributes:
        opened: their numbers.
        detained: the numbers of those that were not let go.
        assessed: `declaration_id`, `line_no` and `assessed_unit_price` of lines whose price customs set.
    """

    opened: pl.Series
    detained: pl.Series
    assessed: pl.DataFrame


@dataclass(frozen=True)
class SimulatedDocuments:
    """Documents by table, with `app_type`, `app_status` and `spelling` beside the table's columns.

    Attributes:
        parcels: the parcels with what was agreed, sent and decided about each.
        tables: the rows; of an order or inventory that was changed or deleted, all versions.
        truth: what is wrong, in `DOCUMENT_TRUTH_COLUMNS`.
    """

    parcels: pl.DataFrame
    tables: dict[str, pl.DataFrame]
    truth: pl.DataFrame


def make_documents(
    lines: pl.DataFrame,
    parcels: pl.DataFrame,
    inspected: OpenedByCustoms,
    seed: int,
    rng: np.random.Generator,
) -> SimulatedDocuments:
    """Return the documents of parcels.

    Args:
        lines: the lines of declarations; those of other modes than e-commerce have no documents.
        parcels: `parcels.traded_parcels` these lines, with a `kind`: what is special about each.
        inspected: which of them customs opened.
        seed: of the numbers that documents have.
        rng: the generator of amounts and times; the same one, lines and kinds give the same documents.

    Where two parcels share a waybill, `inventories.inventories_of` gives the inventories that say so.
    """
    agreed = trade_terms(parcels, seed, rng)
    outcomes = outcomes_of(agreed, inspected.opened, inspected.detained, rng)
    returns = returns_of(lines, outcomes, rng)
    tables = {
        "orders": orders_of(lines, agreed),
        "payments": payments_of(agreed),
        "waybills": waybills_of(agreed, rng),
        "cancellations": cancellations_of(outcomes, rng),
        "returns": returns,
        "receipts": receipts_of(outcomes, rng),
        "taxes": taxes_of(lines, outcomes, inspected.assessed, rng),
    }
    return SimulatedDocuments(
        outcomes, tables, pl.concat([_truth_of_parcels(outcomes), _of_returns(returns)])
    )


def _truth_of_parcels(parcels: pl.DataFrame) -> pl.DataFrame:
    # Of two parcels the later stands out, or both where no day is between them.
    stands_out = pl.col("is_later_of_two") | (pl.col("first_on") == pl.col("second_on"))
    known = parcels.join(_rules(of_returns=False), on="kind", maintain_order="left_right")
    known = known.filter(stands_out | ~pl.col("check").is_in(_REUSED))
    without = parcels.filter("is_numberless").select("declaration_id", "declared_on", "goods_line")
    missing = pl.DataFrame({"check": _MISSING, "outcome": [OPEN] * len(_MISSING)})
    wanted = ("declaration_id", "declared_on", "goods_line", "check", "outcome", "kind")
    rows = pl.concat(
        [
            known.select(wanted),
            without.join(missing, how="cross").with_columns(kind=pl.lit("no_number")).select(wanted),
        ]
    )
    return rows.select(
        "declaration_id",
        line_no=pl.when(pl.col("check") == "goods").then("goods_line").cast(pl.Int32),
        check="check",
        outcome="outcome",
        day="declared_on",
        mechanism="kind",
    )


def _of_returns(returns: pl.DataFrame) -> pl.DataFrame:
    together = pl.col("kind") == "return_exceeds_together"
    rows = returns.join(_rules(of_returns=True), on="kind", maintain_order="left_right")
    rows = rows.filter(~together | pl.col("is_second"))
    return rows.select(
        "declaration_id", "line_no", "check", "outcome", day=china_day(pl.col("sent_at")), mechanism="kind"
    )


def _rules(*, of_returns: bool) -> pl.DataFrame:
    """By kind of what is wrong, the checks that find it and what they say; of returns, or of all else."""
    kinds = [kind for kind in (*KINDS, *SCHEME_KINDS) if (kind.name in RETURN_KINDS) == of_returns]
    return pl.DataFrame(
        [(kind.name, check, kind.outcome) for kind in kinds for check in kind.checks],
        schema={"kind": pl.String, "check": pl.String, "outcome": pl.String},
        orient="row",
    )
