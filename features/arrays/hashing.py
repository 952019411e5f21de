"""Stable 64-bit hashes of text and of combinations of columns.

Polars and pandas do not promise that a hash stays the same from version to version. History tables and bucket
names outlive a version, so the hash is ours: FNV-1a over the UTF-8 bytes, finished with MurmurHash3's 64-bit
mixer so that the top bits (which name the bucket) are as good as the low ones.

Sources: Fowler, Noll, Vo, "The FNV Non-Cryptographic Hash Algorithm" (IETF draft); Appleby, MurmurHash3
`fmix64`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numba
import numpy as np
import numpy.typing as npt
import polars as pl

from features.arrays.types import BoolArray, IntArray, UInt64Array

FNV_OFFSET = np.uint64(0xCBF29CE484222325)
FNV_PRIME = np.uint64(0x100000001B3)
_MIX_1 = np.uint64(0xFF51AFD7ED558CCD)
_MIX_2 = np.uint64(0xC4CEB9FE1A85EC53)
_SHIFT = np.uint64(33)
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


@numba.njit(cache=True, nogil=True)
def mix_bits(value: np.uint64) -> np.uint64:
    """MurmurHash3's finaliser of one value, for compiled callers: spreads every input bit over all 64."""
    value ^= value >> _SHIFT
    value *= _MIX_1
    value ^= value >> _SHIFT
    value *= _MIX_2
    value ^= value >> _SHIFT
    return value


@numba.njit(cache=True, nogil=True)
def _hash_buffer(offsets: IntArray, data: npt.NDArray[np.uint8], out: UInt64Array) -> None:
    for row in range(out.shape[0]):
        state = FNV_OFFSET
        for position in range(offsets[row], offsets[row + 1]):
            state = (state ^ np.uint64(data[position])) * FNV_PRIME
        state = mix_bits(state)
        if state == np.uint64(0):
            state = np.uint64(1)
        out[row] = state


@numba.njit(cache=True, nogil=True)
def _mix_in(part: UInt64Array, state: UInt64Array, missing: BoolArray) -> None:
    for row in range(state.shape[0]):
        state[row] = mix_bits(state[row] * FNV_PRIME + part[row])
        missing[row] |= part[row] == np.uint64(0)


def utf8_buffers(text: pl.Series, *, nulls_are_empty: bool = True) -> tuple[IntArray, npt.NDArray[np.uint8]]:
    """Byte offsets (rows + 1) and bytes of a string column; a null row has no bytes, or any.

    >>> offsets, data = utf8_buffers(pl.Series(["ab", None, "c"]))
    >>> offsets.tolist(), bytes(data)
    ([0, 2, 2, 3], b'abc')
    """
    arrow: Any = text.rechunk().to_arrow()
    # Bytes may be left where a value was set to null. Arrow fills several times faster than Polars.
    arrow = arrow.fill_null("") if nulls_are_empty and text.null_count() else arrow
    _, offset_buffer, data_buffer = arrow.buffers()
    first = arrow.offset
    offsets = np.frombuffer(offset_buffer, dtype=np.int64)[first : first + len(arrow) + 1]
    # Without any bytes read-only, too: kernels are compiled for each kind of array.
    return offsets, np.frombuffer(data_buffer or b"", dtype=np.uint8)


@numba.njit(cache=True, nogil=True)
def mixed(values: UInt64Array) -> UInt64Array:
    """`mix_bits` of each value (rows,)."""
    out = np.empty_like(values)
    for row in range(values.shape[0]):
        out[row] = mix_bits(values[row])
    return out


def text_hashes(text: pl.Series) -> UInt64Array:
    """One hash a row, 0 where the text is null."""
    values = text if text.dtype == pl.String else text.cast(pl.String)
    out = np.empty(len(values), dtype=np.uint64)
    if len(values):
        _hash_buffer(*utf8_buffers(values), out)
    if values.null_count():
        out[values.is_null().to_numpy()] = 0
    return out


def number_hashes(numbers: pl.Series, decimals: int) -> UInt64Array:
    """One hash a row from a number rounded to `decimals`; 0 where it is null or too large to round."""
    scaled = (numbers.cast(pl.Float64) * 10.0**decimals).round(0).cast(pl.Int64, strict=False)
    out = np.maximum(mixed(scaled.fill_null(0).to_numpy().astype(np.uint64) ^ _GOLDEN), np.uint64(1))
    if scaled.null_count():
        out[scaled.is_null().to_numpy()] = 0
    return out


def combined_hashes(parts: Sequence[UInt64Array]) -> UInt64Array:
    """One hash for several columns of hashes; order matters; 0 where any part is 0.

    Raises:
        ValueError: no column is given.
    """
    if not parts:
        raise ValueError("expected at least one hashed column to combine")
    state = np.full(len(parts[0]), _GOLDEN, dtype=np.uint64)
    missing = np.zeros(len(parts[0]), dtype=np.bool_)
    for part in parts:
        _mix_in(part, state, missing)
    out = np.maximum(state, np.uint64(1))
    out[missing] = 0
    return out


def as_series(name: str, hashes: UInt64Array) -> pl.Series:
    """Hashes as a UInt64 column, null for 0."""
    values = pl.Series(name, hashes)
    missing = hashes == 0
    return values.set(pl.Series(missing), None) if missing.any() else values


def hash_text(text: pl.Series) -> pl.Series:
    """One UInt64 a row, null where the text is null, never 0, the same on every machine and in every version.

    >>> hash_text(pl.Series(["a", None])).to_list()
    [9413272369427828315, None]
    """
    return as_series(text.name, text_hashes(text))


def drawn_lines(lines: pl.DataFrame, count: int) -> pl.DataFrame:
    """About `count` of the lines, drawn by a hash of their parcel: the same whatever the order they come in.

    `lines` have `declaration_id` and `line_no`; no more than `count` of them are returned as they are.
    """
    if lines.height <= count:
        return lines
    chance = hash_text(lines["declaration_id"]).alias("_chance")
    return lines.with_columns(chance).sort("_chance", "line_no").head(count).drop("_chance")
