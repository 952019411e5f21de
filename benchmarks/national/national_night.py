"""One measured night: the command line takes a day of N lines in and scores it, as the nightly job would."""

from __future__ import annotations

import json
import re
import shutil
from datetime import datetime
from pathlib import Path
from typing import Any

from benchmarks.national.day_material import LINES_OF_A_FILE, Made, Month, make_day
from benchmarks.national.national_stores import (
    DAY,
    EVE,
    OFFICES,
    Setup,
    capacity_overlay,
    night_options,
    store_of_the_night,
)
from benchmarks.shared.measured_process import Measured, run_measured
from pipelines.store.files import row_count
from pipelines.store.store import Store

LINES_OF_A_LISTED_PARCEL = 500
REST = "start, checks, commit"


def measured_night(setup: Setup, lines: int, *, lines_of_a_file: int = LINES_OF_A_FILE) -> dict[str, Any]:
    """Make the day, take it in and score it; every figure of the night as plain numbers.

    Raises SystemExit where a verb fails, or where a kept line has no score or the lists are not full.
    """
    folder = setup.work / f"night-{lines}"
    made = make_day(Month(setup.month), lines, folder / "files", lines_of_a_file=lines_of_a_file)
    store, wanted = folder / "store", max(lines // LINES_OF_A_LISTED_PARCEL, 1)
    store_of_the_night(setup, store)
    overlay = capacity_overlay(setup, folder / "configs", wanted)
    history = _size(store / f"profiles/as_of={EVE}")
    environment = setup.environment()
    ingested = run_measured(setup.command("ingest", store, *made.files), environment, setup.log)
    scored = run_measured(
        setup.command("score", store, "--date", str(DAY), *night_options(setup), configs=overlay),
        environment,
        setup.log,
    )
    again = run_measured(
        setup.command("select", store, "--date", str(DAY), configs=overlay), environment, setup.log
    )
    opened = Store.open(store)
    manifests = {verb: _newest_manifest(opened, verb) for verb in ("ingest", "check", "score", "select")}
    done = {
        "lines": lines,
        "made": _described(made),
        "cores": setup.cores,
        "workers": setup.workers,
        "threads": setup.threads,
        "kept": manifests["ingest"]["rows_kept"],
        "quarantined": manifests["ingest"]["rows_quarantined"],
        "superseded": manifests["ingest"]["rows_superseded"],
        "scored": manifests["score"]["rows_scored"],
        "listed": manifests["score"]["parcels_listed"],
        "offices": len(list((store / f"lists/declared_on={DAY}").glob("*.xlsx"))),
        "models": models_of(store),
        "history": {"rows": _history_rows(store), "bytes": history, "month_parcels": setup.month_parcels},
        "verbs": {
            "ingest": verb_figures(ingested, manifests["ingest"]),
            "score": verb_figures(scored, manifests["score"]),
        },
        # Part of `score`, with a manifest of its own.
        "checks": sum(manifests["check"]["seconds"].values()),
        # Not part of the night: the same lists once more, from the stored scores.
        "again": {"select": verb_figures(again, manifests["select"])},
    }
    _check(done, wanted)
    shutil.rmtree(folder)
    return done


def verb_figures(measured: Measured, manifest: dict[str, Any]) -> dict[str, Any]:
    """A verb as a whole and its steps in the order in which they began, from its manifest and the samples of
    memory; what no step covers is the step `REST`.
    """
    seconds, cpu, began = manifest["seconds"], manifest["cpu_seconds"], manifest["began_at"]
    steps = []
    for name in sorted(began, key=lambda name: str(began[name])):
        first = datetime.fromisoformat(began[name]).timestamp()
        peak = measured.peak_between(first, first + seconds[name])
        steps.append({"step": name, "seconds": seconds[name], "cpu_seconds": cpu[name], "peak_bytes": peak})
    steps.append(
        {
            "step": REST,
            "seconds": measured.seconds - sum(seconds.values()),
            "cpu_seconds": measured.cpu_seconds - sum(cpu.values()),
            "peak_bytes": None,
        }
    )
    return {
        "seconds": measured.seconds,
        "cpu_seconds": measured.cpu_seconds,
        "peak_bytes": measured.peak_bytes,
        "written_bytes": measured.written_bytes,
        "steps": steps,
    }


def models_of(store: Path) -> dict[str, dict[str, float]]:
    """Trees and mean leaves of every ensemble of the champions that a store uses, by risk and file."""
    found = {}
    for current in sorted((store / "models").glob("*/champion.json")):
        described = json.loads(current.read_text(encoding="utf-8"))
        folder = current.parent / f"version-{described['version']}-{described['run'][:8]}"
        for path in sorted(folder.rglob("*.txt")):
            leaves = [int(number) for number in re.findall(r"^num_leaves=(\d+)", path.read_text(), re.M)]
            if leaves:
                name = f"{current.parent.name}/{path.stem}"
                found[name] = {"trees": len(leaves), "leaves": sum(leaves) / len(leaves)}
    return found


def _newest_manifest(store: Store, verb: str) -> dict[str, Any]:
    newest = max(store.layout.manifests(verb), key=lambda path: path.stat().st_mtime)
    manifest: dict[str, Any] = json.loads(newest.read_text(encoding="utf-8"))
    return manifest


def _described(made: Made) -> dict[str, Any]:
    held = sum(path.stat().st_size for path in made.files)
    return {"files": len(made.files), "bytes": held, "parcels": made.parcels, "known": made.known}


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _history_rows(store: Path) -> int:
    files = (store / f"profiles/as_of={EVE}").rglob("key-*.parquet")
    return sum(row_count(path) for path in files)


def _check(done: dict[str, Any], wanted: int) -> None:
    if done["kept"] != done["scored"]:
        raise SystemExit(f"expected a score for each of {done['kept']:,} kept lines, got {done['scored']:,}")
    # Every office lists at least one; parcels without an office are a list of their own.
    if not 0.5 * wanted < done["listed"] <= max(wanted, OFFICES + 1):
        raise SystemExit(f"expected about {wanted:,} parcels on the lists, got {done['listed']:,}")
