"""Searches the parameters of a risk's model, and judges what it found on days it has not seen.

The store is locked only while it is read, so a night can be scored while a search of hours goes on.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TypedDict, Unpack

from configs.loader import risk_path
from configs.schema.risk import RiskConfig
from configs.schema.settings import Settings
from configs.who import code_version
from models.fitting.cross_fitted_rates import RateKeys
from models.search.blocks import search_blocks
from models.search.parameters import Trial, TrialStore, search
from models.search.verdict import Verdict, judge
from models.tracking.run_content import RunContent
from models.tracking.tracker import Tracker
from pipelines.history.chronicle import Chronicle
from pipelines.history.source_keys import found_extra_keys, with_source_keys
from pipelines.store.locking import hold_lock
from pipelines.store.store import Store
from pipelines.training.frames import TrainingData, known_until, training_data
from pipelines.training.new_configs import require_new, write_configs
from pipelines.training.risk_file import with_parameters
from pipelines.training.tune_report import TuneReport, outer_metrics
from pipelines.work.progress import Progress, Task

_KIND, _TRIAL_KIND = "tuning", "trial"
# What of a risk's file has no part in its model.
_WORDS = {
    "title",
    "description",
    "reasons",
    "fallback_reason",
    "look_for",
    "seen_on_opening",
    "finding_value",
}


class TuneOptions(TypedDict):
    """What is searched.

    Sets of parameters for `risk` are tried on what was reported by `until` (None: all), until there are
    `trials` of them (None: as configured), or `minutes` are over (None: no limit). With `write` the best set
    is written into that folder, as the risk's file in a copy of the configuration folder in use.
    """

    risk: str
    trials: int | None
    until: date | None
    minutes: float | None
    write: Path | None


def tune(
    store: Path, *, settings: Settings, progress: Progress, **options: Unpack[TuneOptions]
) -> TuneReport:
    """Try parameters for the trees of a risk's model.

    Trials are kept in `<store>.mlflow/tuning.db`: the same command goes on where an earlier one ended. Every
    trial is a run in MLflow below the one of its search.

    Raises:
        DataError: the store holds no results, or too few of this risk.
        UsageError: `write` is a folder with something in it.
        TrackingError: MLflow or the stored trials cannot be reached.
    """
    chosen, minutes, write = settings.risk(options["risk"]), options["minutes"], options["write"]
    require_new(write)
    opened = Store.open(store)
    tracker = Tracker.in_folder(opened.layout.mlflow)
    with opened.lock("tune"):
        settings = with_source_keys(settings, found_extra_keys(opened, settings, options["until"]))
        chronicle = Chronicle(opened, settings)
        tracker.champions()  # an unreachable server is better told before the work than after it
        data = training_data(chronicle, [chosen], known_until(chronicle, options["until"]), progress)
    trials_file = opened.layout.tuning_trials
    trials_file.parent.mkdir(exist_ok=True)
    tuning = settings.pipeline.tuning
    wanted = options["trials"] or tuning.trials
    with hold_lock(trials_file.parent, "tune"), progress.task("trials", total=wanted) as task:
        blocks = search_blocks(
            data.frames[chosen.name], chosen, settings.pipeline.training, until=data.until,
            keys=RateKeys.of(settings.pipeline),
        )  # fmt: skip
        least = settings.pipeline.gate.least_findings
        journal = _Journal.open(tracker, chosen, data, settings, task)
        journal.enough = blocks.inner_findings >= least
        tried = search(
            blocks,
            tuning,
            TrialStore(trials_file, journal.study),
            trials=wanted,
            seconds=None if minutes is None else minutes * 60,
            done=journal.write,
        )
        verdict = judge(blocks, tried, least)
        written = None if write is None else _write(write, chosen, verdict, settings)
        report = TuneReport(
            chosen.name, data.until, len(tried), journal.resumed, verdict, tracker.shown, written
        )
        journal.close(report)
    return report


@dataclass
class _Journal:
    """The runs of a search in MLflow: one for all of it, and one below it for every trial.

    `enough` findings bear the figures of a trial.
    """

    tracker: Tracker
    risk: str
    study: str
    parent: str
    task: Task
    logged: set[str] = field(default_factory=set)
    resumed: int = 0
    enough: bool = True

    @classmethod
    def open(
        cls, tracker: Tracker, risk: RiskConfig, data: TrainingData, settings: Settings, task: Task
    ) -> _Journal:
        """Go on with the run of an earlier part of the same search, or begin one."""
        tuning, training = settings.pipeline.tuning, settings.pipeline.training
        model = risk.model_dump(mode="json", exclude=_WORDS)
        basis = {
            "data": data.fingerprint,
            "risk": model,
            "training": training.model_dump(mode="json", exclude={"threads", "capacities"}),
            "rounds": tuning.rounds,
            "space": [wanted.model_dump(mode="json") for wanted in tuning.space],
            "code": code_version()["code_version"],
        }
        study = f"{risk.name}-{hashlib.sha256(json.dumps(basis, sort_keys=True).encode()).hexdigest()[:16]}"
        known = tracker.find_runs(_KIND, {"study": study})
        if known:
            parent = known[-1].run_id
            tried = tracker.find_runs(_TRIAL_KIND, parent=parent)
            return cls(tracker, risk.name, study, parent, task, {run.tags["trial"] for run in tried})
        content = RunContent(
            tags={
                "risk": risk.name,
                "study": study,
                "data_fingerprint": data.fingerprint,
                "configuration_fingerprint": settings.fingerprint,
            },
            parameters={"until": data.until, "seed": training.seed, "rounds": tuning.rounds},
            texts={"search.json": json.dumps(basis, indent=1, sort_keys=True)},
        )
        parent = tracker.log_run(f"tune {risk.name} {data.until}", content, kind=_KIND, finished=False)
        return cls(tracker, risk.name, study, parent, task)

    def write(self, trial: Trial) -> None:
        """Log a trial that is not logged yet."""
        self.task.advance()
        if str(trial.number) in self.logged:
            self.resumed += 1
            return
        inner = trial.inner
        content = RunContent(
            tags={"risk": self.risk, "trial": str(trial.number), "set": trial.name},
            parameters=trial.parameters,
            metrics={
                "log_loss": inner.log_loss,
                "rounds": float(inner.rounds),
                **({"average_precision": inner.average_precision} if self.enough else {}),
            },
        )
        name = f"trial {trial.number}" + ("" if trial.name == "found" else f" ({trial.name})")
        self.tracker.log_run(name, content, kind=_TRIAL_KIND, parent=self.parent)

    def close(self, report: TuneReport) -> None:
        """Finish the run of the search with its verdict."""
        verdict = report.verdict
        content = RunContent(
            tags={
                "verdict": "use" if verdict.recommended else "keep",
                "best_trial": str(verdict.best.number),
            },
            metrics={
                "trials": float(report.trials),
                "best_log_loss": verdict.best.inner.log_loss,
                "chance": verdict.chance,
                **({} if verdict.outer_few else outer_metrics(verdict.outer)),
            },
            texts={"report.txt": "\n".join(report.lines()) + "\n"},
        )
        self.tracker.extend_run(self.parent, content)


def _write(folder: Path, risk: RiskConfig, verdict: Verdict, settings: Settings) -> Path | None:
    """The configuration folder in use with the best set in the risk's file; None where nothing was better."""
    best = verdict.best
    if best.number == verdict.configured.number:
        return None
    text = risk_path(risk.name, settings.overlay).read_text(encoding="utf-8-sig")
    tuned = with_parameters(text, best.parameters, settings.pipeline.tuning.rounds)
    return write_configs(folder, settings.overlay, f"risks/{risk.name}.yaml", tuned)
