"""From the lines of a day and the history of its eve to the feature frame of a risk.

A block is a module in `features/blocks`; `features.block` says what it has to be. Nothing is registered
anywhere: a new module is a new block.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from types import ModuleType

import polars as pl

import features.blocks
from configs.errors import ConfigurationError
from configs.reference.facts import ReferenceDay
from configs.schema.risk import RiskConfig
from features.block import Block
from features.contract.declarations import LINE_KEY, TEXT_COLUMNS
from features.declared import declared_in
from features.history.view import DayContext, HistoryView

KEY_COLUMNS = LINE_KEY
CARRIED_COLUMNS = (
    "seller_id",
    "unit_price",
    "total_price",
    "hs_code",
    "origin_country",
    "customs_office",
    "trade_mode",
)
COMPARED_COLUMNS = ("unit", "barcode", "unit_price_cny", "cny_per_kg", "kg_per_unit")
"""What models of goods read of a line beside the carried columns; no block, so no risk's trees see them."""


@cache
def found_blocks(package: ModuleType = features.blocks) -> Mapping[str, Block]:
    """Return every feature block by its name, in the order of names.

    Raises:
        ConfigurationError: a module declares no block, or makes a slip in what it declares.
    """
    expected = "@block(...) from features.block above a function build(lines, history, reference)"
    return declared_in(package, "build", Block, what="feature block", expected=expected)


@dataclass(frozen=True)
class FeatureSet:
    """The features of some lines of one day: the blocks that all risks share, and those of each label."""

    lines: pl.DataFrame
    shared: Mapping[str, pl.DataFrame]
    by_label: Mapping[str, Mapping[str, pl.DataFrame]]

    def for_risk(self, risk: RiskConfig) -> pl.DataFrame:
        """The frame that the model of `risk` takes, a row a line, in the order of `lines`.

        Columns: the key, the text columns, the carried and the compared columns, then `<block>__<name>` as
        String (a category) or Float64.
        """
        frames = [
            self.shared[name] if name in self.shared else self.by_label[risk.label][name]
            for name in blocks_of(risk)
        ]
        return pl.concat([as_declared(self.lines), *frames], how="horizontal")


def as_declared(lines: pl.DataFrame) -> pl.DataFrame:
    """The columns of a frame that no block builds, of prepared lines."""
    return lines.select(
        pl.col("declaration_id"),
        pl.col("line_no").cast(pl.Float64),
        *(pl.col(name) for name in (*TEXT_COLUMNS, *CARRIED_COLUMNS, "unit", "barcode")),
        pl.col("_unit_price_cny").alias("unit_price_cny"),
        pl.col("_log_cny_per_kg").exp().alias("cny_per_kg"),
        pl.col("_log_kg_per_unit").exp().alias("kg_per_unit"),
    )


def blocks_of(risk: RiskConfig) -> tuple[str, ...]:
    """Return the names of the blocks of a risk's configuration, in their order.

    Raises:
        ConfigurationError: one does not exist.
    """
    names = tuple(found_blocks())
    if risk.blocks == "all":
        return names
    unknown = sorted(set(risk.blocks) - set(names))
    if unknown:
        raise ConfigurationError(
            f"risk {risk.name}: unknown feature block {', '.join(unknown)}; there are {', '.join(names)}"
        )
    return tuple(name for name in names if name in risk.blocks)


def assemble(
    prepared: pl.DataFrame, context: DayContext, reference: ReferenceDay, risks: Sequence[RiskConfig]
) -> FeatureSet:
    """Build every block that one of the risks uses, once.

    `prepared` are lines of the context's day from `features.prepare.prepare_lines`; any subset of the day
    gives the same rows.
    """
    view = HistoryView(prepared, context)
    shared: dict[str, pl.DataFrame] = {}
    by_label: dict[str, dict[str, pl.DataFrame]] = {risk.label: {} for risk in risks}
    for risk in risks:
        for name in blocks_of(risk):
            block = found_blocks()[name]
            built = by_label[risk.label] if block.needs.label else shared
            if name not in built:
                built[name] = block(view, risk.label, reference)
    return FeatureSet(prepared, shared, by_label)
