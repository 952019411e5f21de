"""The released program and this one on the same data, each trained and asked as a user would."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from pipelines.store.store import Store

RELEASED = "8d3b5d4"
"""The commit whose models are the released ones."""

THIS_PROGRAM = Path(__file__).resolve().parents[2]

_KEPT = ("declarations", "inspections", "store.json")


def released_program(folder: Path) -> Path:
    """The files of the released commit in `folder`, where they are written unless they are there.

    Raises:
        subprocess.CalledProcessError: the clone does not hold the commit.
    """
    place = folder / f"released-{RELEASED}"
    if not place.exists():
        beside = folder / f"{place.name}.{os.getpid()}"
        done = subprocess.run(["git", "archive", RELEASED], cwd=THIS_PROGRAM, capture_output=True, check=True)
        with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
            archive.extractall(beside, filter="data")
        try:
            beside.rename(place)
        except OSError:
            # Another world's process was first.
            shutil.rmtree(beside)
    return place


def nights_of(
    program: Path, store: Store, folder: Path, *, until: date, nights: Sequence[date], threads: int = 1
) -> Store:
    """A store's copy in `folder` with what a program leaves: models learned up to `until`, and the nights.

    It is given the declarations and results alone, with its own settings.

    Raises:
        subprocess.CalledProcessError: the program failed.
    """
    copy = folder / "store"
    copy.mkdir(parents=True)
    for name in _KEPT:
        source = store.path / name
        if source.is_dir():
            shutil.copytree(source, copy / name, copy_function=os.link)
        else:
            shutil.copy(source, copy / name)
    _run(program, "train", copy, "--until", until.isoformat())
    period = ("--date", nights[0].isoformat(), "--to", nights[-1].isoformat())
    _run(program, "score", copy, *period, "--workers", str(threads), "--threads", "1")
    return Store.open(copy)


def _run(program: Path, verb: str, store: Path, *given: str) -> None:
    subprocess.run(
        [sys.executable, "-m", "pipelines.cli.main", verb, "--store", str(store), "--quiet", *given],
        cwd=program, env={**os.environ, "PYTHONPATH": str(program)}, check=True, stdout=subprocess.DEVNULL,
    )  # fmt: skip
