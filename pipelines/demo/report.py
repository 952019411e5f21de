"""What a user sees at the end of the demo."""

from __future__ import annotations

import math
import shlex
import sys
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.demo.folder import DemoFolder
from pipelines.demo.list_outcome import ListedFor, ListsOutcome, RiskOutcome
from pipelines.demo.sample import Sample, SampleRow
from pipelines.night.score_report import ScoreReport
from pipelines.pages.text_table import cut_to_width, text_table
from pipelines.simulation import SimulationReport
from pipelines.training.train import RiskTrained, TrainReport
from pipelines.work.report import Report

WIDTH = 108
_OTHERWISE = {
    "random": "drawn at random",
    "exploration": "explored",
    "rule": "on the watch list",
    "referral": "referred",
}
_BASELINES = {"random": "a random order", "seller_rate": "the seller's past"}


@dataclass(frozen=True)
class DemoReport(Report):
    """The results of a demo, and where everything is."""

    folder: DemoFolder
    simulated: SimulationReport
    trained: TrainReport
    scored: ScoreReport
    outcome: ListsOutcome
    sample: Sample | None
    seconds: Mapping[str, float]

    @property
    def exit_code(self) -> int:
        """That of the nights: 0, or 5 where a night has gaps."""
        return self.scored.exit_code

    def _lines(self) -> list[str]:
        # At most 108 cells wide, but for paths and commands.
        parts = [self._summary(), self._found(), self._promises(), self._sample(), self._where()]
        return [line for part in parts if part for line in ["", *part]][1:]

    def _facts(self) -> dict[str, Any]:
        return {
            "folder": self.folder.path,
            "simulated": self.simulated,
            "trained": self.trained,
            "scored": self.scored,
            "outcome": self.outcome.as_dict(),
            "sample": self.sample,
            "seconds": {step: round(seconds, 1) for step, seconds in self.seconds.items()},
            "commands": self.commands(),
        }

    def commands(self) -> dict[str, str]:
        """What to run next, by what it is for."""
        store, configs = _shown(self.folder.store), _shown(self.folder.configs)
        given = ["--store", store, "--configs", configs]
        day = self.scored.days[-1].day.isoformat()
        # Without this MLflow starts ten more processes, for jobs that nobody here has.
        lean = "MLFLOW_SERVER_ENABLE_JOB_EXECUTION=false"
        browse = _command("mlflow", "ui", "--backend-store-uri", self.trained.tracking, "--workers", "1")
        back = {}
        if self.sample is not None:
            filled = _shown(self.sample.page.with_suffix(".xlsx"))
            back["results back"] = _command("parcel-risk", "feedback", filled, *given)
        return {
            "runs and models": f"{lean} {browse}",
            **back,
            "models in use": _command("parcel-risk", "champion", "list", *given),
            "shorter lists": _command("parcel-risk", "select", *given, "--date", day, "--capacity", "3"),
        }

    def _summary(self) -> list[str]:
        simulated, nights = self.simulated, self.scored.days
        lines = [
            f"Simulated {simulated.first} to {simulated.last}: {simulated.parcels:,} parcels, "
            f"{simulated.rows:,} lines; {simulated.inspected_parcels:,} parcels inspected",
            f"Trained on what was reported up to {self.trained.until}:",
            *(f"  {line}" for risk in self.trained.risks for line in _training(risk)),
            f"Scored the nights {nights[0].day} to {nights[-1].day}: "
            f"{sum(day.scored for day in nights):,} lines of {self.outcome.parcels:,} parcels, "
            f"{self.outcome.listed:,} parcels listed ({_percent(self.outcome.listed, self.outcome.parcels)})",
        ]
        steps = ", ".join(f"{step} {seconds:.0f} s" for step, seconds in self.seconds.items())
        return [*lines, f"Took {sum(self.seconds.values()):.0f} s: {steps}"]

    def _found(self) -> list[str]:
        outcome = self.outcome
        head = [
            ["", "parcels", "lists", "", "", "random picks", "", "", ""],
            ["", "with it", "find", "precision", "recall", "find (95%)", "precision", "recall", "lift"],
        ]
        money = [
            "tax shortfall, CNY",
            f"{outcome.shortfall_cny:,.0f}",
            f"{outcome.shortfall_found_cny:,.0f}",
            "",
            _percent(outcome.shortfall_found_cny, outcome.shortfall_cny),
            f"{outcome.shortfall_at_random_cny:,.0f}",
            "",
            _percent(outcome.shortfall_at_random_cny, outcome.shortfall_cny),
            _times(outcome.shortfall_found_cny, outcome.shortfall_at_random_cny),
        ]
        return [
            f"WHAT THE LISTS WOULD HAVE FOUND: all {outcome.listed:,} listed parcels opened, against as many",
            "that each office picks at random from its parcels of the night; findings are those of the truth",
            "",
            *text_table([*head, *map(_risk_row, outcome.risks), money], heads=2),
        ]

    def _promises(self) -> list[str]:
        head = ["chosen for", "parcels", "with it", "precision (95%)", "models promised"]
        return [
            "WHAT THE MODELS PROMISED: the listed parcels by what they were chosen for",
            "",
            *text_table([head, *map(_promise_row, self.outcome.listed_for)]),
        ]

    def _sample(self) -> list[str]:
        if self.sample is None:
            return []
        sample = self.sample
        return [
            f"THE TOP OF A LIST: {len(sample.rows)} of {sample.parcels} parcels of office {sample.office}, "
            f"{sample.day}",
            *(line for row in sample.rows for line in _sample_row(row)),
        ]

    def _where(self) -> list[str]:
        last = self.scored.days[-1].folder
        places = {
            "lists": f"{_shown(last.parent)}/*/ (<office>.xlsx, <office>.html, sampling_list.csv, .parquet)",
            **({"a page": _shown(self.sample.page)} if self.sample is not None else {}),
            **self.commands(),
        }
        return ["SEE FOR YOURSELF", *(f"{what + ':':17}{where}" for what, where in places.items())]


