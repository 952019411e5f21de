"""Search combinations of columns whose past hit rate adds to what the history counts already."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, TypedDict, Unpack

import numpy as np
import polars as pl
import yaml

from configs.errors import DataError
from configs.schema.risk import RiskConfig
from configs.schema.settings import Settings
from features.arrays.types import UInt64Array
from features.contract.declarations import DECLARATION_COLUMNS, LINE_KEY
from features.history.keys import hashed_column
from features.history.results import known_labels, with_results_of
from features.prepare import prepare_lines
from models.fitting.block import chosen_by_outcome
from models.search.combination_rates import InspectedLines
from models.search.combinations import CombinationKey, Found, Search, SearchOptions, find_combinations
from models.stats.intervals import too_few
from pipelines.history.chronicle import Chronicle
from pipelines.store.store import Store
from pipelines.training.frames import known_until
from pipelines.training.new_configs import require_new, write_configs
from pipelines.work.progress import Progress
from pipelines.work.report import Report

# Beside the columns of the configured combinations and those of the source's own. Amounts by their exact
# value: data may repeat itself.
_COLUMNS = (
    *("customs_office", "port", "trade_mode", "transport_mode", "origin_country", "dispatch_country"),
    *("total_price", "net_weight_kg"),
)


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
            sure = "" if judged.low > 0.0 else ", which may be chance: compare two trainings first"
            lines.append(
                f"on the newest days, which chose nothing ({judged.findings:,} findings), all of them "
                f"together gain {judged.value:.3f} [{judged.low:.3f}, {judged.high:.3f}]{sure}"
            )
        if self.written is not None:
            lines.append(f"written to {self.written}: use it with --configs {self.written.parent}")
        return [f"{self.risk}: {line}" for line in lines]

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
                }
                for each in self.search.chosen
            ],
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
        chronicle = Chronicle(opened, settings)
        known_to = known_until(chronicle, options["until"])
        lines = _inspected(chronicle, chosen, known_to, progress)
    config = settings.pipeline
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
    if write is not None and search.chosen:
        written = _write(write, search.chosen, settings)
    findings = int(lines.found.sum())
    return CombinationsReport(
        chosen.name, known_to, len(lines.found), findings, tuple(lines.columns), search, written
    )


def _inspected(chronicle: Chronicle, risk: RiskConfig, until: date, progress: Progress) -> InspectedLines:
    """The lines with a result of the risk, with the hash of every column that a key may be made of."""
    inspections = chronicle.store.read_inspections(reported_to=until)
    if inspections.is_empty() or risk.label not in inspections.columns:
        raise DataError(
            f"expected results in the column {risk.label} up to {until}, found none in {chronicle.store.path}"
        )
    known = known_labels(inspections, until).filter(pl.col(risk.label).is_not_null())
    targets = known.select(
        *LINE_KEY,
        pl.col(risk.label).alias("_found"),
        pl.col(f"reported_on__{risk.label}").alias("_known"),
        pl.col("selection").alias("_selection"),
        "inspected_on",
    )
    names = _columns(chronicle)
    parts: list[pl.DataFrame] = []
    hashes: dict[str, list[UInt64Array]] = {name: [] for name in names}
    days = [day for day in chronicle.store.declaration_days() if day <= until]
    with progress.task("inspected lines", total=len(days)) as task:
        for day in days:
            declared = chronicle.store.read_declarations(day).with_columns(pl.lit(day).alias("declared_on"))
            lines = with_results_of(declared, targets)
            if lines.height:
                prepared = prepare_lines(
                    lines, chronicle.reference.on(day), chronicle.settings.pipeline.features
                )
                for name in names:
                    hashes[name].append(hashed_column(prepared, name))
                parts.append(lines.select("_found", "_known", "_selection", pl.lit(day).alias("_day")))
            task.advance()
    if not parts:
        raise DataError(f"none of the lines with a result of {risk.name} is among the declarations")
    every = pl.concat(parts)
    columns = {name: np.concatenate(values) for name, values in hashes.items()}
    return InspectedLines(
        {name: values for name, values in columns.items() if len(np.unique(values)) > 1},
        every["_day"].to_physical().cast(pl.Int64).to_numpy(),
        every["_known"].to_physical().cast(pl.Int64).to_numpy(),
        every["_found"].to_numpy(),
        ~chosen_by_outcome(every.rename({"_selection": "selection"})),
    )


def _columns(chronicle: Chronicle) -> list[str]:
    """What keys may be made of: the columns in use, places and routes, and texts of the source's own."""
    used = [name for spec in chronicle.spec.keys for name in spec.columns]
    schema = chronicle.store.declaration_schema()
    own = [
        name
        for name, dtype in schema.items()
        if name not in DECLARATION_COLUMNS and dtype == pl.String and not name.startswith("_")
    ]
    return list(dict.fromkeys([*used, *_COLUMNS, *own]))


def _words(choice: Found) -> str:
    behind = f", pulled towards {choice.key.backoff}" if choice.key.backoff else ""
    gain = choice.gain
    return (
        f"{' x '.join(choice.key.columns)}{behind}: gains {gain.value:.3f} [{gain.low:.3f}, {gain.high:.3f}] "
        f"in log-likelihood a finding on the days that chose it ({gain.findings:,} findings)"
    )


def _write(folder: Path, found: Sequence[Found], settings: Settings) -> Path:
    """The configuration folder in use with the chosen combinations behind those configured."""
    path = settings.overlay and settings.overlay / "pipeline.yaml"
    content = yaml.safe_load(path.read_text(encoding="utf-8-sig")) if path and path.exists() else {}
    content = content or {}
    history = settings.pipeline.history.model_dump(mode="json")
    added = [
        {"name": each.key.name, "columns": list(each.key.columns), "backoff": each.key.backoff}
        for each in found
    ]
    combined = {**(content.get("history") or {}), "combinations": [*history["combinations"], *added]}
    text = yaml.safe_dump(content | {"history": combined}, sort_keys=False, allow_unicode=True, width=110)
    return write_configs(folder, settings.overlay, "pipeline.yaml", text)
