"""What has to be known of all parcels of a day before any is chosen: their number, and the lot of each."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import polars as pl

from features.arrays.hashing import hash_text, mixed
from features.arrays.types import IntArray, UInt64Array
from models.selection.exploration import weights_of
from models.selection.shortlist import STRATUM

CodeArray = npt.NDArray[np.int32]

# Of what may be missing from a table of parcels.
_OPTIONAL: dict[str, type[pl.DataType]] = {
    "buyer_id": pl.String,
    "address_id": pl.UInt64,
    "order_id": pl.UInt64,
    "goods": pl.UInt64,
    "must_inspect": pl.Int32,
    "unsureness_cny": pl.Float64,
}


@dataclass(frozen=True)
class Census:
    """What one pass over all parcels tells.

    `strata` has the parcels of each stratum and those with a value; `columns` no rows and all columns;
    `must_inspect` the parcels that a rule wants. `lots`, `weights`, `offices` (numbers of `names`) and
    `modes` (of `mode_names`) have one entry a parcel, part after part; `starts` says where each part begins.
    """

    seed: int
    day: date
    strata: pl.DataFrame
    columns: pl.DataFrame
    must_inspect: pl.DataFrame
    lots: UInt64Array
    weights: IntArray
    offices: CodeArray
    names: dict[str, int]
    modes: CodeArray
    mode_names: dict[str, int]
    starts: IntArray

    @classmethod
    def of(cls, parts: Iterable[pl.DataFrame], seed: int, day: date) -> Census:
        """Go over all parcels once; ValueError where one stands in the table twice."""
        counts, drawn_by, weights, offices, modes, must = [], [], [], [], [], []
        names: dict[str, int] = {}
        mode_names: dict[str, int] = {}
        for number, part in enumerate(parts):
            full = _completed(part, number, parcel_lots(part["declaration_id"], seed, day))
            counts.append(
                part.group_by(STRATUM).agg(parcels=pl.len(), valued=pl.col("expected_value_cny").count())
            )
            offices.append(_codes(part["customs_office"], names))
            modes.append(_codes(part["trade_mode"], mode_names))
            drawn_by.append(full["lot"].to_numpy())
            weights.append(weights_of(full["unsureness_cny"].fill_null(np.nan).to_numpy()))
            must.append(full.filter(pl.col("must_inspect").is_not_null()))
        all_lots = np.concatenate(drawn_by)
        _refuse_repeats(parts, np.sort(all_lots), seed, day)
        return cls(
            seed,
            day,
            pl.concat(counts).group_by(STRATUM).agg(pl.col("parcels").sum(), pl.col("valued").sum()),
            must[0].clear(),
            pl.concat(must),
            all_lots,
            np.concatenate(weights),
            np.concatenate(offices),
            names,
            np.concatenate(modes),
            mode_names,
            np.cumsum([0, *map(len, drawn_by)]),
        )

    def numbered(self, part: pl.DataFrame, number: int) -> pl.DataFrame:
        """The part with its number, the lot of each parcel, and the columns that it may lack."""
        own = slice(self.starts[number], self.starts[number + 1])
        return _completed(part, number, pl.Series("lot", self.lots[own]))

    def gathered(self, parts: Iterable[pl.DataFrame], positions: IntArray) -> pl.DataFrame:
        """The parcels at some positions, which ascend: as in `numbered`."""
        gathered = [self.columns]
        for number, part in enumerate(parts):
            first, end = np.searchsorted(positions, self.starts[number : number + 2])
            if end > first:
                rows = positions[first:end]
                lot = pl.Series("lot", self.lots[rows])
                gathered.append(_completed(part[rows - self.starts[number]], number, lot))
        return pl.concat(gathered)

    def lowest_lots(self, strata: pl.DataFrame) -> IntArray:
        """Where the parcels with the lowest lots stand, ascending: as many of each stratum as are `drawn` of
        it, and those whose lot is the same as the last one's.
        """
        codes = self.offices * np.int32(len(self.mode_names)) + self.modes
        by_stratum = np.argsort(codes, kind="stable")
        sizes = np.bincount(codes)
        ends = np.cumsum(sizes)
        lowest = [np.empty(0, dtype=np.int64)]
        for office, mode, drawn in strata.select(*STRATUM, "drawn").iter_rows():
            if drawn:
                code = self.names[office] * len(self.mode_names) + self.mode_names[mode]
                rows = by_stratum[ends[code] - sizes[code] : ends[code]]
                own = self.lots[rows]
                lowest.append(rows[own <= np.partition(own, drawn - 1)[drawn - 1]])
        return np.sort(np.concatenate(lowest))


def _codes(values: pl.Series, names: dict[str, int]) -> CodeArray:
    """The number of each value (parcels,); new ones are added to `names`."""
    for value in values.unique(maintain_order=True).to_list():
        names.setdefault(value, len(names))
    if values.is_empty():  # of an empty mapping Polars makes no Int32
        return np.empty(0, dtype=np.int32)
    return values.replace_strict(names, return_dtype=pl.Int32).to_numpy()


def _completed(part: pl.DataFrame, number: int, lot: pl.Series) -> pl.DataFrame:
    return part.with_columns(
        *(pl.lit(None, dtype).alias(name) for name, dtype in _OPTIONAL.items() if name not in part.columns),
        pl.lit(number, dtype=pl.Int64).alias("part"),
        lot,
    )


def _refuse_repeats(parts: Iterable[pl.DataFrame], in_order: UInt64Array, seed: int, day: date) -> None:
    equal = pl.Series(in_order[1:][in_order[1:] == in_order[:-1]], dtype=pl.UInt64).unique()
    if equal.is_empty():
        return
    ids = [part["declaration_id"] for part in parts]
    suspects = pl.concat([some.filter(parcel_lots(some, seed, day).is_in(equal.implode())) for some in ids])
    repeated = len(suspects) - suspects.n_unique()
    if repeated:
        raise ValueError(f"one row a parcel expected, {repeated} rows repeat a declaration_id")


def parcel_lots(declaration_id: pl.Series, seed: int, day: date) -> pl.Series:
    """The lot of each parcel: a hash of its number, keyed by seed and day."""
    key = int.from_bytes(hashlib.blake2b(f"{seed}|{day.isoformat()}".encode(), digest_size=8).digest(), "big")
    return pl.Series("lot", mixed(mixed(hash_text(declaration_id).to_numpy() ^ np.uint64(key))))
