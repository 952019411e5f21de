"""Finds the place on an issued list that a returned row is about."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

import polars as pl

from configs.language import ENGLISH, Language
from features.contract.reject_reasons import RejectReason
from features.text.visible import visible_text
from pipelines.feedback.columns import RawRow
from pipelines.feedback.entries import UnreadableRowError
from pipelines.feedback.files import ReturnedFile
from pipelines.feedback.values import number_in, text_of
from pipelines.ingest.tables.workbook_cells import Cell
from pipelines.lists.fields import LIST_ID
from pipelines.lists.issued import LISTED_PLACE, find_lists
from pipelines.lists.parcel import CODE_CHARACTERS
from pipelines.store.store import Store

# Spreadsheet programs keep 15 digits and show six.
_WHOLE_NUMBERS = 1e11
_ROUNDED = 1e-5


@dataclass(frozen=True)
class Place:
    """A parcel's place on a list that was issued, and what chose it."""

    list_id: str
    declared_on: date
    customs_office: str
    shift: str | None
    rank: int
    declaration_id: str
    line_no: int
    risk: str | None
    selection: str | None
    inspection_probability: float | None

    def __str__(self) -> str:
        return self.in_language(ENGLISH)

    def in_language(self, words: Language) -> str:
        """The place in words."""
        return words(
            "parcel {parcel}, rank {rank} of list {list}",
            parcel=visible_text(self.declaration_id, CODE_CHARACTERS), rank=self.rank, list=self.list_id,
        )  # fmt: skip


class IssuedPlaces:
    """The lists that some files are about."""

    def __init__(self, rows: pl.DataFrame) -> None:
        columns = [*LISTED_PLACE, "declared_on"]
        self._by_rank: dict[tuple[str, int], Place] = {}
        self._by_parcel: dict[str, Place] = {}
        self._by_number: dict[str, set[str]] = {}
        self._on_list: dict[tuple[str, str], Place] = {}
        for row in rows.select(columns).iter_rows(named=True):
            place = Place(**row)
            self._by_rank[place.list_id, place.rank] = place
            # The newest list comes first.
            self._by_parcel.setdefault(place.declaration_id, place)
            if place.declaration_id.isdecimal():
                number = place.declaration_id.lstrip("0")
                self._by_number.setdefault(number, set()).add(place.declaration_id)
            for shown in _shown(place.declaration_id):
                self._on_list.setdefault((place.list_id, shown), place)
        self._ids = set(rows["list_id"])

    @classmethod
    def of(cls, store: Store, files: Iterable[ReturnedFile]) -> IssuedPlaces:
        """The lists that the files name, and for rows that name none the newest with their parcel."""
        ids, parcels, numbers = set[str](), set[str](), set[str]()
        for file in files:
            for row in file.rows:
                list_id = _list_id(row)
                if list_id is not None:
                    ids.add(list_id)
                else:
                    parcels.update(parcels_meant(row.cells.get("declaration_id")))
                    numbers.update(name.lstrip("0") for name in parcels if name.isdecimal())
        return cls(find_lists(store, ids, parcels, numbers))

    def find(self, row: RawRow) -> Place:
        """The place that a row is about: by its rank on the list that it names, else by its parcel.

        Raises:
            UnreadableRowError: there is none, or rank, parcel and line do not go together.
        """
        list_id = _list_id(row)
        parcel, rank = row.cells.get("declaration_id"), _whole(row, "rank")
        if list_id is not None and list_id not in self._ids:
            raise _fault(
                RejectReason.UNKNOWN_LIST.of(LIST_ID),
                f"no list {list_id[:40]!r} was issued from this store: return it to the store that issued it",
            )
        if list_id is None:
            place = self._of_parcel(parcel)
        elif rank is not None:
            place = self._by_rank.get((list_id, rank))
        else:
            named = (self._on_list.get((list_id, name)) for name in parcels_meant(parcel))
            place = next(filter(None, named), None)
        if place is None and (list_id is None or rank is None):
            self._refuse_rounded(text_of(parcel))
        if place is None:
            what = text_of(parcel) if list_id is None or rank is None else f"rank {rank}"
            where = "any list that was issued" if list_id is None else f"list {list_id}"
            raise _fault(
                RejectReason.NOT_ON_LIST.of("declaration_id"),
                f"{visible_text(what or 'a row without rank and declaration_id', CODE_CHARACTERS)} "
                f"is not on {where}: correct it, or ingest the result as an inspection of its own",
            )
        self._check(place, row, list_id)
        return place

    def _refuse_rounded(self, named: str | None) -> None:
        """A number of six or fifteen digits may be any of many parcels."""
        if named is not None and re.fullmatch(r"\d(?:[.,]\d+)?[Ee]\+?\d+|\d{11,}000", named):
            raise _fault(
                RejectReason.NOT_ON_LIST.of("declaration_id"),
                f"{named} is a parcel's number that a spreadsheet program rounded, and the row has no rank "
                "by which to know it: keep the columns together, or format this one as text and fill it in",
            )

    def _of_parcel(self, parcel: Cell) -> Place | None:
        """The place of a parcel on its newest list; a number may lack the zeros that a spreadsheet program
        took, where only one parcel can be meant.
        """
        for name in parcels_meant(parcel):
            meant = self._by_number.get(name.lstrip("0"), set()) if name.isdecimal() else set()
            names = {name} if name in self._by_parcel else meant
            if len(names) == 1:
                return self._by_parcel[names.pop()]
        return None

    def _check(self, place: Place, row: RawRow, list_id: str | None) -> None:
        parcel = row.cells.get("declaration_id")
        named = text_of(parcel)
        same = named is None or set(parcels_meant(parcel)) & set(_shown(place.declaration_id))
        number = named is not None and _rounded(named, place.declaration_id)
        if named is not None and not same and not (number and (list_id or named.isdecimal())):
            # A spreadsheet whose columns were sorted one by one looks like this.
            raise _fault(
                RejectReason.NOT_ON_LIST.of("declaration_id"),
                f"the list has {place}, the row says {visible_text(named, CODE_CHARACTERS)}: "
                "rank and parcel must stay together",
            )
        line = _whole(row, "line_no")
        if line is not None and line != place.line_no:
            raise _fault(
                RejectReason.NOT_ON_LIST.of("line_no"),
                f"the list has line {place.line_no} of {place}, the row says line {line}: ingest the result "
                "of another line as an inspection of its own",
            )


