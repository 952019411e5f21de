"""A small night is killed at random moments and started again: does it leave what an undisturbed one leaves?

`make bench-faults`. A moment is a change of a file (a file opened for writing, a rename, a folder made or
removed, half a table written), drawn from all changes that an undisturbed night makes: between two of them,
a killed process leaves the same behind. Compared byte by byte are scores, values, lists, strata and the
history of the day, and the manifests but for seconds and memory. Nothing else may be left but what the
undisturbed night leaves, the sums kept for `select`, and of these nothing that differs.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.pipelines.killing import KILLED, Killer, killer
from tests.pipelines.night.test_score_faults import left_behind, without_times
from tests.pipelines.trained_world import NIGHT, TRAINED_UNTIL, World, different, make_world

DAY = NIGHT + timedelta(days=1)
RESULTS = Path(__file__).with_name("results") / "faults.md"


@dataclass(frozen=True)
class Moment:
    """One kill: the change at which it came, and what was wrong after the restart."""

    number: int
    change: str
    faults: list[str]


def main() -> int:
    """Kill and restart; 0 where every restart ended with the same bytes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--moments", type=int, default=50, help="how many kills")
    parser.add_argument("--seed", type=int, default=20261122, help="the same seed, the same moments")
    parser.add_argument("--results", type=Path, default=RESULTS, help="where the summary is written")
    given = parser.parse_args()
    # No night may depend on the models that a server of whoever runs this happens to hold.
    os.environ.pop("MLFLOW_TRACKING_URI", None)
    began = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="parcel-risk-faults-") as folder, killer() as program:
        trained = make_world(Path(folder))
        if trained.run("train", "--until", TRAINED_UNTIL.isoformat(), "--quiet"):
            return 1
        moments, changes = killed_nights(Path(folder), trained, program, given.moments, given.seed)
    good = sum(not moment.faults for moment in moments)
    text = report(moments, changes, given.seed, time.perf_counter() - began)
    given.results.write_text(text, encoding="utf-8")
    print(f"{good} of {len(moments)} restarts left the same bytes; {given.results}")
    return 0 if good == len(moments) else 1


def killed_nights(
    folder: Path, trained: World, program: Killer, count: int, seed: int
) -> tuple[list[Moment], int]:
    """The kills in their order, and how many changes the undisturbed night made."""
    expected = trained.copy(folder / "undisturbed")
    end = program.run(expected.arguments("score", "--date", DAY.isoformat()), expected.path)
    if end.status:
        raise SystemExit(end.said)
    drawn = random.Random(seed).sample(range(1, len(end.changes) + 1), min(count, len(end.changes)))
    moments = []
    for number in drawn:
        faults = killed_night(trained.copy(folder / "killed"), expected, program, number)
        shutil.rmtree(folder / "killed")
        moments.append(Moment(number, end.changes[number - 1], faults))
        verdict = "the same" if not faults else f"DIFFERS: {', '.join(faults[:3])}"
        print(f"{len(moments)}/{count} killed at change {number}: {verdict}", flush=True)
    return moments, len(end.changes)


def killed_night(world: World, expected: World, program: Killer, number: int) -> list[str]:
    """What is wrong after a night that was killed at a change and started again."""
    command = world.arguments("score", "--date", DAY.isoformat())
    killed = program.run(command, world.path, ("", number))
    if killed.status != KILLED:
        return [f"was not killed but ended with {killed.status}"]
    again = program.run(command)
    if again.status:
        return [f"the restart ended with {again.status}: {again.said.strip().splitlines()[-1]}"]
    faults = different(world.results(), expected.results())
    if without_times(world) != without_times(expected):
        faults.append("manifests")
    return faults + [f"left behind: {path}" for path in left_behind(world, expected)]


def report(moments: list[Moment], changes: int, seed: int, seconds: float) -> str:
    """The summary as Markdown."""
    head = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    ).stdout.strip()
    good = sum(not moment.faults for moment in moments)
    kinds = Counter(kind(moment.change) for moment in moments)
    lines = [
        "# Killed and restarted nights",
        "",
        f"`make bench-faults` (seed {seed}), commit {head or 'unknown'}, Python {sys.version.split()[0]}, "
        f"{datetime.now(UTC):%d %B %Y}, {seconds:,.0f} s. What a moment is and what is compared stands at "
        "the top of [faults.py](../faults.py).",
        "",
        f"**{good} of {len(moments)}** nights that were killed (SIGKILL) at a random one of their {changes} "
        "changes of files, and started again, left the same bytes as an undisturbed night.",
        "",
        "| killed in the middle of | nights |",
        "|---|---|",
        *(f"| {name} | {count} |" for name, count in sorted(kinds.items())),
    ]
    bad = [moment for moment in moments if moment.faults]
    lines += [f"\nChange {moment.number} ({moment.change}): {', '.join(moment.faults)}" for moment in bad]
    return "\n".join(lines) + "\n"


def kind(change: str) -> str:
    """What is done where, without the names that differ from night to night.

    >>> kind("os.rename /.work/score-2026-11-19-0a1b/scores/.bucket-000-of-002.parquet.123")
    '`os.rename` in `.work`'
    """
    what, _, path = change.partition(" /")
    place = path.split("/")[0]
    return f"`{what}` in `{place}`" if place else f"`{what}`"


if __name__ == "__main__":
    sys.exit(main())
