"""A manifest adds up, or the run fails."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime

import pytest

from configs.errors import ParcelRiskError
from pipelines.manifest import ManifestBuilder, peak_memory_mb


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


def test_processor_time_of_children_that_end_in_a_step_counts() -> None:
    manifest = ManifestBuilder("score")
    with manifest.step("work"):
        subprocess.run([sys.executable, "-c", "sum(range(10**7))"], check=True)
    with manifest.step("rest"):
        pass
    spent = manifest.as_dict()["cpu_seconds"]
    assert spent["work"] > 0.02 + spent["rest"]
