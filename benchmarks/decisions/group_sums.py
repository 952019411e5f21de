"""Sums by key: ours (`features.arrays.distinct`, `group_sums`) and Polars' `group_by`, by turns in one run.

    python -m benchmarks.decisions.group_sums [--lines N] [--rounds R]

What a bucket does in a night for each key of its history, on one thread as a worker has it: lines,
distinct parcels, sums and a bitmap of each value. The least of the rounds counts; that both ways give the
same is checked first.
"""

from __future__ import annotations

import argparse
import os
import sys
import time

os.environ.setdefault("POLARS_MAX_THREADS", "1")

import numpy as np
import polars as pl

from features.arrays.distinct import distinct_keys
from features.arrays.group_sums import distinct_parcels, lines_of, sums_of, union_of

_SUMS = ("value_fen", "first_timers", "priced", "price_milli")
_SHARES = {"heading": 0.001, "seller": 0.05, "buyer": 0.7}


def bucket(lines: int, seed: int = 7) -> pl.DataFrame:
    """Lines of a bucket with keys of few, more and many values."""
    rng = np.random.default_rng(seed)
    parcels = np.sort(rng.integers(0, max(1, lines // 2), lines))
    hashes = {
        name: rng.integers(1, 2**63, lines, dtype=np.uint64)[
            (max(1, int(share * lines)) * rng.random(lines) ** 2).astype(np.int64)
        ]
        for name, share in _SHARES.items()
    }
    return pl.DataFrame(
        {
            **hashes,
            "parcel": parcels,
            **{name: rng.integers(0, 10_000, lines) for name in _SUMS},
            "bits": np.uint64(1) << rng.integers(0, 64, lines, dtype=np.uint64),
        }
    )


def _ours(lines: pl.DataFrame, key: str) -> pl.DataFrame:
    keys = lines[key].to_numpy()
    groups = distinct_keys(keys)
    return pl.DataFrame(
        {
            "key": keys[groups.firsts],
            "lines": lines_of(groups),
            "parcels": distinct_parcels(groups, lines["parcel"].to_numpy()),
            **{name: sums_of(groups, lines[name].to_numpy()) for name in _SUMS},
            "bits": union_of(groups, lines["bits"].to_numpy()),
        }
    )


def _polars(lines: pl.DataFrame, key: str) -> pl.DataFrame:
    return lines.group_by(pl.col(key).alias("key")).agg(
        pl.len().cast(pl.Int64).alias("lines"),
        pl.col("parcel").n_unique().cast(pl.Int64).alias("parcels"),
        *(pl.col(name).sum() for name in _SUMS),
        pl.col("bits").bitwise_or(),
    )


def measured(lines: int, rounds: int) -> dict[str, tuple[float, float]]:
    """The least seconds of both ways, by key."""
    rows, least = bucket(lines), {}
    for key in _SHARES:
        # Compiles ours as well.
        one, other = (way(rows, key).sort("key") for way in (_ours, _polars))
        assert one.equals(other), f"{key}: the two ways differ"
        seconds: tuple[list[float], list[float]] = ([], [])
        for _ in range(rounds):
            for way, taken in zip((_ours, _polars), seconds, strict=True):
                begun = time.process_time()
                way(rows, key)
                taken.append(time.process_time() - begun)
        least[key] = (min(seconds[0]), min(seconds[1]))
    return least


def main() -> int:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--lines", type=int, default=312_500, help="of a bucket: 20 million over 64")
    parser.add_argument("--rounds", type=int, default=7)
    given = parser.parse_args()
    print("| sums by | ours, ms | Polars, ms | Polars over ours |", "|---|---|---|---|", sep="\n")
    for name, (one, other) in measured(given.lines, given.rounds).items():
        print(f"| {name} | {1000 * one:.1f} | {1000 * other:.1f} | {other / one:.1f} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
