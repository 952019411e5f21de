"""From the lines of a day and the history of its eve to the feature frame of a risk.

A block is a module in `features/blocks` with `build(lines, history, reference) -> frame`; its name is the
module's, and its columns carry it as prefix. A block that needs the label of the risk says `DEPENDS_ON_LABEL
= True`. Nothing is registered anywhere: a new module is a new block.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from types import ModuleType

import polars as pl

import features.blocks
from configs.errors import ConfigurationError
from configs.reference.facts import ReferenceDay
from configs.schema.pipeline import PipelineConfig
from configs.schema.risk import RiskConfig
from features.contract.declarations import LINE_KEY, TEXT_COLUMNS
from features.history.keys import hashed_columns, key_specs, with_keys
from features.history.peers import with_measures
from features.history.view import DayContext, HistoryView
from features.prepare import prepare

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


@cache
def block_names() -> tuple[str, ...]:
    """The names of all feature blocks, sorted."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(features.blocks.__path__)))


def prepare_lines(lines: pl.DataFrame, reference: ReferenceDay, config: PipelineConfig) -> pl.DataFrame:
    """The lines of whole parcels with what blocks and history need: derived columns, key hashes, log
    prices."""
    prepared = prepare(lines, reference)
    specs, levels = key_specs(config.history), config.peers.columns_by_level
    columns = [*(spec.columns for spec in specs), *levels.values()]
    hashed = hashed_columns(prepared, [name for names in columns for name in names])
    return with_measures(with_keys(prepared, specs, hashed), levels, hashed)


@dataclass(frozen=True)
class FeatureSet:
    """The features of some lines of one day: the blocks that all risks share, and those of each label."""

    lines: pl.DataFrame
    shared: Mapping[str, pl.DataFrame]
    by_label: Mapping[str, Mapping[str, pl.DataFrame]]

    def for_risk(self, risk: RiskConfig) -> pl.DataFrame:
        """The frame that the model of `risk` takes, a row a line, in the order of `lines`.

        Columns: the key, the text columns, the carried columns, then `<block>__<name>` as String (a category)
        or Float64.
        """
        frames = [
            self.shared[name] if name in self.shared else self.by_label[risk.label][name]
            for name in blocks_of(risk)
        ]
        carried = self.lines.select(
            pl.col("declaration_id"),
            pl.col("line_no").cast(pl.Float64),
            *(pl.col(name) for name in (*TEXT_COLUMNS, *CARRIED_COLUMNS)),
        )
        return pl.concat([carried, *frames], how="horizontal")


def blocks_of(risk: RiskConfig) -> tuple[str, ...]:
    """The blocks of a risk's configuration, in a fixed order.

    Raises ConfigurationError where one does not exist.
    """
    if risk.blocks == "all":
        return block_names()
    unknown = sorted(set(risk.blocks) - set(block_names()))
    if unknown:
        raise ConfigurationError(
            f"risk {risk.name}: unknown feature block {', '.join(unknown)}; "
            f"there are {', '.join(block_names())}"
        )
    return tuple(name for name in block_names() if name in risk.blocks)


def assemble(
    prepared: pl.DataFrame, context: DayContext, reference: ReferenceDay, risks: Sequence[RiskConfig]
) -> FeatureSet:
    """Builds every block that one of the risks uses, once.

    `prepared` are lines of the context's day from `prepare_lines`; any subset of the day gives the same rows.
    """
    view = HistoryView(prepared, context)
    shared: dict[str, pl.DataFrame] = {}
    by_label: dict[str, dict[str, pl.DataFrame]] = {risk.label: {} for risk in risks}
    for risk in risks:
        for name in blocks_of(risk):
            module = _block(name)
            if getattr(module, "DEPENDS_ON_LABEL", False):
                if name not in by_label[risk.label]:
                    by_label[risk.label][name] = _built(
                        module, name, prepared, view.for_label(risk.label), reference
                    )
            elif name not in shared:
                shared[name] = _built(module, name, prepared, view, reference)
    return FeatureSet(prepared, shared, by_label)


def _block(name: str) -> ModuleType:
    return importlib.import_module(f"features.blocks.{name}")


def _built(
    module: ModuleType, name: str, lines: pl.DataFrame, view: HistoryView, reference: ReferenceDay
) -> pl.DataFrame:
    frame: pl.DataFrame = module.build(lines, view, reference)
    if frame.width and frame.height != lines.height:
        raise ValueError(f"block {name} returned {frame.height} rows for {lines.height} lines")
    stray = [column for column in frame.columns if not column.startswith(f"{name}__")]
    if stray:
        raise ValueError(f"block {name}: columns without its prefix: {', '.join(stray[:5])}")
    numbers = frame.select(
        pl.col(column).cast(pl.Float64) for column, dtype in frame.schema.items() if dtype != pl.String
    )
    finite = numbers.select(pl.all().is_finite().all())
    wrong = [column for column in numbers.columns if not finite[column][0]]
    kept = numbers.with_columns(pl.when(pl.col(column).is_finite()).then(column) for column in wrong)
    return frame.with_columns(kept.get_columns())
