"""A manifest adds up, or the run fails."""

from __future__ import annotations

import multiprocessing
import subprocess
import sys
from datetime import UTC, datetime
from multiprocessing.connection import Connection

import pytest

from configs.errors import ParcelRiskError
from pipelines.store.manifest import ManifestBuilder, peak_memory_mb


def test_missing_rows_are_told() -> None:
    manifest = ManifestBuilder("ingest")
    manifest.add_rows(rows_in=5, kept=2, quarantined=1, superseded=1)
    assert manifest.rows_unaccounted == 1
    with pytest.raises(ParcelRiskError, match="1 of 5 rows are not accounted for: 2 kept"):
        manifest.check()


def test_steps_add_up_and_everything_is_plain() -> None:
    manifest = ManifestBuilder(
        "score", model_versions={"undervaluation": "3"}, further={"days": ["2026-11-20"]}
    )
    for _ in range(2):
        with manifest.step("read"):
            pass
    manifest.values_nulled.update({"b": 1, "a": 2})
    found = manifest.as_dict()
    assert list(found["seconds"]) == list(found["cpu_seconds"]) == ["read"]
    assert datetime.fromisoformat(found["began_at"]["read"]).tzinfo is UTC
    assert 0 < found["peak_memory_mb"]["read"] <= peak_memory_mb() + 0.1  # it is rounded
    assert list(found["values_nulled"].items()) == [("a", 2), ("b", 1)]
    assert (found["model_versions"], found["days"]) == ({"undervaluation": "3"}, ["2026-11-20"])


def _hold_and_spend(rest: Connection) -> None:
    held = bytearray(400 << 20)
    held[:: 1 << 12] = b"1" * len(held[:: 1 << 12])
    sum(range(10**7))
    rest.send("done")
    rest.recv()


def test_processor_time_and_memory_of_a_worker_that_goes_on_working_count() -> None:
    manifest = ManifestBuilder("score")
    here, there = multiprocessing.get_context("spawn").Pipe()
    worker = multiprocessing.get_context("spawn").Process(target=_hold_and_spend, args=(there,))
    with manifest.step("work"):
        worker.start()
        assert here.recv() == "done"
    with manifest.step("rest"):
        pass
    here.send("end")
    worker.join()
    found = manifest.as_dict()
    assert found["cpu_seconds"]["work"] > 0.02 + found["cpu_seconds"]["rest"]
    assert found["peak_memory_mb"]["work"] >= 400


def test_processor_time_of_children_that_end_in_a_step_counts() -> None:
    manifest = ManifestBuilder("score")
    with manifest.step("work"):
        subprocess.run([sys.executable, "-c", "sum(range(10**7))"], check=True)
    with manifest.step("rest"):
        pass
    spent = manifest.as_dict()["cpu_seconds"]
    assert spent["work"] > 0.02 + spent["rest"]
