"""What documents cost at volume: ingest and check of inventories with their orders, payments and waybills.

    python -m benchmarks.documents.volume [--parcels N] [--part N] [--work DIR]

The official messages of N parcels of cross-border e-commerce are made beforehand, part by part in a process
of its own that does not count; parts that are in the work folder are used again. Then the command line takes
the inventories alone, and all four kinds, into a fresh store each, and checks the day in both. Every step is
a process of its own. `benchmarks/results/document_volume.md` says what each took, and by how much documents
lengthen the ingest. Two million parcels take 12 GB of messages and some hours on 2 cores.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import sys
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl

from benchmarks.national.national_night import verb_figures
from benchmarks.shared.measured_process import run_measured
from benchmarks.shared.processes import commit
from configs.reference.facts import load_reference
from pipelines.simulation import World, WorldParameters, simulate_days
from pipelines.simulation.documents.documents import OpenedByCustoms, make_documents
from pipelines.simulation.documents.inventories import inventories_of
from pipelines.simulation.documents.parcels import complete_declarations, traded_parcels
from pipelines.simulation.messages.files import FileStyle, write_messages
from pipelines.simulation.messages.values import Wording

DAY: Final = date(2024, 9, 6)
SEED: Final = 22
WORK = Path(__file__).resolve().parent.parent / "work" / "document_volume"
RESULT = Path(__file__).resolve().parent.parent / "results" / "document_volume.md"
KINDS: Final = ("inventories", "documents")
MOST_TIMES: Final = 5.0
_TABLES: Final = ("orders", "payments", "waybills")
# Of simulated parcels two thirds come by cross-border e-commerce.
_SIMULATED: Final = 1.8
# Any key does: simulated buyers are pseudonyms already.
_KEY: Final = "a benchmark, nobody is behind these hashes"
_GB, _MB = 1e9, 1e6

Figures = dict[str, Any]


@dataclass(frozen=True)
class Volume:
    """What is measured on.

    Attributes:
        work: folder for messages and stores.
        parcels: parcels of the day.
        part: of which so many are made at once.
    """

    work: Path
    parcels: int = 2_000_000
    part: int = 100_000

    @property
    def log(self) -> Path:
        """What the verbs said."""
        return self.work / "verbs.log"

    def parts(self) -> list[tuple[int, Path]]:
        """Parcels and folder of each part, which other volumes with parts of this size have too."""
        sizes = [min(self.part, self.parcels - first) for first in range(0, self.parcels, self.part)]
        return [(size, self.work / "messages" / f"{n:03d}-{size}") for n, size in enumerate(sizes)]

    def command(self, verb: str, store: Path, *options: str | Path) -> list[str]:
        """The command line of a verb on a store."""
        given = [verb, *(str(option) for option in options), "--store", str(store), "--quiet"]
        return [sys.executable, "-m", "pipelines.cli.main", *given]


def make_messages(volume: Volume) -> None:
    """Write the messages of the parts that are not there yet; the same volume gives the same bytes."""
    world = World.make(SEED, WorldParameters.for_volume(volume.part))
    wording = Wording.of(SEED, load_reference().on(DAY))
    for number, (size, folder) in enumerate(volume.parts()):
        done = folder / "made.json"
        if done.exists():
            continue
        shutil.rmtree(folder, ignore_errors=True)
        frames = _frames(world, number, size)
        for kind in KINDS:
            write_messages(folder / kind, frames[kind], wording, FileStyle())
        rows = {name: frame.height for kind in KINDS for name, frame in frames[kind].items()}
        done.write_text(json.dumps(rows) + "\n", encoding="utf-8")


def _frames(world: World, number: int, size: int) -> dict[str, dict[str, pl.DataFrame]]:
    """The rows of a part's messages by kind and table. Each part is another simulated day, moved to the same
    date: numbers of inventories run through the year.
    """
    (day,) = simulate_days(world, 1, int(size * _SIMULATED) + 100, DAY - timedelta(days=number))
    lines = complete_declarations(day.declarations, SEED)
    moved = pl.col("declared_at", "sent_at") + pl.duration(days=number)
    chosen = lines["declaration_id"].unique(maintain_order=True).head(size)
    if len(chosen) < size:
        raise SystemExit(f"expected {size:,} parcels of e-commerce, came {len(chosen):,}")
    lines = lines.filter(pl.col("declaration_id").is_in(chosen.implode())).with_columns(moved)
    parcels = traded_parcels(lines, SEED).with_columns(kind=pl.lit(None, pl.String))
    nobody = pl.Series([], dtype=pl.String)
    prices = {"declaration_id": pl.String(), "line_no": pl.Int32(), "assessed_unit_price": pl.Float64()}
    unopened = OpenedByCustoms(nobody, nobody, pl.DataFrame(schema=prices))
    made = make_documents(lines, parcels, unopened, SEED, np.random.default_rng([SEED, number]))
    return {
        "inventories": {"declarations": inventories_of(lines, made.parcels)},
        "documents": {name: made.tables[name] for name in _TABLES},
    }


def measured_volume(volume: Volume) -> Figures:
    """Make the messages, take them in and check their day: figures by what is taken in and verb.

    Raises SystemExit where a verb fails, or where not every row was taken.
    """
    volume.work.mkdir(parents=True, exist_ok=True)
    environment = {"OMP_WAIT_POLICY": "PASSIVE", "PARCEL_RISK_PSEUDONYM_KEY": _KEY}
    size = ["--work", str(volume.work), "--parcels", str(volume.parcels), "--part", str(volume.part)]
    make = [sys.executable, "-m", "benchmarks.documents.volume", *size, "--only-messages"]
    run_measured(make, environment, volume.log)
    parts = [folder for _, folder in volume.parts()]
    made = [json.loads((folder / "made.json").read_text(encoding="utf-8")) for folder in parts]
    rows = {name: sum(part[name] for part in made) for name in made[0]}
    measured = {}
    for what, kinds in (("inventories", KINDS[:1]), ("all four", KINDS)):
        store = volume.work / f"store-{kinds[-1]}"
        shutil.rmtree(store, ignore_errors=True)
        folders = [folder / kind for kind in kinds for folder in parts]
        took = {}
        options = {"ingest": ["--source", "ceb", *folders], "check": ["--date", DAY.isoformat()]}
        for verb, given in options.items():
            process = run_measured(volume.command(verb, store, *given), environment, volume.log)
            manifest = _manifest(store, verb)
            # Two simulated parcels in many thousands have one waybill's number: one of the two is superseded.
            rows_taken = manifest["rows_in"] - manifest["rows_quarantined"]
            took[verb] = {"rows": rows_taken, **verb_figures(process, manifest)}
        wanted = sum(rows.values()) if what == "all four" else rows["declarations"]
        if took["ingest"]["rows"] != wanted:
            raise SystemExit(f"{what}: expected {wanted:,} rows, took {took['ingest']['rows']:,}")
        measured[what] = took
        shutil.rmtree(store)
    held = {kind: sum(_size(folder / kind) for folder in parts) for kind in KINDS}
    files = {kind: sum(len(list((folder / kind).iterdir())) for folder in parts) for kind in KINDS}
    return {
        "parcels": volume.parcels,
        "rows": rows,
        "bytes": held,
        "files": files,
        "measured": measured,
        "cores": os.cpu_count(),
        "commit": commit(),
    }


def _manifest(store: Path, verb: str) -> Figures:
    (file,) = (store / "manifests").glob(f"{verb}-*.json")
    return dict(json.loads(file.read_text(encoding="utf-8")))


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir())


def times_of(done: Figures, name: str, verb: str = "ingest") -> float:
    """By how much a figure of a verb is larger with documents."""
    alone, together = (done["measured"][what][verb][name] for what in ("inventories", "all four"))
    return float(together / alone)


def report(done: Figures) -> str:
    """The whole page."""
    rows, held, files = done["rows"], done["bytes"], done["files"]
    counts = ", ".join(f"{count:,} {name}" for name, count in rows.items() if name != "declarations")
    said = [
        "# What documents cost at volume\n",
        "Written by `python -m benchmarks.documents.volume`; no figure here was typed.\n",
        f"- machine: {done['cores']} cores, {platform.machine()}, Python {platform.python_version()}; commit "
        f"{done['commit']}",
        f"- {done['parcels']:,} parcels of one day: {rows['declarations']:,} lines of inventories in "
        f"{files['inventories']:,} files of {held['inventories'] / _MB:,.0f} MB; rows of {counts} in "
        f"{files['documents']:,} files of {held['documents'] / _MB:,.0f} MB",
        "- each step is a process of its own with a fresh store; memory: PSS of all its processes together\n",
        "| | rows | seconds | rows/s | CPU seconds | peak memory | written |",
        "|---|---|---|---|---|---|---|",
    ]
    for verb in ("ingest", "check"):
        for what, took in done["measured"].items():
            said.append(_row(f"**{verb}, {what}**", took[verb], took[verb]["rows"], took[verb]))
            if verb == "ingest":
                steps = [step for step in took[verb]["steps"] if step["seconds"] >= 0.1]
                said += [_row(f"{what}: {step['step']}", step, took[verb]["rows"], None) for step in steps]
    times = times_of(done, "seconds")
    verdict = "kept" if times <= MOST_TIMES else "missed"
    said.append(
        f"\nIngest of all four takes **{times:.2f}** times the seconds of the inventories alone (goal: at "
        f"most {MOST_TIMES:.0f}, {verdict}) and {times_of(done, 'peak_bytes'):.2f} times their memory; "
        f"the check {times_of(done, 'seconds', 'check'):.2f} times the seconds and "
        f"{times_of(done, 'peak_bytes', 'check'):.2f} times the memory."
    )
    return "\n".join(said) + "\n"


def _row(name: str, took: Figures, rows: int, whole: Figures | None) -> str:
    peak = "–" if took["peak_bytes"] is None else f"{took['peak_bytes'] / _GB:.2f} GB"
    written = "–" if whole is None else f"{whole['written_bytes'] / _MB:,.0f} MB"
    return (
        f"| {name} | {rows:,} | {took['seconds']:.1f} | {rows / took['seconds']:,.0f} | "
        f"{took['cpu_seconds']:.1f} | {peak} | {written} |"
    )


def main() -> int:
    """Measure, and write the report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--parcels", type=_count, default=Volume.parcels, help="parcels of the day")
    parser.add_argument("--part", type=_count, default=Volume.part, help="parcels that are made at once")
    parser.add_argument("--work", type=Path, default=WORK, help="folder for messages and stores")
    parser.add_argument("--only-messages", action="store_true", help="make the messages, and no more")
    given = parser.parse_args()
    volume = Volume(given.work.resolve(), given.parcels, given.part)
    if given.only_messages:
        make_messages(volume)
        return 0
    text = report(measured_volume(volume))
    RESULT.write_text(text, encoding="utf-8")
    print(text)
    return 0


def _count(text: str) -> int:
    return int(float(text))


if __name__ == "__main__":
    sys.exit(main())
