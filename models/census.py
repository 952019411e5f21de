"""What has to be known of all parcels of a day before any is chosen: their number, and the lot of each."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from features.hashing import UInt64Array, hash_text, mix
from models.exploration import IntArray, weights_of
from models.shortlist import STRATUM

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
    `must_inspect` the parcels that a rule wants. `lots`, `weights` and `offices` (numbers of `names`) have
    one entry a parcel.
    """

    seed: int
    day: date
    strata: pl.DataFrame
    columns: pl.DataFrame
    must_inspect: pl.DataFrame
    lots: UInt64Array
    weights: IntArray
    offices: IntArray
    names: dict[str, int]

    @classmethod
    def of(cls, parts: Iterable[pl.DataFrame], seed: int, day: date) -> Census:
        """Go over all parcels once; ValueError where one stands in the table twice."""
        counts, drawn_by, weights, offices, must = [], [], [], [], []
        names: dict[str, int] = {}
        for number, part in enumerate(parts):
            full = _completed(part, number, seed, day)
            counts.append(
                part.group_by(STRATUM).agg(parcels=pl.len(), valued=pl.col("expected_value_cny").count())
            )
            for office in part["customs_office"].unique().to_list():
                names.setdefault(office, len(names))
            offices.append(part["customs_office"].replace_strict(names, return_dtype=pl.Int64).to_numpy())
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
        )

    def numbered(self, part: pl.DataFrame, number: int) -> pl.DataFrame:
        """The part with its number, the lot of each parcel, and the columns that it may lack."""
        return _completed(part, number, self.seed, self.day)


def _completed(part: pl.DataFrame, number: int, seed: int, day: date) -> pl.DataFrame:
    return part.with_columns(
        *(pl.lit(None, dtype).alias(name) for name, dtype in _OPTIONAL.items() if name not in part.columns),
        pl.lit(number, dtype=pl.Int64).alias("part"),
        lots(part["declaration_id"], seed, day),
    )


def _refuse_repeats(parts: Iterable[pl.DataFrame], in_order: UInt64Array, seed: int, day: date) -> None:
    equal = pl.Series(in_order[1:][in_order[1:] == in_order[:-1]], dtype=pl.UInt64).unique()
    if equal.is_empty():
        return
    ids = [part["declaration_id"] for part in parts]
    suspects = pl.concat([some.filter(lots(some, seed, day).is_in(equal.implode())) for some in ids])
    repeated = len(suspects) - suspects.n_unique()
    if repeated:
        raise ValueError(f"one row a parcel expected, {repeated} rows repeat a declaration_id")


def lots(declaration_id: pl.Series, seed: int, day: date) -> pl.Series:
    """The lot of each parcel: a hash of its number, keyed by seed and day."""
    key = int.from_bytes(hashlib.blake2b(f"{seed}|{day.isoformat()}".encode(), digest_size=8).digest(), "big")
    return pl.Series("lot", mix(mix(hash_text(declaration_id).to_numpy() ^ np.uint64(key))))
