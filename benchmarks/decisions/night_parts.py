"""Runs a verb of the program in this folder and writes the CPU seconds of the parts of its scores as JSON.

    python -P night_parts.py RESULT VERB [OPTION]…

Imports nothing of the benchmarks: it also runs the released program. A part that runs inside another one
counts as that one.
"""

import importlib
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

PARTS = (
    ("pipelines.scoring.bucket", "", "prepare_lines", "lines prepared"),
    ("pipelines.scoring.bucket", "", "assemble", "features"),
    ("pipelines.scoring.line_scores", "", "text_scores", "text scores"),
    ("pipelines.scoring.line_scores", "", "scores_of_goods", "goods models"),
    ("pipelines.scoring.line_scores", "", "novelty", "novelty"),
    ("models.risk.fair_value", "FairValue", "expected_log_prices", "expected prices"),
    ("models.trees.blend", "Member", "predict_columns", "trees"),
    ("models.trees.booster", "Booster", "predict_columns", "trees"),
    ("pipelines.night.select_day", "", "explain", "reasons"),
)


class Parts:
    """CPU seconds by part; a method of something that has a `name` is a part of its own by that name."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._inside = False

    def measured(self, function: Callable[..., Any], part: str) -> Callable[..., Any]:
        """The function with its seconds added to the part."""

        def run(*given: Any, **named: Any) -> Any:
            if self._inside:
                return function(*given, **named)
            member = getattr(given[0], "name", None) if given else None
            name = f"{part}: {member}" if part == "trees" and member else part
            self._inside, began = True, time.process_time()
            try:
                return function(*given, **named)
            finally:
                self._inside = False
                self.seconds[name] = self.seconds.get(name, 0.0) + time.process_time() - began

        return run


def main() -> None:
    result, *command = sys.argv[1:]
    parts = Parts()
    for module, owner, function, part in PARTS:
        try:
            place: Any = importlib.import_module(module)
        except ModuleNotFoundError:
            continue
        place = getattr(place, owner) if owner else place
        if hasattr(place, function):
            setattr(place, function, parts.measured(getattr(place, function), part))
    code = importlib.import_module("pipelines.cli.main").run(command)
    Path(result).write_text(json.dumps(parts.seconds), encoding="utf-8")
    sys.exit(code)


if __name__ == "__main__":
    main()
