"""The lists of an office: the one of its parcels, and one of its exports where it has such places.

Parcels are chosen list by list. While they are, the code of an office in `customs_office` stands for its
list, and a code of its own for the list of its exports.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import polars as pl

from configs.schema.capacity import EXPORTS_LIST, CapacityConfig

# A control character, which no code of an office has.
_OF_EXPORTS = f"\x1f{EXPORTS_LIST}"


@dataclass(frozen=True)
class PartsByList:
    """Parts of a table of parcels with the code of their list in `customs_office`, gone through as often as
    the parts themselves.

    `parts` may have `is_export` (Boolean); without it nothing is an export.
    """

    parts: Iterable[pl.DataFrame]
    capacity: CapacityConfig

    def __iter__(self) -> Iterator[pl.DataFrame]:
        everywhere = self.capacity.default.exports is not None
        offices = [name for name, each in self.capacity.offices.items() if each.exports is not None]
        office = pl.col("customs_office")
        has_list = pl.lit(True) if everywhere else office.is_in(offices)
        is_own = pl.col("is_export").fill_null(False) & has_list
        code = pl.when(is_own).then(office + _OF_EXPORTS).otherwise(office).alias("customs_office")
        for part in self.parts:
            apart = (everywhere or offices) and "is_export" in part.columns
            yield part.with_columns(code) if apart else part


def office_of_list(code: str) -> str:
    """The office of a list."""
    return code.removesuffix(_OF_EXPORTS)


def list_name(code: str) -> str:
    """A list as the log names it."""
    return f"{office_of_list(code)} ({EXPORTS_LIST})" if code.endswith(_OF_EXPORTS) else code


def places_of_list(capacity: CapacityConfig, code: str, parcels: int) -> int:
    """How many of a list's parcels of a day stand on it."""
    of_office = capacity.for_office(office_of_list(code))
    if code.endswith(_OF_EXPORTS) and of_office.exports is not None:
        return of_office.exports.places(parcels)
    return of_office.places(parcels)


def shifts_of_list(capacity: CapacityConfig, code: str) -> Mapping[str, int]:
    """The shifts that a list is divided into, each with its part; exports are as one of them."""
    if code.endswith(_OF_EXPORTS):
        return {EXPORTS_LIST: 1}
    return capacity.for_office(code).shifts


def with_offices(table: pl.DataFrame) -> pl.DataFrame:
    """A table by lists with the offices in `customs_office`, and `exports`: whether the list is of these."""
    code = pl.col("customs_office")
    return table.with_columns(code.str.strip_suffix(_OF_EXPORTS), exports=code.str.ends_with(_OF_EXPORTS))


def ranked_by_office(listed: pl.DataFrame) -> pl.DataFrame:
    """Ranked lists as those of offices: ranks and groups of a list of exports follow those before it."""
    by_office = with_offices(listed)
    before = [
        pl.when("exports")
        .then(pl.col(name).filter(~pl.col("exports")).max().over("customs_office").fill_null(0))
        .otherwise(0)
        for name in ("rank", "together")
    ]
    return by_office.with_columns(pl.col("rank") + before[0], pl.col("together") + before[1]).sort(
        "customs_office", "rank"
    )
