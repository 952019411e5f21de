"""Turns a foreign table's columns into the contract's, by what a mapping file says."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

import polars as pl

from configs.errors import ConfigurationError, DataError
from configs.messages import nearest
from configs.schema.source import SourceMapping
from features.contract import declarations
from features.contract.china_time import china_day
from features.contract.conversions import to_day, to_moment, to_number, to_text
from features.contract.declarations import DECLARATION_COLUMNS
from features.contract.inspections import CONTRACT_LABELS, INSPECTION_COLUMNS
from features.contract.result_words import label_where
from pipelines.privacy.pseudonyms import Pseudonymiser


@dataclass(frozen=True)
class MappedTable:
    """What a mapping makes of one table.

    Attributes:
        mapping: the mapping.
        sources_of: the source columns that fill each column of the contract.
        has_declarations: the table's rows are goods lines.
        has_inspections: they are, or also are, inspection results.
        labels: label columns that the table can fill.
        absent: columns that the mapping names and the table does not have; what they fill stays null.
    """

    mapping: SourceMapping
    sources_of: dict[str, list[str]]
    has_declarations: bool
    has_inspections: bool
    labels: list[str]
    absent: list[str]

    @classmethod
    def of(cls, mapping: SourceMapping, columns: Collection[str], where: str) -> MappedTable:
        """Fit a mapping to a table's columns.

        Raises:
            ConfigurationError: the mapping fills a column that nothing knows.
            DataError: the table lacks a column that a required one is made of.
        """
        filled = _filled(mapping)
        _check_targets(mapping, filled)
        absent = sorted({name for names in filled.values() for name in names if name not in columns})
        lacking = {target for target, names in filled.items() if any(name in absent for name in names)}
        has_declarations = "declared_at" in filled or "hs_code" in filled
        known = {*mapping.labels, *CONTRACT_LABELS}
        labels = sorted(name for name in known if name in filled and name not in lacking)
        results = labels or "reported_on" in filled
        if has_declarations:
            required = set(declarations.DECLARATION_REQUIRED)
        else:
            required = {"declaration_id", "line_no", *(() if mapping.labels else ("reported_on",))}
        where = f"{where} with the mapping {mapping.name}"
        unfilled = sorted(name for name in required if name not in filled)
        if unfilled:
            raise ConfigurationError(
                f"{where}: no rule fills {', '.join(unfilled)}, which the contract requires"
            )
        needed = {source for name in required if name in lacking for source in filled[name]}
        require_columns(columns, sorted(needed), where)
        return cls(mapping, filled, has_declarations, bool(results), labels, absent)

    def declarations(self, raw: pl.DataFrame, pseudonymiser: Pseudonymiser | None) -> pl.DataFrame:
        """The rows with the contract's and the extra columns, not yet validated."""
        wanted = {*DECLARATION_COLUMNS, *self.mapping.extra.categories, *self.mapping.extra.numbers}
        return self._frame(raw, pseudonymiser, wanted)

    def inspections(self, raw: pl.DataFrame, pseudonymiser: Pseudonymiser | None) -> pl.DataFrame:
        """The rows that hold a result, as inspections not yet validated, with their number in `_row`."""
        wanted = {*INSPECTION_COLUMNS, *self.mapping.labels, "declared_at"}
        frame = self._frame(raw, pseudonymiser, wanted)
        rules = self.mapping.inspection
        frame = frame.with_columns(
            label_where(raw[rule.column], rule.true_when).alias(name)
            for name in self.labels
            if (rule := self.mapping.labels.get(name)) is not None
        )
        if "selection" not in frame.columns:
            frame = frame.with_columns(pl.lit(rules.selection).alias("selection"))
        if "inspection_probability" not in frame.columns:
            frame = frame.with_columns(pl.lit(rules.inspection_probability).alias("inspection_probability"))
        for name, origin in (("inspected_on", rules.inspected_on), ("reported_on", rules.reported_on)):
            if name not in frame.columns:
                frame = frame.with_columns(_day(frame, raw, origin, self.mapping.name).alias(name))
        frame = frame.with_row_index("_row")
        if not self.labels:
            return frame
        return frame.filter(pl.any_horizontal(pl.col(name).is_not_null() for name in self.labels))

    def _frame(
        self, raw: pl.DataFrame, pseudonymiser: Pseudonymiser | None, wanted: Collection[str]
    ) -> pl.DataFrame:
        mapping = self.mapping
        columns: dict[str, pl.Series] = {}
        renamed = {**mapping.rename, **mapping.extra.categories, **mapping.extra.numbers}
        for target, source in renamed.items():
            if target in wanted and source in raw.columns:
                columns[target] = raw[source]
        for target, number in mapping.numbers.items():
            if target in wanted and number.column in raw.columns:
                columns[target] = to_number(raw[number.column]) * number.factor
        for target, rule in mapping.derived.items():
            if target in wanted and all(source in raw.columns for source in rule.ratio):
                columns[target] = _ratio(raw[rule.ratio[0]], raw[rule.ratio[1]])
        for target, value in mapping.constants.items():
            if target in wanted:
                columns[target] = pl.Series([value]).new_from_index(0, raw.height)
        for target, codes in mapping.values.items():
            if target in columns:
                text = to_text(columns[target], 10**9)
                columns[target] = text.replace({str(key): value for key, value in codes.items()})
        for target in mapping.pseudonymise:
            if target in columns and pseudonymiser is not None:
                columns[target] = pseudonymiser.hash(columns[target].cast(pl.String), target)
        return pl.DataFrame([values.alias(target) for target, values in columns.items()])


