"""Turns a foreign table's columns into the contract's, by what a mapping file says."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from configs.errors import ConfigurationError, DataError
from configs.messages import nearest
from configs.schema.source import SourceMapping
from features.contract import declarations
from features.contract.conversions import NOT_TEXT, ROUNDED, TOO_LONG, to_code, to_number, to_text
from features.contract.declarations import DECLARATION_COLUMNS
from features.contract.inspections import CONTRACT_LABELS, INSPECTION_COLUMNS
from features.contract.label_cells import LabelCells, contract_cells, label_cells, plain_cells
from features.contract.moments import UTC_ZONE, to_day
from features.contract.null_words import NullWords
from pipelines.ingest.reading.mapping_checks import check_mapping, filled_columns
from pipelines.ingest.reading.written_numbers import plain_numbers
from pipelines.privacy.identity_screen import holds_number
from pipelines.privacy.pseudonyms import Pseudonymiser

_NUMBERS = {name for name, kind in {**DECLARATION_COLUMNS, **INSPECTION_COLUMNS}.items() if kind.is_numeric()}
TIME_COLUMNS = ("declared_at", "inspected_on", "reported_on")
_ANY_LENGTH = 10**9


@dataclass(frozen=True)
class MappedResults:
    """Inspections not yet validated, with their number in `_row`, and by label what its cells were."""

    frame: pl.DataFrame
    labels: dict[str, LabelCells]


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
        null_words: what names nobody where a name is to be hashed.
    """

    mapping: SourceMapping
    sources_of: dict[str, list[str]]
    has_declarations: bool
    has_inspections: bool
    labels: list[str]
    absent: list[str]
    null_words: NullWords = field(default_factory=NullWords)

    @classmethod
    def of(cls, mapping: SourceMapping, columns: Collection[str], where: str) -> MappedTable:
        """Fit a mapping to a table's columns.

        Raises:
            ConfigurationError: the mapping does not fit the contract.
            DataError: the table lacks a column that a required one is made of.
        """
        filled = filled_columns(mapping)
        check_mapping(mapping, filled)
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

    def notes(self, where: str, columns: Collection[str]) -> list[str]:
        """What the user should know about columns that the mapping names and the table lacks."""
        if not self.absent:
            return []
        notes = [
            f"{where}: the mapping {self.mapping.name} names columns that the table lacks, so what they fill "
            f"stays empty: {', '.join(map(repr, self.absent))}."
            + "".join(nearest(name, columns) for name in self.absent[:5])
        ]
        lacking = [name for name, rule in self.mapping.labels.items() if rule.column in self.absent]
        if lacking:
            notes.append(f"{where}: without their columns there are no results of {', '.join(lacking)}")
        return notes

    @property
    def zone(self) -> str:
        """The zone of times that name none."""
        return self.mapping.time_zone or UTC_ZONE

    @property
    def time_columns(self) -> list[str]:
        """The columns of the source that hold times, as far as the table has them."""
        rules = self.mapping.inspection
        origins = [*map(self.mapping.rename.get, TIME_COLUMNS), rules.inspected_on, rules.reported_on]
        return sorted({name for name in origins if name is not None})

    def declarations(self, raw: pl.DataFrame, pseudonymiser: Pseudonymiser | None) -> pl.DataFrame:
        """The rows with the contract's and the extra columns, not yet validated."""
        wanted = {*DECLARATION_COLUMNS, *self.mapping.extra.categories, *self.mapping.extra.numbers}
        return self._frame(raw, pseudonymiser, wanted)

    def inspections(self, raw: pl.DataFrame, pseudonymiser: Pseudonymiser | None) -> MappedResults:
        """The rows that hold a result."""
        wanted = {*INSPECTION_COLUMNS, *self.mapping.labels, "declared_at"}
        frame = self._frame(raw, pseudonymiser, wanted)
        rules = self.mapping.inspection
        cells = {name: self._cells(name, raw, frame) for name in self.labels}
        frame = frame.with_columns(
            cells[name].label.alias(name) for name in self.labels if name in self.mapping.labels
        )
        if "selection" not in frame.columns:
            frame = frame.with_columns(pl.lit(rules.selection).alias("selection"))
        if "inspection_probability" not in frame.columns:
            frame = frame.with_columns(pl.lit(rules.inspection_probability).alias("inspection_probability"))
        for name, origin in (("inspected_on", rules.inspected_on), ("reported_on", rules.reported_on)):
            if name not in frame.columns:
                frame = frame.with_columns(self._day(frame, raw, origin).alias(name))
        frame = frame.with_row_index("_row")
        if self.labels:
            frame = frame.filter(pl.any_horizontal(pl.col(name).is_not_null() for name in self.labels))
        return MappedResults(frame, cells)

    def _cells(self, label: str, raw: pl.DataFrame, frame: pl.DataFrame) -> LabelCells:
        rule = self.mapping.labels.get(label)
        if rule is None:
            return contract_cells(frame[label])
        cells = raw[rule.column]
        return label_cells(cells, rule, self._numbers(cells) if rule.threshold else None)

    def _hashed(self, values: pl.Series, target: str, pseudonymiser: Pseudonymiser) -> pl.Series:
        """What names nobody has no hash, or all of them were one; what is no text is left to the contract."""
        text = self.null_words.without(to_code(values, _ANY_LENGTH))
        unnamed = text.is_in([NOT_TEXT, TOO_LONG, ROUNDED]).fill_null(False)
        return pseudonymiser.hash(text.set(unnamed, None), target).zip_with(~unnamed, text)

    def _day(self, frame: pl.DataFrame, raw: pl.DataFrame, origin: str) -> pl.Series:
        if origin in frame.columns:
            return to_day(frame[origin], self.zone)
        if origin in raw.columns:
            return to_day(raw[origin], self.zone)
        raise DataError(
            f"the mapping {self.mapping.name} dates inspections by {origin!r}, which the table does not have."
            f"{nearest(origin, raw.columns)}"
        )

    def _frame(
        self, raw: pl.DataFrame, pseudonymiser: Pseudonymiser | None, wanted: Collection[str]
    ) -> pl.DataFrame:
        mapping = self.mapping
        columns: dict[str, pl.Series] = {}
        renamed = {**mapping.rename, **mapping.extra.categories, **mapping.extra.numbers}
        for target, source in renamed.items():
            if target in wanted and source in raw.columns:
                is_number = target in mapping.extra.numbers or target in _NUMBERS
                columns[target] = self._plain(raw[source]) if is_number else raw[source]
                if target == "hs_code":
                    columns[target] = _undotted(raw[source])
        for target, number in mapping.numbers.items():
            if target in wanted and number.column in raw.columns:
                columns[target] = self._numbers(raw[number.column]) * number.factor
        for target, rule in mapping.derived.items():
            if target in wanted and all(source in raw.columns for source in rule.ratio):
                dividend, divisor = (self._numbers(raw[source]) for source in rule.ratio)
                columns[target] = _ratio(dividend, divisor)
        for target, value in mapping.constants.items():
            if target in wanted:
                columns[target] = pl.Series([value]).new_from_index(0, raw.height)
        for target, codes in mapping.values.items():
            if target in columns:
                columns[target] = _translated(columns[target], codes)
        for target in mapping.pseudonymise:
            if target in columns and pseudonymiser is not None:
                columns[target] = self._hashed(columns[target], target, pseudonymiser)
        return pl.DataFrame([values.alias(target) for target, values in columns.items()])

    def _plain(self, values: pl.Series) -> pl.Series:
        return plain_numbers(values, self.mapping.number_format)

    def _numbers(self, values: pl.Series) -> pl.Series:
        return to_number(self._plain(values))


