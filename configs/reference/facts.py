"""Facts that change with time: codes, units, taxes, limits, exchange rates, watched words.

Each row of a table holds from its `valid_from` until a later row with the same key, so a day of 2018 is
taxed as it was in 2018. `Reference.on(day)` gives the tables as they were that day.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl

from configs.errors import ConfigurationError
from configs.loader import reference_path
from configs.messages import nearest
from configs.reference.columns import ReferenceTable
from configs.reference.limit import Limit
from configs.reference.tables import TABLES, read_table
from configs.reference.tax_rates import TaxRates
from configs.reference.tax_rules import TaxRules


@dataclass(frozen=True)
class ReferenceDay:
    """The reference tables as they hold on a day; each frame has one row a key, sorted by key.

    `since` is the day from which exactly these rows hold. `watch_groups` are all groups of watch terms, also
    those whose terms hold on other days only, so that every day has the same features. `whole` are the tables
    with the rows of all days.
    """

    since: date
    watch_groups: tuple[str, ...]
    tables: Mapping[str, pl.DataFrame]
    whole: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    revisions: Mapping[str, str] = field(default_factory=dict)

    def __getitem__(self, table: str) -> pl.DataFrame:
        """The rows of a table, by the name of its file without `.csv`."""
        return self.tables[table]

    def cny_rate(self, currency: pl.Series) -> pl.Series:
        """CNY for one unit of each ISO 4217 currency, null where no rate is known."""
        rates = self["exchange_rates"]
        return _looked_up(currency, rates["currency"], rates["cny_per_unit"])

    def kg_factor(self, unit: pl.Series) -> pl.Series:
        """Kilograms in one customs unit, null for units that are no weight."""
        return _looked_up(unit, self["units"]["code"], self["units"]["kg_factor"])

    def pieces_factor(self, unit: pl.Series) -> pl.Series:
        """Pieces in one customs unit (a dozen: 12), null for units that do not count pieces."""
        return _looked_up(unit, self["units"]["code"], self["units"]["pieces_factor"])

    def assess(self, lines: pl.DataFrame, spent: pl.DataFrame | None = None) -> pl.DataFrame:
        """What is due on each line, of whole parcels; see `TaxRules.assess`."""
        prices = pl.DataFrame(
            {
                "cny_rate": self.cny_rate(_column(lines, "currency")),
                "kg_factor": self.kg_factor(_column(lines, "unit")),
                "legal_kg_factor": self.kg_factor(_column(lines, "legal_unit")),
                "pieces_factor": self.pieces_factor(_column(lines, "unit")),
            }
        )
        limits = self["limits"]["name"].to_list()
        held = {name: limit for name in limits if (limit := self.limit(name)) is not None}
        rules = TaxRules(self["taxes"].with_columns(ended=self.has_ended()), self["tax_bands"], held)
        return rules.assess(lines, prices, spent)

    def tax_rate(self, lines: pl.DataFrame) -> pl.Series:
        """The tax on a line as a share of its taxable value, null where a rate of it is not known."""
        return self.assess(lines)["tax_rate"]

    def vat_rate(self, hs_code: pl.Series) -> pl.Series:
        """The rate of VAT of each heading, whoever pays it, null where it is not known."""
        rates = TaxRates(self["taxes"].with_columns(ended=self.has_ended()), self["tax_bands"])
        of_codes = rates.of_codes(pl.DataFrame({"hs_code": hs_code.drop_nulls().unique()}))
        known = of_codes.filter(~pl.col("vat_ended"))
        return _looked_up(hs_code, known["hs_code"], known["vat_rate"])

    def has_ended(self) -> pl.Expr:
        """Whether nothing is known of a row of a table any more: its last day (`ends`) is over."""
        return (pl.col("ends") < str(self.since)).fill_null(False)

    def limit(self, name: str) -> Limit | None:
        """A limit of the table `limits`, None where there is none on the day."""
        rows = self["limits"].filter(pl.col("name") == name).with_columns(ended=self.has_ended())
        if rows.is_empty():
            return None
        row = rows.row(0, named=True)
        return Limit(row["value"], row["valid_from"], row["notice"], not row["ended"])

    def limit_cny(self, name: str) -> float | None:
        """The amount of a limit in CNY, None where there is none on the day or it is not known."""
        limit = self.limit(name)
        return limit.cny if limit and limit.is_known else None

    @property
    def order_limit_cny(self) -> float | None:
        """Largest value of one retail-import order; before these had a limit, of personal articles."""
        name = "order_limit_cny" if self.limit("order_limit_cny") else "articles_limit_cny"
        return self.limit_cny(name)

    @property
    def yearly_allowance_cny(self) -> float | None:
        """Retail imports that a person may buy in a calendar year."""
        return self.limit_cny("yearly_allowance_cny")


@dataclass(frozen=True)
class Reference:
    """All reference tables with all their dated rows."""

    tables: Mapping[str, pl.DataFrame]
    revisions: Mapping[str, str] = field(default_factory=dict)
    _days: dict[date, ReferenceDay] = field(default_factory=dict, init=False, repr=False, compare=False)
    _frames: dict[tuple[str, Any], pl.DataFrame] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def on(self, day: date) -> ReferenceDay:
        """The tables as they hold on `day`; days between two changes share one object."""
        position = bisect_right(self._changes, day)
        since = self._changes[position - 1] if position else date.min
        if since not in self._days:
            self._days[since] = ReferenceDay(
                since,
                tuple(self.tables["watch_terms"]["group"].unique().sort()),
                {table.name: self._held(table, since) for table in TABLES},
                self.tables,
                self.revisions,
            )
        return self._days[since]

    @cached_property
    def _changes(self) -> list[date]:
        """The days from which a table holds other rows, or knows less."""
        return sorted({day for frame in self.tables.values() for day in _change_days(frame)})

    def _held(self, table: ReferenceTable, day: date) -> pl.DataFrame:
        """A table as it holds on a day; days between two changes of it share one frame."""
        frame = self.tables[table.name]
        since = frame.filter(pl.col("valid_from") <= day)["valid_from"].max()
        if (table.name, since) not in self._frames:
            self._frames[table.name, since] = _holding(frame, table, day)
        return self._frames[table.name, since]


def load_reference(overlay: Path | None = None, rules: Path | None = None) -> Reference:
    """Return every reference table, the overlay's files in place of the packaged ones of the same name.

    Args:
        overlay: a folder with the layout of `configs/`.
        rules: another, whose tables are laid over both.

    Raises:
        ConfigurationError: a file or a cell is not as expected; the message names file, line and column.

    >>> reference = load_reference()
    >>> reference.on(date(2020, 6, 1)).order_limit_cny
    5000.0
    >>> reference.on(date(2018, 6, 1)).order_limit_cny
    2000.0
    """
    tried = tables_in(rules) if rules else {}
    paths = {table.name: tried.get(table.name) or reference_path(table.filename, overlay) for table in TABLES}
    frames = {table.name: read_table(paths[table.name], table) for table in TABLES}
    unknown = frames["tax_bands"].join(frames["taxes"], on=["tax", "band"], how="anti")
    if unknown.height:
        tax, band = unknown["tax"][0], unknown["band"][0]
        raise ConfigurationError(
            f"{paths['tax_bands']}: expected bands that taxes.csv gives a rate; came {band!r} of {tax!r}"
        )
    return Reference(frames, {name: _revision(path) for name, path in paths.items()})


def tables_in(folder: Path) -> dict[str, Path]:
    """Return the reference tables of a folder with the layout of `configs/`, by name.

    Raises:
        ConfigurationError: it has none, or one that is no table of the program.
    """
    files = {path.stem: path for path in sorted((folder / "reference").glob("*.csv"))}
    known = [table.name for table in TABLES]
    for name in files:
        if name not in known:
            raise ConfigurationError(
                f"{folder}: expected reference tables among {', '.join(known)}; came {name!r}."
                f"{nearest(name, known)}"
            )
    if not files:
        raise ConfigurationError(
            f"expected a reference table such as {folder / 'reference' / 'banned_origins.csv'}; there is none"
        )
    return files


def _revision(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]


def load_table(name: str, overlay: Path | None = None) -> pl.DataFrame:
    """All dated rows of one reference table, for callers that need no other.

    Raises:
        ConfigurationError: the file or a cell is not as expected; the message names file, line and column.
    """
    table = next(table for table in TABLES if table.name == name)
    return read_table(reference_path(table.filename, overlay), table)


def _holding(frame: pl.DataFrame, table: ReferenceTable, day: date) -> pl.DataFrame:
    """Of each key the newest row that is not younger than `day`."""
    key = list(table.key)
    return (
        frame.filter(pl.col("valid_from") <= day)
        .sort([*key, "valid_from"], nulls_last=True)
        .unique(subset=key, keep="last", maintain_order=True)
    )


def _change_days(frame: pl.DataFrame) -> set[date]:
    days = set(frame["valid_from"].unique())
    if "ends" in frame.columns:
        ends = frame["ends"].drop_nulls().str.to_date("%Y-%m-%d")
        days |= set(ends.dt.offset_by("1d").unique())
    return days


def _looked_up(values: pl.Series, keys: pl.Series, results: pl.Series) -> pl.Series:
    if keys.is_empty():
        return pl.Series(values.name, [None] * len(values), dtype=results.dtype)
    return values.cast(pl.String).replace_strict(keys, results, default=None, return_dtype=results.dtype)


def _column(lines: pl.DataFrame, name: str) -> pl.Series:
    """The column, or nulls where the source does not have it."""
    if name in lines.columns:
        return lines[name]
    return pl.Series(name, [None] * lines.height, dtype=pl.String)
