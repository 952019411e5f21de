"""Lines of a risk with the hash of every column that a hit rate may be counted by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import polars as pl

from configs.errors import DataError
from configs.schema.risk import RiskConfig
from features.assemble import FeatureSet
from features.contract.declarations import DECLARATION_COLUMNS, LINE_KEY
from features.history.keys import hashed_column
from features.history.results import known_labels, with_results_of
from features.prepare import prepare_lines
from models.fitting.channels import chosen_by_outcome
from models.search.combination_rates import InspectedLines
from pipelines.history.chronicle import Chronicle
from pipelines.work.progress import Progress

# Beside the columns of the configured combinations and those of the source's own. Amounts by their exact
# value: data may repeat itself.
_COLUMNS = (
    *("customs_office", "port", "trade_mode", "transport_mode", "origin_country", "dispatch_country"),
    *("total_price", "net_weight_kg"),
)
_HASH = "_hash_"
KEY_HASHES = f"^{_HASH}.*$"
"""The columns with these hashes, as Polars selects them."""


def inspected_frame(
    chronicle: Chronicle,
    risk: RiskConfig,
    until: date,
    progress: Progress,
    *,
    columns: Sequence[str],
    declared: tuple[date, date] = (date.min, date.max),
) -> pl.DataFrame:
    """The lines with a result of the risk that was reported up to and including `until`, in order of day.

    Columns: the key, `declared_on`, `found` (Boolean), `known_on` (the day on which that result was
    reported), `selection`, and a hash (UInt64) of each of the `columns`: see `inspected_lines`. Only lines
    declared from the first to the last day of `declared` are looked at.

    Raises:
        DataError: there is none.
    """
    inspections = chronicle.store.read_inspections(reported_to=until)
    if inspections.is_empty() or risk.label not in inspections.columns:
        raise DataError(
            f"expected results in the column {risk.label} up to {until}, found none in {chronicle.store.path}"
        )
    known = known_labels(inspections, until).filter(pl.col(risk.label).is_not_null())
    targets = known.select(
        *LINE_KEY,
        pl.col(risk.label).alias("_found"),
        pl.col(f"reported_on__{risk.label}").alias("_known"),
        pl.col("selection").alias("_selection"),
        "inspected_on",
    )
    parts = []
    first, last = declared
    days = [day for day in chronicle.store.declaration_days() if first <= day <= min(last, until)]
    with progress.task("inspected lines", total=len(days)) as task:
        for day in days:
            lines = chronicle.store.read_declarations(day).with_columns(pl.lit(day).alias("declared_on"))
            lines = with_results_of(lines, targets)
            if lines.height:
                parts.append(_hashed(chronicle, day, lines, columns))
            task.advance()
    if not parts:
        raise DataError(f"none of the lines with a result of {risk.name} is among the declarations")
    return pl.concat(parts)


def inspected_lines(frame: pl.DataFrame) -> InspectedLines:
    """The lines of an `inspected_frame` as searches of keys take them."""
    return InspectedLines(
        {
            name.removeprefix(_HASH): frame[name].to_numpy()
            for name in frame.columns
            if name.startswith(_HASH)
        },
        frame["declared_on"].to_physical().cast(pl.Int64).to_numpy(),
        frame["known_on"].to_physical().cast(pl.Int64).to_numpy(),
        frame["found"].to_numpy(),
        ~chosen_by_outcome(frame),
    )


def with_key_hashes(built: FeatureSet, columns: Sequence[str]) -> FeatureSet:
    """The features with a hash (UInt64) of each of the `columns` among the columns of their lines: what
    `KEY_HASHES` names. No block builds them, so no model sees them.
    """
    return replace(built, lines=built.lines.with_columns(_hashes(built.lines, columns)))


def key_columns(chronicle: Chronicle) -> list[str]:
    """What keys may be made of: the columns in use, places and routes, and texts of the source's own."""
    used = [name for spec in chronicle.spec.keys for name in spec.columns]
    schema = chronicle.store.declaration_schema()
    own = [
        name
        for name, dtype in schema.items()
        if name not in DECLARATION_COLUMNS and dtype == pl.String and not name.startswith("_")
    ]
    return list(dict.fromkeys([*used, *_COLUMNS, *own]))


def _hashed(chronicle: Chronicle, day: date, lines: pl.DataFrame, columns: Sequence[str]) -> pl.DataFrame:
    prepared = prepare_lines(lines, chronicle.reference.on(day), chronicle.settings.pipeline.features)
    known = lines.select(*LINE_KEY, "declared_on", found="_found", known_on="_known", selection="_selection")
    return known.with_columns(_hashes(prepared, columns))


def _hashes(prepared: pl.DataFrame, columns: Sequence[str]) -> list[pl.Series]:
    return [pl.Series(_HASH + name, hashed_column(prepared, name)) for name in columns]
