"""The table of what two ways of holding memory take."""

from __future__ import annotations

from benchmarks.decisions.allocator import WAYS, table


def test_the_least_of_each_figure_counts() -> None:
    first, second = WAYS
    slow = {"seconds": 20.0, "cpu_seconds": 36.0, "peak_bytes": 2e9}
    quick = {"seconds": 22.0, "cpu_seconds": 30.0, "peak_bytes": 2e9}
    ours = {"seconds": 10.0, "cpu_seconds": 27.0, "peak_bytes": 2.5e9}
    said = table({first: [{"score": slow}, {"score": quick}], second: [{"score": ours}]})
    assert said[2:] == [
        "| score | seconds | 20.0 s | 10.0 s | 0.50 |",
        "| score | cpu seconds | 30.0 s | 27.0 s | 0.90 |",
        "| score | peak bytes | 2.00 GB | 2.50 GB | 1.25 |",
    ]