def parcels_meant(cell: Cell) -> Iterator[str]:
    """The parcels that a cell may mean: as it stands, and without the apostrophe that keeps formulas away."""
    text = text_of(cell)
    if text is not None:
        yield text
        if text.startswith("'"):
            yield text[1:]


def _shown(declaration_id: str) -> tuple[str, ...]:
    shown = visible_text(declaration_id, CODE_CHARACTERS)
    return declaration_id, declaration_id.strip(), shown, shown.strip()


def _rounded(text: str, declaration_id: str) -> bool:
    """Whether a spreadsheet program took a long number for a quantity: 5.3162E+17, or without its zeros."""
    if not declaration_id.isdecimal():
        return False
    try:
        number = float(text)
    except ValueError:
        return False
    if number < _WHOLE_NUMBERS:
        return text.isdecimal() and int(text) == int(declaration_id)
    return math.isclose(number, float(declaration_id), rel_tol=_ROUNDED)


def _list_id(row: RawRow) -> str | None:
    named = text_of(row.cells.get(LIST_ID)) or row.list_id
    return None if named is None else named.casefold()


def _whole(row: RawRow, name: str) -> int | None:
    cell: Cell = row.cells.get(name)
    try:
        number = number_in(cell)
    except ValueError:
        number = 0.5
    if number is None:
        return None
    if number != int(number):
        given = (text_of(cell) or "")[:40]
        raise _fault(
            RejectReason.NOT_A_WHOLE_NUMBER.of(name), f"{name}: expected a whole number, came {given!r}"
        )
    return int(number)


def _fault(reason: str, words: str) -> UnreadableRowError:
    return UnreadableRowError([(reason, words)])
