"""Valid inputs with something wrong, at random: does the program ever fail, and is every row accounted for?

`make bench-mutations`. A case is a number from which everything follows: a CEB message, a table (CSV,
Parquet, workbook) or a returned list (workbook, CSV, page), and what is wrong with it: bytes, fields, types,
columns, encodings, the order of messages. It goes through the command line, in this process. Judged are the
exit code (0, 2, 3 or 5), what was printed (no traceback, no fault of the program, no warning of Python's),
and the rows: those of the manifest add up, and are those of the store. A case that failed is kept in
tests/benchmarks/test_mutations.py.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from benchmarks.mutated.case import KINDS, Cases, Outcome, environment, kind_of


def main() -> int:
    """Run cases and print those that failed; 0 where none did."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--cases", type=int, default=2_000, help="how many")
    parser.add_argument("--seed", type=int, default=1, help="the number of the first case")
    parser.add_argument("--kind", choices=sorted(set(KINDS)), help="leave out cases of other kinds")
    parser.add_argument("--show", action="store_true", help="print all that a failed case printed")
    given = parser.parse_args()
    began = time.perf_counter()
    codes: Counter[tuple[str, int]] = Counter()
    failed: list[Outcome] = []
    with tempfile.TemporaryDirectory(prefix="parcel-risk-mutations-") as folder, environment():
        cases = Cases(Path(folder))
        for seed in range(given.seed, given.seed + given.cases):
            if given.kind not in (None, kind_of(seed)):
                continue
            outcome = cases.outcome(seed)
            codes[outcome.kind, outcome.code] += 1
            if outcome.faults:
                failed.append(outcome)
                print(f"case {seed} ({outcome.kind}): {'; '.join(outcome.faults)}", flush=True)
                print(outcome.said if given.show else outcome.said.strip()[-300:], flush=True)
    for (kind, code), count in sorted(codes.items()):
        print(f"{kind}: exit code {code}, {count} times")
    print(f"{len(failed)} of {given.cases} cases failed, {time.perf_counter() - began:.0f} s")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
