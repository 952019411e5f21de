"""Stateless randomness: a trait of party 17 in week 3 is a function of these, not of a draw's order.

A world of any size needs no table of its buyers then, and a day can be generated without those before it.
"""

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from features.arrays.types import BoolArray, FloatArray, IntArray, UInt64Array

Floats = FloatArray
Ints = IntArray
Keys = UInt64Array
Flags = BoolArray
KeyLike = npt.NDArray[Any] | int

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_HEX = np.frombuffer("".join(f"{byte:02x}" for byte in range(256)).encode(), dtype="V2")


def salt(seed: int, name: str) -> np.uint64:
    """Return the 64-bit start value of the trait `name` in the world `seed`."""
    digest = hashlib.blake2b(f"{seed}/{name}".encode(), digest_size=8).digest()
    return np.uint64(int.from_bytes(digest, "little"))


def mix(start: np.uint64, *keys: KeyLike) -> Keys:
    """Return 64 well-mixed bits for each combination of keys.

    SplitMix64 (Steele, Lea, Flood 2014) applied once a key. Keys broadcast against each other.

    >>> bool(mix(salt(1, "a"), 5)[0] == mix(salt(1, "a"), 5)[0])
    True
    """
    state: Keys = np.atleast_1d(start).astype(np.uint64)
    with np.errstate(over="ignore"):
        for key in keys:
            state = (state ^ np.atleast_1d(np.asarray(key)).astype(np.uint64)) + _GOLDEN
            state = (state ^ (state >> np.uint64(30))) * _MIX_1
            state = (state ^ (state >> np.uint64(27))) * _MIX_2
            state = state ^ (state >> np.uint64(31))
    return state


def uniform(start: np.uint64, *keys: KeyLike) -> Floats:
    """Return a number in [0, 1) for each combination of keys."""
    return (mix(start, *keys) >> np.uint64(11)).astype(np.float64) * 2.0**-53


def normal(start: np.uint64, *keys: KeyLike) -> Floats:
    """Return a standard normal number for each combination of keys (Box and Muller 1958)."""
    bits = mix(start, *keys)
    radius = np.sqrt(-2.0 * np.log(((bits >> np.uint64(32)).astype(np.float64) + 0.5) * 2.0**-32))
    angle = (bits & np.uint64(0xFFFFFFFF)).astype(np.float64) * (2.0 * np.pi * 2.0**-32)
    return np.asarray(radius * np.cos(angle), dtype=np.float64)


def pick(weights: Floats, uniforms: Floats) -> Ints:
    """Return for each uniform number an index, drawn in proportion to `weights`."""
    cumulative = np.cumsum(weights)
    places = np.searchsorted(cumulative, uniforms * cumulative[-1], side="right")
    return np.asarray(np.minimum(places, len(weights) - 1), dtype=np.int64)


def scale_bounds(tendencies: Floats, target: float, most: float) -> tuple[float, float]:
    """Return bounds, by bisection, of the scale at which the mean of chances up to `most` is `target`."""
    low, high = 0.0, 10.0
    for _ in range(50):
        middle = (low + high) / 2
        mean = float(np.minimum(middle * tendencies, most).mean())
        low, high = (middle, high) if mean < target else (low, middle)
    return low, high


def hex_text(keys: Keys) -> pl.Series:
    """Return each key as 16 hexadecimal digits, the look of a pseudonym.

    >>> hex_text(np.array([0, 255], dtype=np.uint64)).to_list()
    ['0000000000000000', '00000000000000ff']
    """
    digits = _HEX[keys.astype(">u8").view(np.uint8)].tobytes()
    offsets = np.arange(0, 16 * (len(keys) + 1), 16, dtype=np.int64)
    return pl.Series(pa.LargeStringArray.from_buffers(len(keys), pa.py_buffer(offsets), pa.py_buffer(digits)))


def weighted(text: str, codes: Sequence[str]) -> Floats:
    """Return the weight of every code in a text such as "JP:4;US:1".

    >>> weighted("JP:4;US:1", ["DE", "JP", "US"]).tolist()
    [0.0, 4.0, 1.0]
    """
    parts = dict(part.split(":") for part in text.split(";"))
    return np.array([float(parts.get(code, 0.0)) for code in codes])
