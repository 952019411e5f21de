"""Valid inputs with something wrong, at random: does the program ever fail, and is every row accounted for?

`make bench-mutations`. A case is a number from which everything follows: a CEB message, a table (CSV,
Parquet, workbook) or a returned list (workbook, CSV, page), and what is wrong with it: bytes, fields, types,
columns, encodings, the order of messages. It goes through the command line, in this process. Judged are the
exit code (0, 2, 3 or 5), what was printed (no traceback, no fault of the program, no warning of Python's),
the processor's time, and the rows: those of the manifest add up, and are those of the store. A case that
failed is kept in tests/benchmarks/test_mutations.py.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.mutated.case import KINDS, Cases, Outcome, environment, kind_of
from benchmarks.shared.processes import commit

RESULTS = Path(__file__).with_name("results") / "mutations.md"


def main() -> int:
    """Run cases and print those that failed; 0 where none did."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--cases", type=int, default=2_000, help="how many")
    parser.add_argument("--seed", type=int, default=1, help="the number of the first case")
    parser.add_argument("--kind", choices=sorted(set(KINDS)), help="leave out cases of other kinds")
    parser.add_argument("--show", action="store_true", help="print all that a failed case printed")
    parser.add_argument(
        "--results", type=Path, nargs="?", const=RESULTS, help=f"write a summary, without a path to {RESULTS}"
    )
    given = parser.parse_args()
    began = time.perf_counter()
    outcomes: list[Outcome] = []
    with tempfile.TemporaryDirectory(prefix="parcel-risk-mutations-") as folder, environment():
        cases = Cases(Path(folder))
        for seed in range(given.seed, given.seed + given.cases):
            if given.kind not in (None, kind_of(seed)):
                continue
            outcome = cases.outcome(seed)
            outcomes.append(outcome)
            if outcome.faults:
                print(f"case {seed} ({outcome.kind}): {'; '.join(outcome.faults)}", flush=True)
                print(outcome.said if given.show else outcome.said.strip()[-300:], flush=True)
    text = report(outcomes, time.perf_counter() - began)
    print(text)
    if given.results:
        given.results.write_text(text, encoding="utf-8")
    return 1 if any(outcome.faults for outcome in outcomes) else 0


def report(outcomes: list[Outcome], seconds: float) -> str:
    """The summary as Markdown."""
    seeds = [outcome.seed for outcome in outcomes]
    bad = [outcome for outcome in outcomes if outcome.faults]
    counts = Counter((outcome.kind, outcome.code) for outcome in outcomes)
    dearest = sorted(outcomes, key=lambda outcome: -outcome.processor_seconds)[:3]
    codes = sorted({outcome.code for outcome in outcomes})
    lines = [
        "# Valid inputs with something wrong",
        "",
        f"`make bench-mutations` (cases {min(seeds, default=0)} to {max(seeds, default=0)}), commit "
        f"{commit()}, Python {sys.version.split()[0]}, {datetime.now(UTC):%d %B %Y}, "
        f"{seconds:,.0f} s. What a case is and how it is judged stands at the top of "
        "[mutations.py](../mutations.py).",
        "",
        f"**{len(bad)} of {len(outcomes):,}** cases failed. Dearest: "
        f"{', '.join(f'{each.seed} ({each.kind}), {each.processor_seconds:.1f} s' for each in dearest)}.",
        "",
        f"| kind | cases | {' | '.join(f'exit code {code}' for code in codes)} |",
        f"|---|---|{'---|' * len(codes)}",
        *(
            f"| {kind} | {sum(counts[kind, code] for code in codes)} | "
            f"{' | '.join(str(counts[kind, code]) for code in codes)} |"
            for kind in dict.fromkeys(KINDS)
        ),
        *(f"\nCase {outcome.seed} ({outcome.kind}): {'; '.join(outcome.faults)}" for outcome in bad),
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