def _training(risk: RiskTrained) -> list[str]:
    if risk.version is None:
        return [cut_to_width(line, WIDTH - 2) for line in risk.lines()]
    text = f"{risk.risk:17} version {risk.version}, {'in use' if risk.promoted else 'not in use'}"
    evaluation = risk.evaluation
    if evaluation is None or evaluation.period is None:
        return [text]
    if few := evaluation.too_few():
        return [f"{text}; {few} on later inspections: no figure says how good it is"]
    figure = evaluation.figure("average_precision").value
    beside = [
        f"{words} {value:.3f}"
        for name, words in _BASELINES.items()
        if not math.isnan(value := evaluation.figure("average_precision", score=name).value)
    ]
    return [
        f"{text}; average precision {figure:.3f} on later inspections with {evaluation.findings:,} findings",
        *([f"{'':17} ({', '.join(beside)})"] if beside else []),
    ]


def _risk_row(risk: RiskOutcome) -> list[str]:
    chance = risk.random
    return [
        risk.risk,
        f"{risk.parcels:,}",
        f"{risk.found:,}",
        _percent(risk.found, risk.listed),
        _percent(risk.found, risk.parcels),
        f"{chance.expected:,.1f} ({chance.low:,} to {chance.high:,})",
        _percent(chance.expected, risk.listed),
        _percent(chance.expected, risk.parcels),
        _times(risk.found, chance.expected),
    ]


def _promise_row(chosen: ListedFor) -> list[str]:
    low, high = chosen.interval
    return [
        chosen.reason if chosen.promised is not None else f"{_OTHERWISE[chosen.reason]}: any of them",
        f"{chosen.listed:,}",
        f"{chosen.found:,}",
        f"{_percent(chosen.found, chosen.listed)} ({low:.1%} to {high:.1%})" if chosen.listed else "",
        f"{chosen.promised:,.1f}" if chosen.promised is not None else "",
    ]


def _sample_row(row: SampleRow) -> Sequence[str]:
    really = "in truth: " + (", ".join(row.truth) or "nothing wrong")
    why = row.risk or "no score"
    if row.probability is not None and row.expected_value_cny is not None:
        why += f" {row.probability:.0%}, worth CNY {row.expected_value_cny:,.0f}"
    if row.at_random:
        why = f"drawn at random ({why})"
    reasons = [
        line
        for reason in row.reasons
        for line in textwrap.wrap(reason, WIDTH - 7, initial_indent="     - ", subsequent_indent="       ")
    ]
    return [f"{row.rank:>3}. {why}; {really}", "     " + cut_to_width(row.goods, WIDTH - 5), *reasons]


def _percent(part: float, whole: float) -> str:
    return f"{part / whole:.1%}" if whole else ""


def _times(found: float, expected: float) -> str:
    return f"{found / expected:.1f}x" if expected else ""


def _command(program: str, *arguments: str) -> str:
    beside = Path(sys.executable).with_name(program)
    return shlex.join([_shown(beside) if beside.exists() else program, *arguments])


def _shown(path: Path) -> str:
    """As short as it can be and still work from the current folder."""
    absolute = path.absolute()
    here = Path.cwd()
    return str(absolute.relative_to(here)) if absolute.is_relative_to(here) else str(absolute)
