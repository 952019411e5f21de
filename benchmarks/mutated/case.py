"""One case: a seed, the broken file and command line that follow from it, and what is wrong afterwards."""

from __future__ import annotations

import contextlib
import io
import json
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Final

import polars as pl
import pytest

from benchmarks.mutated.messages import broken_message
from benchmarks.mutated.returns import broken_return
from benchmarks.mutated.tables import Content, broken_table
from pipelines.cli.main import run
from tests.pipelines.returned_lists import Office, make_store

KINDS: Final = (
    *("message", "message", "message", "csv", "csv", "csv", "parquet", "parquet", "xlsx"),
    *("returned xlsx", "returned csv", "returned json"),
)
_KEY: Final = "3f9c5a1be07d4a86b2d1c94e6f80a573"
# 1 is for what no file can be blamed for.
_GOOD_CODES: Final = (0, 2, 3, 5)
# Half a second is usual, more for the first case that needs functions compiled.
_MOST_SECONDS: Final = 60
# The program's own warnings begin with "warning:", those of Python with the name of a class.
_NO_TROUBLE: Final = re.compile(r"Traceback|fault of the program|[A-Za-z]Warning:|panicked at")


@dataclass(frozen=True)
class Outcome:
    """What became of a case: the exit code, what was printed, what is wrong with either, and what it cost."""

    seed: int
    kind: str
    code: int
    said: str
    faults: list[str]
    processor_seconds: float = field(compare=False)


class Cases:
    """Cases in one process, in a folder that the caller throws away.

    Args:
        folder: an empty folder for stores and files.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._issued = make_store(folder)

    def outcome(self, seed: int) -> Outcome:
        """Run the case of a seed and judge it."""
        kind, random = kind_of(seed), Random(seed)
        place = self._folder / "case"
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir()
        if kind.startswith("returned"):
            office = Office.copy_of(self._issued, place)
            content = broken_return(random, office, kind.split()[1])
            path = place / f"back{content.suffix}"
            path.write_bytes(content.data)
            arguments = ["feedback", str(path), "--store", str(office.store.path)]
            store = office.store.path
        else:
            content = (
                Content(broken_message(random), ".xml", None)
                if kind == "message"
                else broken_table(random, kind)
            )
            path, store = place / f"in{content.suffix}", place / "T"
            path.write_bytes(content.data)
            arguments = ["ingest", str(path), "--store", str(store)]
        began = time.process_time()
        code, said = _run(arguments)
        seconds = time.process_time() - began
        lost = _lost(store, kind, content.rows, code, said)
        slow = [f"took {seconds:.0f} s of a processor"] if seconds > _MOST_SECONDS else []
        return Outcome(seed, kind, code, said, [*_told_badly(code, said), *lost, *slow], seconds)


def kind_of(seed: int) -> str:
    """What the case of a seed is about."""
    return Random(-seed).choice(KINDS)


@contextmanager
def environment() -> Iterator[None]:
    """A key for pseudonyms and no tracking server, whatever whoever runs this has set."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PARCEL_RISK_PSEUDONYM_KEY", _KEY)
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        yield


def _run(arguments: list[str]) -> tuple[int, str]:
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        try:
            code = run(arguments)
        # What escapes the command line, a panic of a library's too, is what is looked for.
        except BaseException as error:  # noqa: BLE001
            return -1, f"{out.getvalue()}\nTraceback: {type(error).__name__}: {error}"
    return code, out.getvalue()


def _told_badly(code: int, said: str) -> list[str]:
    faults = [f"printed {match.group()!r}" for match in [_NO_TROUBLE.search(said)] if match]
    if code not in _GOOD_CODES:
        faults.append(f"ended with {code}")
    if not said.strip():
        faults.append("said nothing")
    return faults


def _lost(store: Path, kind: str, rows: int | None, code: int, said: str) -> list[str]:
    """Rows that the manifest, or the store itself, does not account for."""
    verb = "feedback" if kind.startswith("returned") else "ingest"
    manifests = sorted((store / "manifests").glob(f"{verb}-*.json"))
    if not manifests:
        return [] if code == 2 else ["left no manifest"]
    told = json.loads(manifests[-1].read_text(encoding="utf-8"))
    kept, out, over = (told[f"rows_{name}"] for name in ("kept", "quarantined", "superseded"))
    faults = [] if told["rows_in"] == kept + out + over else ["the manifest does not add up"]
    if verb == "feedback":
        return faults
    refused = any(file.get("refused") for file in told["files"])
    if not refused and told["rows_in"] == 0 and code == 0 and "without rows" not in said:
        faults.append("no row, and no word of it")
    if rows is not None and not refused and told["rows_in"] != rows:
        faults.append(f"{told['rows_in']} rows in of {rows}")
    stored = _height(store, "declarations") + _height(store, "inspections")
    attached = told["attached_results"]["rows_kept"]
    if kind != "message" and stored != kept + attached:
        faults.append(f"{stored} rows stored, {kept} + {attached} said to be kept")
    rejected = _height(store, "quarantine") - told["attached_results"]["rows_quarantined"]
    if not refused and rejected != out:
        faults.append(f"{rejected} rows in quarantine, {out} said to be")
    return faults


def _height(store: Path, table: str) -> int:
    files = sorted((store / table).rglob("*.parquet"))
    return sum(pl.scan_parquet(file).select(pl.len()).collect().item() for file in files)
