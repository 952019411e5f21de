"""Search combinations of columns whose past hit rate adds to what the history counts already."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, TypedDict, Unpack

import yaml

from configs.schema.settings import Settings
from models.search.combinations import CombinationKey, Found, Search, SearchOptions, find_combinations
from models.stats.intervals import Estimate, too_few
from pipelines.history.chronicle import Chronicle
from pipelines.history.source_keys import found_extra_keys, with_source_keys
from pipelines.store.store import Store
from pipelines.training.frames import known_until
from pipelines.training.inspected import inspected_frame, inspected_lines, key_columns
from pipelines.training.new_configs import require_new, write_configs
from pipelines.work.progress import Progress
from pipelines.work.report import Report


@dataclass(frozen=True)
class CombinationsReport(Report):
    """What was searched and found, and where it was written."""

    risk: str
    until: date
    lines_searched: int
    findings: int
    columns: tuple[str, ...]
    search: Search
    written: Path | None = None

    def _lines(self) -> list[str]:
        about = f"{self.lines_searched:,} inspected lines with {self.findings:,} findings up to {self.until}"
        if not self.search.enough:
            return [f"{self.risk}: {too_few(self.findings)} to search in: {about}"]
        lines = [f"{self.search.tried:,} combinations of {len(self.columns)} columns tried on {about}"]
        lines += [_words(each) for each in self.search.chosen]
        judged = self.search.judged
        if judged is None:
            lines.append("none tells more than what is counted already")
        else:
            promised = f"the {self.search.promised:.3f} that the days that chose them promise"
            lines.append(
                f"on the newest days, which chose nothing ({judged.findings:,} findings), all of them "
                f"together gain {judged.value:.3f} [{judged.low:.3f}, {judged.high:.3f}] of {promised}"
                f"{self._verdict(judged)}"
            )
        if self.written is not None:
            lines.append(f"written to {self.written}: use it with --configs {self.written.parent}")
        return [f"{self.risk}: {line}" for line in lines]

    def _verdict(self, judged: Estimate) -> str:
        """What to make of the gain on later days."""
        if judged.low <= 0.0:
            return ", which may be chance: the promise does not hold; compare two trainings first"
        return "" if self.search.holds else ", surely less: expect what the newest days show"

    def _facts(self) -> dict[str, Any]:
        judged = self.search.judged
        return {
            "risk": self.risk,
            "until": self.until,
            "lines": self.lines_searched,
            "findings": self.findings,
            "columns": self.columns,
            "tried": self.search.tried,
            "chosen": [
                {
                    "name": each.key.name,
                    "columns": each.key.columns,
                    "backoff": each.key.backoff,
                    "gain": [each.gain.value, each.gain.low, each.gain.high],
                    "later": [each.later.value, each.later.low, each.later.high],
                    "holds": each.holds,
                }
                for each in self.search.chosen
            ],
            "promised": self.search.promised,
            "holds": self.search.holds,
            "judged": None if judged is None else [judged.value, judged.low, judged.high],
            "written": self.written,
        }


class CombinationOptions(TypedDict):
    """What is searched.

    Combinations of up to `largest` columns are tried for `risk`, on what was reported by `until` (None:
    all), and at most `most` are chosen. With `write` the chosen ones join those in use in `pipeline.yaml` of
    that new folder.
    """

    risk: str
    until: date | None
    largest: int
    most: int
    write: Path | None


def combinations(
    store: Path, *, settings: Settings, progress: Progress, **options: Unpack[CombinationOptions]
) -> CombinationsReport:
    """Try combinations of columns for a risk and choose those whose hit rate adds most.

    Raises:
        DataError: the store holds no results of this risk.
        UsageError: `write` is a folder with something in it.
    """
    chosen, write = settings.risk(options["risk"]), options["write"]
    require_new(write)
    opened = Store.open(store)
    with opened.lock("combinations"):
        completed = with_source_keys(settings, found_extra_keys(opened, settings, options["until"]))
        chronicle = Chronicle(opened, completed)
        known_to = known_until(chronicle, options["until"])
        columns = key_columns(chronicle)
        lines = inspected_lines(inspected_frame(chronicle, chosen, known_to, progress, columns=columns))
    lines = lines.varying()
    config = completed.pipeline
    with progress.task("combinations", total=None) as task:
        search = find_combinations(
            lines,
            [CombinationKey(key.name, key.columns, key.backoff) for key in config.history.hit_rate_keys],
            SearchOptions(
                smoothing=config.hit_rates.smoothing,
                half_life_days=config.history.result_half_life_days,
                largest=options["largest"],
                most=options["most"],
                seed=config.training.seed,
                least_findings=config.gate.least_findings,
            ),
            advance=task.advance,
        )
    written = None
    if write is not None and search.kept:
        written = _write(write, search.kept, settings)
    findings = int(lines.found.sum())
    return CombinationsReport(
        chosen.name, known_to, len(lines.found), findings, tuple(lines.columns), search, written
    )


def _words(choice: Found) -> str:
    behind = f", pulled towards {choice.key.backoff}" if choice.key.backoff else ""
    gain, later = choice.gain, choice.later
    borne_out = "" if choice.holds else ": it does not hold, and is not written"
    return (
        f"{' x '.join(choice.key.columns)}{behind}: gains {gain.value:.3f} [{gain.low:.3f}, {gain.high:.3f}] "
        f"in log-likelihood a finding on the days that chose it ({gain.findings:,} findings), "
        f"{later.value:.3f} [{later.low:.3f}, {later.high:.3f}] on later ones{borne_out}"
    )


def _write(folder: Path, found: Sequence[Found], settings: Settings) -> Path:
    """The configuration folder in use with the chosen combinations behind those configured."""
    path = settings.overlay and settings.overlay / "pipeline.yaml"
    content = yaml.safe_load(path.read_text(encoding="utf-8-sig")) if path and path.exists() else {}
    content = content or {}
    history = dict(content.get("history") or {})
    # Where the short form at the top level is in use it is what the program reads.
    listed = history.get("combinations", content.pop("combinations", None))
    names = {key.name: key for key in settings.pipeline.history.hit_rate_keys}
    root = next((name for name, key in names.items() if not key.columns), None)
    # No file names the keys of extra columns, so none can back off to one.
    added = [
        {
            "name": each.key.name,
            "columns": list(each.key.columns),
            "backoff": each.key.backoff if each.key.backoff in names else root,
        }
        for each in found
    ]
    if isinstance(listed, list):
        history["combinations"] = [*listed, *added]
    else:
        history["combinations"] = {"add": [*(listed or {}).get("add", ()), *added]}
    text = yaml.safe_dump(content | {"history": history}, sort_keys=False, allow_unicode=True, width=110)
    return write_configs(folder, settings.overlay, "pipeline.yaml", text)
