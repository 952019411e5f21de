"""The documented night on a bare account: the clock jumps, the tracking server dies, the store moves.

`make bench-night` (as root, on Debian). The script of docs/howto-nightly.md runs as an account without a
home, with a program that it cannot write to. It takes deliveries in and lists a day; a model is trained on
the server. Then the server dies with its PostgreSQL, and the machine is off for two nights: the next run
has to list every day with the models that it remembers, and say that the server was away. The server comes
back, the store is moved to another path, and training, monitoring and a further night go on there. With
`--short` the server's database is a file, and nothing is trained at the other path.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from pathlib import Path

import polars as pl

from benchmarks.bare.machine import Ended, Machine, missing_packages, readable_by_others
from benchmarks.bare.tracking_server import TrackingServer
from tests.pipelines.trained_world import NIGHT, TRAINED_UNTIL, World, make_world

RISK = "undervaluation"


def main(arguments: list[str] | None = None) -> int:
    """Run the nights; 0 where everything was listed and told."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument(
        "--short", action="store_true", help="the server's database is a file, one training less"
    )
    given = parser.parse_args(arguments)
    database = {} if given.short else {"pg_ctlcluster": "postgresql"}
    missing = missing_packages({"faketime": "faketime", **database})
    if missing or os.geteuid() != 0:
        print(f"needs root, and Debian's packages: {' '.join(missing) or 'all there'}", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="parcel-risk-night-") as folder:
        world = make_world(Path(folder))
        faults = bare_nights(world, Path(folder) / "machine", postgres=not given.short)
    print("\n".join(faults) or "every day was listed, every loss was told")
    return 1 if faults else 0


def bare_nights(world: World, folder: Path, *, postgres: bool) -> list[str]:
    """What went wrong in the nights of a machine to which the days of `world` are delivered."""
    for each in (folder.parent, folder):
        each.mkdir(exist_ok=True)
        each.chmod(0o755)
    machine = Machine(folder)
    machine.install(world.configs)
    server = TrackingServer(folder / "tracking", postgres=postgres)
    nights = _Nights(machine, server, world, trained_again=postgres)
    try:
        server.start()
        return nights.all()
    finally:
        server.die()


class _Nights:
    def __init__(
        self, machine: Machine, server: TrackingServer, world: World, *, trained_again: bool
    ) -> None:
        self._machine, self._server, self._world = machine, server, world
        self._trained_again = trained_again
        self._faults: list[str] = []

    def all(self) -> list[str]:
        """The nights in their order."""
        self._know_server()
        self._deliver(lambda day: day <= TRAINED_UNTIL)
        first = self._machine.parcel_risk("ingest", str(self._machine.incoming), at=_morning_of(NIGHT))
        self._expect("the first delivery is taken in", first, 0)
        trained = self._machine.parcel_risk(
            "train", "--until", str(TRAINED_UNTIL), "--risk", RISK, at=_morning_of(NIGHT)
        )
        self._expect("a model is trained", trained, 0)
        self._deliver(lambda day: day == NIGHT)
        self._expect("a night is listed", self._night(NIGHT), 0, listed=[NIGHT])

        self._server.die()
        missed = [NIGHT + timedelta(days=1), NIGHT + timedelta(days=2)]
        self._deliver(lambda day: day in missed)
        told = self._night(missed[-1])
        self._expect("missed nights are listed without the server", told, 0, listed=missed, words=["MLflow"])

        self._server.start()
        moved = self._machine.folder / "moved"
        (self._machine.folder / "data").rename(moved)
        self._machine.write_script(data="moved")
        self._expect("the night goes on at another path", self._night(missed[-1], moved), 0)
        at = _morning_of(missed[-1])
        verbs: list[tuple[str, tuple[str, ...]]] = [
            ("monitor", ("--date", str(missed[-1]))),
            ("champion list", ()),
        ]
        if self._trained_again:
            verbs.insert(0, ("train", ("--risk", RISK, "--until", str(missed[-1]))))
        for verb, options in verbs:
            ended = self._machine.parcel_risk(verb, *options, at=at, store=moved / "store")
            self._expect(f"{verb} at another path", ended, 0)
        if (self._machine.folder / "data").exists():
            self._faults.append("something was written where the store had been")
        self._faults += [f"others may read {path}" for path in readable_by_others(moved)[:5]]
        return self._faults

    def _know_server(self) -> None:
        text = f"MLFLOW_TRACKING_URI={self._server.address}\n"
        (self._machine.folder / "etc/environment").write_text(text, encoding="utf-8")
        self._machine.environment["MLFLOW_TRACKING_URI"] = self._server.address

    def _deliver(self, wanted: Callable[[date], bool]) -> None:
        """Put declarations and results of days into folders, as a sender does."""
        for table, key in (("declarations", "declared_on"), ("inspections", "reported_on")):
            for folder in sorted((self._world.path / table).glob(f"{key}=*")):
                day = date.fromisoformat(folder.name.partition("=")[2])
                if not wanted(day):
                    continue
                place = self._machine.incoming / str(day)
                place.mkdir(exist_ok=True)
                frame = pl.read_parquet(folder / "*.parquet", hive_partitioning=True).drop(
                    "declared_on", strict=False
                )
                # What begins with "_" is the store's own.
                file = place / f"{table}.parquet"
                frame.select(~pl.selectors.starts_with("_")).write_parquet(file)
                file.chmod(0o644)

    def _night(self, day: date, data: Path | None = None) -> Ended:
        """The documented script in the morning after a day."""
        ended = self._machine.run(self._machine.script, at=_morning_of(day))
        self._store = (data or self._machine.folder / "data") / "store"
        return ended

    def _expect(
        self,
        what: str,
        ended: Ended,
        code: int,
        *,
        listed: list[date] | None = None,
        words: list[str] | None = None,
    ) -> None:
        faults = [] if ended.code == code else [f"ended with {ended.code}"]
        faults += ["a traceback"] if "Traceback" in ended.said or "fault of the program" in ended.said else []
        for day in listed or []:
            if not (self._store / f"lists/declared_on={day}/sampling_list.parquet").exists():
                faults.append(f"{day} was not listed")
        faults += [f"nothing of {word!r} was said" for word in words or [] if word not in ended.said]
        print(f"{what}: {'; '.join(faults) or 'yes'} ({ended.processor_seconds:.0f} s)", flush=True)
        if faults:
            print(ended.said.strip()[-1_000:], flush=True)
            self._faults.append(f"{what}: {'; '.join(faults)}")


def _morning_of(day: date) -> datetime:
    """Half past three in China on the day after."""
    return datetime.combine(day + timedelta(days=1), time(3, 30))


if __name__ == "__main__":
    sys.exit(main())
