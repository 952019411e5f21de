"""What the store knows of the parcels that returned rows are about: lines, currencies, and their numbers."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

import polars as pl

from configs.messages import some_of
from configs.reference.facts import Reference
from features.contract.reject_reasons import RejectReason
from features.text.visible import visible_text
from pipelines.feedback.entries import Entries, UnreadableRowError
from pipelines.feedback.places import Place, parcels_meant
from pipelines.lists.parcel import CODE_CHARACTERS
from pipelines.store.buckets import lines_added_later
from pipelines.store.store import Store

_FURTHER_NUMBERS = ("waybill_id", "order_id")
_COLUMNS = ("declaration_id", "line_no", "currency", *_FURTHER_NUMBERS)
_CNY_AMOUNTS = ("recovered_tax_cny",)
ROUNDED = re.compile(r"\d(?:[.,]\d+)?[Ee]\+?\d+|\d{11,}000")
"""A long number of which a spreadsheet program kept six or fifteen digits."""


@dataclass
class KnownParcels:
    """Parcels that were listed or opened instead.

    Attributes:
        lines: their line numbers.
        currencies: of each line.
        by_number: the parcels with a waybill or order number.
    """

    lines: dict[str, list[int]] = field(default_factory=dict)
    currencies: dict[tuple[str, int], str | None] = field(default_factory=dict)
    by_number: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    @classmethod
    def of(
        cls, store: Store, listed: Mapping[date, Collection[str]], instead: Collection[str], past_days: int
    ) -> KnownParcels:
        """Those listed on each day, and those that one of the numbers `instead` means.

        A waybill or an order may have been used before: those declared more than `past_days` before the lists
        are not looked at.
        """
        parcels, numbers = cls(), sorted(instead)
        recent = min(listed, default=date.min + timedelta(days=past_days)) - timedelta(days=past_days)
        for day in reversed(store.declaration_days()):
            wanted = {*listed.get(day, ()), *(set(numbers) - set(parcels.lines))}
            chosen = pl.col("declaration_id").is_in(sorted(wanted))
            if numbers and day >= recent:
                chosen |= pl.any_horizontal(pl.col(name).is_in(numbers) for name in _FURTHER_NUMBERS)
            elif not wanted:
                continue
            known = store.scan_declarations(day, day).select(_COLUMNS).filter(chosen).collect()
            # An inspector opens a parcel as it is now.
            schema, columns = store.stored_schema(), list(_COLUMNS)
            files = store.layout.buckets(day)
            later = [lines_added_later(store.layout, file, schema, columns).filter(chosen) for file in files]
            parcels._add(pl.concat([known, *later]))
        return parcels

    def _add(self, of_day: pl.DataFrame) -> None:
        for parcel, rows in of_day.sort("declaration_id", "line_no").group_by("declaration_id"):
            self.lines[str(parcel[0])] = rows["line_no"].to_list()
        for parcel, line, currency, *numbers in of_day.iter_rows():
            self.currencies[parcel, line] = currency
            for number in filter(None, numbers):
                self.by_number[number].add(parcel)

    def opened(self, named: str, place: Place) -> str:
        """The parcel that was opened instead of a listed one, named by any of its numbers.

        Raises:
            UnreadableRowError: it is none or several, or the listed one itself.
        """
        meant = list(parcels_meant(named))
        opened = [name for name in meant if name in self.lines] or sorted(
            set[str]().union(*(self.by_number.get(name, set()) for name in meant))
        )
        shown = visible_text(named, CODE_CHARACTERS)
        if len(opened) > 1:
            raise _fault(
                RejectReason.SHARED_NUMBER,
                f"opened_instead: {shown} is the waybill or order of {len(opened)} parcels, "
                f"{some_of(opened)}: give the declaration number of the one that was opened",
            )
        if not opened and ROUNDED.fullmatch(named):
            raise _fault(
                RejectReason.ROUNDED_NUMBER,
                f"opened_instead: {shown} is a number that a spreadsheet program rounded: format the cell as "
                "text and type the whole number",
            )
        if not opened:
            raise _fault(
                RejectReason.UNKNOWN_DECLARATION,
                f"opened_instead: {shown} is no declaration, waybill or order of this store: correct the "
                "number, or ingest its declaration first",
            )
        if opened[0] == place.declaration_id:
            raise _fault(
                RejectReason.CONTRADICTION,
                "opened_instead names the listed parcel itself: leave it empty",
            )
        return opened[0]

    def check_line(self, entries: Entries, place: Place) -> None:
        """Checks that the parcel that was opened has the line in which something was found.

        Raises:
            UnreadableRowError: it has none of this number.
        """
        parcel, line = entries.opened_instead or place.declaration_id, entries["found_line"]
        known = self.lines.get(parcel, [])
        if line is not None and known and line not in known:
            words = f"found_line: the parcel has the lines {some_of(known)}, came {line}"
            raise UnreadableRowError([(RejectReason.NOT_IN_LIST.of("found_line"), words)])

    def priced(self, entries: Entries, place: Place, reference: Reference) -> Entries:
        """The entries with amounts in the currency that their field has: CNY, or that of the declaration.

        They are converted with the rates of the day of the list.

        Raises:
            UnreadableRowError: a rate is not known, or what the parcel was declared in.
        """
        parcel = entries.opened_instead or place.declaration_id
        line = entries.line_among(self.lines.get(parcel, ()), place.line_no)
        declared = self.currencies.get((parcel, line))
        values, faults = dict(entries.values), []
        for name, money in entries.written.items():
            needed = "CNY" if name in _CNY_AMOUNTS else declared
            if needed in money.currencies:
                continue
            given = money.currencies[0]
            rates = reference.on(place.declared_on).cny_rate(pl.Series([given, needed], dtype=pl.String))
            if None in rates.to_list():
                faults.append(
                    (
                        RejectReason.OTHER_CURRENCY.of(name),
                        f"{name}: {money.amount:g} {given} cannot be converted to {needed or 'a currency'}: "
                        "exchange_rates.csv has no rate of that day; give the amount in "
                        f"{needed or 'the currency of the declaration, without its sign'}",
                    )
                )
            else:
                values[name] = round(money.amount * rates[0] / rates[1], 6)
        if faults:
            raise UnreadableRowError(faults)
        return Entries(entries.results, values)


def _fault(reason: RejectReason, words: str) -> UnreadableRowError:
    return UnreadableRowError([(reason.of("opened_instead"), words)])