def headings_as_mapped(mapping: SourceMapping, columns: Collection[str]) -> dict[str, str]:
    r"""The columns of a table that a mapping names with other blanks, line breaks, case or width, with the
    name that it has for them.

    >>> mapping = SourceMapping(name="m", rename={"declaration_id": "Control\nNumber"})
    >>> headings_as_mapped(mapping, ["control number", "date"])
    {'control number': 'Control\nNumber'}
    """
    rules = mapping.inspection
    named = {name for names in filled_columns(mapping).values() for name in names}
    named |= {rules.inspected_on, rules.reported_on} - {*DECLARATION_COLUMNS, *INSPECTION_COLUMNS}
    alike: dict[str, list[str]] = {}
    for column in columns:
        alike.setdefault(_plain_heading(column), []).append(column)
    spelled = {}
    for name in sorted(named - set(columns)):
        same = [column for column in alike.get(_plain_heading(name), []) if column not in named]
        if len(same) == 1:
            spelled[same[0]] = name
    return spelled


def _plain_heading(name: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", name).split()).casefold()


def require_columns(columns: Collection[str], required: Iterable[str], where: str) -> None:
    """Make sure that a table has the required columns.

    Raises:
        DataError: it lacks some; the message lists what was expected and found.
    """
    wanted = list(required)
    missing = [name for name in wanted if name not in columns]
    if missing:
        present = shown_headings(list(columns)[:40])
        others = [name for name in columns if name not in wanted]
        hints = "".join(nearest(name, others) for name in missing[:5])
        raise DataError(f"{where}: expected the column(s) {', '.join(missing)}, found {present}.{hints}")


def shown_headings(names: Sequence[str]) -> str:
    """Headings in words. A table without headings has its first row in their place: nobody is named then.

    >>> shown_headings(["no", "price"]), shown_headings(["D1", "Li Na", "138 0013 8000"])
    ("'no', 'price'", "a person's number among 3 headings: is the first row one of data?")
    """
    if holds_number(pl.Series(names, dtype=pl.String), of_words=True).any():
        return f"a person's number among {len(names)} headings: is the first row one of data?"
    return ", ".join(repr(name[:60]) for name in names)


def _ratio(dividend: pl.Series, divisor: pl.Series) -> pl.Series:
    # Where there is nothing to divide by there is no value of the source that could be wrong.
    return dividend / divisor.set((divisor <= 0).fill_null(False), None)


def _undotted(headings: pl.Series) -> pl.Series:
    """Headings as tariffs print them, 0207.11 or 0207 11 00, as digits."""
    if headings.dtype != pl.String:
        return headings
    written = headings.str.strip_chars()
    dotted = written.str.contains(r"^[0-9]{3,4}(?:[. ][0-9]{2}){1,3}(?:[. ]?[0-9]{2,4})?$").fill_null(False)
    if not dotted.any():
        return headings
    digits = written.str.replace(r"^([0-9]{3}[. ])", "0${1}").str.replace_all(r"[. ]", "")
    return digits.zip_with(dotted, headings)


def _translated(values: pl.Series, codes: Mapping[str, str | None]) -> pl.Series:
    """The codes of the contract: a cell's as it stands, else that of the same cell in other case or width."""
    text = to_text(values, _ANY_LENGTH)
    keys = plain_cells(pl.Series(list(codes), dtype=pl.String)).to_list()
    alike = {key: code for key, code in zip(keys, codes.values(), strict=True) if keys.count(key) == 1}
    plain = plain_cells(text)
    nearly = plain.replace(alike).zip_with(plain.is_in(list(alike)).fill_null(False), text)
    return text.replace(codes).zip_with(text.is_in(list(codes)).fill_null(False), nearly)