def require_columns(columns: Collection[str], required: Iterable[str], where: str) -> None:
    """Make sure that a table has the required columns.

    Raises:
        DataError: it lacks some; the message lists what was expected and found.
    """
    missing = [name for name in required if name not in columns]
    if missing:
        present = ", ".join(repr(name[:60]) for name in list(columns)[:40])
        hints = "".join(nearest(name, columns) for name in missing[:5])
        raise DataError(f"{where}: expected the column(s) {', '.join(missing)}, found {present}.{hints}")


def _filled(mapping: SourceMapping) -> dict[str, list[str]]:
    """For each column that the mapping fills, the source columns it needs."""
    filled: dict[str, list[str]] = {name: [] for name in mapping.constants}
    for part in (mapping.rename, mapping.extra.categories, mapping.extra.numbers):
        filled |= {target: [source] for target, source in part.items()}
    filled |= {target: [number.column] for target, number in mapping.numbers.items()}
    filled |= {target: list(rule.ratio) for target, rule in mapping.derived.items()}
    filled |= {target: [rule.column] for target, rule in mapping.labels.items()}
    return filled


def _check_targets(mapping: SourceMapping, filled: Collection[str]) -> None:
    contract = {*DECLARATION_COLUMNS, *INSPECTION_COLUMNS}
    known = {*contract, *mapping.extra.categories, *mapping.extra.numbers, *mapping.labels}
    for target in (*filled, *mapping.values, *mapping.pseudonymise):
        if target not in known:
            raise ConfigurationError(
                f"the mapping {mapping.name} fills {target!r}, which no column of the contract is called."
                f"{nearest(target, known)} A further column belongs under `extra`, a finding under `labels`"
            )
    clash = sorted(contract.intersection([*mapping.extra.categories, *mapping.extra.numbers]))
    if clash:
        raise ConfigurationError(
            f"the mapping {mapping.name} has {clash[0]} under `extra`: it is a column of the contract, "
            "put it under `rename` or `numbers`"
        )


def _ratio(dividend: pl.Series, divisor: pl.Series) -> pl.Series:
    # Where there is nothing to divide by there is no value of the source that could be wrong.
    under = to_number(divisor)
    return to_number(dividend) / under.set((under <= 0).fill_null(False), None)


def _day(frame: pl.DataFrame, raw: pl.DataFrame, origin: str, mapping: str) -> pl.Series:
    if origin == "declared_at" and origin in frame.columns:
        return china_day(to_moment(frame[origin]))
    if origin in frame.columns:
        return to_day(frame[origin])
    if origin in raw.columns:
        return to_day(raw[origin])
    raise DataError(
        f"the mapping {mapping} dates inspections by {origin!r}, which the table does not have."
        f"{nearest(origin, raw.columns)}"
    )
