"""The quick measurements, one after the other: `python -m benchmarks`, `make bench`. Those of the models take
an hour and are `make bench-models`.
"""

import subprocess
import sys
from pathlib import Path

MEASUREMENTS = ("simulator", "trees")


def main() -> int:
    """Run each in a process of its own; the exit code is that of the first one that fails."""
    root = Path(__file__).resolve().parents[1]
    for name in MEASUREMENTS:
        print(f"== benchmarks.decisions.{name}", flush=True)
        done = subprocess.run([sys.executable, "-m", f"benchmarks.decisions.{name}"], cwd=root, check=False)
        if done.returncode:
            return done.returncode
    return 0


if __name__ == "__main__":
    sys.exit(main())
