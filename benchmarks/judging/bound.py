"""The bound: the features of this program, trained on the truth about all past lines.

Nobody has that truth. What the bound reaches says how much these features could tell; the rest is chance, or
needs other features. Hit rates among the features still rest on the inspected lines alone.

To fit into memory and time, training keeps every line with some risk and one in twelve of the others, drawn
by a hash of their key. That shifts the log-odds of all lines alike and leaves their ranking as it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

import polars as pl

from configs.schema.risk import RiskConfig
from features.arrays.hashing import hash_text
from features.arrays.types import FloatArray
from features.assemble import FeatureSet, assemble
from features.contract.declarations import LINE_KEY
from features.history.view import DayContext
from models.fitting.candidates import start_of, tree_parameters
from models.risk.encoder import fit_encoder
from models.trees.booster import TreeSettings, train_booster
from pipelines.history.chronicle import Chronicle
from pipelines.store.store import Store

_ONE_IN = 12
# More findings bear more trees; what later lines lose by too many was nothing to speak of.
_MORE_ROUNDS = 2


@dataclass(frozen=True)
class AllLines:
    """Features of the past lines that the bound learns from, and of every later line; truth beside both."""

    past: FeatureSet
    later: FeatureSet


def all_lines(chronicle: Chronicle, risks: Sequence[RiskConfig], first_later: date) -> AllLines:
    """Replays the store once; features of each day's lines are built on the history of its eve."""
    config = chronicle.settings.pipeline
    labels = [risk.label for risk in risks]
    history, results = chronicle.spec.empty(), chronicle.results_by_day(date.max)
    past: list[FeatureSet] = []
    later: list[FeatureSet] = []
    for day in chronicle.days():
        lines = chronicle.prepared(day)
        today = chronicle.tables(lines, day, history)
        if lines.height:
            into = past if day < first_later else later
            context = DayContext(day, history, today, config.features)
            true = truth_of(chronicle.store, day).select(*LINE_KEY, *labels)
            wanted = true if day >= first_later else true.filter(pl.any_horizontal(labels) | _drawn(true))
            lines = lines.join(wanted, on=LINE_KEY, how="semi", maintain_order="left")
            built = assemble(lines, context, chronicle.reference.on(day), risks)
            # Only now: to a block a column that it does not know is one of the source's own.
            known = built.lines.join(true, on=LINE_KEY, how="left", validate="1:1", maintain_order="left")
            into.append(replace(built, lines=known))
        history = chronicle.step(history, day, today, results.get(day, {}))
    return AllLines(_below(past), _below(later))


def bound_scores(
    lines: AllLines, risk: RiskConfig, later: pl.DataFrame, *, seed: int, threads: int
) -> FloatArray:
    """Log-odds of the later lines (lines,) in the order of the keys `later`."""
    train, test = lines.past.for_risk(risk), lines.later.for_risk(risk)
    found = lines.past.lines[risk.label].to_numpy()
    encoder, learned = fit_encoder(train, found, risk, seed=seed, threads=threads)
    matrix = encoder.matrix(train, learned)
    trained = train_booster(
        matrix,
        found,
        TreeSettings(
            rounds=_MORE_ROUNDS * risk.rounds,
            seed=seed,
            threads=threads,
            parameters=tree_parameters(risk, int(found.sum()), matrix.columns),
        ),
        start=start_of(risk, matrix, found),
    )
    unseen = encoder.matrix(test, encoder.learned(test, threads=threads))
    raw = trained.booster.predict_raw(unseen.values, threads=threads)
    scored = lines.later.lines.select(LINE_KEY).with_columns(pl.Series("raw", raw))
    in_order = later.select(LINE_KEY).join(scored, on=LINE_KEY, how="left", maintain_order="left")
    return in_order["raw"].to_numpy()


KIND = pl.col("mechanism").str.split(" + ").list.first().str.split(":").list.first()
"""What was really done to a line, of several things the first."""


def truth_of(store: Store, day: date) -> pl.DataFrame:
    """The simulator's truth about a day's lines."""
    folder = store.path / "truth" / f"declared_on={day.isoformat()}"
    return pl.read_parquet(folder / "truth.parquet", glob=False, hive_partitioning=False)


def _drawn(lines: pl.DataFrame) -> pl.Series:
    return hash_text(lines["declaration_id"]) % _ONE_IN == 0


def _below(parts: Sequence[FeatureSet]) -> FeatureSet:
    """The feature sets of several days, one below the other."""

    def joined(frames: Sequence[Mapping[str, pl.DataFrame]]) -> dict[str, pl.DataFrame]:
        return {name: pl.concat([frame[name] for frame in frames]) for name in frames[0]}

    by_label = {label: joined([part.by_label[label] for part in parts]) for label in parts[0].by_label}
    return FeatureSet(
        pl.concat([part.lines for part in parts]), joined([part.shared for part in parts]), by_label
    )
